/* The model: the runtime's rules as plainly as they can be written.
 *
 * Slow and obviously right: nothing is cached, whether a scope is cancelled is
 * found by walking up each time, who has to be told by walking the whole tree,
 * the next timer by looking at everything. Tasks are ucontext coroutines, ready
 * ones stand in one array. model_test.c runs the same programs here and in the
 * runtime and compares every result.
 */
#ifndef CN_TEST_MODEL_H
#define CN_TEST_MODEL_H

#include "base/base.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { M_TASKS = 256, M_DEPTH = 64, M_STACK = 128 * 1024, M_BUDGET = 128 };

struct m_task;

struct m_scope {
    struct m_scope *parent;
    struct m_task *task; /* NULL: not open */
    int64_t deadline;
    bool shield, fail, called, expired;
    struct m_group *group; /* if it is one's */
};

struct m_group {
    struct m_scope scope;
    struct m_task *tasks[M_TASKS]; /* alive, in the order of spawning */
    int task_count, errors, first, block;
    bool closing;
};

enum m_what { M_READY, M_SLEEP, M_SEND, M_RECV, M_LOCK, M_CLOSE, M_ENDED };

struct m_task {
    ucontext_t context;
    char *stack;
    int (*fn)(void *arg);
    void *arg;
    struct m_group *group;
    struct m_scope *base, *own[M_DEPTH]; /* what it opened, outermost first */
    int depth;
    enum m_what what;
    void *object;  /* what it waits for */
    int64_t until; /* sleeping */
    int64_t *item; /* sending, receiving */
    int result;
};

struct m_channel {
    int64_t items[16];
    int count, capacity;
};

struct m_lock {
    struct m_task *owner;
};

static struct m {
    struct m_task *tasks[M_TASKS]; /* all there ever were */
    int task_count;
    struct m_task *queue[M_TASKS * 8];
    int head, tail;
    struct m_task *waiting[M_TASKS]; /* in the order they began to wait */
    int waiting_count;
    struct m_task *cur;
    ucontext_t home;
    int64_t now;
    int budget, budget_full;
} m;

/* --- the queue, and the list of those who wait -------------------------------- */

static void m_ready(struct m_task *t)
{
    m.queue[m.tail++ % (M_TASKS * 8)] = t;
    t->what = M_READY;
}

static void m_wake(struct m_task *t, int result)
{
    int i = 0;

    while (m.waiting[i] != t)
        i++;
    memmove(&m.waiting[i], &m.waiting[i + 1],
            (size_t)(--m.waiting_count - i) * sizeof(t));
    t->result = result;
    m_ready(t);
}

static int m_wait(enum m_what what, void *object)
{
    struct m_task *t = m.cur;

    t->what = what;
    t->object = object;
    m.waiting[m.waiting_count++] = t;
    swapcontext(&t->context, &m.home);
    return t->result;
}

static void m_give_way(void)
{
    struct m_task *t = m.cur;

    m.budget = m.budget_full;
    m_ready(t);
    swapcontext(&t->context, &m.home);
}

static int m_spend(void)
{
    if (--m.budget <= 0)
        m_give_way();
    return 0;
}

/* The first task that waits like this, or NULL. */
static struct m_task *m_first(enum m_what what, const void *object)
{
    for (int i = 0; i < m.waiting_count; i++)
        if (m.waiting[i]->what == what && m.waiting[i]->object == object)
            return m.waiting[i];
    return NULL;
}

/* --- scopes ---------------------------------------------------------------------- */

static struct m_scope *m_innermost(const struct m_task *t)
{
    return t->depth ? t->own[t->depth - 1] : t->base;
}

static bool m_effective(const struct m_scope *s)
{
    for (; s; s = s->parent) {
        if (s->called)
            return true;
        if (s->shield)
            return false;
    }
    return false;
}

static bool m_cancelled(void)
{
    return m_effective(m_innermost(m.cur));
}

static void m_tell(struct m_task *t)
{
    if (t->what == M_READY || t->what == M_CLOSE || t->what == M_ENDED)
        return; /* runs, or cannot stop */
    if (m_effective(m_innermost(t)))
        m_wake(t, CN_ECANCELED);
}

static void m_tell_all(struct m_scope *s, int depth_in_task);

