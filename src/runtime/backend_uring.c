/* backend_uring: operations as entries of an io_uring, through liburing.
 *
 * Nothing reaches the kernel before wait(), which submits all that was begun
 * in the turn and sleeps with the same system call. The exceptions are sends,
 * which are tried at once (it saves a turn), and shutdown(2), which never
 * waits.
 *
 * The ring is single issuer with deferred task work where the kernel knows
 * these (6.1), else with less; probe() refuses kernels before 5.11 and those
 * where io_uring is blocked.
 *
 * user_data is the address of the operation with a generation in the upper
 * 16 bits, so that a late cancel cannot meet the next operation at the same
 * address. Whatever a cancel answers (0, ENOENT, EALREADY, before or after
 * the target's own completion) is ignored: the target always completes.
 *
 * Invariant: an accepted operation is in the ring or on the backlog (the
 * submission queue was full and the kernel took nothing); an operation on
 * the list of cancels is in the ring.
 */
#include "runtime/backend_uring.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SQ_ENTRIES = 1024, CQ_ENTRIES = 8192 };

enum { /* user_data of our own entries; addresses of operations are even */
       TAG_CANCEL = 1,
       TAG_WAKE = 3,
};

struct cn_backend {
    struct io_uring ring;
    struct cn_link backlog; /* struct uop: no room in the queue */
    struct cn_link cancels; /* struct uop: to be cancelled, no room */
    uint16_t generation;
    bool wake_armed, has_waitid;
    int wake_fd;
    uint64_t wake_count;
    uint64_t supports;
};

/* What lives in the scratch of an operation. */
struct uop {
    struct cn_link link; /* in backlog or cancels, or cleared */
    uint64_t token;      /* user_data */
    int pidfd;           /* WAITPID without the opcode, or -1 */
    bool polling;        /* the entry is a poll; then it is tried again */
    bool retried;
};

_Static_assert(sizeof(struct uop) <= sizeof(((struct cn_op *)0)->scratch),
               "scratch is large enough");

static struct uop *uop_of(struct cn_op *op)
{
    return (struct uop *)(void *)op->scratch;
}

static struct cn_op *op_of(struct uop *u)
{
    void *scratch = u;

    return CN_CONTAINER(scratch, struct cn_op, scratch);
}

static struct uop *uop_of_link(struct cn_link *link)
{
    return CN_CONTAINER(link, struct uop, link);
}

/* --- into the kernel ----------------------------------------------------- */

static unsigned publish(struct io_uring *r)
{
    io_uring_smp_store_release(r->sq.ktail, r->sq.sqe_tail);
    return r->sq.sqe_tail - IO_URING_READ_ONCE(*r->sq.khead);
}

/* The bare system call, so that looking, flushing and sleeping are one path
 * with one set of errors; the test puts its own in the place of liburing's. */
static int enter(struct cn_backend *b, unsigned wait_for, unsigned flags,
                 struct io_uring_getevents_arg *arg)
{
    struct io_uring *r = &b->ring;

    if (r->enter_ring_fd != r->ring_fd)
        flags |= IORING_ENTER_REGISTERED_RING;
    if (!arg)
        return io_uring_enter2((unsigned)r->enter_ring_fd, publish(r), wait_for,
                               flags, NULL, _NSIG / 8);
    return io_uring_enter2((unsigned)r->enter_ring_fd, publish(r), wait_for,
                           flags | IORING_ENTER_EXT_ARG, (sigset_t *)arg,
                           sizeof(*arg));
}

/* An entry to fill, flushing the queue if it is full; NULL if the kernel
 * takes nothing now. */
static struct io_uring_sqe *new_sqe(struct cn_backend *b)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&b->ring);

    if (cn_likely(sqe))
        return sqe;
    enter(b, 0, 0, NULL);
    return io_uring_get_sqe(&b->ring);
}

static void prep(struct io_uring_sqe *sqe, struct cn_op *op)
{
    const struct uop *u = uop_of(op);

    if (cn_likely(!u->polling))
        cn_uring_prep(sqe, op);
    else
        io_uring_prep_poll_add(sqe, u->pidfd >= 0 ? u->pidfd : op->fd,
                               cn_uring_retry_events(op));
}

