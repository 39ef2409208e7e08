/* wait: how a task waits, for those who write primitives or kinds of tasks.
 * Programs do not need this file.
 *
 * A wait is storage in the waiter's frame. It is begun once and ended once,
 * by exactly one of cn_wake() and abort. In between it may sit in a queue of
 * the primitive; nothing is allocated.
 *
 *     cn_wait_begin(&w, &kind, object)   CN_ECANCELED: nothing was begun
 *     ... put &w where the waker will find it ...
 *     cn_suspend(&w)                     -> what cn_wake() was given
 */
#ifndef CN_RUNTIME_WAIT_H
#define CN_RUNTIME_WAIT_H

#include "runtime/scope.h"

struct cn_task;
struct cn_wait;

/* Answers of begin functions (0, 1 or an error) and of abort. */
enum {
    CN_DONE = 0,    /* begin: finished, nothing to wait for */
    CN_ABORTED = 0, /* abort: undone now */
    CN_PENDING = 1, /* begin: wait. abort: still to come */
};

/* What all waits of one sort have in common. */
struct cn_wait_kind {
    const char *what; /* for the dump: "receiving from a channel" */

    /* The scope has been cancelled. Called at most once per wait, on the
     * loop's thread. Returns
     *   CN_ABORTED  undone: off every queue, storage free. The core wakes
     *               the task with CN_ECANCELED;
     *   CN_PENDING  it will still end by itself (a request in the kernel, a
     *               thread at work): the task sleeps on until cn_wake(),
     *               whose result stands, success included.
     * NULL: cannot be cancelled; the task sleeps on. */
    int (*abort)(struct cn_wait *w);

    /* Called by cn_wake() instead of waking the task: for waits that are
     * parts of a larger one (a case of a select, a job's limiter). NULL
     * otherwise. A wait with notify is never a task's current wait. */
    void (*notify)(struct cn_wait *w, int64_t result);
};

struct cn_wait {
    struct cn_link link;             /* the primitive's own queue */
    struct cn_task *task;            /* who waits */
    const struct cn_wait_kind *kind; /* set by cn_wait_begin() */
    const void *object;              /* for the dump: what is waited for */
};

/* Make `w` the running task's wait. CN_ECANCELED if its scope is cancelled;
 * then nothing has happened. */
int cn_wait_begin(struct cn_wait *w, const struct cn_wait_kind *kind,
                  const void *object);
/* The same without looking at cancellation. Cannot fail. */
void cn_wait_begin_shielded(struct cn_wait *w, const struct cn_wait_kind *kind,
                            const void *object);

/* Sleep until `w` ends; for tasks with a stack. If the wait was aborted,
 * CN_ECANCELED. `w` must be the running task's wait, begun and perhaps ended
 * already. */
int64_t cn_suspend(struct cn_wait *w);

/* End a wait that has begun: its task will run with `result`. `w` must be
 * off its queue. On the loop's thread only. The storage of `w` is not
 * touched afterwards. Cannot fail. */
void cn_wake(struct cn_wait *w, int64_t result);

/* Room for any wait of this layer, for the begin twins:
 *
 *   x_begin(..., p) returns CN_DONE, an error (both: finished, p is free) or
 *   CN_PENDING: the task must now return to the scheduler, which resumes it
 *   with the result of x() once there is one. `p` must stay where it is until
 *   then. Outputs of x() are filled in by that time. One pending wait per
 *   task. */
struct cn_pending {
    struct cn_wait w;
    uint64_t room[23];
};

/* --- kinds of tasks ---------------------------------------------------------
 *
 * A task is anything that can be resumed. The built-in kind has a stack of
 * its own and is switched to directly. Any other kind (a state machine, a
 * coroutine of another language) is resumed by a call on the loop's own
 * stack; scopes, groups, locks and channels are shared by all kinds.
 */
struct cn_task_kind {
    const char *name;
    size_t data_size; /* bytes of cn_task_data() */

    /* In the task that spawns. data is zeroed; `fn` and `arg` are what spawn
     * was given (arg: the address of the copy, if there is one). An error is
     * returned by spawn. NULL: always succeeds. */
    int (*init)(struct cn_task *t, cn_fn *fn, void *arg);

    /* Run until the task waits or ends. Called first with result 0, then
     * each time with the result of the wait that ended (CN_ECANCELED if it
     * was undone). Must have begun a wait (a begin twin returned CN_PENDING)
     * or called cn_task_done() when it returns. It may not call anything
     * that blocks. cn_self() is the task. */
    void (*resume)(struct cn_task *t, int64_t result);

    /* The task has ended, or its spawn failed after init. May be NULL. */
    void (*release)(struct cn_task *t);

    /* One line for cn_dump(), without a newline. May be NULL. */
    void (*describe)(struct cn_task *t, FILE *f);
};

/* The kind's own storage, kind->data_size bytes. */
void *cn_task_data(struct cn_task *t);

/* From resume only: the task has ended with rc. */
void cn_task_done(struct cn_task *t, int rc);

#endif
