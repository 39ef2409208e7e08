/* Event, lock, semaphore, condition.
 *
 * All are a queue of waits and a word. Whoever is taken off the queue has
 * been given what it waited for: nothing is retried, so first come is first
 * served. The uncontended paths touch the running task and the object, and
 * nothing else. Not here: the capacity limiter (limiter.c).
 *
 * Invariant: if anybody waits for a lock it has an owner; if anybody waits
 * for a semaphore its value is 0; nobody waits for an event that is set.
 */
#include "runtime/sched.h"

size_t cn_waitq_count(const struct cn_waitq *q)
{
    size_t count = 0;

    for (const struct cn_link *it = q->first; it; it = it->next)
        count++;
    return count;
}

/* The object of a wait, as it was before cn_wait made it const. */
static inline void *object_of(const struct cn_wait *w)
{
    return (void *)(uintptr_t)w->object;
}

/* All objects here have their queue first. */
static int leave_queue(struct cn_wait *w)
{
    cn_waitq_remove((struct cn_waitq *)object_of(w), w);
    return CN_ABORTED;
}

/* --- event ----------------------------------------------------------------------- */

static const struct cn_wait_kind event_kind = {
    .what = "waiting for an event",
    .abort = leave_queue,
};

void cn_event_set(struct cn_event *e)
{
    struct cn_wait *w;

    e->set = true;
    while ((w = cn_waitq_pop(&e->q)))
        cn_wake(w, 0);
}

bool cn_event_is_set(const struct cn_event *e)
{
    return e->set;
}

static int event_begin(struct cn_event *e, struct cn_wait *w)
{
    if (e->set)
        return cn_checkpoint_if_cancelled();
    if (cn_wait_begin(w, &event_kind, e) < 0)
        return CN_ECANCELED;
    cn_waitq_push(&e->q, w);
    return CN_PENDING;
}

int cn_event_wait_begin(struct cn_event *e, struct cn_pending *p)
{
    return event_begin(e, &p->w);
}

int cn_event_wait(struct cn_event *e)
{
    struct cn_wait w;

    return cn_finish(cn_loop_self(), event_begin(e, &w), &w);
}

size_t cn_event_waiting(const struct cn_event *e)
{
    return cn_waitq_count(&e->q);
}

/* --- lock ------------------------------------------------------------------------ */

static const struct cn_wait_kind lock_kind = {
    .what = "waiting for a lock",
    .abort = leave_queue,
};

static int lock_begin(struct cn_lock *l, struct cn_wait *w)
{
    struct cn_task *t = cn_loop_self()->cur;

    if (cn_task_cancelled(t))
        return CN_ECANCELED;
    if (cn_likely(!l->owner)) {
        l->owner = t;
        return CN_DONE;
    }
    if (l->owner == t)
        return CN_EINVAL;
    cn_wait_begin_shielded(w, &lock_kind, l);
    cn_waitq_push(&l->q, w);
    return CN_PENDING;
}

int cn_lock_acquire_begin(struct cn_lock *l, struct cn_pending *p)
{
    return lock_begin(l, &p->w);
}

static __attribute__((noinline)) int lock_slowly(struct cn_lock *l)
{
    struct cn_wait w;

    return cn_finish(cn_loop_self(), lock_begin(l, &w), &w);
}

int cn_lock_acquire(struct cn_lock *l)
{
    struct cn_loop *loop = cn_loop_self();
    struct cn_task *t = loop->cur;

    if (cn_unlikely(cn_task_cancelled(t) || l->owner))
        return lock_slowly(l);
    l->owner = t;
    cn_spend(loop);
    return 0;
}

int cn_lock_acquire_nowait(struct cn_lock *l)
{
    struct cn_task *t = cn_loop_self()->cur;

    if (l->owner)
        return l->owner == t ? CN_EINVAL : CN_EAGAIN;
    l->owner = t;
    return 0;
}

/* The owner gives it up: to the next in the queue, or to nobody. */
static inline void hand_over(struct cn_lock *l)
{
    struct cn_wait *next = cn_waitq_first(&l->q);

    if (cn_likely(!next)) {
        l->owner = NULL;
        return;
    }
    cn_waitq_remove(&l->q, next);
    l->owner = next->task;
    cn_wake(next, 0);
}

int cn_lock_release(struct cn_lock *l)
{
    if (cn_unlikely(l->owner != cn_loop_self()->cur))
        return CN_EINVAL;
    hand_over(l);
    return 0;
}

bool cn_lock_locked(const struct cn_lock *l)
{
    return l->owner != NULL;
}

size_t cn_lock_waiting(const struct cn_lock *l)
{
    return cn_waitq_count(&l->q);
}

