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
#include "runtime/runtime.h"

#include <stdatomic.h>

#define cn_likely(x)   __builtin_expect(!!(x), 1)
#define cn_unlikely(x) __builtin_expect(!!(x), 0)

/* --- tasks
 * -------------------------------------------------------------------- */

enum cn_task_flags {
    CN_TASK_ABORTED = 1,   /* abort was called for the current wait */
    CN_TASK_EXTENDED = 2,  /* is the head of a struct cn_task_ext */
    CN_TASK_HANDLE = 4,    /* somebody holds the handle: keep the block */
    CN_TASK_STARTING = 8,  /* by cn_start(), cn_started() not yet called */
    CN_TASK_ENDED = 16,    /* its function has returned */
    CN_TASK_RESUMING = 32, /* not stackful: inside kind->resume */
    CN_TASK_OWN_STACK = 64 /* asked for a stack size of its own */
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
    size_t data_size;
    max_align_t data[]; /* the kind's data, or the copy */
};

static inline struct cn_task_ext *cn_task_ext(const struct cn_task *t)
{
    return (struct cn_task_ext *)(void *)(uintptr_t)t;
}

/* --- scopes
 * --------------------------------------------------------------------- */

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
/* Move a scope (of a task that just started) under another parent. */
void cn_scope_reparent(struct cn_scope *s, struct cn_scope *parent);

/* --- timers: a 4-ary heap, keyed, with back indices
 * --------------------------------- */

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

/* --- the loop
 * ------------------------------------------------------------------------ */

enum cn_loop_mode { /* any of them: tasks are switched to through the loop */
                    CN_MODE_SHUFFLE = 1,
                    CN_MODE_HOOKS = 2,
                    CN_MODE_STRICT = 4,
};

enum { CN_BUDGET = 128 }; /* checkpoints in a row without giving way */

struct cn_loop {
    struct cn_task *cur; /* running; the home task in the loop's own code */
    struct cn_task *ready, **ready_end;
    int32_t budget;   /* checkpoints until the running task gives way */
    int32_t switches; /* until the loop polls */
    uint32_t mode;    /* enum cn_loop_mode */
    uint32_t task_count;
    cn_time now;
    struct cn_task *free_tasks;
    struct cn_heap timers;

    struct cn_task home; /* the thread's own stack, where the loop runs */
    struct cn_group root;
    struct cn_stacks *stacks;
    struct cn_task_slab *task_slabs;

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
    struct cn_limiter *thread_limiter;
    struct cn_fd_table *fds; /* ops.c: who waits for which fd */
    struct cn_hook *hooks;

    int32_t switches_max; /* adapted so that polls are about 1 ms apart */
    uint32_t threads_max;
    cn_time slack;
    cn_time polled; /* real time of the last poll */
    size_t stack_size;
    unsigned flags;
    uint64_t seed, random;
    uint32_t colour;
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

/* --- the ready queue
 * ------------------------------------------------------------------- */

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

/* --- checkpoints
 * ------------------------------------------------------------------------ */

static inline bool cn_task_cancelled(const struct cn_task *t)
{
    return cn_unlikely(cn_scope_effective(t->scope));
}

/* The running task goes to the end of the queue, whatever its scope says. */
void cn_give_way(struct cn_loop *l);

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

/* --- queues of waits
 * ---------------------------------------------------------------------- */

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

/* --- mail: how other threads reach the loop ---------------------------------
 */

/* Storage is the poster's until deliver() is called, on the loop's thread,
 * outside any task. */
struct cn_mail {
    struct cn_mail *next;
    void (*deliver)(struct cn_mail *mail);
};

/* Any thread. The mail of one thread is delivered in its order. The poster
 * makes sure that the loop has not ended. */
void cn_mailbox_post(struct cn_mailbox *m, struct cn_mail *mail);

/* --- work on threads
 * ----------------------------------------------------------------------- */

/* Classes of work do not take each other's threads. */
enum cn_job_class {
    CN_JOB_USER, /* cn_to_thread(): bounded by its limiter */
    CN_JOB_FILE, /* operations that the backend does not take */
    CN_JOB_NAME, /* host names */
    CN_JOB_CLASSES
};

/* Storage is the submitter's until done() is called. */
struct cn_job {
    struct cn_mail mail;                /* the pool's: the way back */
    struct cn_link link;                /* the pool's: the queue */
    int64_t (*run)(struct cn_job *job); /* on a worker */
    /* On the loop's thread; job->result. The exception is a job that still
     * runs when the loop ends, so nobody waits for it (CN_ABANDON): then the
     * worker calls it, where no loop runs. */
    void (*done)(struct cn_job *job);
    int64_t result;
    atomic_bool cancelled; /* the worker may look */
    uint8_t job_class;     /* enum cn_job_class */
    uint8_t state;         /* the pool's */
};

/* Queue a job whose run, done and job_class are set. 0, or CN_EAGAIN: there
 * is no worker and none can be started, done() will not be called. */
int cn_pool_submit(struct cn_loop *l, struct cn_job *job);
/* CN_ABORTED: it had not begun; done() is not called. CN_PENDING: it runs;
 * job->cancelled is set, done() is still to come. */
int cn_pool_cancel(struct cn_loop *l, struct cn_job *job);

/* --- operations ------------------------------------------------------------
 */

enum cn_op_bits {                          /* the core's part of op->flags */
                  CN_OP_LISTED = 0x100,    /* in the table of descriptors */
                  CN_OP_CLOSING = 0x200,   /* its descriptor is being closed */
                  CN_OP_READINESS = 0x400, /* any success is 0 */
                  CN_OP_CANCELLED = 0x800, /* cancel has been asked for */
};

enum cn_op_route { CN_ROUTE_BACKEND = 1, CN_ROUTE_THREAD };

/* op_job.c: carry the operation out on this thread, however long it takes. */
int64_t cn_op_perform(const struct cn_op *op);
/* The system call of any opcode but POLL, CONNECT, CLOSE and WAITPID, once;
 * sockets do not block. For backends. */
int64_t cn_op_try(const struct cn_op *op);

/* fd.c: operations in flight, by descriptor. check() is called before an
 * operation is submitted: 0 (then add() cannot fail), CN_EBUSY, CN_ECLOSED,
 * CN_ENOMEM. remove() also tells those who wait for the end of it. */
int cn_fd_check(struct cn_loop *l, const struct cn_op *op);
unsigned cn_op_sides(const struct cn_op *op); /* POLLIN, POLLOUT or both */
void cn_fd_add(struct cn_loop *l, struct cn_op *op);
void cn_fd_remove(struct cn_loop *l, struct cn_op *op);

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

#endif
