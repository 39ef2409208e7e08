/* Cancel scopes.
 *
 * Each scope knows whether it is cancelled in effect (itself, or visibly from
 * outside), so that a checkpoint reads one bit. The price is paid by the rare
 * events: cancelling, and raising or dropping a shield, walk down the tree and
 * bring the bits up to date. The walk needs no stack and no memory, because
 * every step down can be found again from below: a scope leads to its parent,
 * and its task to the next task of the group.
 *
 * Invariant: EFFECTIVE(s) = CALLED(s) or FORCED(s) or (not SHIELD(s) and
 * EFFECTIVE(parent)). A timer is armed for each open scope that has a
 * deadline and is not CALLED; it may be armed for an earlier time than the
 * deadline, which is then looked at again.
 */
#include "runtime/sched.h"

/* --- the walk down --------------------------------------------------------- */

/* Bring s up to date; true: go on below it. */
static bool update(struct cn_scope *s, bool force)
{
    uint32_t bits = s->timer.flags;
    bool is = bits & (CN_SCOPE_CALLED | CN_SCOPE_FORCED);

    if (force)
        s->timer.flags |= CN_SCOPE_FORCED | CN_SCOPE_EFFECTIVE;
    else if (!is && !(bits & CN_SHIELD))
        is = cn_scope_effective(s->parent);
    if (force || is == !!(bits & CN_SCOPE_EFFECTIVE))
        return force;
    s->timer.flags ^= CN_SCOPE_EFFECTIVE;
    return true;
}

/* The scope `t` is in has been brought up to date. */
static void deliver(struct cn_task *t)
{
    struct cn_wait *w = t->wait;

    if (!w || !cn_scope_effective(t->scope) || t->flags & CN_TASK_ABORTED)
        return;
    t->flags |= CN_TASK_ABORTED;
    if (w->kind->abort && w->kind->abort(w) == CN_ABORTED)
        cn_wake(w, CN_ECANCELED);
}

/* The outermost scope of the next task of group g after link `at`; tasks
 * without one are told on the way. Those not yet started are in the scope of
 * the task that starts them. */
static struct cn_scope *next_in_group(struct cn_group *g, struct cn_link *at)
{
    for (at = at->next; at != &g->tasks; at = at->next) {
        struct cn_task *t = CN_CONTAINER(at, struct cn_task, link);

        if (t->flags & CN_TASK_STARTING)
            continue;
        if (t->outer)
            return t->outer;
        deliver(t);
    }
    return NULL;
}

/* The scope of the child that the task of s, waiting in s, is starting. */
static struct cn_scope *starting_in(struct cn_scope *s)
{
    struct cn_task *t = s->task;

    if (t->scope != s || !t->wait || t->wait->kind != &cn_start_kind)
        return NULL;
    return cn_start_child(t->wait)->outer;
}

static struct cn_scope *after_tasks(struct cn_scope *s)
{
    return s->inner ? s->inner : starting_in(s);
}

/* Order: the host if this is its innermost scope (see walk), the tasks of the
 * group, then the inner scope or the child that is being started. */
static struct cn_scope *first_below(struct cn_scope *s)
{
    struct cn_group *g = cn_scope_group(s);
    struct cn_scope *next = g ? next_in_group(g, &g->tasks) : NULL;

    return next ? next : after_tasks(s);
}

/* What comes after s and all below it, within top; NULL: nothing. */
static struct cn_scope *next_after(struct cn_scope *s, struct cn_scope *top)
{
    for (; s != top; s = s->parent) {
        struct cn_task *t = s->task;
        struct cn_scope *parent = s->parent, *next;

        if (parent->task == t || t->flags & CN_TASK_STARTING)
            continue; /* it was the last thing in its parent */
        next = next_in_group(t->group, &t->link);
        if (!next)
            next = after_tasks(parent);
        if (next)
            return next;
    }
    return NULL;
}