static bool put(struct cn_backend *b, struct cn_op *op)
{
    struct io_uring_sqe *sqe = new_sqe(b);
    struct uop *u = uop_of(op);

    if (cn_unlikely(!sqe))
        return false;
    prep(sqe, op);
    u->token = (uintptr_t)op | (uint64_t)b->generation++ << 48;
    sqe->user_data = u->token;
    return true;
}

static void put_or_queue(struct cn_backend *b, struct cn_op *op)
{
    if (cn_unlikely(!put(b, op)))
        cn_list_push_back(&b->backlog, &uop_of(op)->link);
}

static bool put_cancel(struct cn_backend *b, const struct uop *u)
{
    struct io_uring_sqe *sqe = new_sqe(b);

    if (cn_unlikely(!sqe))
        return false;
    io_uring_prep_cancel64(sqe, u->token, 0);
    sqe->user_data = TAG_CANCEL;
    return true;
}

static bool put_wake(struct cn_backend *b)
{
    struct io_uring_sqe *sqe = new_sqe(b);

    if (cn_unlikely(!sqe))
        return false;
    io_uring_prep_read(sqe, b->wake_fd, &b->wake_count, 8, 0);
    sqe->user_data = TAG_WAKE;
    b->wake_armed = true;
    return true;
}

/* What did not find room before. False: there is still no room. */
static bool put_backlog(struct cn_backend *b)
{
    if (cn_unlikely(!b->wake_armed) && !put_wake(b))
        return false;
    cn_list_for (it, &b->backlog) {
        if (!put(b, op_of(uop_of_link(it))))
            return false;
        cn_list_remove(it);
    }
    cn_list_for (it, &b->cancels) {
        if (!put_cancel(b, uop_of_link(it)))
            return false;
        cn_list_remove(it);
    }
    return true;
}

/* --- operations ---------------------------------------------------------- */

/* Sends and shutdown, most of which need not wait for the ring, and what the
 * caller does not want to wait for. */
static bool done_at_once(const struct cn_op *op, int64_t *now)
{
    int64_t n;

    if (op->opcode != CN_OP_SEND && op->opcode != CN_OP_SENDMSG &&
        op->opcode != CN_OP_SHUTDOWN && !cn_op_no_waiting(op))
        return false;
    n = cn_op_try(op);
    if (n == -EAGAIN && !cn_op_no_waiting(op))
        return false;
    *now = n;
    return true;
}

static int uring_submit(struct cn_backend *b, struct cn_op *op, int64_t *now)
{
    struct uop *u = uop_of(op);

    if (done_at_once(op, now))
        return CN_DONE;
    u->link.next = NULL;
    u->polling = u->retried = false;
    u->pidfd = -1;
    if (op->opcode == CN_OP_WAITPID && !b->has_waitid) {
        u->pidfd = (int)syscall(SYS_pidfd_open, op->u.proc.pid, 0);
        if (u->pidfd < 0)
            return errno == ESRCH ? -ECHILD : -EOPNOTSUPP;
        u->polling = true;
    }
    put_or_queue(b, op);
    return CN_PENDING;
}

static int uring_cancel(struct cn_backend *b, struct cn_op *op)
{
    struct uop *u = uop_of(op);

    if (cn_link_on_list(&u->link)) { /* the kernel has never seen it */
        cn_list_remove(&u->link);
        if (u->pidfd >= 0)
            close(u->pidfd);
        return CN_ABORTED;
    }
    if (!put_cancel(b, u))
        cn_list_push_back(&b->cancels, &u->link);
    return CN_PENDING;
}

/* --- completions --------------------------------------------------------- */