static void m_tell_task(struct m_task *t)
{
    if (t->depth)
        m_tell_all(t->own[0], 0);
    else
        m_tell(t);
}

/* `i` is the place of s among its task's own. */
static void m_tell_all(struct m_scope *s, int i)
{
    struct m_task *t = s->task;

    if (t && t->depth == i + 1)
        m_tell(t);
    if (s->group)
        for (int k = 0; k < s->group->task_count; k++)
            m_tell_task(s->group->tasks[k]);
    if (t && t->depth > i + 1)
        m_tell_all(t->own[i + 1], i + 1);
}

static void m_look_at_everybody(void)
{
    m_tell_task(m.tasks[0]);
}

static void m_scope_cancel(struct m_scope *s)
{
    if (!s->task || s->called)
        return;
    s->called = true;
    m_look_at_everybody();
}

static void m_scope_open(struct m_scope *s, int64_t deadline, bool shield,
                         bool fail)
{
    struct m_task *t = m.cur;

    *s = (struct m_scope){.parent = m_innermost(t),
                          .task = t,
                          .deadline = deadline,
                          .shield = shield,
                          .fail = fail};
    assert(t->depth < M_DEPTH);
    t->own[t->depth++] = s;
    s->called = s->expired = deadline <= m.now;
}

static int m_scope_leave(struct m_scope *s, int rc)
{
    s->task->depth--;
    s->task = NULL;
    if (rc != CN_ECANCELED || !s->called)
        return rc;
    if (!s->shield && m_effective(s->parent))
        return rc;
    return s->fail && s->expired ? CN_ETIMEDOUT : 0;
}

static void m_scope_shield(struct m_scope *s, bool on)
{
    if (!s->task)
        return;
    s->shield = on;
    m_look_at_everybody();
}

static void m_scope_deadline(struct m_scope *s, int64_t deadline)
{
    if (!s->task || s->called)
        return;
    s->deadline = deadline;
    if (deadline > m.now)
        return;
    s->expired = true;
    m_scope_cancel(s);
}

/* --- groups ------------------------------------------------------------------------ */

static void m_group_open(struct m_group *g)
{
    memset(g, 0, sizeof(*g));
    m_scope_open(&g->scope, INT64_MAX, false, false);
    g->scope.group = g;
}

static void m_group_fail(struct m_group *g, int rc)
{
    if (!g->errors++)
        g->first = rc;
    m_scope_cancel(&g->scope);
}

static int m_group_finish(struct m_group *g, bool waited)
{
    int rc = g->block;

    if (waited && rc >= 0 && m_effective(&g->scope))
        rc = CN_ECANCELED;
    if (g->errors)
        rc = g->errors == 1 ? g->first : CN_EGROUP;
    return m_scope_leave(&g->scope, rc);
}

static int m_group_close(struct m_group *g, int rc)
{
    g->block = rc;
    if (rc < 0 && rc != CN_ECANCELED)
        m_group_fail(g, rc);
    else if (rc < 0)
        m_scope_cancel(&g->scope);
    if (g->task_count) {
        g->closing = true;
        return m_wait(M_CLOSE, g);
    }
    rc = m_group_finish(g, false);
    m_ready(m.cur);
    swapcontext(&m.cur->context, &m.home);
    return rc;
}

static void m_task_main(void)
{
    struct m_task *t = m.cur;
    struct m_group *g = t->group;
    int i = 0, rc = t->fn(t->arg);

    t->what = M_ENDED;
    t->result = rc;
    if (g) {
        if (rc < 0 && rc != CN_ECANCELED)
            m_group_fail(g, rc);
        while (g->tasks[i] != t)
            i++;
        memmove(&g->tasks[i], &g->tasks[i + 1],
                (size_t)(--g->task_count - i) * sizeof(t));
        if (!g->task_count && g->closing) {
            struct m_task *host = g->scope.task;

            m_wake(host, m_group_finish(g, true));
        }
    }
    swapcontext(&t->context, &m.home);
}

