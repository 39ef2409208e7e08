/* backend_uv: operations on libuv, the portable one.
 *
 * Every operation is first tried. What would block waits for readiness: one
 * uv_poll_t per descriptor, at most one operation per side of it (the core
 * refuses a second), tried again when libuv calls. libuv's own thread pool
 * is not used: files go to the core's, whose classes cannot starve each other.
 * One uv_timer_t is the deadline of wait(); libuv counts in milliseconds, so
 * sleeps are up to one longer. A signal does not end a wait().
 *
 * With cn_options.uv_loop the loop is the program's: wait() runs it, so its
 * own handles are served while tasks sleep, and their callbacks may wake
 * tasks. cn_run() must then not be called from inside uv_run().
 *
 * Starting a uv_poll_t again costs two system calls, so a descriptor that has
 * no operation stays armed until the next wait(): most often the task reads
 * again before that.
 *
 * libuv puts descriptors into non-blocking mode; that is undone, because the
 * mode may be shared with other processes (a terminal) or libraries. Reading
 * and writing on those is tried only after poll(2) said that it will do.
 *
 * Invariant: an accepted operation is in the sides of exactly one watcher,
 * which is armed for it.
 */
#include "runtime/backend_uv.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What lives in the scratch of an operation. */
struct vop {
    struct watcher *watcher;
    int pidfd; /* of WAITPID */
};

_Static_assert(sizeof(struct vop) <= sizeof(((struct cn_op *)0)->scratch),
               "scratch is large enough");

static struct vop *vop_of(struct cn_op *op)
{
    return (struct vop *)(void *)op->scratch;
}

/* --- trying -------------------------------------------------------------- */

