/* sys: fills in operations and runs them; two functions per call. What the
 * calls mean is in sys.h, what carries them out in op.c. */
#include "runtime/sys.h"

#include "runtime/sched.h"

#include <fcntl.h>

/* Fields are set one by one, not by an initialiser: the scratch of an
 * operation need not be cleared. */
static struct cn_op *fill(struct cn_op *op, enum cn_opcode opcode, int fd)
{
    op->opcode = (uint8_t)opcode;
    op->flags = 0;
    op->fd = fd;
    return op;
}

static struct cn_op *fill_io(struct cn_op *op, enum cn_opcode opcode, int fd,
                             const void *buf, size_t len, int64_t off,
                             int flags)
{
    fill(op, opcode, fd);
    op->u.io.buf = (void *)(uintptr_t)buf;
    op->u.io.len = len;
    op->u.io.off = off;
    op->u.io.flags = flags;
    return op;
}

static struct cn_op *fill_msg(struct cn_op *op, enum cn_opcode opcode, int fd,
                              struct msghdr *msg, int flags)
{
    fill(op, opcode, fd);
    op->u.msg.msg = msg;
    op->u.msg.flags = flags;
    return op;
}

static struct cn_op *fill_sock(struct cn_op *op, enum cn_opcode opcode, int fd,
                               const struct sockaddr *addr, socklen_t *len,
                               socklen_t size)
{
    fill(op, opcode, fd);
    op->u.sock.addr = (struct sockaddr *)(uintptr_t)addr;
    op->u.sock.len = len;
    op->u.sock.size = size;
    return op;
}

static struct cn_op *fill_path(struct cn_op *op, enum cn_opcode opcode,
                               int dirfd, const char *path, int flags,
                               mode_t mode)
{
    fill(op, opcode, dirfd);
    op->u.path.path = path;
    op->u.path.flags = flags;
    op->u.path.mode = mode;
    return op;
}

static struct cn_op *in(struct cn_pending *p)
{
    return (struct cn_op *)(void *)p;
}

/* The twins return errors, where cn_op_begin() has them in *result. */
static int begin(struct cn_op *op, int64_t *result)
{
    int64_t n = 0;
    int rc = cn_op_begin(op, &n);

    if (rc != CN_DONE)
        return rc;
    if (n < 0)
        return (int)n;
    *result = n;
    return CN_DONE;
}

int64_t cn_sys_read(int fd, void *buf, size_t len, int64_t off)
{
    struct cn_op op;

    return cn_op_run(fill_io(&op, CN_OP_READ, fd, buf, len, off, 0));
}

int cn_sys_read_begin(int fd, void *buf, size_t len, int64_t off,
                      int64_t *result, struct cn_pending *p)
{
    return begin(fill_io(in(p), CN_OP_READ, fd, buf, len, off, 0), result);
}

int64_t cn_sys_write(int fd, const void *buf, size_t len, int64_t off)
{
    struct cn_op op;

    return cn_op_run(fill_io(&op, CN_OP_WRITE, fd, buf, len, off, 0));
}

int cn_sys_write_begin(int fd, const void *buf, size_t len, int64_t off,
                       int64_t *result, struct cn_pending *p)
{
    return begin(fill_io(in(p), CN_OP_WRITE, fd, buf, len, off, 0), result);
}

int64_t cn_sys_recv(int fd, void *buf, size_t len, int flags)
{
    struct cn_op op;

    return cn_op_run(fill_io(&op, CN_OP_RECV, fd, buf, len, -1, flags));
}

int cn_sys_recv_begin(int fd, void *buf, size_t len, int flags, int64_t *result,
                      struct cn_pending *p)
{
    return begin(fill_io(in(p), CN_OP_RECV, fd, buf, len, -1, flags), result);
}

int64_t cn_sys_send(int fd, const void *buf, size_t len, int flags)
{
    struct cn_op op;

    return cn_op_run(fill_io(&op, CN_OP_SEND, fd, buf, len, -1, flags));
}

int cn_sys_send_begin(int fd, const void *buf, size_t len, int flags,
                      int64_t *result, struct cn_pending *p)
{
    return begin(fill_io(in(p), CN_OP_SEND, fd, buf, len, -1, flags), result);
}

int64_t cn_sys_recvmsg(int fd, struct msghdr *msg, int flags)
{
    struct cn_op op;

    return cn_op_run(fill_msg(&op, CN_OP_RECVMSG, fd, msg, flags));
}

int cn_sys_recvmsg_begin(int fd, struct msghdr *msg, int flags, int64_t *result,
                         struct cn_pending *p)
{
    return begin(fill_msg(in(p), CN_OP_RECVMSG, fd, msg, flags), result);
}

int64_t cn_sys_sendmsg(int fd, struct msghdr *msg, int flags)
{
    struct cn_op op;

    return cn_op_run(fill_msg(&op, CN_OP_SENDMSG, fd, msg, flags));
}

int cn_sys_sendmsg_begin(int fd, struct msghdr *msg, int flags, int64_t *result,
                         struct cn_pending *p)
{
    return begin(fill_msg(in(p), CN_OP_SENDMSG, fd, msg, flags), result);
}

int cn_sys_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    struct cn_op op;

    return (int)cn_op_run(fill_sock(&op, CN_OP_ACCEPT, fd, addr, len, 0));
}

