/* backend_uring_ring: opening a ring on this kernel, and filling in entries.
 *
 * All that depends on the version of the kernel or of liburing is here. The
 * life of an operation is in backend_uring.c.
 */
#include "runtime/backend_uring.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

enum { /* newer than liburing 2.3 */
       OP_WAITID = 50,
};

/* --- entries ------------------------------------------------------------- */

static uint32_t clamp(size_t len)
{
    return len > 0x7ffff000 ? 0x7ffff000 : (uint32_t)len;
}

static void prep_waitid(struct io_uring_sqe *sqe, const struct cn_op *op)
{
    io_uring_prep_rw(OP_WAITID, sqe, op->u.proc.pid, NULL, P_PID, 0);
    sqe->file_index = WEXITED;
    sqe->addr2 = (uintptr_t)op->u.proc.info;
}

static void prep_path(struct io_uring_sqe *sqe, const struct cn_op *op)
{
    const char *path = op->u.path.path;
    int flags = op->u.path.flags;

    switch ((enum cn_opcode)op->opcode) {
    case CN_OP_OPEN:
        io_uring_prep_openat(sqe, op->fd, path, flags | O_CLOEXEC,
                             op->u.path.mode);
        return;
    case CN_OP_STAT:
        io_uring_prep_statx(sqe, op->fd, path,
                            flags | (*path ? 0 : AT_EMPTY_PATH),
                            op->u.path.mask, op->u.path.statx);
        return;
    case CN_OP_RENAME:
        io_uring_prep_renameat(sqe, op->fd, path, op->fd, op->u.path.path2, 0);
        return;
    case CN_OP_UNLINK: io_uring_prep_unlinkat(sqe, op->fd, path, flags); return;
    case CN_OP_MKDIR:
        io_uring_prep_mkdirat(sqe, op->fd, path, op->u.path.mode);
        return;
    default: cn_unreachable();
    }
}

static void prep_io(struct io_uring_sqe *sqe, const struct cn_op *op)
{
    uint32_t len = clamp(op->u.io.len);
    uint64_t off = op->u.io.off < 0 ? UINT64_MAX : (uint64_t)op->u.io.off;

    switch ((enum cn_opcode)op->opcode) {
    case CN_OP_READ:
        io_uring_prep_read(sqe, op->fd, op->u.io.buf, len, off);
        return;
    case CN_OP_WRITE:
        io_uring_prep_write(sqe, op->fd, op->u.io.buf, len, off);
        return;
    case CN_OP_RECV:
        io_uring_prep_recv(sqe, op->fd, op->u.io.buf, len, op->u.io.flags);
        return;
    case CN_OP_SEND:
        io_uring_prep_send(sqe, op->fd, op->u.io.buf, len,
                           op->u.io.flags | MSG_NOSIGNAL);
        return;
    case CN_OP_SYNC:
        io_uring_prep_fsync(sqe, op->fd,
                            op->u.io.flags & 1 ? IORING_FSYNC_DATASYNC : 0);
        return;
    default: cn_unreachable();
    }
}

unsigned cn_uring_retry_events(const struct cn_op *op)
{
    return op->opcode == CN_OP_WAITPID ? POLLIN : cn_op_sides(op);
}

void cn_uring_prep(struct io_uring_sqe *sqe, const struct cn_op *op)
{
    switch ((enum cn_opcode)op->opcode) {
    case CN_OP_POLL:
        io_uring_prep_poll_add(sqe, op->fd, op->u.poll.events);
        return;
    case CN_OP_RECVMSG:
        io_uring_prep_recvmsg(sqe, op->fd, op->u.msg.msg,
                              (unsigned)op->u.msg.flags);
        return;
    case CN_OP_SENDMSG:
        io_uring_prep_sendmsg(sqe, op->fd, op->u.msg.msg,
                              (unsigned)op->u.msg.flags | MSG_NOSIGNAL);
        return;
    case CN_OP_ACCEPT:
        io_uring_prep_accept(sqe, op->fd, op->u.sock.addr, op->u.sock.len,
                             SOCK_CLOEXEC | SOCK_NONBLOCK);
        return;
    case CN_OP_CONNECT:
        io_uring_prep_connect(sqe, op->fd, op->u.sock.addr, op->u.sock.size);
        return;
    case CN_OP_CLOSE: io_uring_prep_close(sqe, op->fd); return;
    case CN_OP_WAITPID: prep_waitid(sqe, op); return;
    case CN_OP_OPEN:
    case CN_OP_STAT:
    case CN_OP_RENAME:
    case CN_OP_UNLINK:
    case CN_OP_MKDIR: prep_path(sqe, op); return;
    default: prep_io(sqe, op); return;
    }
}

