/* The scheduler: which task runs, and how one gives the processor to another.
 *
 * A task that waits pops the next ready one and switches to it directly; the
 * loop's own code, on the thread's stack ("home"), is entered only when the
 * queue is empty, when it is time to look at the outside, or when tasks are
 * not plain stackful ones. A task takes a stack when it first runs. When it
 * ends and the next in the queue is a new one, that runs at once on the
 * stack that is still warm, without a switch. Not here: what is waited for,
 * and how tasks are made and end (task.c).
 *
 * Invariant: loop->cur is the task whose stack we are on, or the home task.
 */
#include "runtime/sched.h"

#include "runtime/fiber.h"
#include <stdlib.h>

_Thread_local struct cn_loop *cn_loop_running;

/* The stack of the task after next is likely cold: have it fetched while the
 * next one runs. */
static inline void warm_up(const struct cn_loop *l)
{
    if (l->ready)
        __builtin_prefetch(l->ready->sp);
}

static inline void switch_to(struct cn_loop *l, struct cn_task *from,
                             struct cn_task *to)
{
    l->cur = to;
    cn_fiber_leave(from->stack, to->stack);
    cn_coro_swap(&from->sp, to->sp);
    cn_fiber_arrive(from->stack);
}

static _Noreturn void leave_for(struct cn_loop *l, struct cn_task *to)
{
    void *dead;

    l->cur = to;
    cn_fiber_leave(NULL, to->stack);
    cn_coro_swap(&dead, to->sp);
    __builtin_unreachable();
}

/* The next task that the running one may switch to by itself; NULL: let home
 * choose. Tasks without a stack have no sp. In the modes that need home in
 * between, home leaves no switches. */
static inline struct cn_task *next_task(struct cn_loop *l)
{
    return cn_likely(--l->switches > 0) ? l->ready : NULL;
}

static inline bool runs_on(const struct cn_task *t, const struct cn_stack *s)
{
    return !t->kind && t->stack_class == s->size_class;
}

/* The first frame of every stack. */
static _Noreturn void task_main(void)
{
    struct cn_loop *l = cn_loop_self();

    cn_fiber_arrive(l->cur->stack);
    for (;;) {
        struct cn_task *t = l->cur;
        struct cn_stack *stack = t->stack;

        cn_task_end(l, t, t->fn(t->arg));
        t = next_task(l);
        if (cn_unlikely(!t)) {
            cn_stack_put(&l->stacks, stack);
            leave_for(l, &l->home);
        }
        if (cn_likely(!t->sp) && runs_on(t, stack)) {
            cn_ready_pop(l);
            t->stack = stack;
            t->sp = stack; /* not NULL: it has run */
            l->cur = t;
            continue;
        }
        cn_stack_put(&l->stacks, stack);
        if (!t->sp) /* binding a stack may fail: home deals with that */
            leave_for(l, &l->home);
        cn_ready_pop(l);
        warm_up(l);
        leave_for(l, t);
    }
}

static bool bind_stack(struct cn_loop *l, struct cn_task *t)
{
    struct cn_stack *s;

    if (t->kind)
        return false;
    s = cn_stack_get(&l->stacks, t->stack_class);
    if (!s)
        return false;
    if (!s->guarded) {
        l->mode |= CN_MODE_CANARY;
        l->switches = 1;
    }
    cn_fiber_bind(s);
    t->stack = s;
    t->sp = cn_coro_prepare(s->low, s->high, task_main);
    return true;
}

/* Leave the running task, which waits or is ready, and come back when it has
 * been chosen again, with its result. Not inlined: all tasks are suspended at
 * one place, so that the jump in the switch is predicted. */
static __attribute__((noinline)) int64_t suspend(struct cn_loop *l,
                                                 struct cn_task *me)
{
    struct cn_task *t = next_task(l);

    if (cn_likely(t != NULL) &&
        (cn_likely(t->sp != NULL) || bind_stack(l, t))) {
        cn_ready_pop(l);
        warm_up(l);
    } else
        t = &l->home;
    if (cn_likely(t != me))
        switch_to(l, me, t);
    return me->result;
}

int64_t cn_suspend(struct cn_wait *w)
{
    struct cn_loop *l = cn_loop_self();
    struct cn_task *me = l->cur;

    cn_assert(w->task == me && !me->kind && me != &l->home);
    return suspend(l, me);
}

int cn_give_way(struct cn_loop *l)
{
    struct cn_task *me = l->cur;

    l->budget = l->budget_full;
    if (cn_unlikely(me->kind || me == &l->home))
        return 0;
    me->result = 0;
    cn_ready_push(l, me);
    return (int)suspend(l, me);
}

void cn_wait_begin_shielded(struct cn_wait *w, const struct cn_wait_kind *kind,
                            const void *object)
{
    cn_wait_enter(cn_loop_self(), w, kind, object);
}

int cn_wait_begin(struct cn_wait *w, const struct cn_wait_kind *kind,
                  const void *object)
{
    if (cn_task_cancelled(cn_loop_self()->cur))
        return CN_ECANCELED;
    cn_wait_begin_shielded(w, kind, object);
    return 0;
}

void cn_wake(struct cn_wait *w, int64_t result)
{
    cn_wake_in(cn_loop_self(), w, result);
}

/* --- from home --------------------------------------------------------------- */

static void resume_kind(struct cn_loop *l, struct cn_task *t)
{
    t->flags |= CN_TASK_RESUMING;
    t->kind->resume(t, t->result);
    l->cur = &l->home;
    if (t->flags & CN_TASK_ENDED)
        cn_task_end(l, t, (int)t->result);
    else
        cn_assert(!(t->flags & CN_TASK_RESUMING)); /* it began no wait */
}

static void check_canary(const struct cn_task *t, const struct cn_stack *s)
{
    if (cn_stack_sound(s))
        return;
    fprintf(stderr, "canyon: a task (%p) has overrun its stack\n",
            (const void *)t);
    abort();
}

static void run_stackful(struct cn_loop *l, struct cn_task *t)
{
    struct cn_stack *s;

    if (!t->sp && !bind_stack(l, t)) {
        cn_task_end(l, t, CN_ENOMEM);
        return;
    }
    s = t->stack;
    switch_to(l, &l->home, t);
    if (cn_unlikely(l->mode & CN_MODE_CANARY))
        check_canary(t, s);
}

void cn_task_run(struct cn_loop *l, struct cn_task *t)
{
    if (cn_unlikely(l->mode & CN_MODE_HOOKS))
        cn_hooks_switch(l, t);
    l->cur = t;
    if (t->kind)
        resume_kind(l, t);
    else
        run_stackful(l, t);
    l->cur = &l->home;
}
