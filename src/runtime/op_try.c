/* op_try: an operation as one system call that does not wait. What the
 * carriers have in common: backends try before they wait for readiness, worker
 * threads wait with poll(2) between tries.
 */
#include "runtime/sched.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

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

int64_t cn_op_try(const struct cn_op *op)
{
    int64_t n;

    do
        n = call_once(op);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

bool cn_op_no_waiting(const struct cn_op *op)
{
    if (op->opcode == CN_OP_RECV || op->opcode == CN_OP_SEND)
        return op->u.io.flags & MSG_DONTWAIT;
    if (op->opcode == CN_OP_RECVMSG || op->opcode == CN_OP_SENDMSG)
        return op->u.msg.flags & MSG_DONTWAIT;
    return false;
}

int64_t cn_op_try_poll(int fd, unsigned events)
{
    struct pollfd p = {.fd = fd, .events = (short)events};
    int n;

    do
        n = poll(&p, 1, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if (p.revents & POLLNVAL)
        return -EBADF;
    return n ? p.revents : -EAGAIN;
}

int64_t cn_op_try_reap(const struct cn_op *op)
{
    siginfo_t unwanted = {0};
    siginfo_t *info = op->u.proc.info ? op->u.proc.info : &unwanted;

    info->si_pid = 0;
    if (waitid(P_PID, (id_t)op->u.proc.pid, info, WEXITED | WNOHANG) < 0)
        return -errno;
    return info->si_pid ? 0 : -EAGAIN;
}