static void m_spawn(struct m_group *g, int (*fn)(void *arg), void *arg)
{
    struct m_task *t = calloc(1, sizeof(*t));

    assert(m.task_count < M_TASKS);
    t->fn = fn;
    t->arg = arg;
    t->group = g;
    t->base = g ? &g->scope : NULL;
    t->stack = malloc(M_STACK);
    getcontext(&t->context);
    t->context.uc_stack.ss_sp = t->stack;
    t->context.uc_stack.ss_size = M_STACK;
    makecontext(&t->context, m_task_main, 0);
    m.tasks[m.task_count++] = t;
    if (g)
        g->tasks[g->task_count++] = t;
    m_ready(t);
}

/* --- waiting ------------------------------------------------------------------------- */

static int m_checkpoint(void)
{
    if (m_cancelled())
        return CN_ECANCELED;
    m_give_way();
    return 0;
}

static int m_sleep(int64_t delta)
{
    if (m_cancelled())
        return CN_ECANCELED;
    m.cur->until = m.now + delta;
    return m_wait(M_SLEEP, NULL);
}

static int m_lock_acquire(struct m_lock *l)
{
    if (m_cancelled())
        return CN_ECANCELED;
    if (l->owner == m.cur)
        return CN_EINVAL;
    if (l->owner)
        return m_wait(M_LOCK, l);
    l->owner = m.cur;
    return m_spend();
}

static void m_lock_release(struct m_lock *l)
{
    l->owner = m_first(M_LOCK, l);
    if (l->owner)
        m_wake(l->owner, 0);
}

static int m_send(struct m_channel *c, int64_t item)
{
    struct m_task *receiver = m_first(M_RECV, c);

    if (m_cancelled())
        return CN_ECANCELED;
    if (receiver) {
        *receiver->item = item;
        m_wake(receiver, 0);
        return m_spend();
    }
    if (c->count < c->capacity) {
        c->items[c->count++] = item;
        return m_spend();
    }
    m.cur->item = &item;
    return m_wait(M_SEND, c);
}

static int m_recv(struct m_channel *c, int64_t *item)
{
    struct m_task *sender = m_first(M_SEND, c);

    if (m_cancelled())
        return CN_ECANCELED;
    if (!c->count && !sender) {
        m.cur->item = item;
        return m_wait(M_RECV, c);
    }
    if (c->count) {
        *item = c->items[0];
        memmove(c->items, c->items + 1, (size_t)--c->count * sizeof(*item));
        if (sender)
            c->items[c->count++] = *sender->item;
    } else {
        *item = *sender->item;
    }
    if (sender)
        m_wake(sender, 0);
    return m_spend();
}

/* --- running -------------------------------------------------------------------------- */

/* The earliest of all sleeps and deadlines strikes; false: there is none. */
static bool m_pass_time(void)
{
    struct m_task *sleeper = NULL;
    struct m_scope *scope = NULL;
    int64_t earliest = INT64_MAX;

    for (int i = 0; i < m.task_count; i++) {
        struct m_task *t = m.tasks[i];

        if (t->what == M_SLEEP && t->until < earliest) {
            earliest = t->until;
            sleeper = t;
            scope = NULL;
        }
        for (int k = 0; k < t->depth; k++) {
            if (t->own[k]->called || t->own[k]->deadline >= earliest)
                continue;
            earliest = t->own[k]->deadline;
            scope = t->own[k];
            sleeper = NULL;
        }
    }
    if (!sleeper && !scope)
        return false;
    m.now = earliest;
    if (sleeper)
        m_wake(sleeper, 0);
    else
        m_scope_deadline(scope, earliest);
    return true;
}

/* What the root task returned, or CN_EDEADLOCK. */
static int m_run(int (*fn)(void *arg), void *arg, bool strict)
{
    int rc = CN_EDEADLOCK;

    memset(&m, 0, sizeof(m));
    m.budget = m.budget_full = strict ? 1 : M_BUDGET;
    m_spawn(NULL, fn, arg);
    while (m.tasks[0]->what != M_ENDED) {
        if (m.head == m.tail && !m_pass_time())
            break;
        if (m.head == m.tail)
            continue;
        m.cur = m.queue[m.head++ % (M_TASKS * 8)];
        swapcontext(&m.home, &m.cur->context);
    }
    if (m.tasks[0]->what == M_ENDED)
        rc = m.tasks[0]->result;
    for (int i = 0; i < m.task_count; i++) {
        free(m.tasks[i]->stack);
        free(m.tasks[i]);
    }
    return rc;
}

#endif
