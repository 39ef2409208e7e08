/* sched: what the files of this layer share, and nobody else sees.
 *
 * Invariants:
 *   - a task is in exactly one state: running (loop->cur), ready (on the
 *     ready queue, wait == NULL), waiting (wait != NULL), new (ready, sp ==
 *     NULL, no stack yet) or ended;
 *   - tasks and scopes form one tree. Downwards: a group leads to its tasks,
 *     a task to its outermost scope (outer), a scope to the one its own task
 *     opened next inside (inner). Upwards: scope->parent. No lists of scopes
 *     are needed, because a task opens and closes them like brackets;
 *   - CN_SCOPE_EFFECTIVE of a scope is always up to date, so a checkpoint
 *     reads one bit;
 *   - only the loop's thread touches any of this. Other threads reach the
 *     loop through its mailbox.
 */
#ifndef CN_RUNTIME_SCHED_H
#define CN_RUNTIME_SCHED_H

#include "runtime/backend.h"
#include "runtime/coro.h"
#include "runtime/job.h"
#include "runtime/op_core.h"
#include "runtime/runtime.h"

#include <stdatomic.h>

/* A wait lives in the frame of its waiter and is on a queue only while that
 * frame sleeps, which the compiler cannot know. */
#pragma GCC diagnostic ignored "-Wdangling-pointer"

/* --- tasks -------------------------------------------------------------- */

enum cn_task_flags {
    CN_TASK_ABORTED = 1,   /* abort was called for the current wait */
    CN_TASK_EXTENDED = 2,  /* is the head of a struct cn_task_ext */
    CN_TASK_HANDLE = 4,    /* somebody holds the handle: keep the block */
    CN_TASK_STARTING = 8,  /* by cn_start(), cn_started() not yet called */
    CN_TASK_ENDED = 16,    /* its function has returned */
    CN_TASK_RESUMING = 32, /* inside kind->resume, no wait begun yet */
};

/* The control block: two cache lines. The first is what a switch touches. */
struct cn_task {
    void *sp;               /* NULL until it first runs */
    struct cn_task *next;   /* ready queue, free list, kept list */
    struct cn_scope *scope; /* innermost */
    struct cn_wait *wait;   /* what it waits for; NULL: running or ready */
    int64_t result;         /* of the wait that ended last; then of the task */
    struct cn_stack *stack; /* NULL until it first runs, or not stackful */
    const struct cn_task_kind *kind; /* NULL: stackful */
    uint32_t flags;
    uint32_t stack_class; /* log2 of the size */

    struct cn_link link; /* in group->tasks */
    struct cn_group *group;
    cn_fn *fn;
    void *arg;
    struct cn_scope *outer; /* its own outermost scope, or NULL */
    struct cn_local *locals;
    struct cn_error *error; /* latest cn_fail() */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct cn_task) == 128, "two cache lines");

/* The block of a task with a handle, a name, a copy, a kind, or a start. */
struct cn_task_ext {
    struct cn_task task;
    struct cn_scope own;     /* what cn_task_cancel() cancels */
    struct cn_waitq joiners; /* waits of cn_task_wait() */
    struct cn_wait *starter; /* the wait of cn_start(), while STARTING */
    char name[32];
    max_align_t data[]; /* the kind's data, then the copy */
};

static inline struct cn_task_ext *cn_task_ext(const struct cn_task *t)
{
    return (struct cn_task_ext *)(void *)(uintptr_t)t;
}

/* --- scopes ------------------------------------------------------------- */

enum cn_scope_bits { /* in scope->timer.flags; the low bits are public */
                     CN_SCOPE_CALLED =
                         4, /* cancel was called or the deadline struck */
                     CN_SCOPE_EFFECTIVE =
                         8, /* called, or visible from a parent */
                     CN_SCOPE_EXPIRED = 16, /* the deadline did it */
                     CN_SCOPE_CAUGHT =
                         32, /* closed, and swallowed a cancellation */
                     CN_SCOPE_GROUP = 64, /* is the head of a struct cn_group */
                     CN_SCOPE_CLOSED = 128, /* was open once */
                     CN_SCOPE_FORCED =
                         256, /* deadlock: cancelled through all shields */
};

static inline bool cn_scope_effective(const struct cn_scope *s)
{
    return s->timer.flags & CN_SCOPE_EFFECTIVE;
}