int cn_sys_accept_begin(int fd, struct sockaddr *addr, socklen_t *len,
                        int64_t *result, struct cn_pending *p)
{
    return begin(fill_sock(in(p), CN_OP_ACCEPT, fd, addr, len, 0), result);
}

int cn_sys_connect(int fd, const struct sockaddr *addr, socklen_t size)
{
    struct cn_op op;

    return (int)cn_op_run(fill_sock(&op, CN_OP_CONNECT, fd, addr, NULL, size));
}

int cn_sys_connect_begin(int fd, const struct sockaddr *addr, socklen_t size,
                         int64_t *result, struct cn_pending *p)
{
    return begin(fill_sock(in(p), CN_OP_CONNECT, fd, addr, NULL, size), result);
}

int cn_sys_shutdown(int fd, int how)
{
    struct cn_op op;

    return (int)cn_op_run(fill_io(&op, CN_OP_SHUTDOWN, fd, NULL, 0, -1, how));
}

int cn_sys_shutdown_begin(int fd, int how, int64_t *result,
                          struct cn_pending *p)
{
    return begin(fill_io(in(p), CN_OP_SHUTDOWN, fd, NULL, 0, -1, how), result);
}

int cn_sys_open(int dirfd, const char *path, int flags, mode_t mode)
{
    struct cn_op op;

    return (int)cn_op_run(fill_path(&op, CN_OP_OPEN, dirfd, path, flags, mode));
}

int cn_sys_open_begin(int dirfd, const char *path, int flags, mode_t mode,
                      int64_t *result, struct cn_pending *p)
{
    return begin(fill_path(in(p), CN_OP_OPEN, dirfd, path, flags, mode),
                 result);
}

static struct cn_op *fill_stat(struct cn_op *op, int dirfd, const char *path,
                               int flags, unsigned mask, struct statx *out)
{
    if (!*path)
        flags |= AT_EMPTY_PATH;
    fill_path(op, CN_OP_STAT, dirfd, path, flags, 0);
    op->u.path.mask = mask;
    op->u.path.statx = out;
    return op;
}

int cn_sys_stat(int dirfd, const char *path, int flags, unsigned mask,
                struct statx *out)
{
    struct cn_op op;

    return (int)cn_op_run(fill_stat(&op, dirfd, path, flags, mask, out));
}

int cn_sys_stat_begin(int dirfd, const char *path, int flags, unsigned mask,
                      struct statx *out, int64_t *result, struct cn_pending *p)
{
    return begin(fill_stat(in(p), dirfd, path, flags, mask, out), result);
}

static struct cn_op *fill_rename(struct cn_op *op, int dirfd, const char *from,
                                 const char *to)
{
    fill_path(op, CN_OP_RENAME, dirfd, from, 0, 0);
    op->u.path.path2 = to;
    return op;
}

int cn_sys_rename(int dirfd, const char *from, const char *to)
{
    struct cn_op op;

    return (int)cn_op_run(fill_rename(&op, dirfd, from, to));
}

int cn_sys_rename_begin(int dirfd, const char *from, const char *to,
                        int64_t *result, struct cn_pending *p)
{
    return begin(fill_rename(in(p), dirfd, from, to), result);
}

int cn_sys_unlink(int dirfd, const char *path, int flags)
{
    struct cn_op op;

    return (int)cn_op_run(fill_path(&op, CN_OP_UNLINK, dirfd, path, flags, 0));
}

int cn_sys_unlink_begin(int dirfd, const char *path, int flags, int64_t *result,
                        struct cn_pending *p)
{
    return begin(fill_path(in(p), CN_OP_UNLINK, dirfd, path, flags, 0), result);
}

int cn_sys_mkdir(int dirfd, const char *path, mode_t mode)
{
    struct cn_op op;

    return (int)cn_op_run(fill_path(&op, CN_OP_MKDIR, dirfd, path, 0, mode));
}

int cn_sys_mkdir_begin(int dirfd, const char *path, mode_t mode,
                       int64_t *result, struct cn_pending *p)
{
    return begin(fill_path(in(p), CN_OP_MKDIR, dirfd, path, 0, mode), result);
}

int cn_sys_sync(int fd, bool data_only)
{
    struct cn_op op;

    return (int)cn_op_run(fill_io(&op, CN_OP_SYNC, fd, NULL, 0, -1, data_only));
}

int cn_sys_sync_begin(int fd, bool data_only, int64_t *result,
                      struct cn_pending *p)
{
    return begin(fill_io(in(p), CN_OP_SYNC, fd, NULL, 0, -1, data_only),
                 result);
}

static struct cn_op *fill_waitpid(struct cn_op *op, pid_t pid, siginfo_t *info)
{
    fill(op, CN_OP_WAITPID, -1);
    op->u.proc.pid = pid;
    op->u.proc.info = info;
    return op;
}

int cn_sys_waitpid(pid_t pid, siginfo_t *info)
{
    struct cn_op op;

    return (int)cn_op_run(fill_waitpid(&op, pid, info));
}

int cn_sys_waitpid_begin(pid_t pid, siginfo_t *info, int64_t *result,
                         struct cn_pending *p)
{
    return begin(fill_waitpid(in(p), pid, info), result);
}
