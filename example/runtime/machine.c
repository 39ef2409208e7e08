/* A state machine beside stackful tasks: a task kind without a stack, for
 * when a million of something must be idle in little memory. It counts the
 * ticks that an ordinary task sends it. */
#include "runtime/runtime.h"

struct counter {
    struct cn_pending p;
    struct cn_receiver *ticks;
    int item, count;
};

static int counter_init(struct cn_task *t, cn_fn *fn, void *arg)
{
    struct counter *c = cn_task_data(t);

    (void)fn;
    c->ticks = arg;
    return 0;
}

/* Called first with 0, then with the result of each wait. */
static void counter_resume(struct cn_task *t, int64_t result)
{
    struct counter *c = cn_task_data(t);
    int rc = (int)result;

    while (rc == 0) {
        rc = cn_recv_begin(c->ticks, &c->item, &c->p);
        if (rc == CN_PENDING)
            return;
    }
    printf("%d ticks\n", c->item);
    cn_task_done(t, rc == CN_EEND ? 0 : rc);
}

static const struct cn_task_kind counter_kind = {
    .name = "counter",
    .data_size = sizeof(struct counter),
    .init = counter_init,
    .resume = counter_resume,
};

static int tick(void *arg)
{
    struct cn_sender *tx = arg;
    int rc = 0;

    for (int i = 1; i <= 5 && rc == 0; i++) {
        rc = cn_sleep(CN_MSEC);
        if (rc == 0)
            rc = cn_send(tx, &i);
    }
    cn_sender_close(tx);
    return rc;
}

static int run(void *arg)
{
    struct cn_task_options o = {.kind = &counter_kind};
    struct cn_sender *tx;
    struct cn_receiver *rx;
    struct cn_group g;
    int rc = cn_chan_open(&tx, &rx, sizeof(int), 0);

    (void)arg;
    if (rc < 0)
        return rc;
    cn_group_open(&g);
    rc = cn_spawn_opt(&g, NULL, rx, &o, NULL);
    cn_spawn(&g, tick, tx);
    rc = cn_group_close(&g, rc);
    cn_receiver_close(rx);
    return rc;
}

int main(void)
{
    return cn_run(run, NULL, NULL) < 0;
}