static inline struct cn_group *cn_scope_group(struct cn_scope *s)
{
    return s->timer.flags & CN_SCOPE_GROUP ? (struct cn_group *)(void *)s
                                           : NULL;
}

/* Open as the innermost scope of `t`; `bits` may hold CN_SCOPE_GROUP. */
void cn_scope_enter(struct cn_task *t, struct cn_scope *s, cn_time deadline,
                    unsigned bits);
/* The bracket of cn_scope_enter(): pop s, which must be t's innermost, and
 * say what becomes of rc. */
int cn_scope_leave(struct cn_task *t, struct cn_scope *s, int rc);
/* Recompute EFFECTIVE in s and below; abort the waits of tasks that are
 * cancelled by it. Iterative: scopes nest as deep as memory allows. */
void cn_scope_refresh(struct cn_scope *s);
/* Cancel s and everything below, through all shields. */
void cn_scope_force(struct cn_scope *s);
/* Move a scope (of a task that just started) under another parent. */
void cn_scope_reparent(struct cn_scope *s, struct cn_scope *parent);

/* --- timers: a 4-ary heap, keyed, with back indices --------------------- */

struct cn_heap_entry {
    cn_time due;
    struct cn_timer *timer;
};

struct cn_heap {
    struct cn_heap_entry *entries; /* 1-based */
    uint32_t count, capacity;
    uint32_t reserved; /* how many may be needed at once */
};

/* Promise that `more` timers can be armed later without fail; give the
 * promise back. CN_ENOMEM. Every task has one reserved for its sleep. */
int cn_timer_reserve(struct cn_heap *h, uint32_t more);
static inline void cn_timer_unreserve(struct cn_heap *h, uint32_t n)
{
    h->reserved -= n;
}

void cn_timer_arm(struct cn_heap *h, struct cn_timer *t, cn_time due);
/* No effect if not armed. */
void cn_timer_disarm(struct cn_heap *h, struct cn_timer *t);
/* Fire all that are due; returns how many. */
uint32_t cn_timer_fire(struct cn_heap *h, cn_time now);

static inline cn_time cn_timer_next(const struct cn_heap *h)
{
    return h->count ? h->entries[1].due : CN_NEVER;
}

/* --- the loop ----------------------------------------------------------- */

enum cn_loop_mode { /* any of them: tasks are switched to through the loop */
                    CN_MODE_SHUFFLE = 1,
                    CN_MODE_HOOKS = 2,
                    CN_MODE_CANARY = 4, /* some stacks have no guard */
};

enum { CN_BUDGET = 128 }; /* checkpoints, then somebody gives way */

struct cn_loop {
    struct cn_task *cur; /* running; the home task in the loop's own code */
    struct cn_task *ready, **ready_end;
    int32_t budget;       /* checkpoints until the running task gives way */
    int32_t budget_full;  /* CN_BUDGET, or 1 under CN_STRICT */
    int32_t switches;     /* until the loop polls */
    uint32_t mode;        /* enum cn_loop_mode */
    uint32_t stack_class; /* of tasks that do not ask */
    cn_time now;
    struct cn_task *free_tasks;
    struct cn_heap timers;

    struct cn_task home; /* the thread's own stack, where the loop runs */
    struct cn_stack home_stack;
    struct cn_scope ground; /* around everything; never cancelled */
    struct cn_group root;
    struct cn_stacks stacks;
    struct cn_task_slab *task_slabs;
    void *signal_stack;

    const struct cn_backend_ops *ops;
    struct cn_backend *backend;
    uint64_t supported;    /* bit per opcode: the backend takes it */
    uint32_t ops_pending;  /* accepted by the backend, not complete */
    uint32_t jobs_pending; /* on threads */
    uint32_t portals;      /* open: the world may call at any time */
    bool is_virtual, deadlocked;

    struct cn_waitq idlers; /* cn_wait_all_blocked() */
    struct cn_mailbox *mailbox;
    struct cn_pool *pool;
    struct cn_limiter thread_limiter;
    struct cn_link portal_list, portals_shut;
    struct cn_fd_table *fds; /* ops.c: who waits for which fd */
    struct cn_hook *hooks;

    int32_t turns;        /* under a mode: as switches */
    int32_t switches_max; /* adapted so that polls are about 1 ms apart */
    uint32_t threads_max;
    cn_time slack;
    cn_time polled; /* real time of the last poll */
    unsigned flags;
    uint64_t seed, random;
};

