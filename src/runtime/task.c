/* Tasks: making them, what happens when they end, handles.
 *
 * A plain task is one control block from a slab and nothing else; it takes a
 * stack when it first runs. A task with a name, a handle, a copied argument
 * or a kind has a longer block from malloc, with a cancel scope of its own.
 * Not here: who runs when (sched.c).
 *
 * Invariant: a block is free, or its task is on its group's list of tasks,
 * or it has ended, its handle is held, and it is on the list of the kept.
 */
#include "runtime/sched.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* --- blocks -------------------------------------------------------------------- */

enum { SLAB_TASKS = 511 };

struct cn_task_slab {
    struct cn_task tasks[SLAB_TASKS];
    struct cn_task_slab *next;
};

/* Each task brings the timer that its sleeps will need. */
static struct cn_task *slab_alloc(struct cn_loop *l)
{
    struct cn_task_slab *slab;

    if (cn_timer_reserve(&l->timers, SLAB_TASKS) < 0)
        return NULL;
    slab = aligned_alloc(64, (sizeof(*slab) + 63) & ~(size_t)63);
    if (!slab) {
        cn_timer_unreserve(&l->timers, SLAB_TASKS);
        return NULL;
    }
    slab->next = l->task_slabs;
    l->task_slabs = slab;
    for (int i = SLAB_TASKS; i-- > 1;) {
        slab->tasks[i].next = l->free_tasks;
        l->free_tasks = &slab->tasks[i];
    }
    return &slab->tasks[0];
}

void cn_task_slabs_done(struct cn_loop *l)
{
    struct cn_task_slab *slab;

    while ((slab = l->task_slabs)) {
        l->task_slabs = slab->next;
        free(slab);
    }
}

void cn_task_free(struct cn_loop *l, struct cn_task *t)
{
    if (cn_unlikely(t->flags & CN_TASK_EXTENDED)) {
        cn_timer_unreserve(&l->timers, 1);
        free(t);
        return;
    }
    t->next = l->free_tasks;
    l->free_tasks = t;
}

