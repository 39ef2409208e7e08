/* Random programs: tasks that do anything to each other, in a shuffled order,
 * on virtual time. There is no oracle for what each call returns; what must
 * hold is checked as they go: locks exclude, items are neither lost nor
 * doubled, a cancelled scope stays cancelled, everything ends. With an
 * argument: the number of programs; with two: from that seed on. */
#include "rt.h"

enum { CHANNELS = 3, SCOPES = 32, STEPS = 12, DEPTH = 6 };

static struct world {
    uint64_t random;
    struct cn_sender *tx[CHANNELS];
    struct cn_receiver *rx[CHANNELS];
    struct cn_lock lock;
    struct cn_sem sem;
    struct cn_cond cond;
    struct cn_event *event;
    struct cn_limiter limiter;
    struct cn_scope *scopes[SCOPES]; /* open somewhere */
    int64_t sent, received; /* sums of the items, each another number */
    int64_t items, inside_lock, inside_sem, tasks, budget;
} * w;

static uint64_t draw(uint64_t n)
{
    uint64_t z = (w->random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % n;
}

static cn_time draw_time(void)
{
    return (cn_time)draw(10) * CN_MSEC;
}

static int program(void *arg);
static int steps(int depth);

static int register_scope(struct cn_scope *s)
{
    for (int i = 0; i < SCOPES; i++) {
        if (!w->scopes[i]) {
            w->scopes[i] = s;
            return i;
        }
    }
    return -1;
}

static void forget_scope(int i)
{
    if (i >= 0)
        w->scopes[i] = NULL;
}

/* --- what a step may be ----------------------------------------------------- */

static int in_scope(int depth)
{
    struct cn_scope s;
    int place, rc;

    cn_scope_open(&s, draw(2) ? cn_after(draw_time()) : CN_NEVER,
                  (unsigned)draw(4));
    place = register_scope(&s);
    rc = steps(depth + 1);
    forget_scope(place);
    rc = cn_scope_close(&s, rc);
    if (cn_scope_caught(&s))
        CHECK(cn_scope_cancelled(&s));
    return rc == CN_ETIMEDOUT ? 0 : rc;
}

static int in_group(int depth)
{
    struct cn_group g;
    struct cn_task *t = NULL;
    int place, rc = 0, value = 0;

    cn_group_open(&g);
    place = register_scope(cn_group_scope(&g));
    for (uint64_t i = draw(4); i-- > 0;)
        CHECK_INT(cn_spawn(&g, program, (void *)(intptr_t)(depth + 1)), 0);
    CHECK_INT(
        cn_spawn_opt(&g, program, (void *)(intptr_t)(depth + 1), NULL, &t), 0);
    if (draw(3) == 0)
        rc = cn_start(&g, program, (void *)(intptr_t)(depth + 1), &value,
                      sizeof(value));
    if (rc == 0)
        rc = steps(depth + 1);
    if (draw(4) == 0)
        cn_task_cancel(t, "stress");
    if (draw(4) == 0 && rc == 0)
        rc = cn_task_wait(t, NULL);
    forget_scope(place);
    rc = cn_group_close(&g, rc);
    CHECK_INT(cn_group_task_count(&g), 0);
    return rc == CN_EGROUP || rc == -EIO || rc == CN_ENOSTART ? 0 : rc;
}

static int with_lock(void)
{
    int rc = cn_lock_acquire(&w->lock);

    if (rc < 0)
        return rc == CN_EINVAL ? 0 : rc;
    CHECK_INT(w->inside_lock++, 0);
    rc = cn_sleep(draw_time());
    if (draw(2) == 0) {
        w->inside_lock--;
        if (draw(2))
            rc = cn_cond_wait(&w->cond);
        else
            cn_cond_notify(&w->cond, 1 + draw(2));
        CHECK(w->lock.owner == cn_self());
        CHECK_INT(w->inside_lock++, 0);
    }
    w->inside_lock--;
    CHECK_INT(cn_lock_release(&w->lock), 0);
    return rc;
}

static int with_sem(void)
{
    int rc = cn_sem_acquire(&w->sem);

    if (rc < 0)
        return rc;
    CHECK(++w->inside_sem <= 2);
    rc = cn_checkpoint();
    w->inside_sem--;
    CHECK_INT(cn_sem_release(&w->sem), 0);
    return rc;
}

static int with_limiter(void)
{
    int rc = cn_limiter_acquire(&w->limiter, NULL);

    if (rc < 0)
        return rc == CN_EINVAL ? 0 : rc;
    if (draw(4) == 0)
        cn_limiter_set_total(&w->limiter, 1 + draw(3));
    rc = cn_sleep(draw_time());
    CHECK_INT(cn_limiter_release(&w->limiter, NULL), 0);
    return rc;
}

static int with_channel(void)
{
    uint64_t c = draw(CHANNELS);
    bool sending = draw(2);
    int64_t item = sending ? ++w->items : 0;
    int rc = sending ? cn_send(w->tx[c], &item) : cn_recv(w->rx[c], &item);

    if (rc == 0)
        *(sending ? &w->sent : &w->received) += item;
    return rc;
}

static int with_select(void)
{
    int64_t out = ++w->items, in = 0;
    struct cn_case c[] = {
        CN_CASE_SENDING(w->tx[draw(CHANNELS)], &out),
        CN_CASE_RECEIVE(w->rx[draw(CHANNELS)], &in),
        CN_CASE_EVENT_SET(w->event),
        CN_CASE_TIME(cn_after(draw_time())),
    };
    int rc;

    if (draw(2))
        c[draw(2)].what = CN_CASE_NONE;
    rc = cn_select(c, draw(2) ? 4 : 3);
    if (rc == 0)
        w->sent += out;
    if (rc == 1)
        w->received += in;
    return rc < 0 ? rc : 0;
}

static void meddle(void)
{
    struct cn_scope *s = w->scopes[draw(SCOPES)];

    if (!s)
        return;
    switch (draw(4)) {
    case 0: cn_scope_cancel(s, "stress"); break;
    case 1: cn_scope_set_deadline(s, cn_after(draw_time() - CN_MSEC)); break;
    case 2: cn_scope_set_shield(s, draw(2)); break;
    default: cn_scope_set_deadline(s, CN_NEVER); break;
    }
}

static int step(int depth)
{
    switch (draw(depth < DEPTH && w->tasks < w->budget ? 17 : 12)) {
    case 0: return cn_sleep(draw_time());
    case 1: return cn_checkpoint();
    case 2: return with_lock();
    case 3: return with_sem();
    case 4: return with_limiter();
    case 5:
    case 6: return with_channel();
    case 7: return with_select();
    case 8: meddle(); return 0;
    case 9: return draw(8) ? 0 : cn_fail(-EIO, "stress");
    case 10: cn_started(NULL, 0); return cn_wait_all_blocked();
    case 11: return in_scope(depth);
    case 12:
    case 13:
    case 14: return in_group(depth);
    default: return in_scope(depth);
    }
}

static int steps(int depth)
{
    int rc = 0;

    for (uint64_t i = 1 + draw(STEPS); i-- > 0;) {
        rc = step(depth);
        if (rc < 0 && draw(8))
            break;
    }
    return rc;
}

static int program(void *arg)
{
    int rc;

    w->tasks++;
    rc = steps((int)(intptr_t)arg);
    CHECK(rc <= 0 || rc == CN_PENDING);
    return rc < 0 ? rc : 0;
}

/* Several programs at once, a hundred tasks or so, for ten seconds. */
static int crowd(void *arg)
{
    struct cn_group g;

    (void)arg;
    cn_group_open(&g);
    for (int i = 0; i < 8; i++)
        CHECK_INT(cn_spawn(&g, program, NULL), 0);
    return cn_group_close(&g, 0);
}

static int world(void *arg)
{
    static const size_t capacity[CHANNELS] = {0, 2, CN_UNBOUNDED};
    struct cn_event event = {0};

    w->event = &event;
    w->sem = (struct cn_sem)CN_SEM_INIT(2, 2);
    w->cond = (struct cn_cond)CN_COND_INIT(&w->lock);
    w->limiter = (struct cn_limiter)CN_LIMITER_INIT(2);
    w->budget = 100;
    for (int i = 0; i < CHANNELS; i++)
        CHECK_INT(cn_chan_open(&w->tx[i], &w->rx[i], 8, capacity[i]), 0);
    (void)arg;
    cn_within(10 * CN_SEC, 0, crowd, NULL);
    for (int i = 0; i < CHANNELS; i++) {
        struct cn_chan_stats st = cn_sender_stats(w->tx[i]);
        int64_t item;

        CHECK_INT(st.senders_waiting + st.receivers_waiting, 0);
        while (cn_recv_nowait(w->rx[i], &item) == 0)
            w->received += item;
        cn_sender_close(w->tx[i]);
        cn_receiver_close(w->rx[i]);
    }
    CHECK_INT(w->sent, w->received);
    CHECK(!cn_lock_locked(&w->lock));
    CHECK_INT(cn_sem_value(&w->sem), 2);
    CHECK_INT(w->limiter.borrowed, 0);
    cn_limiter_done(&w->limiter);
    return 0;
}

static bool run_seed(uint64_t seed)
{
    struct world fresh = {.random = seed};
    int rc;

    w = &fresh;
    rc = rt_run_as(world, NULL,
                   (seed & 1 ? CN_SHUFFLE : 0) | (seed & 2 ? CN_STRICT : 0),
                   seed);
    CHECK(rc == 0 || rc == CN_EDEADLOCK);
    if (rt_failures)
        fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    return rt_failures == 0;
}

static uint64_t first_seed = 1, seeds = 500;

static void test_random_programs(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++)
        assert_true(run_seed(seed));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_programs),
    };

    if (argc > 1)
        seeds = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