/* The only mutable global: the loop that runs on this thread. */
extern _Thread_local struct cn_loop *cn_loop_running
    __attribute__((tls_model("initial-exec")));

static inline struct cn_loop *cn_loop_self(void)
{
    return cn_loop_running;
}

/* The next number of the loop's own generator. */
uint64_t cn_loop_random(struct cn_loop *l);

/* CLOCK_MONOTONIC. */
cn_time cn_clock(void);

/* --- the ready queue ---------------------------------------------------- */

static inline void cn_ready_push(struct cn_loop *l, struct cn_task *t)
{
    t->next = NULL;
    *l->ready_end = t;
    l->ready_end = &t->next;
}

static inline struct cn_task *cn_ready_pop(struct cn_loop *l)
{
    struct cn_task *t = l->ready;

    l->ready = t->next;
    if (!l->ready)
        l->ready_end = &l->ready;
    return t;
}

/* --- ends and failures, between the files -------------------------------- */

/* The task's function has returned `rc`: tell its group and whoever waits,
 * and free the block. Waits only if the task left a group open. */
void cn_task_end(struct cn_loop *l, struct cn_task *t, int rc);
/* Close what `t` has left open inside `base`, groups included. */
void cn_task_close_inner(struct cn_task *t, struct cn_scope *base);
void cn_task_free(struct cn_loop *l, struct cn_task *t);
void cn_task_slabs_done(struct cn_loop *l);
/* A task with an extended block, in a scope of its own whose parent is
 * `scope`. */
int cn_task_spawn_extended(struct cn_loop *l, struct cn_group *g, cn_fn *fn,
                           void *arg, const struct cn_task_options *o,
                           struct cn_scope *scope, struct cn_task **out);

/* Open g in `host`, which may be the home task. */
void cn_group_enter(struct cn_task *host, struct cn_group *g);
/* Keep the error of a task (or of the block: t is the host) that failed with
 * rc, and cancel the group. */
void cn_group_fail(struct cn_group *g, struct cn_task *t, int rc);
/* The last task has ended and close waits: work out its result, wake it. */
void cn_group_finish(struct cn_group *g);

extern const struct cn_wait_kind cn_start_kind;
/* The child that waits to be started by the task that waits with `w`. */
struct cn_task *cn_start_child(const struct cn_wait *w);
/* A task ends that cn_start() still waits for: tell the starter. */
void cn_start_ended(struct cn_task *t, int rc);

/* Take t's latest error if it has this code, else make a bare one; NULL
 * without memory. */
struct cn_error *cn_error_take(struct cn_task *t, int code);
/* Make e (NULL allowed) the latest error of t. */
void cn_error_adopt(struct cn_task *t, struct cn_error *e);

void cn_local_ref(struct cn_local *local);
void cn_local_unref(struct cn_local *local);

void cn_hooks_switch(struct cn_loop *l, struct cn_task *t);
void cn_hooks_spawned(struct cn_loop *l, struct cn_task *t);
void cn_hooks_exited(struct cn_loop *l, struct cn_task *t, int rc);
void cn_hooks_before_wait(struct cn_loop *l, cn_time deadline);
void cn_hooks_after_wait(struct cn_loop *l);
void cn_hooks_done(struct cn_loop *l);

/* Let task `t` run until it waits or ends. From the loop's own stack only. */
void cn_task_run(struct cn_loop *l, struct cn_task *t);

/* --- checkpoints -------------------------------------------------------- */

static inline bool cn_task_cancelled(const struct cn_task *t)
{
    return cn_unlikely(cn_scope_effective(t->scope));
}

/* The running task goes to the end of the queue, whatever its scope says.
 * Returns 0. */
int cn_give_way(struct cn_loop *l);

/* At the end of a checkpoint that did not wait. Tasks without a stack give
 * way by themselves. */
static inline void cn_spend(struct cn_loop *l)
{
    if (cn_unlikely(--l->budget <= 0))
        cn_give_way(l);
}

/* What a blocking call does with the answer of its begin. */
static inline int cn_finish(struct cn_loop *l, int rc, struct cn_wait *w)
{
    if (rc == CN_PENDING)
        return (int)cn_suspend(w);
    if (rc == CN_DONE)
        cn_spend(l);
    return rc;
}

