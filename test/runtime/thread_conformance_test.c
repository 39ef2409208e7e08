/* Conformance of worker threads and portals. */
#include "conformance.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* --- workers ------------------------------------------------------------------------ */

static atomic_int running, stop;

/* Until the loop's side says so; tells when it runs. */
static int until_stopped(void *arg)
{
    (void)arg;
    atomic_store(&running, 1);
    while (!atomic_load(&stop))
        usleep(50);
    return 8;
}

static int until_cancelled(void *arg)
{
    (void)arg;
    atomic_store(&running, 1);
    while (cn_thread_cancelled() == 0)
        usleep(50);
    return 3;
}

static int wait_until_running(void)
{
    while (!atomic_load(&running))
        cn_sleep(CN_MSEC);
    return 0;
}

struct call {
    cn_fn *fn;
    unsigned flags;
    int result, after;
};

static int make_call(void *arg)
{
    struct call *c = arg;

    c->result = cn_to_thread(c->fn, NULL, NULL, c->flags);
    c->after = cn_checkpoint();
    return c->after;
}

static int cancelled_waits(void *arg)
{
    struct call c = {.fn = until_cancelled};
    struct cn_group g;

    (void)arg;
    atomic_store(&running, 0);
    cn_group_open(&g);
    cn_spawn(&g, make_call, &c);
    wait_until_running();
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(c.result, 3);
    CHECK_INT(c.after, CN_ECANCELED);
    CHECK_INT(cn_limiter_available(cn_thread_limiter()), 40);
    return 0;
}

static int cancelled_abandons(void *arg)
{
    struct call c = {.fn = until_stopped, .flags = CN_ABANDON};
    struct cn_group g;

    (void)arg;
    atomic_store(&running, 0);
    atomic_store(&stop, 0);
    cn_group_open(&g);
    cn_spawn(&g, make_call, &c);
    wait_until_running();
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(c.result, CN_ECANCELED);
    CHECK_INT(cn_limiter_available(cn_thread_limiter()), 39);
    atomic_store(&stop, 1);
    while (cn_limiter_available(cn_thread_limiter()) < 40)
        cn_sleep(CN_MSEC);
    return 0;
}

static int never_runs(void *arg)
{
    (void)arg;
    CHECK(!"ran");
    return 0;
}

static int cancelled_before_it_runs(void *arg)
{
    struct cn_limiter one = CN_LIMITER_INIT(1);
    struct cn_scope s;

    (void)arg;
    CHECK_INT(cn_limiter_acquire(&one, &one), 0);
    cn_scope_open(&s, cn_after(CN_MSEC), 0);
    CHECK_INT(cn_to_thread(never_runs, NULL, &one, 0), CN_ECANCELED);
    CHECK_INT(cn_to_thread(never_runs, NULL, NULL, 0), CN_ECANCELED);
    CHECK_INT(cn_scope_close(&s, CN_ECANCELED), 0);
    CHECK_INT(cn_limiter_release(&one, &one), 0);
    CHECK_INT(cn_to_thread(rt_nothing, NULL, &one, 0), 0);
    CHECK_INT(cn_limiter_available(&one), 1);
    cn_limiter_done(&one);
    return 0;
}

/* --- portals -------------------------------------------------------------------------- */

static int five(void *arg)
{
    CHECK_INT(cn_sleep(CN_MSEC), 0);
    return arg ? *(int *)arg : 5;
}

static int visit(void *arg)
{
    int bad = -EIO;

    CHECK_INT(cn_from_thread(arg, five, NULL), 5);
    CHECK_INT(cn_from_thread(arg, five, &bad), -EIO);
    CHECK_INT(cn_portal_spawn(arg, five, NULL), 0);
    return 0;
}

static int calls_back(void *arg)
{
    struct cn_portal *p;
    struct cn_group g;

    (void)arg;
    cn_group_open(&g);
    CHECK_INT(cn_portal_open(&g, &p), 0);
    CHECK_INT(cn_from_thread(p, five, NULL), CN_EINVAL);
    CHECK_INT(cn_to_thread(visit, p, NULL, 0), 0);
    cn_portal_close(p);
    return cn_group_close(&g, 0);
}

