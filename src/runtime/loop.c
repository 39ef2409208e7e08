/* The loop: a program of tasks from its first to its last, and what happens
 * when no task is ready.
 *
 * The loop looks outside (backend, mailbox, clock, timers) when the queue of
 * ready tasks is empty, and otherwise every `switches` switches, a number that
 * adapts itself so that about a millisecond passes in between. With a virtual
 * clock, time does not pass while anything can happen: when every task waits,
 * the clock jumps to the next timer. Not here: switching (sched.c).
 *
 * Invariant: this code runs on the thread's own stack, as the home task.
 */
#include "runtime/fiber.h"
#include "runtime/sched.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SWITCHES_MIN = 2,
    SWITCHES_MAX = 8192,
    SHUFFLE_DEPTH = 64,
};

/* With a virtual clock: how long the world outside may take, in real time, to
 * answer what is under way before the clock jumps. */
static const cn_time grace = 2 * CN_MSEC;

/* --- the clock -------------------------------------------------------------------- */

cn_time cn_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (cn_time)t.tv_sec * CN_SEC + t.tv_nsec;
}

cn_time cn_loop_now(const struct cn_loop *l)
{
    return l->now;
}

cn_time cn_now(void)
{
    return cn_loop_self()->now;
}

cn_time cn_now_exact(void)
{
    struct cn_loop *l = cn_loop_self();

    if (!l->is_virtual)
        l->now = cn_clock();
    return l->now;
}

/* Has the clock moved far while a task computed? Asked with the coarse clock,
 * which costs a fraction of the exact one. */
static bool is_stale(const struct cn_loop *l)
{
    struct timespec t;

    if (l->is_virtual)
        return false;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (cn_time)t.tv_sec * CN_SEC + t.tv_nsec > l->now + 2 * CN_MSEC;
}

cn_time cn_after(cn_time delta)
{
    struct cn_loop *l = cn_loop_self();
    cn_time sum;

    if (delta == CN_NEVER)
        return CN_NEVER;
    if (cn_unlikely(is_stale(l)))
        l->now = cn_clock();
    return __builtin_add_overflow(l->now, delta, &sum)
               ? (delta > 0 ? CN_NEVER : INT64_MIN + 1)
               : sum;
}

