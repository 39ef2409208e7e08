/* Groups: closing, errors, starting.
 *
 * The last task to end works out the result of a group whose close is
 * waiting, and leaves the host's scope for it; so close is a single wait,
 * the same for hosts of any kind. Not here: making and ending tasks
 * (task.c).
 *
 * Invariant: task_count tasks are on `tasks`; `closer` is set exactly while
 * the host waits in close; error records are on `errors` in the order the
 * tasks failed.
 */
#include "runtime/sched.h"

#include <string.h>

/* --- errors -------------------------------------------------------------------- */

void cn_group_fail(struct cn_group *g, struct cn_task *t, int rc)
{
    struct cn_error *e = cn_error_take(t, rc);

    if (!g->error_count++)
        g->first_code = rc;
    if (e) {
        *g->errors_end = e;
        g->errors_end = &e->next;
    }
    cn_scope_cancel(&g->scope, "a task of the group failed");
}

/* Hand the records to the host; returns what close returns for them. */
static int report(struct cn_group *g, struct cn_task *host)
{
    struct cn_error *e = (struct cn_error *)(uintptr_t)g->errors;
    int code = g->error_count == 1 ? g->first_code : CN_EGROUP;

    if (g->error_count > 1 && e) {
        cn_error_adopt(host, NULL);
        e = cn_error_take(host, CN_EGROUP);
        if (e)
            e->children = g->errors;
        else
            cn_error_free(g->errors);
        g->errors = e ? e->children : NULL;
    }
    cn_error_adopt(host, e);
    return code;
}

/* --- closing --------------------------------------------------------------------- */

/* All tasks have ended: the result, and out of the scope. `waited`: close
 * has slept, and so has seen a cancellation if there was one. */
static int finish(struct cn_group *g, bool waited)
{
    struct cn_task *host = g->scope.task;
    int rc = g->block_code;

    if (waited && rc >= 0 && cn_scope_effective(&g->scope))
        rc = CN_ECANCELED;
    if (cn_unlikely(cn_loop_self()->portals))
        cn_portals_shut(cn_loop_self(), g);
    if (g->error_count)
        rc = report(g, host);
    cn_list_for (it, &g->kept)
        cn_task_free(cn_loop_self(), CN_CONTAINER(it, struct cn_task, link));
    return cn_scope_leave(host, &g->scope, rc);
}

/* Closing cannot be undone: the tasks are cancelled, and it waits for them. */
static const struct cn_wait_kind close_kind = {.what = "closing a group"};

/* The shielded checkpoint of an empty group. */
static const struct cn_wait_kind empty_kind = {.what =
                                                   "closing an empty group"};

void cn_group_finish(struct cn_group *g)
{
    struct cn_wait *closer = CN_TAKE(g->closer);

    cn_wake(closer, finish(g, true));
}

static int misnested(struct cn_group *g, struct cn_task *t)
{
    const struct cn_scope *it = t->scope;

    while (it && it->task == t && it != &g->scope)
        it = it->parent;
    if (it != &g->scope)
        return cn_fail(CN_EMISNEST, "a group that is not open in this task");
    cn_task_close_inner(t, &g->scope);
    return 0;
}

static int close_begin(struct cn_group *g, int rc, struct cn_wait *w)
{
    struct cn_loop *l = cn_loop_self();
    struct cn_task *t = l->cur;
    bool crooked = t->scope != &g->scope;

    if (crooked && misnested(g, t) < 0)
        return CN_EMISNEST;
    if (crooked && rc >= 0)
        rc = cn_fail(CN_EMISNEST, "a group closed before scopes inside it");
    g->block_code = rc;
    if (rc < 0 && rc != CN_ECANCELED)
        cn_group_fail(g, t, rc);
    else if (rc < 0)
        cn_scope_cancel(&g->scope, "the block of the group was cancelled");
    if (cn_list_empty(&g->tasks)) {
        rc = finish(g, false);
        cn_wait_begin_shielded(w, &empty_kind, g);
        cn_wake(w, rc);
        return CN_PENDING;
    }
    g->closer = w;
    cn_wait_begin_shielded(w, &close_kind, g);
    return CN_PENDING;
}

int cn_group_close_begin(struct cn_group *g, int rc, struct cn_pending *p)
{
    return close_begin(g, rc, &p->w);
}

int cn_group_close(struct cn_group *g, int rc)
{
    struct cn_wait w;

    rc = close_begin(g, rc, &w);
    return rc == CN_PENDING ? (int)cn_suspend(&w) : rc;
}