/* --- waits, for the primitives of this layer ------------------------------ */

/* The bodies of cn_wait_begin_shielded() and cn_wake(), where a call and a
 * look for the loop are worth saving. */
static inline void cn_wait_enter(struct cn_loop *l, struct cn_wait *w,
                                 const struct cn_wait_kind *kind,
                                 const void *object)
{
    struct cn_task *t = l->cur;

    w->task = t;
    w->kind = kind;
    w->object = object;
    t->wait = w;
    t->flags &= ~(uint32_t)(CN_TASK_ABORTED | CN_TASK_RESUMING);
}

static inline void cn_wake_in(struct cn_loop *l, struct cn_wait *w,
                              int64_t result)
{
    struct cn_task *t = w->task;

    if (cn_unlikely(w->kind->notify != NULL)) {
        w->kind->notify(w, result);
        return;
    }
    cn_assert(t->wait == w);
    t->wait = NULL;
    t->result = result;
    cn_ready_push(l, t);
}

/* --- queues of waits ---------------------------------------------------- */

static inline void cn_waitq_push(struct cn_waitq *q, struct cn_wait *w)
{
    w->link.next = NULL;
    w->link.prev = q->last;
    if (q->last)
        q->last->next = &w->link;
    else
        q->first = &w->link;
    q->last = &w->link;
}

static inline void cn_waitq_remove(struct cn_waitq *q, struct cn_wait *w)
{
    if (w->link.prev)
        w->link.prev->next = w->link.next;
    else
        q->first = w->link.next;
    if (w->link.next)
        w->link.next->prev = w->link.prev;
    else
        q->last = w->link.prev;
}

static inline struct cn_wait *cn_waitq_first(const struct cn_waitq *q)
{
    return (struct cn_wait *)(void *)q->first; /* link is the first member */
}

static inline struct cn_wait *cn_waitq_pop(struct cn_waitq *q)
{
    struct cn_wait *w = cn_waitq_first(q);

    if (w)
        cn_waitq_remove(q, w);
    return w;
}

size_t cn_waitq_count(const struct cn_waitq *q);

/* A wait for a limiter's token, as a part of a larger one: CN_DONE, an error,
 * or CN_PENDING; then kind->notify is called when the token is there. */
struct cn_limiter_wait {
    struct cn_wait w;
    const void *borrower;
};

int cn_limiter_acquire_part(struct cn_limiter *l, const void *borrower,
                            struct cn_limiter_wait *lw,
                            const struct cn_wait_kind *kind);
/* Off the queue; there will be no notify. */
void cn_limiter_undo_part(struct cn_limiter_wait *lw);

_Static_assert(offsetof(struct cn_wait, link) == 0, "see cn_waitq_first");

/* Parts of a select: as cn_wait_begin(), but the wait has no task of its own;
 * `kind` has a notify. */
static inline void cn_wait_part(struct cn_wait *w,
                                const struct cn_wait_kind *kind,
                                const void *object)
{
    w->task = NULL;
    w->kind = kind;
    w->object = object;
}

/* --- life cycles of the parts, called by cn_run()
 * ------------------------------------------- */

/* The pool starts threads when it needs them, and keeps l->jobs_pending.
 * close() does not wait for jobs that still run; see cn_job.done. */
int cn_pool_open(struct cn_loop *l);
void cn_pool_close(struct cn_loop *l);
int cn_mailbox_open(struct cn_loop *l);
void cn_mailbox_close(struct cn_loop *l);
/* Run what other threads have put in; returns how much. */
uint32_t cn_mailbox_drain(struct cn_loop *l);
/* Around a sleep: from arm to disarm, a post wakes the backend. False: there
 * is mail already, do not sleep. */
bool cn_mailbox_arm(struct cn_loop *l);
void cn_mailbox_disarm(struct cn_loop *l);
void cn_ops_close(struct cn_loop *l);
/* The portals of a group that closes serve no call any more; their handles
 * live until closed or until the loop ends. */
void cn_portals_shut(struct cn_loop *l, const struct cn_group *g);
void cn_portals_close(struct cn_loop *l);

/* Have this thread report an overflow of the running task's stack in words
 * before it dies of it. An application's own SIGSEGV handler is left alone. */
void cn_stack_watch(struct cn_loop *l);
void cn_stack_unwatch(struct cn_loop *l);

#endif
