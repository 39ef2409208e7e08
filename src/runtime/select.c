/* Select: one wait made of several.
 *
 * First every case is tried; if none can happen now, each puts a part of its
 * own into the queue where it would wait. The first part to be notified
 * decides, and takes all others back at once, on the spot, so that exactly
 * one case happens. Only a descriptor's poll may take the kernel a moment to
 * take back; then the decision stands and the task sleeps until it has. Not
 * here: the queues themselves.
 *
 * Invariant: case->select is set exactly while its part is in a queue (or its
 * poll in flight); `verdict` is UNDECIDED until the first part is notified;
 * `leaving` counts the polls that are being taken back.
 */
#include "runtime/chan_wait.h"

#include <limits.h>

enum { UNDECIDED = CN_EAGAIN };

struct cn_select {
    struct cn_wait w;
    struct cn_case *cases;
    size_t n;
    struct cn_timer timer; /* of the earliest CN_CASE_UNTIL */
    struct cn_case *timed;
    int verdict; /* an index, or CN_ECANCELED */
    uint32_t leaving;
};

_Static_assert(sizeof(struct cn_select) <= sizeof(struct cn_pending), "room");
_Static_assert(sizeof(struct cn_chan_wait) <= sizeof(struct cn_op), "room");

static struct cn_chan_wait *chan_wait(struct cn_case *c)
{
    return (struct cn_chan_wait *)(void *)&c->wait;
}

/* --- taking parts back ------------------------------------------------------ */

static void undo(struct cn_select *s, struct cn_case *c)
{
    struct cn_loop *l = cn_loop_self();

    c->select = NULL;
    switch (c->what) {
    case CN_CASE_SEND: cn_chan_dequeue_send(c->object, chan_wait(c)); break;
    case CN_CASE_RECV: cn_chan_dequeue_recv(c->object, chan_wait(c)); break;
    case CN_CASE_EVENT:
        cn_waitq_remove(&((struct cn_event *)c->object)->q, &c->wait.w);
        break;
    case CN_CASE_TASK:
        cn_waitq_remove(&cn_task_ext(c->object)->joiners, &c->wait.w);
        break;
    case CN_CASE_UNTIL: cn_timer_disarm(&l->timers, &s->timer); break;
    case CN_CASE_FD:
        if (cn_op_cancel(&c->wait.op) == CN_PENDING) {
            c->select = s; /* its notify will come */
            s->leaving++;
        }
        break;
    case CN_CASE_NONE: break;
    }
}

static void undo_all(struct cn_select *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->cases[i].select)
            undo(s, &s->cases[i]);
}

/* --- what happens ------------------------------------------------------------- */

static void set_result(struct cn_case *c, int64_t result)
{
    if (c->what == CN_CASE_FD && result > 0) {
        c->events = (unsigned)result;
        result = 0;
    }
    c->result = (int)result;
}

static void decide(struct cn_select *s, struct cn_case *c, int64_t result)
{
    s->verdict = (int)(c - s->cases);
    set_result(c, result);
    undo_all(s);
}

static void part_notified(struct cn_wait *w, int64_t result)
{
    struct cn_case *c = CN_CONTAINER(w, struct cn_case, wait.w);
    struct cn_select *s = CN_TAKE(c->select);

    if (s->verdict == UNDECIDED)
        decide(s, c, result);
    else
        s->leaving--;
    if (!s->leaving)
        cn_wake(&s->w, s->verdict);
}

static const struct cn_wait_kind part_kind = {
    .what = "a case of a select",
    .notify = part_notified,
};

static void select_fire(struct cn_timer *t)
{
    struct cn_select *s = CN_CONTAINER(t, struct cn_select, timer);
    struct cn_case *c = s->timed;

    c->select = NULL;
    decide(s, c, 0);
    if (!s->leaving)
        cn_wake(&s->w, s->verdict);
}

static int select_abort(struct cn_wait *w)
{
    struct cn_select *s = (struct cn_select *)(void *)w;

    if (s->verdict != UNDECIDED)
        return CN_PENDING;
    s->verdict = CN_ECANCELED;
    undo_all(s);
    return s->leaving ? CN_PENDING : CN_ABORTED;
}

static const struct cn_wait_kind select_kind = {
    .what = "waiting for the first of several",
    .abort = select_abort,
};

/* --- beginning ------------------------------------------------------------------ */

static bool is_sound(const struct cn_case *c)
{
    switch (c->what) {
    case CN_CASE_SEND:
    case CN_CASE_RECV:
    case CN_CASE_EVENT: return c->object != NULL;
    case CN_CASE_TASK:
        return c->object &&
               ((struct cn_task *)c->object)->flags & CN_TASK_EXTENDED;
    case CN_CASE_FD: return c->fd >= 0;
    case CN_CASE_UNTIL:
    case CN_CASE_NONE: return true;
    }
    return false;
}

