/* Calls to worker threads.
 *
 * A call passes three stations: it waits for a token of its limiter, it is a
 * job of the pool (queued, then running), and it comes back by the mailbox.
 * Its storage is its own, because an abandoned call outlives the frame that
 * made it. Not here: the threads (pool.c), calls in the other direction
 * (portal.c).
 *
 * Invariant: a call that is not waiting for its token holds it until done();
 * `waiter` is NULL exactly when nobody waits any more.
 */
#include "runtime/sched.h"

#include <stdlib.h>

struct call {
    struct cn_job job;
    cn_fn *fn;
    void *arg;
    struct cn_limiter *limiter;
    struct cn_limiter_wait token; /* while it waits for one */
    struct cn_wait *waiter;
    bool abandon, has_token;
};

/* The call that runs on this worker. */
static _Thread_local struct call *current_call;

/* --- on the worker ----------------------------------------------------------- */

static int64_t call_run(struct cn_job *job)
{
    struct call *c = CN_CONTAINER(job, struct call, job);
    int rc;

    current_call = c;
    rc = c->fn(c->arg);
    current_call = NULL;
    return rc;
}

int cn_thread_cancelled(void)
{
    if (!current_call)
        return CN_ENOTASK;
    return atomic_load(&current_call->job.cancelled) ? CN_ECANCELED : 0;
}

/* --- on the loop ---------------------------------------------------------------- */

/* Ends the call; whoever waits is woken with the result. */
static void call_end(struct call *c, int64_t result)
{
    struct cn_wait *waiter = c->waiter;

    if (c->has_token)
        cn_limiter_release(c->limiter, c);
    free(c);
    if (waiter)
        cn_wake(waiter, result);
}

static void call_done(struct cn_job *job)
{
    struct call *c = CN_CONTAINER(job, struct call, job);

    if (cn_loop_self())
        call_end(c, job->result);
    else
        free(c); /* the loop has ended, and the limiter with it */
}

static int call_submit(struct call *c)
{
    c->has_token = true;
    c->job.run = call_run;
    c->job.done = call_done;
    c->job.job_class = CN_JOB_USER;
    return cn_pool_submit(cn_loop_self(), &c->job);
}

static void token_granted(struct cn_wait *w, int64_t result)
{
    struct call *c = CN_CONTAINER(w, struct call, token.w);
    int rc = call_submit(c);

    (void)result;
    if (rc < 0)
        call_end(c, rc);
}

static const struct cn_wait_kind token_kind = {
    .what = "waiting for a thread's token",
    .notify = token_granted,
};

struct thread_wait {
    struct cn_wait w;
    struct call *call;
};

static int thread_abort(struct cn_wait *w)
{
    struct call *c = ((struct thread_wait *)(void *)w)->call;

    if (!c->has_token) {
        cn_limiter_undo_part(&c->token);
    } else if (cn_pool_cancel(cn_loop_self(), &c->job) == CN_PENDING) {
        if (!c->abandon)
            return CN_PENDING;
        c->waiter = NULL;
        return CN_ABORTED;
    }
    c->waiter = NULL;
    call_end(c, 0);
    return CN_ABORTED;
}

static const struct cn_wait_kind thread_kind = {
    .what = "waiting for a thread",
    .abort = thread_abort,
};

int cn_to_thread_begin(cn_fn *fn, void *arg, struct cn_limiter *limiter,
                       unsigned flags, struct cn_pending *p)
{
    struct thread_wait *tw = (struct thread_wait *)(void *)p;
    struct cn_loop *l = cn_loop_self();
    struct call *c;
    int rc;

    if (cn_task_cancelled(l->cur))
        return CN_ECANCELED;
    c = calloc(1, sizeof(*c));
    if (!c)
        return CN_ENOMEM;
    c->fn = fn;
    c->arg = arg;
    c->limiter = limiter ? limiter : &l->thread_limiter;
    c->abandon = flags & CN_ABANDON;
    rc = cn_limiter_acquire_part(c->limiter, c, &c->token, &token_kind);
    if (rc == CN_DONE)
        rc = call_submit(c);
    if (rc < 0) {
        call_end(c, 0);
        return rc;
    }
    c->waiter = &tw->w;
    tw->call = c;
    cn_wait_begin_shielded(&tw->w, &thread_kind, c->limiter);
    return CN_PENDING;
}

int cn_to_thread(cn_fn *fn, void *arg, struct cn_limiter *limiter,
                 unsigned flags)
{
    struct cn_pending p;
    int rc = cn_to_thread_begin(fn, arg, limiter, flags, &p);

    return rc == CN_PENDING ? (int)cn_suspend(&p.w) : rc;
}

struct cn_limiter *cn_thread_limiter(void)
{
    return &cn_loop_self()->thread_limiter;
}
