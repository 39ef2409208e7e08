/* thread: work that blocks or computes, on threads; and calls from threads.
 *
 * The loop keeps a pool of worker threads, started as needed, ended with the
 * loop. A job runs on one of them while its task waits.
 */
#ifndef CN_RUNTIME_THREAD_H
#define CN_RUNTIME_THREAD_H

#include "runtime/group.h"
#include "runtime/sync.h"

enum cn_thread_flags {
    CN_ABANDON = 1, /* when cancelled, leave the thread to finish alone; `arg`
                       must outlive it, which no frame of the task does */
};

/* [cp] Run fn(arg) on a worker thread; returns what it returned. The job
 * holds a token of `limiter` (NULL: the loop's own, 40 tokens) from before it
 * runs until it has ended, abandoned or not.
 * Cancelled while waiting for the token or for a free thread: CN_ECANCELED,
 * fn never ran. Cancelled while fn runs: without CN_ABANDON waits for it, and
 * its result stands, fn being able to ask cn_thread_cancelled(); with
 * CN_ABANDON returns CN_ECANCELED at once.
 * CN_EAGAIN: no thread can be started and none is there; CN_ENOMEM. */
int cn_to_thread(cn_fn *fn, void *arg, struct cn_limiter *limiter,
                 unsigned flags);
int cn_to_thread_begin(cn_fn *fn, void *arg, struct cn_limiter *limiter,
                       unsigned flags, struct cn_pending *p);
/* The loop's own limiter. */
struct cn_limiter *cn_thread_limiter(void);

/* In a worker: CN_ECANCELED once the task that waits for this job has been
 * cancelled, else 0. CN_ENOTASK on a thread that is no worker. */
int cn_thread_cancelled(void);

/* --- portals: the way into a loop from other threads
 * -------------------------- */

/* A group's door: any thread that holds the portal can run things on the
 * loop. Closing the group does not wait for the portal; from then on all
 * calls through it return CN_ECLOSED.
 *
 * The opener has a reference, given up by closing. A thread that may use the
 * portal later than that takes one of its own; its calls then return
 * CN_ECLOSED. A call under way needs none. */
struct cn_portal;

int cn_portal_open(struct cn_group *g, struct cn_portal **out); /* CN_ENOMEM */
/* Any thread that holds a reference, or to which one is being handed. unref:
 * NULL is allowed. */
struct cn_portal *cn_portal_ref(struct cn_portal *p);
void cn_portal_unref(struct cn_portal *p);
/* Calls that have been accepted but not started fail with CN_ECLOSED. Tasks
 * already started run on, in the group. NULL is allowed. Loop's thread. */
void cn_portal_close(struct cn_portal *p);

/* Any thread but the loop's own (there: CN_EINVAL): run fn(arg) as a task of
 * the portal's group and wait for its end. Returns its result; it is the
 * caller's, so a failure does not cancel the group. CN_ECANCELED if the task
 * was cancelled, CN_ECLOSED, CN_ENOMEM. */
int cn_from_thread(struct cn_portal *p, cn_fn *fn, void *arg);

/* Any thread, the loop's own included: run fn(arg) as a task of the group;
 * do not wait. 0, CN_ECLOSED, CN_ENOMEM. */
int cn_portal_spawn(struct cn_portal *p, cn_fn *fn, void *arg);

/* Any thread: call fn(arg) on the loop's thread, outside any task; it must
 * not block. Posts of one thread run in their order. 0, CN_ECLOSED,
 * CN_ENOMEM. A post that was accepted is run, or dropped by
 * cn_portal_close(). */
int cn_post(struct cn_portal *p, void (*fn)(void *arg), void *arg);

#endif
