/* backend: what carries operations out, and where the loop's thread sleeps.
 *
 * Operations go in, completions come out. Time is the core's: a backend only
 * learns until when it may sleep. To add a backend: write the functions
 * below, and a row in backend.c.
 *
 * All functions but wake() and probe() are called on the loop's thread.
 * Backends keep their state behind struct cn_backend, each its own.
 *
 * The life of an operation, as the backend sees it:
 *
 *   submit -> 0    finished at once, *now is the result; the backend has
 *                  forgotten it
 *          -> 1    accepted: exactly one cn_op_complete() follows, unless
 *                  cancel() answers CN_ABORTED. scratch is the backend's
 *          -> < 0  refused; the core uses this as the result. The exception
 *                  is -EOPNOTSUPP: the core sends the operation to a thread
 *   cancel -> CN_ABORTED   gone: no completion follows, storage is free
 *          -> CN_PENDING   a completion is still to come, with whatever
 *                          result: the real one if it won, -ECANCELED if not
 *
 * cn_op_complete() is called from inside wait(), never from submit() or
 * cancel(). It touches no other operation and does not call back
 * into the backend. After it the storage may be gone.
 */
#ifndef CN_RUNTIME_BACKEND_H
#define CN_RUNTIME_BACKEND_H

#include "runtime/op.h"

#define CN_BACKEND_ABI 1

struct cn_backend; /* each backend's own */
struct cn_loop;

enum cn_backend_traits {
    CN_BACKEND_VIRTUAL = 1, /* wants the virtual clock; implements next() */
};

struct cn_backend_ops {
    unsigned abi; /* CN_BACKEND_ABI */
    unsigned traits;
    const char *name;

    /* 0 if it works here and now (kernel, seccomp, sysctl), else -errno.
     * Any thread; leaves nothing behind. */
    int (*probe)(void);

    int (*open)(struct cn_backend **out, struct cn_loop *loop,
                const struct cn_options *o);

    /* No operation is in flight any more. */
    void (*close)(struct cn_backend *b);

    /* A bit (1 << opcode) for each that submit takes. Asked once, after
     * open. */
    uint64_t (*supports)(struct cn_backend *b);

    /* Start op. Nothing need reach the kernel before wait(). */
    int (*submit)(struct cn_backend *b, struct cn_op *op, int64_t *now);
    int (*cancel)(struct cn_backend *b, struct cn_op *op);

    /* Flush what was submitted, then sleep until something completed, wake()
     * was called (also just before), a signal came, or CLOCK_MONOTONIC
     * reached `deadline` (absolute ns; CN_NEVER: no limit; INT64_MIN: do not
     * sleep, only look). Calls cn_op_complete() for all that completed.
     * Returns how many, 0 allowed at any time; < 0: broken for good, the loop
     * stops the program. Not called from within itself. */
    int (*wait)(struct cn_backend *b, cn_time deadline);

    /* End the current or the next wait(). Any thread, any signal handler. */
    void (*wake)(struct cn_backend *b);

    /* fd is about to be closed, and cancel() has been called for every
     * operation on it; those that answered CN_PENDING may still be there.
     * Forget the rest of what is known of fd. NULL: nothing ever is. */
    void (*closing)(struct cn_backend *b, int fd);

    /* With CN_BACKEND_VIRTUAL: the virtual time (cn_now()) of the next
     * completion that wait(INT64_MIN) would deliver if the clock stood
     * there; CN_NEVER if none is to come by itself. The core then sets its
     * clock to the earlier of that and its next timer, and calls wait. A
     * wait() with a later deadline sleeps in real time, for wake(). Else
     * NULL. */
    cn_time (*next)(struct cn_backend *b);

    /* In the child after fork(2): make the parent's kernel objects harmless.
     * May be NULL: the child must not use the loop. */
    int (*fork_child)(struct cn_backend *b);
};

/* All that are built in, best first, ended by NULL. "sim" is opened only by
 * name. */
extern const struct cn_backend_ops *const cn_backends[];

/* The backend for these options: by name, by $CANYON_BACKEND, or the first
 * that probes. -ENOENT: no such name; else what probe said. */
int cn_backend_choose(const struct cn_options *o,
                      const struct cn_backend_ops **out);

/* An accepted operation has its result. See above. */
void cn_op_complete(struct cn_op *op, int64_t result);

/* The backend's way back to its loop's time (virtual or real). */
cn_time cn_loop_now(const struct cn_loop *loop);

#endif
