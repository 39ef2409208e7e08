/* Checkpoints and sleeping.
 *
 * As everywhere in this layer, the blocking form keeps the exact wait in its
 * frame, not the roomy cn_pending of its twin: a sleeping task should touch
 * as few cache lines as it can. */
#include "runtime/sched.h"

static const struct cn_wait_kind checkpoint_kind = {.what = "giving way"};

static int checkpoint_begin(struct cn_wait *w)
{
    if (cn_wait_begin(w, &checkpoint_kind, NULL) < 0)
        return CN_ECANCELED;
    cn_wake(w, 0);
    return CN_PENDING;
}

int cn_checkpoint_begin(struct cn_pending *p)
{
    return checkpoint_begin(&p->w);
}

int cn_checkpoint(void)
{
    struct cn_loop *l = cn_loop_self();

    if (cn_task_cancelled(l->cur))
        return CN_ECANCELED;
    return cn_give_way(l);
}

int cn_checkpoint_if_cancelled(void)
{
    return cn_task_cancelled(cn_loop_self()->cur) ? CN_ECANCELED : 0;
}

void cn_checkpoint_shielded(void)
{
    cn_give_way(cn_loop_self());
}

/* --- sleeping ------------------------------------------------------------------ */

struct sleep_wait {
    struct cn_wait w;
    struct cn_timer timer;
};

_Static_assert(sizeof(struct sleep_wait) <= sizeof(struct cn_pending), "room");

static void sleep_fire(struct cn_timer *t)
{
    cn_wake(&CN_CONTAINER(t, struct sleep_wait, timer)->w, 0);
}

static int sleep_abort(struct cn_wait *w)
{
    cn_timer_disarm(&cn_loop_self()->timers,
                    &((struct sleep_wait *)(void *)w)->timer);
    return CN_ABORTED;
}

static const struct cn_wait_kind sleep_kind = {
    .what = "sleeping",
    .abort = sleep_abort,
};

static int sleep_begin(cn_time deadline, struct sleep_wait *sw)
{
    struct cn_loop *l = cn_loop_self();

    if (deadline <= l->now)
        return checkpoint_begin(&sw->w);
    if (cn_wait_begin(&sw->w, &sleep_kind, NULL) < 0)
        return CN_ECANCELED;
    sw->timer.index = 0;
    sw->timer.fire = sleep_fire;
    if (deadline != CN_NEVER) /* every task has a timer reserved */
        cn_timer_arm(&l->timers, &sw->timer, deadline);
    return CN_PENDING;
}

int cn_sleep_until_begin(cn_time deadline, struct cn_pending *p)
{
    return sleep_begin(deadline, (struct sleep_wait *)(void *)p);
}

int cn_sleep_until(cn_time deadline)
{
    struct sleep_wait sw;
    int rc = sleep_begin(deadline, &sw);

    return rc == CN_PENDING ? (int)cn_suspend(&sw.w) : rc;
}

int cn_sleep(cn_time delta)
{
    return cn_sleep_until(cn_after(delta));
}

/* --- waiting until all others wait ------------------------------------------------ */

static int idle_abort(struct cn_wait *w)
{
    cn_waitq_remove(&cn_loop_self()->idlers, w);
    return CN_ABORTED;
}

static const struct cn_wait_kind idle_kind = {
    .what = "waiting until all others wait",
    .abort = idle_abort,
};

int cn_wait_all_blocked_begin(struct cn_pending *p)
{
    if (cn_wait_begin(&p->w, &idle_kind, NULL) < 0)
        return CN_ECANCELED;
    cn_waitq_push(&cn_loop_self()->idlers, &p->w);
    return CN_PENDING;
}

int cn_wait_all_blocked(void)
{
    struct cn_pending p;
    int rc = cn_wait_all_blocked_begin(&p);

    return rc == CN_PENDING ? (int)cn_suspend(&p.w) : rc;
}
