/* Channels and select: smoke tests. */
#include "rt.h"

struct ends {
    struct cn_sender *tx;
    struct cn_receiver *rx;
    int count;
};

static int send_ten(void *arg)
{
    struct ends *e = arg;
    int rc = 0;

    for (int i = 0; i < 10 && rc == 0; i++)
        rc = cn_send(e->tx, &i);
    cn_sender_close(e->tx);
    return rc;
}

static void receive_ten(size_t capacity)
{
    struct cn_group g;
    struct ends e = {0};
    int item;

    CHECK_INT(cn_chan_open(&e.tx, &e.rx, sizeof(int), capacity), 0);
    cn_group_open(&g);
    cn_spawn(&g, send_ten, &e);
    for (int i = 0; i < 10; i++) {
        CHECK_INT(cn_recv(e.rx, &item), 0);
        CHECK_INT(item, i);
    }
    CHECK_INT(cn_recv(e.rx, &item), CN_EEND);
    cn_receiver_close(e.rx);
    CHECK_INT(cn_group_close(&g, 0), 0);
}

static int order(void *arg)
{
    (void)arg;
    receive_ten(0);
    receive_ten(1);
    receive_ten(3);
    receive_ten(CN_UNBOUNDED);
    return 0;
}

static void test_order(void **state)
{
    (void)state;
    rt_all(order, 0);
}

static int receive_one(void *arg)
{
    struct ends *e = arg;
    uint64_t item = 0;
    int rc = cn_recv(e->rx, &item);

    if (rc == 0)
        e->count++;
    return rc == CN_ECLOSED ? 0 : rc;
}

static int closing(void *arg)
{
    struct cn_group g;
    struct ends e = {0}, clone = {0};
    struct cn_chan_stats st;
    uint64_t item = 1;

    (void)arg;
    CHECK_INT(cn_chan_open(&e.tx, &e.rx, sizeof(item), 2), 0);
    clone.rx = cn_receiver_clone(e.rx);
    cn_group_open(&g);
    cn_spawn(&g, receive_one, &clone);
    CHECK_INT(cn_wait_all_blocked(), 0);
    st = cn_sender_stats(e.tx);
    CHECK_INT(st.receivers, 2);
    CHECK_INT(st.receivers_waiting, 1);
    cn_receiver_close(clone.rx);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(clone.count, 0);
    CHECK_INT(cn_recv_nowait(e.rx, &item), CN_EAGAIN);
    CHECK_INT(cn_send_nowait(e.tx, &item), 0);
    CHECK_INT(cn_send_nowait(e.tx, &item), 0);
    CHECK_INT(cn_send_nowait(e.tx, &item), CN_EAGAIN);
    CHECK_INT(cn_within(CN_SEC, 0, send_ten,
                        &(struct ends){.tx = cn_sender_clone(e.tx)}),
              0);
    cn_receiver_close(e.rx);
    CHECK_INT(cn_send(e.tx, &item), CN_EBROKEN);
    cn_sender_close(e.tx);
    return 0;
}

static void test_closing(void **state)
{
    (void)state;
    rt_all(closing, 0);
}

/* --- select -------------------------------------------------------------------- */

static int select_both_ways(void *arg)
{
    struct ends *e = arg;
    int in = -1, out = 7;
    struct cn_case c[] = {CN_CASE_SENDING(e->tx, &out),
                          CN_CASE_RECEIVE(e->rx, &in)};
    int rc = cn_select(c, 2);

    CHECK(rc == 0 || rc == 1);
    e->count += rc == 1 ? in : 100;
    return 0;
}

static int select_meets_select(void *arg)
{
    struct cn_group g;
    struct ends e = {0};

    (void)arg;
    CHECK_INT(cn_chan_open(&e.tx, &e.rx, sizeof(int), 0), 0);
    cn_group_open(&g);
    for (int i = 0; i < 10; i++)
        cn_spawn(&g, select_both_ways, &e);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(e.count, 5 * 107);
    cn_sender_close(e.tx);
    cn_receiver_close(e.rx);
    return 0;
}

static void test_select_meets_select(void **state)
{
    (void)state;
    rt_all(select_meets_select, 0);
}

static int sleep_a_second(void *arg)
{
    (void)arg;
    return cn_sleep(CN_SEC);
}

static int select_sorts(void *arg)
{
    struct cn_event e = {0};
    struct cn_group g;
    struct cn_task *t;
    struct cn_scope s;
    struct ends ch = {0};
    int item = 0;

    (void)arg;
    CHECK_INT(cn_chan_open(&ch.tx, &ch.rx, sizeof(int), 0), 0);
    cn_group_open(&g);
    cn_spawn_opt(&g, sleep_a_second, NULL, NULL, &t);
    {
        struct cn_case c[] = {
            CN_CASE_EVENT_SET(&e), CN_CASE_RECEIVE(ch.rx, &item),
            CN_CASE_TASK_DONE(t), CN_CASE_TIME(cn_after(3 * CN_SEC)),
            CN_CASE_TIME(cn_after(2 * CN_SEC))};

        CHECK_INT(cn_select(c, 5), 2);
        CHECK_INT(cn_now(), CN_SEC);
        c[2].what = CN_CASE_NONE;
        CHECK_INT(cn_select(c, 5), 4);
        CHECK_INT(cn_now(), 2 * CN_SEC);
        cn_scope_open(&s, cn_after(CN_SEC / 2), 0);
        CHECK_INT(cn_select(c, 4), CN_ECANCELED);
        CHECK_INT(cn_scope_close(&s, CN_ECANCELED), 0);
        cn_event_set(&e);
        CHECK_INT(cn_select(c, 2), 0);
        CHECK_INT(cn_select(c, 0), CN_EINVAL);
        cn_sender_close(ch.tx);
        CHECK_INT(cn_select(c + 1, 1), 0);
        CHECK_INT(c[1].result, CN_EEND);
    }
    CHECK_INT(cn_group_close(&g, 0), 0);
    cn_receiver_close(ch.rx);
    return 0;
}

static void test_select_sorts(void **state)
{
    (void)state;
    rt_all(select_sorts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_closing),
        cmocka_unit_test(test_select_meets_select),
        cmocka_unit_test(test_select_sorts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
