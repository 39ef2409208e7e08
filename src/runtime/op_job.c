/* op_job: an operation as plain system calls, for a worker thread.
 *
 * Blocking is allowed here, but a socket is non-blocking by contract and a
 * pipe may be, so what says EAGAIN is waited for with poll(2). That wait
 * looks every TICK_MS whether the operation has been cancelled; a call that
 * blocks inside the kernel cannot be called back.
 */
#include "runtime/sched.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_MS = 20 };

static bool cancelled(const struct cn_op *op)
{
    const struct cn_job *job = (const struct cn_job *)(const void *)op->scratch;

    return atomic_load(&job->cancelled);
}

/* Until fd is ready: the events, or CN_ECANCELED, or an error. */
static int64_t wait_ready(const struct cn_op *op, int fd, unsigned events)
{
    struct pollfd p = {.fd = fd, .events = (short)events};

    for (;;) {
        int n = poll(&p, 1, TICK_MS);

        if (n > 0)
            return p.revents & POLLNVAL ? -EBADF : p.revents;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (cancelled(op))
            return CN_ECANCELED;
    }
}

static int64_t connected(const struct cn_op *op)
{
    int error = 0;
    socklen_t size = sizeof(error);
    int64_t n = wait_ready(op, op->fd, POLLOUT);

    if (n < 0)
        return n;
    if (getsockopt(op->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

static int64_t perform_connect(const struct cn_op *op)
{
    if (connect(op->fd, op->u.sock.addr, op->u.sock.size) == 0)
        return 0;
    return errno == EINPROGRESS || errno == EINTR ? connected(op) : -errno;
}

static int64_t perform_waitpid(const struct cn_op *op)
{
    siginfo_t unwanted, *info = op->u.proc.info;

    while (waitid(P_PID, (id_t)op->u.proc.pid, info ? info : &unwanted,
                  WEXITED) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

/* A pipe or a terminal without O_NONBLOCK would hold the thread for good. */
static bool may_block(const struct cn_op *op)
{
    return (op->opcode == CN_OP_READ || op->opcode == CN_OP_WRITE) &&
           op->u.io.off < 0;
}

static int64_t perform_call(const struct cn_op *op)
{
    if (may_block(op)) {
        int64_t ready = wait_ready(op, op->fd, cn_op_sides(op));

        if (ready < 0)
            return ready;
    }
    for (;;) {
        int64_t n = cn_op_try(op);

        if (n != -EAGAIN || !cn_op_sides(op) || cn_op_no_waiting(op))
            return n;
        n = wait_ready(op, op->fd, cn_op_sides(op));
        if (n < 0)
            return n;
    }
}

int64_t cn_op_perform(const struct cn_op *op)
{
    switch ((enum cn_opcode)op->opcode) {
    case CN_OP_POLL: return wait_ready(op, op->fd, op->u.poll.events);
    case CN_OP_CONNECT: return perform_connect(op);
    case CN_OP_WAITPID: return perform_waitpid(op);
    case CN_OP_CLOSE: /* EINTR and EIO: the number is free all the same */
        return close(op->fd) < 0 && errno == EBADF ? -EBADF : 0;
    default: return perform_call(op);
    }
}