static void walk(struct cn_scope *top, bool force)
{
    struct cn_scope *s = top, *next;

    while (s) {
        next = NULL;
        if (update(s, force)) {
            if (s->task->scope == s)
                deliver(s->task);
            next = first_below(s);
        }
        s = next ? next : next_after(s, top);
    }
}

void cn_scope_refresh(struct cn_scope *s)
{
    walk(s, false);
}

void cn_scope_force(struct cn_scope *s)
{
    walk(s, true);
}

void cn_scope_reparent(struct cn_scope *s, struct cn_scope *parent)
{
    s->parent = parent;
    cn_scope_refresh(s);
}

/* --- deadlines --------------------------------------------------------------- */

static void disarm(struct cn_scope *s)
{
    struct cn_loop *l = cn_loop_self();

    if (!s->timer.index)
        return;
    cn_timer_disarm(&l->timers, &s->timer);
    cn_timer_unreserve(&l->timers, 1);
}

static void expire(struct cn_scope *s)
{
    s->timer.flags |= CN_SCOPE_EXPIRED;
    cn_scope_cancel(s, "deadline");
}

static void fire(struct cn_timer *t)
{
    struct cn_loop *l = cn_loop_self();
    struct cn_scope *s = CN_CONTAINER(t, struct cn_scope, timer);

    if (s->deadline > l->now) {
        cn_timer_arm(&l->timers, t, s->deadline); /* it was moved later */
        return;
    }
    cn_timer_unreserve(&l->timers, 1);
    expire(s);
}

/* The deadline is finite, the scope open, not cancelled and not armed. */
static void arm(struct cn_scope *s)
{
    struct cn_loop *l = cn_loop_self();

    if (s->deadline <= l->now)
        expire(s);
    else if (cn_timer_reserve(&l->timers, 1) < 0)
        cn_scope_cancel(s, "no memory for the deadline");
    else
        cn_timer_arm(&l->timers, &s->timer, s->deadline);
}

/* --- opening and closing ------------------------------------------------------- */

void cn_scope_enter(struct cn_task *t, struct cn_scope *s, cn_time deadline,
                    unsigned bits)
{
    struct cn_scope *parent = t->scope;

    s->parent = parent;
    s->inner = NULL;
    s->task = t;
    s->deadline = deadline;
    s->reason = NULL;
    s->timer.fire = fire;
    s->timer.index = 0;
    if (!(bits & CN_SHIELD))
        bits |= parent->timer.flags & CN_SCOPE_EFFECTIVE;
    s->timer.flags = bits;
    if (parent->task == t)
        parent->inner = s;
    else
        t->outer = s;
    t->scope = s;
    if (deadline != CN_NEVER)
        arm(s);
}

/* rc is CN_ECANCELED and s was cancelled: does it end here? */
static int absorb(struct cn_scope *s, int rc)
{
    uint32_t bits = s->timer.flags;

    if (!(bits & CN_SHIELD) && cn_scope_effective(s->parent))
        return rc;
    s->timer.flags |= CN_SCOPE_CAUGHT;
    if (bits & CN_FAIL && bits & CN_SCOPE_EXPIRED)
        return CN_ETIMEDOUT;
    return 0;
}

int cn_scope_leave(struct cn_task *t, struct cn_scope *s, int rc)
{
    struct cn_scope *parent = s->parent;

    disarm(s);
    t->scope = parent;
    if (parent->task == t)
        parent->inner = NULL;
    else
        t->outer = NULL;
    s->task = NULL;
    s->timer.flags |= CN_SCOPE_CLOSED;
    if (rc == CN_ECANCELED && s->timer.flags & CN_SCOPE_CALLED)
        return absorb(s, rc);
    return rc;
}

/* Is s open in t, though not its innermost? */
static bool is_open_in(const struct cn_scope *s, const struct cn_task *t)
{
    const struct cn_scope *it = t->scope;

    for (; it && it->task == t; it = it->parent)
        if (it == s)
            return true;
    return false;
}