static size_t aligned(size_t size)
{
    return (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
}

static struct cn_task_ext *ext_alloc(struct cn_loop *l, size_t data)
{
    size_t size = (sizeof(struct cn_task_ext) + data + 63) & ~(size_t)63;
    struct cn_task_ext *ext;

    if (size < data || cn_timer_reserve(&l->timers, 1) < 0)
        return NULL;
    ext = aligned_alloc(64, size);
    if (!ext) {
        cn_timer_unreserve(&l->timers, 1);
        return NULL;
    }
    memset(ext, 0, sizeof(*ext));
    return ext;
}

/* --- spawning -------------------------------------------------------------------- */

/* The task is complete: into its group and into the queue. */
static inline void enlist(struct cn_loop *l, struct cn_group *g,
                          struct cn_task *t)
{
    struct cn_local *locals = l->cur->locals;

    t->locals = locals;
    if (cn_unlikely(locals != NULL))
        cn_local_ref(locals);
    cn_list_push_back(&g->tasks, &t->link);
    g->task_count++;
    cn_ready_push(l, t);
    if (cn_unlikely(l->mode & CN_MODE_HOOKS))
        cn_hooks_spawned(l, t);
}

static inline void fill(struct cn_loop *l, struct cn_task *t,
                        struct cn_group *g, cn_fn *fn, void *arg)
{
    t->sp = NULL;
    t->wait = NULL;
    t->result = 0;
    t->stack = NULL;
    t->kind = NULL;
    t->stack_class = l->stack_class;
    t->group = g;
    t->fn = fn;
    t->arg = arg;
    t->outer = NULL;
    t->error = NULL;
}

int cn_spawn(struct cn_group *g, cn_fn *fn, void *arg)
{
    struct cn_loop *l = cn_loop_self();
    struct cn_task *t = l->free_tasks;

    if (cn_unlikely(!g->scope.task))
        return CN_ECLOSED;
    if (cn_likely(t != NULL))
        l->free_tasks = t->next;
    else if (!(t = slab_alloc(l)))
        return CN_ENOMEM;
    fill(l, t, g, fn, arg);
    t->flags = 0;
    t->scope = &g->scope;
    enlist(l, g, t);
    return 0;
}

/* Lay out the kind's data and the copy; call init. */
static int furnish(struct cn_task_ext *ext, const struct cn_task_options *o,
                   size_t data_size)
{
    struct cn_task *t = &ext->task;
    char *data = (char *)ext->data;

    if (o->copy) {
        memcpy(data + data_size, o->copy, o->copy_len);
        t->arg = data + data_size;
    }
    if (o->name)
        snprintf(ext->name, sizeof(ext->name), "%s", o->name);
    if (o->stack_size)
        t->stack_class = cn_stack_class(o->stack_size);
    t->kind = o->kind;
    if (!t->kind)
        return 0;
    memset(data, 0, data_size);
    return t->kind->init ? t->kind->init(t, t->fn, t->arg) : 0;
}

int cn_task_spawn_extended(struct cn_loop *l, struct cn_group *g, cn_fn *fn,
                           void *arg, const struct cn_task_options *o,
                           struct cn_scope *scope, struct cn_task **out)
{
    static const struct cn_task_options none;
    size_t data_size, copy_len;
    struct cn_task_ext *ext;
    int rc;

    if (!g->scope.task)
        return CN_ECLOSED;
    o = o ? o : &none;
    data_size = o->kind ? aligned(o->kind->data_size) : 0;
    copy_len = o->copy ? o->copy_len : 0;
    ext = ext_alloc(l, data_size + copy_len);
    if (!ext)
        return CN_ENOMEM;
    fill(l, &ext->task, g, fn, arg);
    ext->task.flags = CN_TASK_EXTENDED;
    rc = furnish(ext, o, data_size);
    if (rc < 0) {
        cn_task_free(l, &ext->task);
        return rc;
    }
    ext->task.scope = scope;
    cn_scope_enter(&ext->task, &ext->own, CN_NEVER, 0);
    enlist(l, g, &ext->task);
    *out = &ext->task;
    return 0;
}

int cn_spawn_opt(struct cn_group *g, cn_fn *fn, void *arg,
                 const struct cn_task_options *o, struct cn_task **out)
{
    struct cn_task *t;
    int rc =
        cn_task_spawn_extended(cn_loop_self(), g, fn, arg, o, &g->scope, &t);

    if (rc < 0 || !out)
        return rc;
    t->flags |= CN_TASK_HANDLE;
    *out = t;
    return 0;
}

/* --- ending ------------------------------------------------------------------------ */

static void close_inner_group(struct cn_task *t, struct cn_group *g)
{
    if (t->kind && !cn_list_empty(&g->tasks)) {
        fprintf(stderr,
                "canyon: task %s ended with tasks in a group of its "
                "own\n",
                cn_task_name(t));
        abort();
    }
    cn_scope_cancel(&g->scope, "left open");
    if (cn_list_empty(&g->tasks))
        cn_scope_leave(t, &g->scope, 0);
    else
        cn_group_close(g, 0);
}

void cn_task_close_inner(struct cn_task *t, struct cn_scope *base)
{
    while (t->scope != base) {
        struct cn_scope *s = t->scope;
        struct cn_group *g = cn_scope_group(s);

        if (g)
            close_inner_group(t, g);
        else
            cn_scope_leave(t, s, 0);
    }
}

static int misnested(struct cn_task *t, struct cn_scope *base)
{
    cn_task_close_inner(t, base);
    return cn_fail(CN_EMISNEST, "the task ended with scopes open");
}

struct join_wait {
    struct cn_wait w;
    int *rc;
};

/* Returns what the group is to know of the end. */
static int end_extended(struct cn_task *t, int rc)
{
    struct cn_task_ext *ext = cn_task_ext(t);
    int group_rc = cn_scope_leave(t, &ext->own, rc);
    struct cn_wait *w;

    t->result = rc;
    t->flags |= CN_TASK_ENDED;
    if (t->flags & CN_TASK_STARTING) {
        cn_start_ended(t, rc);
        group_rc = 0;
    }
    while ((w = cn_waitq_pop(&ext->joiners))) {
        if (!w->kind->notify && ((struct join_wait *)(void *)w)->rc)
            *((struct join_wait *)(void *)w)->rc = rc;
        cn_wake(w, 0);
    }
    if (t->kind && t->kind->release)
        t->kind->release(t);
    return group_rc;
}

static void drop_extras(struct cn_task *t)
{
    if (t->locals)
        cn_local_unref(t->locals);
    cn_error_adopt(t, NULL);
}

static void dispose(struct cn_loop *l, struct cn_group *g, struct cn_task *t)
{
    if (t->flags & CN_TASK_HANDLE)
        cn_list_push_back(&g->kept, &t->link);
    else
        cn_task_free(l, t);
}

void cn_task_end(struct cn_loop *l, struct cn_task *t, int rc)
{
    struct cn_group *g = t->group;
    bool extended = t->flags & CN_TASK_EXTENDED;
    struct cn_scope *base = extended ? &cn_task_ext(t)->own : &g->scope;

    if (cn_unlikely(t->scope != base))
        rc = misnested(t, base);
    if (cn_unlikely(l->mode & CN_MODE_HOOKS))
        cn_hooks_exited(l, t, rc);
    if (cn_unlikely(extended))
        rc = end_extended(t, rc);
    if (cn_unlikely(rc < 0) && rc != CN_ECANCELED)
        cn_group_fail(g, t, rc);
    if (cn_unlikely(t->locals || t->error))
        drop_extras(t);
    cn_list_remove(&t->link);
    g->task_count--;
    dispose(l, g, t);
    if (g->closer && cn_list_empty(&g->tasks))
        cn_group_finish(g);
}

void cn_task_done(struct cn_task *t, int rc)
{
    cn_assert(t->kind && cn_loop_self()->cur == t && !t->wait);
    t->flags |= CN_TASK_ENDED;
    t->flags &= ~(uint32_t)CN_TASK_RESUMING;
    t->result = rc;
}

/* --- handles ------------------------------------------------------------------------- */

struct cn_task *cn_self(void)
{
    struct cn_loop *l = cn_loop_self();

    return l && l->cur != &l->home ? l->cur : NULL;
}

const char *cn_task_name(const struct cn_task *t)
{
    Dl_info info;

    if (t->flags & CN_TASK_EXTENDED && cn_task_ext(t)->name[0])
        return cn_task_ext(t)->name;
    if (t->fn && dladdr((void *)(uintptr_t)t->fn, &info) && info.dli_sname)
        return info.dli_sname;
    return t->kind ? t->kind->name : "task";
}

void *cn_task_data(struct cn_task *t)
{
    return cn_task_ext(t)->data;
}

enum cn_task_status cn_task_status(const struct cn_task *t)
{
    if (!(t->flags & CN_TASK_ENDED))
        return cn_scope_cancelled(&cn_task_ext(t)->own) ? CN_TASK_CANCELLING
                                                        : CN_TASK_PENDING;
    if (t->result >= 0)
        return CN_TASK_FINISHED;
    return t->result == CN_ECANCELED ? CN_TASK_CANCELLED : CN_TASK_FAILED;
}

int cn_task_result(const struct cn_task *t)
{
    return t->flags & CN_TASK_ENDED ? (int)t->result : CN_EBUSY;
}

static int join_abort(struct cn_wait *w)
{
    struct cn_task_ext *ext = (struct cn_task_ext *)(uintptr_t)w->object;

    cn_waitq_remove(&ext->joiners, w);
    return CN_ABORTED;
}

static const struct cn_wait_kind join_kind = {
    .what = "waiting for a task",
    .abort = join_abort,
};

int cn_task_wait_begin(struct cn_task *t, int *rc, struct cn_pending *p)
{
    struct join_wait *jw = (struct join_wait *)(void *)p;
    struct cn_task *me = cn_loop_self()->cur;

    if (!(t->flags & CN_TASK_EXTENDED) || t == me)
        return CN_EINVAL;
    if (cn_task_cancelled(me))
        return CN_ECANCELED;
    if (t->flags & CN_TASK_ENDED) {
        if (rc)
            *rc = (int)t->result;
        return CN_DONE;
    }
    jw->rc = rc;
    cn_wait_begin_shielded(&jw->w, &join_kind, t);
    cn_waitq_push(&cn_task_ext(t)->joiners, &jw->w);
    return CN_PENDING;
}

int cn_task_wait(struct cn_task *t, int *rc)
{
    struct cn_pending p;

    return cn_finish(cn_loop_self(), cn_task_wait_begin(t, rc, &p), &p.w);
}

void cn_task_cancel(struct cn_task *t, const char *reason)
{
    if (t->flags & CN_TASK_EXTENDED && !(t->flags & CN_TASK_ENDED))
        cn_scope_cancel(&cn_task_ext(t)->own, reason);
}

void cn_task_release(struct cn_task *t)
{
    cn_assert(t->flags & CN_TASK_HANDLE);
    t->flags &= ~(uint32_t)CN_TASK_HANDLE;
    if (!(t->flags & CN_TASK_ENDED))
        return;
    cn_list_remove(&t->link);
    cn_task_free(cn_loop_self(), t);
}
