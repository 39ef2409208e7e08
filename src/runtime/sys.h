/* sys: the system's calls as checkpoints.
 *
 * Each is the call of its name with the loop under it: it waits without
 * holding the thread, gives up when its scope is cancelled, and returns the
 * error itself (-ENOENT) instead of errno. A call that has done its work
 * returns the result although it has been cancelled meanwhile: bytes read are
 * never lost. One task may read and another write on a descriptor; a second
 * reader (writer) gets CN_EBUSY. A descriptor closed by cn_sys_close(), here
 * or in another task, ends the calls on it with CN_ECLOSED.
 *
 * All are [cp] and add CN_ECANCELED, CN_EBUSY, CN_ECLOSED and CN_ENOMEM to
 * the system's errors. Sockets must be non-blocking; those from
 * cn_sys_accept() are. The buffers belong to the call until it returns.
 *
 * Raw material: buffering, all-or-nothing sends and ownership are the io
 * layer's. The begin twins return CN_DONE with *result set, an error, or
 * CN_PENDING, and then the task is resumed with the result.
 */
#ifndef CN_RUNTIME_SYS_H
#define CN_RUNTIME_SYS_H

#include "runtime/op.h"

/* Bytes, possibly fewer than asked for; 0 at the end. off < 0: at the file's
 * own position, as for pipes and terminals. */
int64_t cn_sys_read(int fd, void *buf, size_t len, int64_t off);
int64_t cn_sys_write(int fd, const void *buf, size_t len, int64_t off);
int cn_sys_read_begin(int fd, void *buf, size_t len, int64_t off,
                      int64_t *result, struct cn_pending *p);
int cn_sys_write_begin(int fd, const void *buf, size_t len, int64_t off,
                       int64_t *result, struct cn_pending *p);

/* Flags as recv(2), send(2); no SIGPIPE. With MSG_DONTWAIT: -EAGAIN. */
int64_t cn_sys_recv(int fd, void *buf, size_t len, int flags);
int64_t cn_sys_send(int fd, const void *buf, size_t len, int flags);
int64_t cn_sys_recvmsg(int fd, struct msghdr *msg, int flags);
int64_t cn_sys_sendmsg(int fd, struct msghdr *msg, int flags);
int cn_sys_recv_begin(int fd, void *buf, size_t len, int flags, int64_t *result,
                      struct cn_pending *p);
int cn_sys_send_begin(int fd, const void *buf, size_t len, int flags,
                      int64_t *result, struct cn_pending *p);
int cn_sys_recvmsg_begin(int fd, struct msghdr *msg, int flags, int64_t *result,
                         struct cn_pending *p);
int cn_sys_sendmsg_begin(int fd, struct msghdr *msg, int flags, int64_t *result,
                         struct cn_pending *p);

/* The new descriptor, non-blocking and close-on-exec. addr and len may be
 * NULL; both must stay until the call has returned. */
int cn_sys_accept(int fd, struct sockaddr *addr, socklen_t *len);
int cn_sys_accept_begin(int fd, struct sockaddr *addr, socklen_t *len,
                        int64_t *result, struct cn_pending *p);

/* 0. Cancelled: the socket is of no use any more. */
int cn_sys_connect(int fd, const struct sockaddr *addr, socklen_t size);
int cn_sys_connect_begin(int fd, const struct sockaddr *addr, socklen_t size,
                         int64_t *result, struct cn_pending *p);

/* SHUT_RD, SHUT_WR, SHUT_RDWR. */
int cn_sys_shutdown(int fd, int how);
int cn_sys_shutdown_begin(int fd, int how, int64_t *result,
                          struct cn_pending *p);

/* End what other tasks do on fd with CN_ECLOSED, then close it. Does so
 * though cancelled. 0, or -EBADF; the number is free in every other case. */
int cn_sys_close(int fd);
int cn_sys_close_begin(int fd, struct cn_pending *p);

/* Paths are under dirfd (AT_FDCWD allowed) and must stay until the call has
 * returned. open: the descriptor, close-on-exec; the others 0. */
int cn_sys_open(int dirfd, const char *path, int flags, mode_t mode);
int cn_sys_stat(int dirfd, const char *path, int flags, unsigned mask,
                struct statx *out);
int cn_sys_rename(int dirfd, const char *from, const char *to);
int cn_sys_unlink(int dirfd, const char *path, int flags);
int cn_sys_mkdir(int dirfd, const char *path, mode_t mode);
int cn_sys_open_begin(int dirfd, const char *path, int flags, mode_t mode,
                      int64_t *result, struct cn_pending *p);
int cn_sys_stat_begin(int dirfd, const char *path, int flags, unsigned mask,
                      struct statx *out, int64_t *result, struct cn_pending *p);
int cn_sys_rename_begin(int dirfd, const char *from, const char *to,
                        int64_t *result, struct cn_pending *p);
int cn_sys_unlink_begin(int dirfd, const char *path, int flags, int64_t *result,
                        struct cn_pending *p);
int cn_sys_mkdir_begin(int dirfd, const char *path, mode_t mode,
                       int64_t *result, struct cn_pending *p);

/* fsync(2), or fdatasync(2) with data_only. */
int cn_sys_sync(int fd, bool data_only);
int cn_sys_sync_begin(int fd, bool data_only, int64_t *result,
                      struct cn_pending *p);

/* Wait for a child to end, and reap it; info as waitid(2), NULL if not
 * wanted. -ECHILD: no such child, or reaped already. Cancelled: the child is
 * as it was. */
int cn_sys_waitpid(pid_t pid, siginfo_t *info);
int cn_sys_waitpid_begin(pid_t pid, siginfo_t *info, int64_t *result,
                         struct cn_pending *p);

#endif