static int misnested(struct cn_task *t, struct cn_scope *s, int rc)
{
    if (!is_open_in(s, t))
        return cn_fail(CN_EMISNEST, "a scope that is not open in this task");
    if (s->timer.flags & CN_SCOPE_GROUP)
        return cn_fail(CN_EMISNEST, "the scope of a group, closed without it");
    cn_task_close_inner(t, s);
    cn_scope_leave(t, s, rc);
    return cn_fail(CN_EMISNEST, "a scope closed before those inside it");
}

static struct cn_task *running_task(void)
{
    struct cn_loop *l = cn_loop_self();

    cn_assert(l && l->cur != &l->home);
    return l->cur;
}

/* --- public ---------------------------------------------------------------------- */

void cn_scope_open(struct cn_scope *s, cn_time deadline, unsigned flags)
{
    cn_scope_enter(running_task(), s, deadline, flags & (CN_SHIELD | CN_FAIL));
}

int cn_scope_close(struct cn_scope *s, int rc)
{
    struct cn_task *t = running_task();

    if (cn_unlikely(t->scope != s || s->timer.flags & CN_SCOPE_GROUP))
        return misnested(t, s, rc);
    return cn_scope_leave(t, s, rc);
}

void cn_scope_cancel(struct cn_scope *s, const char *reason)
{
    if (!s->task || s->timer.flags & CN_SCOPE_CALLED)
        return;
    s->timer.flags |= CN_SCOPE_CALLED;
    s->reason = reason;
    disarm(s);
    cn_scope_refresh(s);
}

bool cn_scope_cancelled(const struct cn_scope *s)
{
    return s->timer.flags & CN_SCOPE_CALLED;
}

bool cn_scope_caught(const struct cn_scope *s)
{
    return s->timer.flags & CN_SCOPE_CAUGHT;
}

const char *cn_scope_reason(const struct cn_scope *s)
{
    return s->reason;
}

void cn_scope_set_deadline(struct cn_scope *s, cn_time deadline)
{
    struct cn_loop *l = cn_loop_self();
    cn_time armed =
        s->timer.index ? l->timers.entries[s->timer.index].due : CN_NEVER;

    if (!s->task || s->timer.flags & CN_SCOPE_CALLED)
        return;
    s->deadline = deadline;
    if (deadline >= armed && deadline != CN_NEVER)
        return; /* fire() will see */
    disarm(s);
    if (deadline != CN_NEVER)
        arm(s);
}

cn_time cn_scope_deadline(const struct cn_scope *s)
{
    return s->deadline;
}

void cn_scope_set_shield(struct cn_scope *s, bool on)
{
    if (!s->task)
        return;
    s->timer.flags &= ~(uint32_t)CN_SHIELD;
    if (on)
        s->timer.flags |= CN_SHIELD;
    cn_scope_refresh(s);
}

bool cn_scope_shield(const struct cn_scope *s)
{
    return s->timer.flags & CN_SHIELD;
}

cn_time cn_deadline(void)
{
    cn_time earliest = CN_NEVER;
    struct cn_scope *s = running_task()->scope;

    if (cn_scope_effective(s))
        return INT64_MIN;
    for (; s; s = s->parent) {
        if (s->deadline < earliest)
            earliest = s->deadline;
        if (s->timer.flags & CN_SHIELD)
            break;
    }
    return earliest;
}

int cn_within(cn_time delta, unsigned flags, cn_fn *fn, void *arg)
{
    struct cn_scope s;

    cn_scope_open(&s, cn_after(delta), flags);
    return cn_scope_close(&s, fn(arg));
}

void cn_scope_check_closed(struct cn_scope *s)
{
    if (s->timer.flags & CN_SCOPE_CLOSED)
        return;
    fprintf(stderr, "canyon: a scope is left without cn_scope_close()\n");
    cn_assert(s->timer.flags & CN_SCOPE_CLOSED);
}