/* Interrupted, or the kernel would not wait on a non-blocking descriptor. */
static bool try_again(const struct cn_op *op, struct uop *u, int64_t res)
{
    if (op->flags & CN_OP_CANCELLED)
        return false;
    if (res == -EINTR && op->opcode != CN_OP_CLOSE) {
        u->polling = u->pidfd >= 0;
        return true;
    }
    if (res != (op->opcode == CN_OP_CONNECT ? -EINPROGRESS : -EAGAIN) ||
        !cn_uring_retry_events(op) || cn_op_no_waiting(op))
        return false;
    u->polling = u->retried = true;
    return true;
}

static int64_t final_result(const struct cn_op *op, const struct uop *u,
                            int64_t res)
{
    if ((op->flags & CN_OP_CANCELLED) && (res == -EINTR || res == -EAGAIN))
        return CN_ECANCELED;
    if (op->opcode == CN_OP_CLOSE)
        return res == -EBADF ? -EBADF : 0;
    if (op->opcode == CN_OP_CONNECT && u->retried && res == -EISCONN)
        return 0;
    return res;
}

/* Returns 1 if the operation has ended. */
static int op_completed(struct cn_backend *b, struct cn_op *op, int64_t res)
{
    struct uop *u = uop_of(op);

    if (cn_unlikely(cn_link_on_list(&u->link)))
        cn_list_remove(&u->link); /* the cancel is not needed any more */
    if (cn_unlikely(u->polling) && res > 0) {
        u->polling = false;
        if (u->pidfd < 0) {
            put_or_queue(b, op);
            return 0;
        }
        res = cn_op_try_reap(op);
    }
    if (cn_unlikely(res < 0) && try_again(op, u, res)) {
        put_or_queue(b, op);
        return 0;
    }
    if (u->pidfd >= 0)
        close(u->pidfd);
    cn_op_complete(op, res < 0 ? final_result(op, u, res) : res);
    return 1;
}

static int cqe_seen(struct cn_backend *b, uint64_t tag, int64_t res)
{
    struct cn_op *op;

    if (tag == TAG_CANCEL)
        return 0;
    if (tag == TAG_WAKE) {
        b->wake_armed = false;
        return 0;
    }
    op = (struct cn_op *)(uintptr_t)(tag & 0xffffffffffff);
    cn_assert(uop_of(op)->token == tag);
    return op_completed(b, op, res);
}

static int reap(struct cn_backend *b)
{
    struct io_uring *r = &b->ring;
    int n = 0;

    while (io_uring_cq_ready(r)) {
        const struct io_uring_cqe *cqe =
            &r->cq.cqes[*r->cq.khead & r->cq.ring_mask];
        uint64_t tag = cqe->user_data;
        int64_t res = cqe->res;

        io_uring_cq_advance(r, 1);
        n += cqe_seen(b, tag, res);
    }
    return n;
}

static bool kernel_has_more(const struct cn_backend *b)
{
    return IO_URING_READ_ONCE(*b->ring.sq.kflags) &
           (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN);
}

/* Wait for one completion at least, until the deadline. */
static int sleep_until(struct cn_backend *b, cn_time deadline)
{
    struct __kernel_timespec ts;
    struct io_uring_getevents_arg arg = {.ts = (uintptr_t)&ts};
    cn_time left;

    if (deadline == CN_NEVER)
        return enter(b, 1, IORING_ENTER_GETEVENTS, NULL);
    left = deadline - cn_clock();
    if (left <= 0)
        return enter(b, 0, IORING_ENTER_GETEVENTS, NULL);
    ts.tv_sec = left / CN_SEC;
    ts.tv_nsec = left % CN_SEC;
    return enter(b, 1, IORING_ENTER_GETEVENTS, &arg);
}

static int submit_and_sleep(struct cn_backend *b, cn_time deadline)
{
    bool room = put_backlog(b);

    if (deadline == INT64_MIN || io_uring_cq_ready(&b->ring)) {
        if (!io_uring_sq_ready(&b->ring) && !kernel_has_more(b))
            return 0;
        return enter(b, 0, IORING_ENTER_GETEVENTS, NULL);
    }
    return room ? sleep_until(b, deadline)
                : enter(b, 0, IORING_ENTER_GETEVENTS, NULL);
}

