/* loop: running a program of tasks on the calling thread.
 *
 * One loop per thread, made by cn_run() and gone when it returns. Everything
 * else in this layer is called from tasks of the loop, on its thread, unless
 * its contract says otherwise.
 *
 * Time is int64_t nanoseconds on the loop's clock (CLOCK_MONOTONIC, or a
 * virtual clock); deadlines are absolute.
 *
 * Calls marked [cp] are checkpoints. A checkpoint first looks whether the
 * current scope is cancelled; if so it returns CN_ECANCELED without doing
 * anything, and so does every later one until that scope is closed. Otherwise
 * it does its work, waiting if it must. What has been done stands: a call
 * that was cancelled after its work was complete returns the result, and the
 * next checkpoint reports the cancellation. A checkpoint gives way to other
 * tasks when it waits, when 128 have passed and nobody gave way, and always
 * under CN_STRICT.
 *
 * Every waiting call x() has a twin x_begin(..., struct cn_pending *) for
 * tasks that have no stack of their own; see wait.h.
 */
#ifndef CN_RUNTIME_LOOP_H
#define CN_RUNTIME_LOOP_H

#include "runtime/error.h"

typedef int64_t cn_time;

#define CN_NEVER INT64_MAX
#define CN_USEC  INT64_C(1000)
#define CN_MSEC  INT64_C(1000000)
#define CN_SEC   INT64_C(1000000000)

/* A task's body, or a job for a thread. 0 or more is success, below zero is
 * the error. */
typedef int cn_fn(void *arg);

struct cn_pending;
struct cn_backend_ops;
struct cn_sim_options;

enum cn_run_flags {
    CN_VIRTUAL_CLOCK = 1, /* time jumps when every task waits; implied by the
                             backend "sim" */
    CN_STRICT = 2,        /* give way at every checkpoint */
    CN_SHUFFLE = 4,       /* run ready tasks in an order drawn from .seed */
    CN_NO_GUARD = 8,      /* no guard pages below stacks */
    CN_QUIET = 16,        /* do not print the dump when a deadlock is found */
};

/* Zero means the default everywhere. */
struct cn_options {
    const char *backend;  /* "uring", "uv", "sim"; NULL: $CANYON_BACKEND, else
                             the best that opens here */
    size_t stack_size;    /* bytes reserved per task, touched as needed;
                             default 128 KiB, four times that under a
                             sanitizer. Rounded up to a power of two */
    unsigned flags;       /* enum cn_run_flags */
    uint64_t seed;        /* for CN_SHUFFLE and the backend "sim" */
    cn_time slack;        /* timers may fire this much late, so that many of
                             them share one system call; default 50 us */
    unsigned threads_max; /* worker threads; default 40 per class of work */
    const struct cn_error **reterr_error; /* set only on failure: the error in
                             words; free it with cn_error_free(). May stay
                             NULL even then */
    const struct cn_backend_ops *backend_ops; /* a backend from outside; wins
                             over .backend */
    const struct cn_sim_options *sim;         /* the script of backend "sim" */
    void *uv_loop; /* backend "uv": run on this uv_loop_t, which the program
                      has initialised and keeps; its own handles are served
                      while tasks wait. NULL: a loop of its own */
};

/* Run fn(arg) as the root task of a new loop on this thread, until it and
 * everything under it has ended. `o` may be NULL.
 * Returns what fn returned (CN_ECANCELED included), or
 *   CN_EBUSY      this thread already runs a loop (loops do not nest);
 *   CN_ENOMEM     no memory for the loop;
 *   CN_EDEADLOCK  at some point no task could ever run again: the tree of
 *                 tasks was dumped to stderr and cancelled, shields included;
 *   -errno        the backend asked for does not work here. */
int cn_run(cn_fn *fn, void *arg, const struct cn_options *o);

/* The name of the running loop's backend; NULL where no loop runs. */
const char *cn_backend_name(void);

/* The loop's clock. Read once per turn of the loop, so it costs nothing and
 * stands still while a task computes; cn_now_exact() reads the clock and
 * moves the loop's idea of now. Both need a running loop. */
cn_time cn_now(void);
cn_time cn_now_exact(void);

/* now + delta; CN_NEVER when delta is CN_NEVER or the sum does not fit. A
 * clock that has stood still for longer than a few milliseconds is read
 * again first, so that a deadline is not short by what the task computed. */
cn_time cn_after(cn_time delta);

/* [cp] Give way to every task that is ready now. */
int cn_checkpoint(void);
int cn_checkpoint_begin(struct cn_pending *p);

/* CN_ECANCELED if the current scope is cancelled, else 0 at once. */
int cn_checkpoint_if_cancelled(void);

/* Give way, but do not look at cancellation. Cannot fail. */
void cn_checkpoint_shielded(void);

/* [cp] Wait. A time in the past only gives way; CN_NEVER waits until
 * cancelled. Returns 0 or CN_ECANCELED. */
int cn_sleep(cn_time delta);
int cn_sleep_until(cn_time deadline);
int cn_sleep_until_begin(cn_time deadline, struct cn_pending *p);

/* [cp] Wait until every other task of the loop waits for something. For
 * tests. Several tasks may do so; they wake in the order they came. */
int cn_wait_all_blocked(void);
int cn_wait_all_blocked_begin(struct cn_pending *p);

/* --- looking at a loop ------------------------------------------------------
 */

/* Print every group, scope and task of the running loop: names, deadlines,
 * what is cancelled and why, what each task waits for and since which call.
 * May be called from a debugger. */
void cn_dump(FILE *f);

/* Callbacks, all optional. None may call a checkpoint. The struct is copied.
 * before_wait/after_wait bracket the only place where the loop's thread
 * sleeps (a GIL would be released there); task_switch runs before a task
 * runs. A loop with a task_switch hook switches more slowly. */
struct cn_task;
struct cn_hooks {
    void (*before_wait)(void *user, cn_time deadline);
    void (*after_wait)(void *user);
    void (*task_spawned)(void *user, struct cn_task *t);
    void (*task_switch)(void *user, struct cn_task *t);
    void (*task_exited)(void *user, struct cn_task *t, int rc);
    void *user;
};

/* For the rest of the running loop's life. CN_ENOMEM or CN_ENOTASK. */
int cn_hooks_add(const struct cn_hooks *hooks);

#endif
