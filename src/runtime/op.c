/* op: operations begin here, take their route, and come back.
 *
 * The backend is asked first; what it does not take goes to a worker thread
 * of the class for files. Cancelling follows the route. What an operation
 * does in the kernel is the carriers' business (backend_*.c, op_job.c).
 *
 * Invariant: an operation that has begun and not ended is either accepted by
 * the backend (counted in ops_pending) or a job of the pool (jobs_pending),
 * and, if it works on a descriptor, in the table of fd.c.
 */
#include "runtime/sched.h"

_Static_assert(sizeof(struct cn_job) <= sizeof(((struct cn_op *)0)->scratch),
               "the job of an operation lives in its scratch");
_Static_assert(sizeof(struct cn_op) <= sizeof(struct cn_pending),
               "an operation fits into the storage of any wait");

static struct cn_op *op_of(struct cn_wait *w)
{
    return CN_CONTAINER(w, struct cn_op, w);
}

static struct cn_job *op_job(struct cn_op *op)
{
    return (struct cn_job *)(void *)op->scratch;
}

/* --- the end ------------------------------------------------------------- */

static int64_t reported(const struct cn_op *op, int64_t result)
{
    if (result == CN_ECANCELED && (op->flags & CN_OP_CLOSING))
        return CN_ECLOSED;
    if (result > 0 && (op->flags & CN_OP_READINESS))
        return 0;
    return result;
}

static void op_end(struct cn_loop *l, struct cn_op *op, int64_t result)
{
    result = reported(op, result);
    if (op->flags & CN_OP_LISTED)
        cn_fd_remove(l, op);
    cn_wake(&op->w, result);
}

void cn_op_complete(struct cn_op *op, int64_t result)
{
    struct cn_loop *l = cn_loop_self();

    l->ops_pending--;
    op_end(l, op, result);
}

/* --- the route over a thread --------------------------------------------- */

static int64_t job_run(struct cn_job *job)
{
    void *scratch = job;

    return cn_op_perform(CN_CONTAINER(scratch, struct cn_op, scratch));
}

static void job_done(struct cn_job *job)
{
    void *scratch = job;

    op_end(cn_loop_self(), CN_CONTAINER(scratch, struct cn_op, scratch),
           job->result);
}

static int submit_job(struct cn_loop *l, struct cn_op *op)
{
    struct cn_job *job = op_job(op);

    op->route = CN_ROUTE_THREAD;
    job->run = job_run;
    job->done = job_done;
    job->job_class = CN_JOB_FILE;
    return cn_pool_submit(l, job);
}

/* --- the beginning ------------------------------------------------------- */

/* CN_DONE with *result, or CN_PENDING. */
static int submit(struct cn_loop *l, struct cn_op *op, int64_t *result)
{
    int rc = -EOPNOTSUPP;

    if (cn_likely(l->supported >> op->opcode & 1)) {
        op->route = CN_ROUTE_BACKEND;
        rc = l->ops->submit(l->backend, op, result);
        if (cn_likely(rc == CN_PENDING)) {
            l->ops_pending++;
            return CN_PENDING;
        }
    }
    if (rc == -EOPNOTSUPP) {
        rc = submit_job(l, op);
        if (rc == 0)
            return CN_PENDING;
    }
    if (rc < 0)
        *result = rc;
    return CN_DONE;
}

static int op_abort(struct cn_wait *w)
{
    struct cn_op *op = op_of(w);

    return op->flags & CN_OP_SHIELDED ? CN_PENDING : cn_op_cancel(op);
}

static const struct cn_wait_kind kinds[CN_OP_COUNT] = {
    [CN_OP_POLL] = {"waiting for a descriptor", op_abort, NULL},
    [CN_OP_READ] = {"reading", op_abort, NULL},
    [CN_OP_WRITE] = {"writing", op_abort, NULL},
    [CN_OP_RECV] = {"receiving from a socket", op_abort, NULL},
    [CN_OP_SEND] = {"sending to a socket", op_abort, NULL},
    [CN_OP_RECVMSG] = {"receiving a message", op_abort, NULL},
    [CN_OP_SENDMSG] = {"sending a message", op_abort, NULL},
    [CN_OP_ACCEPT] = {"accepting a connection", op_abort, NULL},
    [CN_OP_CONNECT] = {"connecting", op_abort, NULL},
    [CN_OP_CLOSE] = {"closing a descriptor", op_abort, NULL},
    [CN_OP_SHUTDOWN] = {"shutting down a socket", op_abort, NULL},
    [CN_OP_OPEN] = {"opening a file", op_abort, NULL},
    [CN_OP_STAT] = {"asking about a file", op_abort, NULL},
    [CN_OP_SYNC] = {"syncing a file", op_abort, NULL},
    [CN_OP_RENAME] = {"renaming a file", op_abort, NULL},
    [CN_OP_UNLINK] = {"removing a file", op_abort, NULL},
    [CN_OP_MKDIR] = {"making a directory", op_abort, NULL},
    [CN_OP_WAITPID] = {"waiting for a process", op_abort, NULL},
};

/* The same with the checks and entries around it; the wait is begun. */
static int start(struct cn_loop *l, struct cn_op *op,
                 const struct cn_wait_kind *part, int64_t *result)
{
    int rc;

    op->flags &= 0xff | CN_OP_READINESS;
    rc = cn_fd_check(l, op);
    if (cn_unlikely(rc < 0)) {
        *result = rc;
        return CN_DONE;
    }
    rc = submit(l, op, result);
    if (rc == CN_DONE) {
        *result = reported(op, *result);
        return CN_DONE;
    }
    if (part)
        cn_wait_part(&op->w, part, op);
    else
        cn_wait_begin_shielded(&op->w, &kinds[op->opcode], op);
    cn_fd_add(l, op);
    return CN_PENDING;
}

int cn_op_begin(struct cn_op *op, int64_t *result)
{
    struct cn_loop *l = cn_loop_self();

    cn_assert(op->opcode < CN_OP_COUNT);
    if (!(op->flags & CN_OP_SHIELDED) && cn_task_cancelled(l->cur))
        return CN_ECANCELED;
    return start(l, op, NULL, result);
}

int64_t cn_op_run(struct cn_op *op)
{
    int64_t result = 0;
    int rc = cn_op_begin(op, &result);

    if (rc == CN_PENDING)
        return cn_suspend(&op->w);
    if (rc < 0)
        return rc;
    cn_spend(cn_loop_self());
    return result;
}

int cn_op_begin_part(struct cn_op *op, const struct cn_wait_kind *kind,
                     int64_t *result)
{
    cn_assert(op->opcode < CN_OP_COUNT && kind->notify);
    return start(cn_loop_self(), op, kind, result);
}

int cn_op_cancel(struct cn_op *op)
{
    struct cn_loop *l = cn_loop_self();
    int rc;

    if (op->flags & CN_OP_CANCELLED)
        return CN_PENDING;
    op->flags |= CN_OP_CANCELLED;
    if (op->route == CN_ROUTE_THREAD)
        rc = cn_pool_cancel(l, op_job(op));
    else
        rc = l->ops->cancel(l->backend, op);
    if (rc == CN_PENDING)
        return CN_PENDING;
    if (op->route == CN_ROUTE_BACKEND)
        l->ops_pending--;
    if (op->flags & CN_OP_LISTED)
        cn_fd_remove(l, op);
    return CN_ABORTED;
}