/* A write of up to PIPE_BUF does not block after POLLOUT. */
static int64_t try_blocking(const struct cn_op *op)
{
    int64_t ready = cn_op_try_poll(op->fd, cn_op_sides(op));
    size_t len = op->u.io.len;
    int64_t n;

    if (ready < 0)
        return ready;
    if (op->opcode == CN_OP_WRITE && len > PIPE_BUF)
        len = PIPE_BUF;
    do
        n = op->opcode == CN_OP_READ ? read(op->fd, op->u.io.buf, len)
                                     : write(op->fd, op->u.io.buf, len);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Has the connection come about? */
static int64_t try_connected(const struct cn_op *op)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (cn_op_try_poll(op->fd, POLLOUT) == -EAGAIN)
        return -EAGAIN;
    if (getsockopt(op->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

/* The result, or -EAGAIN: it would block. `w` may be NULL: not known yet. */
static int64_t attempt(struct cn_op *op, const struct watcher *w)
{
    switch ((enum cn_opcode)op->opcode) {
    case CN_OP_POLL: return cn_op_try_poll(op->fd, op->u.poll.events);
    case CN_OP_CONNECT: return try_connected(op);
    case CN_OP_WAITPID: return cn_op_try_reap(op);
    case CN_OP_READ:
    case CN_OP_WRITE:
        if (!w)
            return -EAGAIN;
        return w->blocking ? try_blocking(op) : cn_op_try(op);
    default: return cn_op_try(op);
    }
}

/* --- operations ------------------------------------------------------------ */

/* The operation leaves its watcher. */
static void leave(struct cn_op *op)
{
    struct vop *v = vop_of(op);
    struct watcher *w = v->watcher;

    cn_uv_set_sides(w, op, NULL);
    if (op->opcode == CN_OP_WAITPID) {
        cn_uv_drop(w);
        close(v->pidfd);
    } else if (w->armed != cn_uv_wanted(w) && !cn_link_on_list(&w->idle)) {
        cn_list_push_back(&w->b->idle, &w->idle);
    }
}

/* A number that the kernel hands out cannot be one that we watch: somebody
 * has closed it without a word. */
static void fresh_fd(struct cn_backend *b, int64_t fd)
{
    struct watcher *w = cn_uv_find(b, (int)fd);

    if (w && !w->ops[READ_SIDE] && !w->ops[WRITE_SIDE])
        cn_uv_drop(w);
}

static void note_result(struct cn_backend *b, struct watcher *w,
                        const struct cn_op *op, int64_t n)
{
    if (op->opcode == CN_OP_ACCEPT && n >= 0)
        fresh_fd(b, n);
    if (w && (op->opcode == CN_OP_RECV || op->opcode == CN_OP_READ))
        w->drained = n > 0 && (size_t)n < op->u.io.len;
}

static void ready_side(struct watcher *w, int side)
{
    struct cn_op *op = w->ops[side];
    struct cn_backend *b = w->b;
    int64_t n;

    if (!op)
        return;
    n = attempt(op, w);
    if (n == -EAGAIN) {
        w->drained = false;
        return;
    }
    note_result(b, w, op, n);
    leave(op);
    b->completed++;
    cn_op_complete(op, n);
}

/* libuv stops a handle before it reports an error on it; the operations will
 * find the error by themselves. A side that is ready for nobody would be so
 * again at once. One that has just served somebody stays armed: see the top. */
void cn_uv_ready(uv_poll_t *poll, int status, int events)
{
    struct watcher *w = poll->data;
    struct cn_op *reader = w->ops[READ_SIDE], *writer = w->ops[WRITE_SIDE];
    bool readable = status < 0 || events & ~UV_WRITABLE;
    bool writable = status < 0 || events & UV_WRITABLE;

    if (status < 0)
        w->armed = 0;
    if (reader && vop_of(reader)->pidfd >= 0) { /* the watcher goes with it */
        ready_side(w, READ_SIDE);
        return;
    }
    if (readable)
        ready_side(w, READ_SIDE);
    if (writable)
        ready_side(w, WRITE_SIDE);
    if (status < 0)
        cn_uv_arm(w);
    else if ((readable && !reader) || (writable && !writer))
        cn_uv_disarm(w);
}

static int submit_close(struct cn_backend *b, int fd, int64_t *now)
{
    struct stat st;
    struct watcher *w = cn_uv_find(b, fd);

    if (w)
        cn_uv_drop(w);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return -EOPNOTSUPP; /* may have to write: not on this thread */
    *now = close(fd) < 0 && errno == EBADF ? -EBADF : 0;
    return CN_DONE;
}

static int submit_watch(struct cn_backend *b, struct cn_op *op, int fd)
{
    struct watcher *w;
    int rc = cn_uv_get(b, fd, &w);

    if (rc < 0)
        return rc == -EPERM ? -EOPNOTSUPP : rc;
    cn_assert(!w->ops[READ_SIDE] || !w->ops[WRITE_SIDE]);
    cn_uv_set_sides(w, op, op);
    vop_of(op)->watcher = w;
    rc = cn_uv_arm(w);
    if (rc == 0)
        return CN_PENDING;
    cn_uv_set_sides(w, op, NULL);
    return rc;
}

static int submit_waitpid(struct cn_backend *b, struct cn_op *op, int64_t *now)
{
    struct vop *v = vop_of(op);
    int rc;

    *now = cn_op_try_reap(op);
    if (*now != -EAGAIN)
        return CN_DONE;
    v->pidfd = (int)syscall(SYS_pidfd_open, op->u.proc.pid, 0);
    if (v->pidfd < 0)
        return -EOPNOTSUPP;
    fresh_fd(b, v->pidfd);
    rc = submit_watch(b, op, v->pidfd);
    if (rc < 0)
        close(v->pidfd);
    return rc;
}

/* Would a try be in vain? */
static bool is_drained(const struct watcher *w, const struct cn_op *op)
{
    return w && w->drained && (w->armed & UV_READABLE) &&
           (op->opcode == CN_OP_RECV || op->opcode == CN_OP_READ);
}

static int submit_io(struct cn_backend *b, struct cn_op *op, int64_t *now)
{
    struct watcher *w = cn_uv_find(b, op->fd);
    bool rw = op->opcode == CN_OP_READ || op->opcode == CN_OP_WRITE;
    int64_t n = -EAGAIN;
    int rc;

    if (rw && op->u.io.off >= 0)
        return -EOPNOTSUPP;
    if (rw && !w) { /* not before it is known to be no file */
        rc = cn_uv_get(b, op->fd, &w);
        if (rc < 0)
            return rc == -EPERM ? -EOPNOTSUPP : rc;
    }
    if (!is_drained(w, op) || cn_op_no_waiting(op))
        n = attempt(op, w);
    if (n == -EAGAIN && !cn_op_no_waiting(op))
        return submit_watch(b, op, op->fd);
    note_result(b, w, op, n);
    *now = n;
    return CN_DONE;
}

/* EAGAIN is a result here: no room at a local socket, no use in waiting. */
static int submit_connect(struct cn_backend *b, struct cn_op *op, int64_t *now)
{
    if (connect(op->fd, op->u.sock.addr, op->u.sock.size) == 0) {
        *now = 0;
        return CN_DONE;
    }
    if (errno != EINPROGRESS && errno != EINTR)
        return -errno;
    return submit_watch(b, op, op->fd);
}

static int vop_submit(struct cn_backend *b, struct cn_op *op, int64_t *now)
{
    vop_of(op)->pidfd = -1;
    switch ((enum cn_opcode)op->opcode) {
    case CN_OP_CLOSE: return submit_close(b, op->fd, now);
    case CN_OP_CONNECT: return submit_connect(b, op, now);
    case CN_OP_WAITPID: return submit_waitpid(b, op, now);
    default: return submit_io(b, op, now);
    }
}

static int vop_cancel(struct cn_backend *b, struct cn_op *op)
{
    (void)b;
    leave(op);
    return CN_ABORTED;
}

static void vop_closing(struct cn_backend *b, int fd)
{
    struct watcher *w = cn_uv_find(b, fd);

    if (w)
        cn_uv_drop(w);
}

/* --- waiting ------------------------------------------------------------- */

/* uv_run() serves timers before it polls as well as after. If this one is due
 * by then (1 ms is soon over on a busy machine), the poll must not sleep: there
 * is nothing left that would end it. */
static void time_is_up(uv_timer_t *t)
{
    uv_stop(t->loop);
}

static void woken(uv_async_t *a)
{
    (void)a;
}

static void start_timer(struct cn_backend *b, cn_time left)
{
    uv_update_time(b->loop);
    uv_timer_start(&b->deadline, time_is_up,
                   (uint64_t)((left + CN_MSEC - 1) / CN_MSEC), 0);
}

static void disarm_idle(struct cn_backend *b)
{
    struct cn_link *link;

    while ((link = cn_list_pop_front(&b->idle)))
        cn_uv_disarm(CN_CONTAINER(link, struct watcher, idle));
}

static void fail_side(struct watcher *w, int side)
{
    struct cn_op *op = w->ops[side];

    if (!op)
        return;
    cn_uv_set_sides(w, op, NULL);
    w->b->completed++;
    cn_op_complete(op, -EBADF);
}

/* libuv stops the program if it is to watch a number that is not open, and
 * somebody may have closed this one since it was armed. */
static void check_fresh(struct cn_backend *b)
{
    struct cn_link *link;

    while ((link = cn_list_pop_front(&b->fresh))) {
        struct watcher *w = CN_CONTAINER(link, struct watcher, fresh);

        if (fcntl(w->fd, F_GETFD) >= 0)
            continue;
        fail_side(w, READ_SIDE);
        fail_side(w, WRITE_SIDE);
        cn_uv_drop(w);
    }
}

static int vop_wait(struct cn_backend *b, cn_time deadline)
{
    cn_time left = 0;

    b->completed = 0;
    if (deadline != INT64_MIN) /* else tasks are ready, and may read again */
        disarm_idle(b);
    check_fresh(b);
    if (b->completed || deadline == INT64_MIN)
        left = 0;
    else if (deadline == CN_NEVER)
        left = CN_NEVER;
    else
        left = deadline - cn_clock();
    if (left <= 0) {
        uv_run(b->loop, UV_RUN_NOWAIT);
        return b->completed;
    }
    if (left != CN_NEVER)
        start_timer(b, left);
    uv_run(b->loop, UV_RUN_ONCE);
    if (left != CN_NEVER)
        uv_timer_stop(&b->deadline);
    return b->completed;
}

static void vop_wake(struct cn_backend *b)
{
    uv_async_send(&b->wakeup);
}

/* --- opening ------------------------------------------------------------- */

static int vop_probe(void)
{
    uv_loop_t loop;
    int rc = uv_loop_init(&loop);

    if (rc == 0)
        uv_loop_close(&loop);
    return rc;
}

static void handle_closed(uv_handle_t *h)
{
    struct cn_backend *b = h->data;

    b->handles--;
}

static void run_until_closed(struct cn_backend *b)
{
    while (b->handles)
        uv_run(b->loop, b->loop == &b->own ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

static int open_handles(struct cn_backend *b)
{
    int rc = uv_async_init(b->loop, &b->wakeup, woken);

    if (rc < 0)
        return rc;
    uv_timer_init(b->loop, &b->deadline);
    b->wakeup.data = b->deadline.data = b;
    b->handles = 2;
    return 0;
}

static int vop_open(struct cn_backend **out, struct cn_loop *core,
                    const struct cn_options *o)
{
    struct cn_backend *b = calloc(1, sizeof(*b));
    int rc = 0;

    if (!b)
        return CN_ENOMEM;
    b->core = core;
    b->loop = o && o->uv_loop ? o->uv_loop : &b->own;
    cn_list_init(&b->idle);
    cn_list_init(&b->fresh);
    if (b->loop == &b->own)
        rc = uv_loop_init(&b->own);
    if (rc == 0) {
        rc = open_handles(b);
        if (rc < 0 && b->loop == &b->own)
            uv_loop_close(&b->own);
    }
    if (rc < 0) {
        free(b);
        return rc;
    }
    if (b->loop != &b->own)
        core->portals++; /* the program's handles may wake a task */
    *out = b;
    return 0;
}

static void vop_close(struct cn_backend *b)
{
    if (b->loop != &b->own)
        b->core->portals--;
    for (int fd = 0; fd < b->watcher_count; fd++)
        if (b->watchers[fd])
            cn_uv_drop(b->watchers[fd]);
    uv_close((uv_handle_t *)&b->wakeup, handle_closed);
    uv_close((uv_handle_t *)&b->deadline, handle_closed);
    run_until_closed(b);
    if (b->loop == &b->own)
        uv_loop_close(&b->own);
    free(b->watchers);
    free(b);
}

static uint64_t vop_supports(struct cn_backend *b)
{
    const uint64_t one = 1;

    (void)b;
    return one << CN_OP_POLL | one << CN_OP_READ | one << CN_OP_WRITE |
           one << CN_OP_RECV | one << CN_OP_SEND | one << CN_OP_RECVMSG |
           one << CN_OP_SENDMSG | one << CN_OP_ACCEPT | one << CN_OP_CONNECT |
           one << CN_OP_CLOSE | one << CN_OP_SHUTDOWN | one << CN_OP_WAITPID;
}

static int vop_fork_child(struct cn_backend *b)
{
    return uv_loop_fork(b->loop);
}

const struct cn_backend_ops cn_backend_uv = {
    .abi = CN_BACKEND_ABI,
    .name = "uv",
    .probe = vop_probe,
    .open = vop_open,
    .close = vop_close,
    .supports = vop_supports,
    .submit = vop_submit,
    .cancel = vop_cancel,
    .wait = vop_wait,
    .wake = vop_wake,
    .closing = vop_closing,
    .fork_child = vop_fork_child,
};