/* --- the ring ------------------------------------------------------------ */

static const unsigned ring_flags[] = {
    /* best first */
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
        IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
        IORING_SETUP_SUBMIT_ALL,
    IORING_SETUP_SUBMIT_ALL,
    0,
};

/* Older kernels do not know all flags, and lock the memory of the ring. */
int cn_uring_ring_open(struct io_uring *ring, unsigned entries, unsigned cq)
{
    int rc = -EINVAL;

    for (size_t i = 0; i < CN_COUNT(ring_flags); i++) {
        struct io_uring_params p = {0};

        p.flags = ring_flags[i] | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
        p.cq_entries = cq;
        rc = io_uring_queue_init_params(entries, ring, &p);
        if (rc == -ENOMEM && entries > 64) {
            entries /= 2;
            cq /= 2;
            i--;
        } else if (rc != -EINVAL) {
            break;
        }
    }
    return rc;
}

static const struct {
    uint8_t opcode, needs;
    bool required;
} opcodes[] = {
    {CN_OP_POLL, IORING_OP_POLL_ADD, true},
    {CN_OP_READ, IORING_OP_READ, true},
    {CN_OP_WRITE, IORING_OP_WRITE, true},
    {CN_OP_RECV, IORING_OP_RECV, true},
    {CN_OP_SEND, IORING_OP_SEND, true},
    {CN_OP_RECVMSG, IORING_OP_RECVMSG, true},
    {CN_OP_SENDMSG, IORING_OP_SENDMSG, true},
    {CN_OP_ACCEPT, IORING_OP_ACCEPT, true},
    {CN_OP_CONNECT, IORING_OP_CONNECT, true},
    {CN_OP_CLOSE, IORING_OP_CLOSE, false},
    {CN_OP_SHUTDOWN, IORING_OP_NOP, false}, /* a system call of ours */
    {CN_OP_OPEN, IORING_OP_OPENAT, false},
    {CN_OP_STAT, IORING_OP_STATX, false},
    {CN_OP_SYNC, IORING_OP_FSYNC, false},
    {CN_OP_RENAME, IORING_OP_RENAMEAT, false},
    {CN_OP_UNLINK, IORING_OP_UNLINKAT, false},
    {CN_OP_MKDIR, IORING_OP_MKDIRAT, false},
    {CN_OP_WAITPID, IORING_OP_POLL_ADD, false}, /* of a pidfd, or waitid */
};

/* What this kernel can do; -EOPNOTSUPP if that is too little. */
int cn_uring_ring_probe(struct io_uring *ring, uint64_t *supports, bool *waitid)
{
    const unsigned features = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE |
                              IORING_FEAT_RW_CUR_POS | IORING_FEAT_FAST_POLL |
                              IORING_FEAT_EXT_ARG;
    struct io_uring_probe *p;

    if ((ring->features & features) != features)
        return -EOPNOTSUPP;
    p = io_uring_get_probe_ring(ring);
    if (!p)
        return -EOPNOTSUPP;
    *supports = 0;
    *waitid = io_uring_opcode_supported(p, OP_WAITID);
    for (size_t i = 0; i < CN_COUNT(opcodes); i++) {
        if (io_uring_opcode_supported(p, opcodes[i].needs))
            *supports |= UINT64_C(1) << opcodes[i].opcode;
        else if (opcodes[i].required)
            *supports |= UINT64_C(1) << 63;
    }
    io_uring_free_probe(p);
    return *supports >> 63 ? -EOPNOTSUPP : 0;
}