/* --- semaphore --------------------------------------------------------------------- */

static const struct cn_wait_kind sem_kind = {
    .what = "waiting for a semaphore",
    .abort = leave_queue,
};

static int sem_begin(struct cn_sem *s, struct cn_wait *w)
{
    if (cn_task_cancelled(cn_loop_self()->cur))
        return CN_ECANCELED;
    if (s->value > 0) {
        s->value--;
        return CN_DONE;
    }
    cn_wait_begin_shielded(w, &sem_kind, s);
    cn_waitq_push(&s->q, w);
    return CN_PENDING;
}

int cn_sem_acquire_begin(struct cn_sem *s, struct cn_pending *p)
{
    return sem_begin(s, &p->w);
}

int cn_sem_acquire(struct cn_sem *s)
{
    struct cn_wait w;

    return cn_finish(cn_loop_self(), sem_begin(s, &w), &w);
}

int cn_sem_acquire_nowait(struct cn_sem *s)
{
    if (s->value <= 0)
        return CN_EAGAIN;
    s->value--;
    return 0;
}

int cn_sem_release(struct cn_sem *s)
{
    struct cn_wait *w;

    if (s->max && s->value >= s->max)
        return CN_EINVAL;
    w = cn_waitq_pop(&s->q);
    if (w)
        cn_wake(w, 0);
    else
        s->value++;
    return 0;
}

int64_t cn_sem_value(const struct cn_sem *s)
{
    return s->value;
}

size_t cn_sem_waiting(const struct cn_sem *s)
{
    return cn_waitq_count(&s->q);
}

/* --- condition ----------------------------------------------------------------------- */

/* One wait serves for both halves: it is in the queue of the condition, and
 * when notified or cancelled it moves to the queue of the lock. There the
 * lock is handed to it like to any other; `result` is what it was moved
 * for. */
struct cond_wait {
    struct cn_wait w;
    struct cn_wait relock; /* the part that waits for the lock */
    int result;
};

_Static_assert(sizeof(struct cond_wait) <= sizeof(struct cn_pending), "room");

static void relocked(struct cn_wait *relock, int64_t result)
{
    struct cond_wait *cw = CN_CONTAINER(relock, struct cond_wait, relock);

    (void)result;
    cn_wake(&cw->w, cw->result);
}

static const struct cn_wait_kind relock_kind = {
    .what = "having a condition's lock again",
    .notify = relocked,
};

/* Off the condition's queue; from now on it waits for the lock. */
static void want_lock(struct cond_wait *cw, struct cn_lock *l, int result)
{
    cw->result = result;
    cn_wait_part(&cw->relock, &relock_kind, l);
    cw->relock.task = cw->w.task;
    cw->w.object = NULL; /* not in the condition's queue any more */
    if (l->owner) {
        cn_waitq_push(&l->q, &cw->relock);
    } else {
        l->owner = cw->w.task;
        cn_wake(&cw->w, result);
    }
}

static int cond_abort(struct cn_wait *w)
{
    struct cond_wait *cw = (struct cond_wait *)(void *)w;
    struct cn_cond *c = object_of(w);

    if (!c)
        return CN_PENDING; /* notified: that stands */
    cn_waitq_remove(&c->q, w);
    want_lock(cw, c->lock, CN_ECANCELED);
    return CN_PENDING;
}

static const struct cn_wait_kind cond_kind = {
    .what = "waiting for a condition",
    .abort = cond_abort,
};

int cn_cond_wait_begin(struct cn_cond *c, struct cn_pending *p)
{
    struct cn_task *t = cn_loop_self()->cur;

    if (!c->lock || c->lock->owner != t)
        return CN_EINVAL;
    if (cn_wait_begin(&p->w, &cond_kind, c) < 0)
        return CN_ECANCELED;
    cn_waitq_push(&c->q, &p->w);
    hand_over(c->lock);
    return CN_PENDING;
}

int cn_cond_wait(struct cn_cond *c)
{
    struct cn_pending p;
    int rc = cn_cond_wait_begin(c, &p);

    return rc == CN_PENDING ? (int)cn_suspend(&p.w) : rc;
}

int cn_cond_notify(struct cn_cond *c, size_t n)
{
    struct cn_wait *w;

    if (!c->lock || c->lock->owner != cn_loop_self()->cur)
        return CN_EINVAL;
    for (; n > 0 && (w = cn_waitq_pop(&c->q)); n--)
        want_lock((struct cond_wait *)(void *)w, c->lock, 0);
    return 0;
}

size_t cn_cond_waiting(const struct cn_cond *c)
{
    return cn_waitq_count(&c->q);
}