static bool is_transient(int rc)
{
    return rc == -EINTR || rc == -ETIME || rc == -EAGAIN || rc == -EBUSY ||
           rc == -ENOMEM;
}

static int uring_wait(struct cn_backend *b, cn_time deadline)
{
    int rc = submit_and_sleep(b, deadline), n;

    if (rc < 0 && !is_transient(rc))
        return rc;
    if (rc == -EAGAIN || rc == -EBUSY || rc == -ENOMEM) {
        sched_yield(); /* the kernel is short of memory: look, then again */
        io_uring_get_events(&b->ring);
    }
    n = reap(b);
    while (cn_unlikely(io_uring_cq_has_overflow(&b->ring))) {
        if (enter(b, 0, IORING_ENTER_GETEVENTS, NULL) < 0)
            break;
        n += reap(b);
    }
    return n;
}

static void uring_wake(struct cn_backend *b)
{
    uint64_t one = 1;
    int saved = errno;

    while (write(b->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
    errno = saved;
}

/* --- opening ------------------------------------------------------------- */

/* A small ring is opened and closed again: the kernel, seccomp and the
 * sysctl answer together. */
static int uring_probe(void)
{
    struct io_uring ring;
    uint64_t supports;
    bool waitid;
    int rc = cn_uring_ring_open(&ring, 2, 4);

    if (rc < 0)
        return rc;
    rc = cn_uring_ring_probe(&ring, &supports, &waitid);
    io_uring_queue_exit(&ring);
    return rc;
}

static int uring_open(struct cn_backend **out, struct cn_loop *loop,
                      const struct cn_options *o)
{
    struct cn_backend *b = calloc(1, sizeof(*b));
    int rc;

    (void)loop;
    (void)o;
    if (!b)
        return CN_ENOMEM;
    rc = cn_uring_ring_open(&b->ring, SQ_ENTRIES, CQ_ENTRIES);
    if (rc < 0)
        goto no_ring;
    rc = cn_uring_ring_probe(&b->ring, &b->supports, &b->has_waitid);
    if (rc < 0)
        goto no_wake;
    b->wake_fd = eventfd(0, EFD_CLOEXEC);
    if (b->wake_fd < 0) {
        rc = -errno;
        goto no_wake;
    }
    io_uring_register_ring_fd(&b->ring); /* does without if it fails */
    cn_list_init(&b->backlog);
    cn_list_init(&b->cancels);
    *out = b;
    return 0;

no_wake:
    io_uring_queue_exit(&b->ring);
no_ring:
    free(b);
    return rc;
}

/* The read of the eventfd must have ended before its buffer goes. */
static void uring_close(struct cn_backend *b)
{
    uring_wake(b);
    while (b->wake_armed)
        if (uring_wait(b, CN_NEVER) < 0)
            break;
    io_uring_queue_exit(&b->ring);
    close(b->wake_fd);
    free(b);
}

static uint64_t uring_supports(struct cn_backend *b)
{
    return b->supports;
}

/* The parent's ring goes on; the child only lets go of its copies. Leaving
 * the ring is its parent's right (single issuer), so nothing is called. */
static int uring_fork_child(struct cn_backend *b)
{
    struct io_uring *r = &b->ring;

    munmap(r->sq.sqes, r->sq.ring_entries * sizeof(struct io_uring_sqe));
    munmap(r->sq.ring_ptr, r->sq.ring_sz);
    if (r->cq.ring_ptr && r->cq.ring_ptr != r->sq.ring_ptr)
        munmap(r->cq.ring_ptr, r->cq.ring_sz);
    close(r->ring_fd);
    close(b->wake_fd);
    return 0;
}

const struct cn_backend_ops cn_backend_uring = {
    .abi = CN_BACKEND_ABI,
    .name = "uring",
    .probe = uring_probe,
    .open = uring_open,
    .close = uring_close,
    .supports = uring_supports,
    .submit = uring_submit,
    .cancel = uring_cancel,
    .wait = uring_wait,
    .wake = uring_wake,
    .fork_child = uring_fork_child,
};