/* --- opening, looking ------------------------------------------------------------- */

void cn_group_enter(struct cn_task *host, struct cn_group *g)
{
    cn_list_init(&g->tasks);
    cn_list_init(&g->kept);
    g->closer = NULL;
    g->errors = NULL;
    g->errors_end = &g->errors;
    g->task_count = 0;
    g->error_count = 0;
    g->first_code = 0;
    g->block_code = 0;
    g->name = NULL;
    cn_scope_enter(host, &g->scope, CN_NEVER, CN_SCOPE_GROUP);
}

void cn_group_open(struct cn_group *g)
{
    struct cn_loop *l = cn_loop_self();

    cn_assert(l && l->cur != &l->home);
    cn_group_enter(l->cur, g);
}

struct cn_scope *cn_group_scope(struct cn_group *g)
{
    return &g->scope;
}

void cn_group_set_name(struct cn_group *g, const char *name)
{
    g->name = name;
}

size_t cn_group_task_count(const struct cn_group *g)
{
    return g->task_count;
}

const struct cn_error *cn_group_errors(const struct cn_group *g)
{
    return g->errors;
}

/* --- starting ---------------------------------------------------------------------- */

struct start_wait {
    struct cn_wait w;
    struct cn_task *child;
    void *value;
    size_t len;
};

_Static_assert(sizeof(struct start_wait) <= sizeof(struct cn_pending), "room");

/* The child is in the scope of the one that waits, so it has been cancelled
 * too; its end ends the wait. */
static int start_abort(struct cn_wait *w)
{
    (void)w;
    return CN_PENDING;
}

const struct cn_wait_kind cn_start_kind = {
    .what = "starting a task",
    .abort = start_abort,
};

struct cn_task *cn_start_child(const struct cn_wait *w)
{
    return ((const struct start_wait *)(const void *)w)->child;
}

int cn_start_begin(struct cn_group *g, cn_fn *fn, void *arg, void *value,
                   size_t len, const struct cn_task_options *o,
                   struct cn_pending *p)
{
    struct start_wait *sw = (struct start_wait *)(void *)p;
    struct cn_loop *l = cn_loop_self();
    struct cn_task *child;
    int rc;

    if (cn_task_cancelled(l->cur))
        return CN_ECANCELED;
    rc = cn_task_spawn_extended(l, g, fn, arg, o, l->cur->scope, &child);
    if (rc < 0)
        return rc;
    sw->child = child;
    sw->value = value;
    sw->len = len;
    cn_task_ext(child)->starter = &sw->w;
    child->flags |= CN_TASK_STARTING;
    cn_wait_begin_shielded(&sw->w, &cn_start_kind, g);
    return CN_PENDING;
}

int cn_start(struct cn_group *g, cn_fn *fn, void *arg, void *value, size_t len)
{
    struct cn_pending p;
    int rc = cn_start_begin(g, fn, arg, value, len, NULL, &p);

    return rc == CN_PENDING ? (int)cn_suspend(&p.w) : rc;
}

int cn_started(const void *value, size_t len)
{
    struct cn_loop *l = cn_loop_self();
    struct cn_task *t = l ? l->cur : NULL;
    struct start_wait *sw;

    if (!t || !(t->flags & CN_TASK_STARTING))
        return CN_EINVAL;
    sw = (struct start_wait *)(void *)cn_task_ext(t)->starter;
    if (len > sw->len)
        return CN_EINVAL;
    if (sw->w.task->flags & CN_TASK_ABORTED)
        return 0; /* the starter was cancelled; it waits for our end */
    if (len)
        memcpy(sw->value, value, len);
    t->flags &= ~(uint32_t)CN_TASK_STARTING;
    cn_task_ext(t)->starter = NULL;
    cn_scope_reparent(t->outer, &t->group->scope);
    cn_wake(&sw->w, 0);
    return 0;
}

void cn_start_ended(struct cn_task *t, int rc)
{
    struct cn_wait *starter = CN_TAKE(cn_task_ext(t)->starter);
    struct cn_task *parent = starter->task;
    int result = rc < 0 ? rc : CN_ENOSTART;

    t->flags &= ~(uint32_t)CN_TASK_STARTING;
    if (parent->flags & CN_TASK_ABORTED && rc >= 0)
        result = CN_ECANCELED;
    if (result < 0 && result != CN_ECANCELED && t->error &&
        t->error->code == result)
        cn_error_adopt(parent, CN_TAKE(t->error));
    cn_wake(starter, result);
}