static int visit_sleeper(void *arg)
{
    atomic_store(&running, 1);
    return cn_from_thread(arg, rt_wait, NULL);
}

static int call_visitor(void *arg)
{
    CHECK_INT(cn_to_thread(visit_sleeper, arg, NULL, 0), CN_ECANCELED);
    return 0;
}

/* The portal's group is cancelled while a thread waits for a task in it. */
static int visit_is_cancelled(void *arg)
{
    struct cn_portal *p;
    struct cn_group outer, g;

    (void)arg;
    atomic_store(&running, 0);
    cn_group_open(&outer);
    cn_group_open(&g);
    CHECK_INT(cn_portal_open(&g, &p), 0);
    cn_spawn(&outer, call_visitor, p);
    wait_until_running();
    while (!cn_group_task_count(&g))
        cn_sleep(CN_MSEC);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    cn_portal_close(p);
    return cn_group_close(&outer, 0);
}

static int closes_before_served(void *arg)
{
    struct cn_portal *p;
    struct cn_group g;
    struct cn_portal *late;

    (void)arg;
    cn_group_open(&g);
    CHECK_INT(cn_portal_open(&g, &p), 0);
    late = cn_portal_ref(p);
    CHECK_INT(cn_group_close(&g, 0), 0);
    cn_portal_close(p);
    CHECK_INT(cn_to_thread(visit_sleeper, late, NULL, 0), CN_ECLOSED);
    CHECK_INT(cn_post(late, NULL, NULL), CN_ECLOSED);
    cn_portal_unref(late);
    return 0;
}

/* --- many posts -------------------------------------------------------------------------- */

enum { THREADS = 4, POSTS = 500 };

static struct cn_portal *door;
static int next_of[THREADS], posted;

static void in_order(void *arg)
{
    intptr_t n = (intptr_t)arg;

    CHECK_INT(next_of[n % THREADS]++, n / THREADS);
    posted++;
}

static int post_many(void *arg)
{
    intptr_t me = (intptr_t)arg;

    for (intptr_t i = 0; i < POSTS; i++)
        CHECK_INT(cn_post(door, in_order, (void *)(i * THREADS + me)), 0);
    return 0;
}

static int poster(void *arg)
{
    return cn_to_thread(post_many, arg, NULL, 0);
}

static int posts_in_order(void *arg)
{
    struct cn_group g, posters;
    int turns = 0;

    (void)arg;
    posted = 0;
    memset(next_of, 0, sizeof(next_of));
    cn_group_open(&g);
    CHECK_INT(cn_portal_open(&g, &door), 0);
    cn_group_open(&posters);
    for (intptr_t i = 0; i < THREADS; i++)
        cn_spawn(&posters, poster, (void *)i);
    while (posted < THREADS * POSTS && turns++ < 1000000)
        CHECK_INT(cn_sleep(CN_USEC), 0); /* tasks run in between */
    CHECK_INT(cn_group_close(&posters, 0), 0);
    CHECK_INT(posted, THREADS * POSTS);
    cn_portal_close(door);
    return cn_group_close(&g, 0);
}

int main(void)
{
    static const struct behaviour all[] = {
        {"cancelled while the worker runs: waits, the worker may ask",
         "anyio test_cancel_worker_thread, test_thread_cancelled",
         cancelled_waits, 0},
        {"cancelled while the worker runs: abandons",
         "anyio test_thread_cancelled_and_abandoned", cancelled_abandons, 0},
        {"cancelled before it runs: never runs; the token comes back",
         "anyio test_cancel_wait_on_thread", cancelled_before_it_runs, 0},
        {"calls from threads; not from the loop's own",
         "anyio test_call_portal_from_event_loop_thread", calls_back, 0},
        {"the task of a call is cancelled", "anyio test_cancel_portal_future",
         visit_is_cancelled, 0},
        {"calls through a closed portal", "anyio test_call_stopped_portal",
         closes_before_served, 0},
        {"posts of each thread in their order",
         "trio test_TrioToken_run_sync_soon_*", posts_in_order, 0},
    };

    return conformance("Threads", all, CN_COUNT(all));
}
