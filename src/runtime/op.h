/* op: one operation on a file descriptor, a path or a process.
 *
 * The currency between those who want something of the kernel (the io layer,
 * select, cn_wait_readable()) and the backends. An operation lives in its
 * waiter's frame; it is filled in, begun, and ends exactly once with a
 * result. Who carries it out is decided when it begins: the backend if it
 * supports the opcode, else a worker thread. Cancelling follows the route.
 *
 * Nobody but the carrier may touch an operation that has begun, or the
 * memory it points to, until it has ended: also a cancelled one (that is why
 * cancelling may have to wait).
 */
#ifndef CN_RUNTIME_OP_H
#define CN_RUNTIME_OP_H

#include "runtime/wait.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

/* opcode          fd    u       result (0 or more), all: -errno otherwise
 * CN_OP_POLL      fd    poll    the events that are so (POLLIN, POLLOUT,
 *                               POLLHUP, POLLERR, POLLRDHUP)
 * CN_OP_READ      fd    io      bytes; 0 at the end. off < 0: the file's own
 *                               position
 * CN_OP_WRITE     fd    io      bytes
 * CN_OP_RECV      fd    io      bytes; flags as recv(2)
 * CN_OP_SEND      fd    io      bytes; flags as send(2), MSG_NOSIGNAL always
 * CN_OP_RECVMSG   fd    msg     bytes
 * CN_OP_SENDMSG   fd    msg     bytes
 * CN_OP_ACCEPT    fd    sock    the new fd, close-on-exec and non-blocking
 * CN_OP_CONNECT   fd    sock    0
 * CN_OP_CLOSE     fd    -       0; the number is free again in every case
 * CN_OP_SHUTDOWN  fd    io      0; flags: SHUT_RD, SHUT_WR, SHUT_RDWR
 * CN_OP_OPEN      dirfd path    the new fd, close-on-exec
 * CN_OP_STAT      dirfd path    0; *statx filled. path "": the fd itself
 * CN_OP_SYNC      fd    io      0; flags 1: data only
 * CN_OP_RENAME    dirfd path    0; path to path2, both under dirfd
 * CN_OP_UNLINK    dirfd path    0; flags AT_REMOVEDIR: a directory
 * CN_OP_MKDIR     dirfd path    0
 * CN_OP_WAITPID   -     proc    0; *siginfo filled, as waitid(P_PID, pid,
 *                               ..., WEXITED): the child is reaped. fd: its
 *                               pidfd, or -1
 * dirfd: AT_FDCWD is allowed. Sockets must be non-blocking for RECV, SEND,
 * ACCEPT and CONNECT. An operation is tried as often as EINTR says. */
enum cn_opcode {
    CN_OP_POLL,
    CN_OP_READ,
    CN_OP_WRITE,
    CN_OP_RECV,
    CN_OP_SEND,
    CN_OP_RECVMSG,
    CN_OP_SENDMSG,
    CN_OP_ACCEPT,
    CN_OP_CONNECT,
    CN_OP_CLOSE,
    CN_OP_SHUTDOWN,
    CN_OP_OPEN,
    CN_OP_STAT,
    CN_OP_SYNC,
    CN_OP_RENAME,
    CN_OP_UNLINK,
    CN_OP_MKDIR,
    CN_OP_WAITPID,
    CN_OP_COUNT
};

enum cn_op_flags {
    CN_OP_SHIELDED = 1, /* neither refused nor cancelled when the scope is */
};

struct cn_op {
    struct cn_wait w;
    uint8_t opcode; /* enum cn_opcode */
    uint8_t route;  /* core: enum cn_op_route */
    uint16_t flags; /* enum cn_op_flags; the upper byte is the core's */
    int32_t fd;
    union {
        struct {
            unsigned events; /* POLLIN, POLLOUT, POLLPRI, POLLRDHUP */
        } poll;
        struct {
            void *buf; /* read only for WRITE and SEND */
            size_t len;
            int64_t off;
            int flags;
        } io;
        struct {
            struct msghdr *msg;
            int flags;
        } msg;
        struct {
            struct sockaddr *addr; /* ACCEPT: NULL or filled in */
            socklen_t *len;        /* ACCEPT: with addr */
            socklen_t size;        /* CONNECT: of addr */
        } sock;
        struct {
            const char *path, *path2;
            struct statx *statx;
            int flags; /* open(2)'s; AT_* of the others */
            mode_t mode;
            unsigned mask; /* STATX_* */
        } path;
        struct {
            pid_t pid;
            siginfo_t *info; /* NULL: not wanted */
        } proc;
    } u;
    uint64_t scratch[8]; /* the carrier's own: links, poll state, token */
};

/* Begin `op` for the running task: filled in are opcode, flags, fd and u.
 * CN_DONE: finished at once, *result is set (and may be an error).
 * CN_PENDING: op->w is the task's wait; its result is the operation's.
 * CN_ECANCELED: the scope is cancelled, nothing has been begun. */
int cn_op_begin(struct cn_op *op, int64_t *result);

/* [cp] Begin, wait, result. */
int64_t cn_op_run(struct cn_op *op);

/* Begin `op` as a part of something larger: kind->notify is called with the
 * result, from the loop, never from inside this call. No look at
 * cancellation. CN_DONE with *result, or CN_PENDING. */
int cn_op_begin_part(struct cn_op *op, const struct cn_wait_kind *kind,
                     int64_t *result);
/* Undo a part. CN_ABORTED: gone, there will be no notify. CN_PENDING: notify
 * is still to come; op must stay. */
int cn_op_cancel(struct cn_op *op);

/* --- for other people's libraries
 * ---------------------------------------------- */

/* [cp] Wait until reading (writing) would not block: 0; regular files are
 * always ready. CN_EBUSY: another task waits for the same; CN_ECLOSED:
 * cn_notify_closing() was called. */
int cn_wait_readable(int fd);
int cn_wait_writable(int fd);
int cn_wait_readable_begin(int fd, struct cn_pending *p);
int cn_wait_writable_begin(int fd, struct cn_pending *p);

/* Call before close(2): every operation on fd ends with CN_ECLOSED (unless it
 * has its result already) before the number can be used again. [cp], but
 * neither refused nor ended by cancellation. Cannot fail. */
void cn_notify_closing(int fd);
int cn_notify_closing_begin(int fd, struct cn_pending *p);

#endif