/* Can it happen now? Then it has. */
static bool try_case(struct cn_loop *l, struct cn_case *c)
{
    int rc = CN_EAGAIN;

    switch (c->what) {
    case CN_CASE_SEND: rc = cn_chan_try_send(c->object, c->item, NULL); break;
    case CN_CASE_RECV: rc = cn_chan_try_recv(c->object, c->item, NULL); break;
    case CN_CASE_EVENT:
        rc = ((struct cn_event *)c->object)->set ? 0 : CN_EAGAIN;
        break;
    case CN_CASE_TASK:
        rc = ((struct cn_task *)c->object)->flags & CN_TASK_ENDED ? 0
                                                                  : CN_EAGAIN;
        break;
    case CN_CASE_UNTIL: rc = c->time <= l->now ? 0 : CN_EAGAIN; break;
    case CN_CASE_FD:
    case CN_CASE_NONE: break;
    }
    c->result = rc;
    return rc != CN_EAGAIN;
}

/* The earliest wins the task's timer; the others could only be later. */
static void enqueue_time(struct cn_loop *l, struct cn_select *s,
                         struct cn_case *c)
{
    if (c->time == CN_NEVER || (s->timed && s->timed->time <= c->time))
        return;
    if (s->timed) {
        cn_timer_disarm(&l->timers, &s->timer);
        s->timed->select = NULL;
    }
    s->timed = c;
    c->select = s;
    cn_timer_arm(&l->timers, &s->timer, c->time);
}

/* True: it happened after all (the poll was ready, or the fd is bad). */
static bool enqueue_fd(struct cn_select *s, struct cn_case *c)
{
    int64_t result = 0;

    c->wait.op = (struct cn_op){
        .opcode = CN_OP_POLL, .fd = c->fd, .u.poll.events = c->events};
    c->select = s;
    if (cn_op_begin_part(&c->wait.op, &part_kind, &result) == CN_PENDING)
        return false;
    c->select = NULL;
    decide(s, c, result);
    return true;
}

static void enqueue_chan(struct cn_select *s, struct cn_case *c)
{
    struct cn_chan_wait *cw = chan_wait(c);

    cn_wait_part(&cw->w, &part_kind, c->object);
    cw->item = c->item;
    cw->select = s;
    c->select = s;
    if (c->what == CN_CASE_SEND)
        cn_chan_enqueue_send(c->object, cw);
    else
        cn_chan_enqueue_recv(c->object, cw);
}

static void enqueue_in(struct cn_select *s, struct cn_case *c,
                       struct cn_waitq *q)
{
    cn_wait_part(&c->wait.w, &part_kind, c->object);
    c->select = s;
    cn_waitq_push(q, &c->wait.w);
}

/* True: decided already. */
static bool enqueue(struct cn_loop *l, struct cn_select *s, struct cn_case *c)
{
    switch (c->what) {
    case CN_CASE_SEND:
    case CN_CASE_RECV: enqueue_chan(s, c); break;
    case CN_CASE_EVENT:
        enqueue_in(s, c, &((struct cn_event *)c->object)->q);
        break;
    case CN_CASE_TASK:
        enqueue_in(s, c, &cn_task_ext(c->object)->joiners);
        break;
    case CN_CASE_UNTIL: enqueue_time(l, s, c); break;
    case CN_CASE_FD: return enqueue_fd(s, c);
    case CN_CASE_NONE: break;
    }
    return false;
}

static void init(struct cn_select *s, struct cn_case *cases, size_t n)
{
    s->cases = cases;
    s->n = n;
    s->timer.fire = select_fire;
    s->timer.index = 0;
    s->timed = NULL;
    s->verdict = UNDECIDED;
    s->leaving = 0;
    for (size_t i = 0; i < n; i++)
        cases[i].select = NULL;
}

int cn_select_begin(struct cn_case *cases, size_t n, int *index,
                    struct cn_pending *p)
{
    struct cn_select *s = (struct cn_select *)(void *)p;
    struct cn_loop *l = cn_loop_self();
    size_t first = 0;

    if (cn_task_cancelled(l->cur))
        return CN_ECANCELED;
    if (!n || n > INT_MAX)
        return CN_EINVAL;
    for (size_t i = 0; i < n; i++)
        if (!is_sound(&cases[i]))
            return CN_EINVAL;
    if (l->mode & CN_MODE_SHUFFLE)
        first = (size_t)(cn_loop_random(l) % n);
    for (size_t i = 0; i < n; i++) {
        if (try_case(l, &cases[(first + i) % n])) {
            *index = (int)((first + i) % n);
            return CN_DONE;
        }
    }
    init(s, cases, n);
    for (size_t i = 0; i < n; i++)
        if (enqueue(l, s, &cases[i]))
            break;
    if (s->verdict != UNDECIDED && !s->leaving) {
        *index = s->verdict;
        return CN_DONE;
    }
    cn_wait_begin_shielded(&s->w, &select_kind, cases);
    return CN_PENDING;
}

int cn_select(struct cn_case *cases, size_t n)
{
    struct cn_pending p;
    int index = 0, rc = cn_select_begin(cases, n, &index, &p);

    rc = cn_finish(cn_loop_self(), rc, &p.w);
    return rc == CN_DONE && index ? index : rc;
}
