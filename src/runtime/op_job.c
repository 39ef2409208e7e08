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

static int64_t do_accept(const struct cn_op *op)
{
    return accept4(op->fd, op->u.sock.addr, op->u.sock.len,
                   SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static int64_t do_read(const struct cn_op *op)
{
    return op->u.io.off < 0
               ? read(op->fd, op->u.io.buf, op->u.io.len)
               : pread(op->fd, op->u.io.buf, op->u.io.len, op->u.io.off);
}

static int64_t do_write(const struct cn_op *op)
{
    return op->u.io.off < 0
               ? write(op->fd, op->u.io.buf, op->u.io.len)
               : pwrite(op->fd, op->u.io.buf, op->u.io.len, op->u.io.off);
}

/* One system call; -1 and errno. What may wait gives up with EAGAIN. */
static int64_t call_once(const struct cn_op *op)
{
    switch ((enum cn_opcode)op->opcode) {
    case CN_OP_READ: return do_read(op);
    case CN_OP_WRITE: return do_write(op);
    case CN_OP_RECV:
        return recv(op->fd, op->u.io.buf, op->u.io.len,
                    op->u.io.flags | MSG_DONTWAIT);
    case CN_OP_SEND:
        return send(op->fd, op->u.io.buf, op->u.io.len,
                    op->u.io.flags | MSG_DONTWAIT | MSG_NOSIGNAL);
    case CN_OP_RECVMSG:
        return recvmsg(op->fd, op->u.msg.msg, op->u.msg.flags | MSG_DONTWAIT);
    case CN_OP_SENDMSG:
        return sendmsg(op->fd, op->u.msg.msg,
                       op->u.msg.flags | MSG_DONTWAIT | MSG_NOSIGNAL);
    case CN_OP_ACCEPT: return do_accept(op);
    case CN_OP_SHUTDOWN: return shutdown(op->fd, op->u.io.flags);
    case CN_OP_OPEN:
        return openat(op->fd, op->u.path.path, op->u.path.flags | O_CLOEXEC,
                      op->u.path.mode);
    case CN_OP_STAT:
        return statx(op->fd, op->u.path.path,
                     op->u.path.flags | (*op->u.path.path ? 0 : AT_EMPTY_PATH),
                     op->u.path.mask, op->u.path.statx);
    case CN_OP_SYNC:
        return op->u.io.flags & 1 ? fdatasync(op->fd) : fsync(op->fd);
    case CN_OP_RENAME:
        return renameat(op->fd, op->u.path.path, op->fd, op->u.path.path2);
    case CN_OP_UNLINK:
        return unlinkat(op->fd, op->u.path.path, op->u.path.flags);
    case CN_OP_MKDIR: return mkdirat(op->fd, op->u.path.path, op->u.path.mode);
    default: break;
    }
    cn_unreachable();
}

static unsigned events_of(const struct cn_op *op)
{
    switch ((enum cn_opcode)op->opcode) {
    case CN_OP_READ:
    case CN_OP_RECV:
    case CN_OP_RECVMSG:
    case CN_OP_ACCEPT: return POLLIN;
    case CN_OP_WRITE:
    case CN_OP_SEND:
    case CN_OP_SENDMSG: return POLLOUT;
    default: return 0;
    }
}

static bool wants_no_waiting(const struct cn_op *op)
{
    if (op->opcode == CN_OP_RECV || op->opcode == CN_OP_SEND)
        return op->u.io.flags & MSG_DONTWAIT;
    if (op->opcode == CN_OP_RECVMSG || op->opcode == CN_OP_SENDMSG)
        return op->u.msg.flags & MSG_DONTWAIT;
    return false;
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
        int64_t ready = wait_ready(op, op->fd, events_of(op));

        if (ready < 0)
            return ready;
    }
    for (;;) {
        int64_t n = call_once(op);

        if (n >= 0)
            return n;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN || !events_of(op) || wants_no_waiting(op))
            return -errno;
        n = wait_ready(op, op->fd, events_of(op));
        if (n < 0)
            return n;
    }
}

int64_t cn_op_try(const struct cn_op *op)
{
    int64_t n;

    do
        n = call_once(op);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
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
