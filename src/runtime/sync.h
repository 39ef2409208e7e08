/* sync: event, lock, semaphore, condition, capacity limiter.
 *
 * Storage is the caller's; zeroed bytes are a ready event, lock or condition,
 * and nothing has to be destroyed. All queues are first come, first served,
 * and hand over directly: who is woken has it already. A wait that was
 * granted and cancelled in the same turn is granted; the next checkpoint
 * reports the cancellation. One loop's tasks only.
 */
#ifndef CN_RUNTIME_SYNC_H
#define CN_RUNTIME_SYNC_H

#include "runtime/loop.h"

struct cn_task;

/* Waiting tasks, oldest first. */
struct cn_waitq {
    struct cn_link *first, *last;
};

/* --- event: false, then for ever true ---------------------------------------
 */

struct cn_event {
    struct cn_waitq q;
    bool set;
};

/* Wakes all waiting tasks. Again: no effect. Cannot fail. */
void cn_event_set(struct cn_event *e);
bool cn_event_is_set(const struct cn_event *e);
int cn_event_wait(struct cn_event *e); /* [cp] */
int cn_event_wait_begin(struct cn_event *e, struct cn_pending *p);
size_t cn_event_waiting(const struct cn_event *e);

/* --- lock: one task at a time ------------------------------------------------
 */

struct cn_lock {
    struct cn_waitq q;
    struct cn_task *owner;
};

/* [cp] CN_EINVAL if the running task has it already. */
int cn_lock_acquire(struct cn_lock *l);
int cn_lock_acquire_begin(struct cn_lock *l, struct cn_pending *p);
/* 0, CN_EAGAIN, or CN_EINVAL as above. Not a checkpoint. */
int cn_lock_acquire_nowait(struct cn_lock *l);
/* Hands over to the next. CN_EINVAL if the running task has not got it. */
int cn_lock_release(struct cn_lock *l);
bool cn_lock_locked(const struct cn_lock *l);
/* A task that ends with a lock keeps it for ever; the deadlock report names
 * the lock. */
size_t cn_lock_waiting(const struct cn_lock *l);

/* --- semaphore
 * ---------------------------------------------------------------- */

struct cn_sem {
    struct cn_waitq q;
    int64_t value, max;
};

/* max 0: no maximum. */
#define CN_SEM_INIT(value_, max_)                                              \
    {                                                                          \
        .value = (value_), .max = (max_)                                       \
    }

int cn_sem_acquire(struct cn_sem *s); /* [cp] */
int cn_sem_acquire_begin(struct cn_sem *s, struct cn_pending *p);
int cn_sem_acquire_nowait(struct cn_sem *s); /* 0 or CN_EAGAIN */
/* Hands over to the next, else value + 1. CN_EINVAL above max. */
int cn_sem_release(struct cn_sem *s);
int64_t cn_sem_value(const struct cn_sem *s);
size_t cn_sem_waiting(const struct cn_sem *s);

/* --- condition
 * ----------------------------------------------------------------- */

struct cn_cond {
    struct cn_waitq q;
    struct cn_lock *lock; /* set before the first use */
};

#define CN_COND_INIT(lock_)                                                    \
    {                                                                          \
        .lock = (lock_)                                                        \
    }

/* [cp] Release the lock, wait to be notified, and have the lock again. Also
 * when cancelled: the lock is held when this returns, whatever it returns.
 * CN_EINVAL if the running task has not got the lock; then nothing has
 * happened. Entered cancelled, it returns with the lock never released. A
 * notification is not lost: a task that returns CN_ECANCELED has used none. */
int cn_cond_wait(struct cn_cond *c);
int cn_cond_wait_begin(struct cn_cond *c, struct cn_pending *p);
/* Wake up to n (SIZE_MAX: all), oldest first. CN_EINVAL if the running task
 * has not got the lock. */
int cn_cond_notify(struct cn_cond *c, size_t n);
size_t cn_cond_waiting(const struct cn_cond *c);

/* --- capacity limiter: tokens, each held by a borrower
 * -------------------------- */

struct cn_limiter {
    struct cn_waitq q;
    size_t total; /* SIZE_MAX: no limit */
    size_t borrowed;
    const void **borrowers; /* who holds a token or waits for one: a hash */
    size_t used, capacity;  /* set with that many entries and slots */
};

#define CN_LIMITER_INIT(total_)                                                \
    {                                                                          \
        .total = (total_)                                                      \
    }

/* Free the table. The limiter must be idle: no borrower, no waiter. */
void cn_limiter_done(struct cn_limiter *l);

/* [cp] Borrow a token on behalf of `borrower` (any address; NULL: the running
 * task). CN_EINVAL if it holds one already or waits for one; CN_ENOMEM. */
int cn_limiter_acquire(struct cn_limiter *l, const void *borrower);
int cn_limiter_acquire_begin(struct cn_limiter *l, const void *borrower,
                             struct cn_pending *p);
/* 0, CN_EAGAIN (none free, or others wait), CN_EINVAL, CN_ENOMEM. */
int cn_limiter_acquire_nowait(struct cn_limiter *l, const void *borrower);
/* CN_EINVAL if the borrower holds none. */
int cn_limiter_release(struct cn_limiter *l, const void *borrower);
/* Up: waiting tasks are served at once. Down: nobody loses a token; new ones
 * are given out when enough have come back. */
void cn_limiter_set_total(struct cn_limiter *l, size_t total);
size_t cn_limiter_available(const struct cn_limiter *l);
size_t cn_limiter_waiting(const struct cn_limiter *l);

#endif