uint64_t cn_loop_random(struct cn_loop *l)
{
    uint64_t z = (l->random += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* --- looking outside ------------------------------------------------------------------ */

static bool backend_is_virtual(const struct cn_loop *l)
{
    return l->ops->traits & CN_BACKEND_VIRTUAL;
}

/* May anything outside wake the loop by itself? */
static bool world_is_busy(const struct cn_loop *l)
{
    return l->jobs_pending || l->portals ||
           (l->ops_pending && !backend_is_virtual(l));
}

static cn_time next_event(const struct cn_loop *l)
{
    cn_time timer = cn_timer_next(&l->timers), op;

    op = backend_is_virtual(l) ? l->ops->next(l->backend) : CN_NEVER;
    return op < timer ? op : timer;
}

static void call_backend(struct cn_loop *l, cn_time deadline)
{
    int rc = l->ops->wait(l->backend, deadline);

    if (rc >= 0)
        return;
    fprintf(stderr, "canyon: backend %s is broken: %s\n", l->ops->name,
            cn_strerror(rc));
    abort();
}

/* Take what has happened, without sleeping. */
static void look(struct cn_loop *l)
{
    if (l->ops_pending || l->portals)
        call_backend(l, INT64_MIN);
    cn_mailbox_drain(l);
    if (!l->is_virtual)
        l->now = cn_clock();
    cn_timer_fire(&l->timers, l->now);
}

/* Sleep until something happens or CLOCK_MONOTONIC is `deadline`. */
static void sleep_outside(struct cn_loop *l, cn_time deadline)
{
    if (!cn_mailbox_arm(l))
        deadline = INT64_MIN;
    else if (l->mode & CN_MODE_HOOKS)
        cn_hooks_before_wait(l, deadline);
    call_backend(l, deadline);
    if (l->mode & CN_MODE_HOOKS && deadline != INT64_MIN)
        cn_hooks_after_wait(l);
    cn_mailbox_disarm(l);
    cn_mailbox_drain(l);
    if (!l->is_virtual)
        l->now = cn_clock();
    cn_timer_fire(&l->timers, l->now);
}

/* At least the slack away, so that one sleep serves many timers. */
static cn_time wake_up_time(const struct cn_loop *l)
{
    cn_time next = cn_timer_next(&l->timers);

    return next == CN_NEVER || next > l->now + l->slack ? next
                                                        : l->now + l->slack;
}

/* All tasks wait, and so do the queues outside: time may pass. */
static void jump(struct cn_loop *l)
{
    cn_time next;

    if (world_is_busy(l)) {
        sleep_outside(l, cn_clock() + grace);
        if (l->ready)
            return;
    }
    next = next_event(l);
    if (next == CN_NEVER) {
        if (world_is_busy(l))
            sleep_outside(l, CN_NEVER);
        return;
    }
    if (next > l->now)
        l->now = next;
    look(l);
}

static bool wake_idlers(struct cn_loop *l)
{
    struct cn_waitq q = l->idlers;
    struct cn_wait *w;

    l->idlers = (struct cn_waitq){0};
    while ((w = cn_waitq_pop(&q)))
        cn_wake(w, 0);
    return l->ready != NULL;
}

/* No task can ever run again. Say so, and take the tree down. */
static void deadlock(struct cn_loop *l)
{
    if (!l->deadlocked && !(l->flags & CN_QUIET)) {
        fprintf(stderr, "canyon: deadlock: no task can ever run again\n");
        cn_dump(stderr);
    }
    l->deadlocked = true;
    cn_scope_force(&l->root.scope);
    if (l->ready || world_is_busy(l) || next_event(l) != CN_NEVER)
        return;
    fprintf(stderr, "canyon: these tasks cannot even be cancelled:\n");
    cn_dump(stderr);
    abort();
}

/* The queue is empty. */
static void idle(struct cn_loop *l)
{
    if (l->is_virtual || l->idlers.first) {
        look(l);
        if (l->ready || wake_idlers(l))
            return;
    }
    if (!world_is_busy(l) && next_event(l) == CN_NEVER)
        deadlock(l);
    else if (l->is_virtual)
        jump(l);
    else
        sleep_outside(l, wake_up_time(l));
}

/* Looks should be about a millisecond apart: rarer, and sockets starve behind
 * busy tasks; more often, and the looking costs. */
static void adapt(struct cn_loop *l, cn_time now)
{
    cn_time passed = now - l->polled;

    if (passed > CN_MSEC && l->switches_max > SWITCHES_MIN)
        l->switches_max /= 2;
    else if (passed < CN_MSEC / 4 && l->switches_max < SWITCHES_MAX)
        l->switches_max *= 2;
    l->polled = now;
}

static void poll_outside(struct cn_loop *l)
{
    if (l->ready) {
        look(l);
        if (!l->is_virtual)
            adapt(l, l->now);
    } else {
        idle(l);
        l->polled = l->now;
    }
    l->switches = l->turns = l->switches_max;
}

/* --- choosing a task --------------------------------------------------------------------- */

/* Any of the first SHUFFLE_DEPTH. */
static struct cn_task *pick_any(struct cn_loop *l)
{
    struct cn_task **at = &l->ready, **chosen = at, *t;
    uint64_t n = 0;

    for (; *at && n < SHUFFLE_DEPTH; at = &(*at)->next)
        if (cn_loop_random(l) % ++n == 0)
            chosen = at;
    t = *chosen;
    *chosen = t->next;
    if (!t->next)
        l->ready_end = chosen;
    return t;
}

static bool is_time_to_look(struct cn_loop *l)
{
    return !l->ready || (l->mode ? --l->turns : --l->switches) <= 0;
}

static void run_all(struct cn_loop *l)
{
    while (l->root.task_count) {
        if (is_time_to_look(l))
            poll_outside(l);
        if (!l->ready)
            continue;
        if (l->mode)
            l->switches = 1; /* every task comes back here */
        cn_task_run(l,
                    l->mode & CN_MODE_SHUFFLE ? pick_any(l) : cn_ready_pop(l));
    }
}

/* --- opening and closing -------------------------------------------------------------------- */

static void init(struct cn_loop *l, const struct cn_options *o)
{
    size_t stack = o->stack_size;

    if (!stack)
        stack = 128 * CN_KIB * CN_STACK_FACTOR;
    l->cur = &l->home;
    l->ready_end = &l->ready;
    l->flags = o->flags;
    l->mode = o->flags & CN_SHUFFLE ? CN_MODE_SHUFFLE : 0;
    l->budget_full = l->budget = o->flags & CN_STRICT ? 1 : CN_BUDGET;
    l->switches_max = SWITCHES_MAX / 8;
    l->stack_class = cn_stack_class(stack);
    l->threads_max = o->threads_max ? o->threads_max : 40;
    l->slack = o->slack ? o->slack : 50 * CN_USEC;
    l->seed = l->random = o->seed;
    l->is_virtual = o->flags & CN_VIRTUAL_CLOCK || backend_is_virtual(l);
    l->now = l->is_virtual ? 0 : cn_clock();
    l->thread_limiter.total = l->threads_max;
    cn_list_init(&l->portal_list);
    cn_list_init(&l->portals_shut);
    l->home.stack = &l->home_stack;
    l->home.scope = &l->ground;
    l->ground.task = &l->home;
    l->ground.deadline = CN_NEVER;
    cn_fiber_home(&l->home_stack);
    cn_stacks_init(&l->stacks, !(o->flags & CN_NO_GUARD));
    cn_group_enter(&l->home, &l->root);
}

static int open_parts(struct cn_loop *l, const struct cn_options *o)
{
    int rc = l->ops->open(&l->backend, l, o);

    if (rc < 0)
        return rc;
    l->supported = l->ops->supports(l->backend);
    rc = cn_mailbox_open(l);
    if (rc < 0)
        goto no_mailbox;
    rc = cn_pool_open(l);
    if (rc < 0)
        goto no_pool;
    return 0;

no_pool:
    cn_mailbox_close(l);
no_mailbox:
    l->ops->close(l->backend);
    return rc;
}

static void close_parts(struct cn_loop *l)
{
    cn_ops_close(l);
    cn_portals_close(l);
    cn_pool_close(l);
    cn_mailbox_drain(l); /* what came last is answered: closed */
    cn_mailbox_close(l);
    l->ops->close(l->backend);
    cn_ops_close(l);
    cn_hooks_done(l);
}

/* What the root group says; its errors go to whom cn_run() serves. */
static int result(struct cn_loop *l, struct cn_task *root,
                  const struct cn_options *o)
{
    int rc = cn_task_result(root);

    cn_task_release(root);
    if (l->deadlocked)
        rc = CN_EDEADLOCK;
    if (rc < 0 && o->reterr_error)
        *o->reterr_error = l->root.errors;
    else
        cn_error_free(l->root.errors);
    return rc;
}

static int run(struct cn_loop *l, cn_fn *fn, void *arg,
               const struct cn_options *o)
{
    static const struct cn_task_options main_options = {.name = "main"};
    struct cn_task *root;
    int rc = cn_spawn_opt(&l->root, fn, arg, &main_options, &root);

    if (rc < 0)
        return rc;
    cn_stack_watch(l);
    run_all(l);
    cn_stack_unwatch(l);
    return result(l, root, o);
}

int cn_run(cn_fn *fn, void *arg, const struct cn_options *o)
{
    static const struct cn_options defaults;
    struct cn_loop l = {0};
    int rc;

    o = o ? o : &defaults;
    if (cn_loop_running)
        return CN_EBUSY;
    rc = cn_backend_choose(o, &l.ops);
    if (rc < 0)
        return rc;
    init(&l, o);
    rc = open_parts(&l, o);
    if (rc < 0)
        return rc;
    cn_loop_running = &l;
    rc = run(&l, fn, arg, o);
    close_parts(&l);
    cn_loop_running = NULL;
    cn_stacks_done(&l.stacks);
    cn_task_slabs_done(&l);
    free(l.timers.entries);
    free(l.thread_limiter.borrowers);
    return rc;
}

const char *cn_backend_name(void)
{
    return cn_loop_self() ? cn_loop_self()->ops->name : NULL;
}
