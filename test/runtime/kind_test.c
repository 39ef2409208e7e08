/* A task kind without a stack: a state machine that shares groups, channels,
 * locks and cancellation with stackful tasks. */
#include "rt.h"

/* Receives numbers, adds them up under a lock, sends the sum at the end. */
struct adder {
    enum { RECEIVING, RECEIVED, LOCKED, SENT } state;
    struct cn_pending p;
    struct shared *shared;
    int item, sum;
};

struct shared {
    struct cn_receiver *in;
    struct cn_sender *out;
    struct cn_lock lock;
    int released;
};

static int adder_init(struct cn_task *t, cn_fn *fn, void *arg)
{
    struct adder *a = cn_task_data(t);

    (void)fn;
    a->shared = arg;
    return a->shared ? 0 : CN_EINVAL;
}

/* One step, given the result of the last; the answer of the next begin. */
static int adder_step(struct adder *a, int rc)
{
    switch (a->state) {
    case RECEIVING:
        a->state = RECEIVED;
        return cn_recv_begin(a->shared->in, &a->item, &a->p);
    case RECEIVED:
        if (rc == CN_EEND) {
            a->state = SENT;
            return cn_send_begin(a->shared->out, &a->sum, &a->p);
        }
        if (rc < 0)
            return rc;
        a->state = LOCKED;
        return cn_lock_acquire_begin(&a->shared->lock, &a->p);
    case LOCKED:
        if (rc < 0)
            return rc;
        a->sum += a->item;
        a->state = RECEIVING;
        return cn_lock_release(&a->shared->lock);
    case SENT: break;
    }
    return rc;
}

static void adder_resume(struct cn_task *t, int64_t result)
{
    struct adder *a = cn_task_data(t);
    int rc = (int)result;

    CHECK(cn_self() == t);
    for (;;) {
        bool last = a->state == SENT;

        if (!last)
            rc = adder_step(a, rc);
        if (!last && rc == CN_PENDING)
            return;
        if (last || (rc < 0 && rc != CN_EEND)) {
            cn_task_done(t, rc);
            return;
        }
    }
}

static void adder_release(struct cn_task *t)
{
    ((struct adder *)cn_task_data(t))->shared->released++;
}

static const struct cn_task_kind adder_kind = {
    .name = "adder",
    .data_size = sizeof(struct adder),
    .init = adder_init,
    .resume = adder_resume,
    .release = adder_release,
};

static int feed(void *arg)
{
    struct cn_sender *tx = arg;
    int rc = 0;

    for (int i = 1; i <= 100 && rc == 0; i++)
        rc = cn_send(tx, &i);
    cn_sender_close(tx);
    return rc;
}

static int machines(void *arg)
{
    struct cn_task_options o = {.kind = &adder_kind};
    struct cn_sender *feed_tx;
    struct cn_receiver *sums;
    struct shared s = {0};
    struct cn_group g;
    int sum = 0, part;

    (void)arg;
    cn_chan_open(&feed_tx, &s.in, sizeof(int), 0);
    cn_chan_open(&s.out, &sums, sizeof(int), 0);
    cn_group_open(&g);
    CHECK_INT(cn_spawn_opt(&g, NULL, NULL, &o, NULL), CN_EINVAL);
    for (int i = 0; i < 3; i++)
        CHECK_INT(cn_spawn_opt(&g, NULL, &s, &o, NULL), 0);
    cn_spawn(&g, feed, feed_tx);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(cn_recv(sums, &part), 0);
        sum += part;
    }
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(sum, 5050);
    CHECK_INT(s.released, 3);
    cn_receiver_close(s.in);
    cn_sender_close(s.out);
    cn_receiver_close(sums);
    return 0;
}

static void test_machines_and_stacks(void **state)
{
    (void)state;
    rt_all(machines, 0);
}

static int cancel_machines(void *arg)
{
    struct cn_task_options o = {.kind = &adder_kind};
    struct cn_task *t;
    struct cn_sender *tx;
    struct shared s = {0};
    struct cn_group g;
    int rc;

    (void)arg;
    cn_chan_open(&tx, &s.in, sizeof(int), 0);
    cn_group_open(&g);
    CHECK_INT(cn_spawn_opt(&g, NULL, &s, &o, &t), 0);
    CHECK_INT(cn_wait_all_blocked(), 0);
    cn_task_cancel(t, NULL);
    CHECK_INT(cn_task_wait(t, &rc), 0);
    CHECK_INT(rc, CN_ECANCELED);
    CHECK_INT(cn_group_close(&g, 0), 0);
    cn_receiver_close(s.in);
    cn_sender_close(tx);
    return 0;
}

static void test_machines_are_cancelled(void **state)
{
    (void)state;
    rt_all(cancel_machines, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machines_and_stacks),
        cmocka_unit_test(test_machines_are_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
