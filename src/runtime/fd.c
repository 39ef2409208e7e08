/* fd: which operations are in flight on which descriptor.
 *
 * The table answers two questions: is somebody else reading (writing) here
 * already, and what must end before this number may be closed. It knows
 * nothing of the kernel; ending an operation goes through cn_op_cancel().
 *
 * Invariant: an operation is on the list of its descriptor exactly while
 * CN_OP_LISTED is set. Once a descriptor is being closed, all that is on its
 * list has CN_OP_CLOSING, and nothing is added.
 */
#include "runtime/sched.h"
#include "runtime/sys.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct cn_fd_table {
    struct cn_waitq *at; /* by descriptor; links of struct cn_op.w */
    int count;
    struct cn_waitq closers; /* struct closer.w */
};

/* A task in cn_notify_closing(). */
struct closer {
    struct cn_wait w;
    int fd;
    uint32_t left; /* operations still to end */
};

_Static_assert(sizeof(struct closer) <= sizeof(struct cn_pending), "room");

/* --- the table ----------------------------------------------------------- */

static int table_grow(struct cn_loop *l, int fd)
{
    struct cn_fd_table *t = l->fds;
    int count = 64;
    struct cn_waitq *at;

    if (!t) {
        t = l->fds = calloc(1, sizeof(*t));
        if (!t)
            return CN_ENOMEM;
    }
    while (count <= fd)
        count *= 2;
    at = realloc(t->at, (size_t)count * sizeof(*at));
    if (!at)
        return CN_ENOMEM;
    memset(at + t->count, 0, (size_t)(count - t->count) * sizeof(*at));
    t->at = at;
    t->count = count;
    return 0;
}

void cn_ops_close(struct cn_loop *l)
{
    if (!l->fds)
        return;
    free(l->fds->at);
    free(CN_TAKE(l->fds));
}

static bool uses_fd(const struct cn_op *op)
{
    return op->opcode < CN_OP_CLOSE || op->opcode == CN_OP_SHUTDOWN ||
           op->opcode == CN_OP_SYNC;
}

unsigned cn_op_sides(const struct cn_op *op)
{
    switch ((enum cn_opcode)op->opcode) {
    case CN_OP_POLL:
        return (op->u.poll.events & ~(unsigned)POLLOUT ? POLLIN : 0) |
               (op->u.poll.events & POLLOUT);
    case CN_OP_READ: return op->u.io.off < 0 ? POLLIN : 0;
    case CN_OP_WRITE: return op->u.io.off < 0 ? POLLOUT : 0;
    case CN_OP_RECV:
    case CN_OP_RECVMSG:
    case CN_OP_ACCEPT: return POLLIN;
    case CN_OP_SEND:
    case CN_OP_SENDMSG:
    case CN_OP_CONNECT: return POLLOUT;
    default: return 0;
    }
}

static const struct cn_op *listed(const struct cn_link *link)
{
    return (const struct cn_op *)(const void *)link; /* w.link comes first */
}

static int check_others(const struct cn_waitq *q, const struct cn_op *op)
{
    unsigned sides = cn_op_sides(op);

    for (const struct cn_link *i = q->first; i; i = i->next) {
        if (listed(i)->flags & CN_OP_CLOSING)
            return CN_ECLOSED;
        if (cn_op_sides(listed(i)) & sides)
            return CN_EBUSY;
    }
    return 0;
}

int cn_fd_check(struct cn_loop *l, const struct cn_op *op)
{
    if (!uses_fd(op))
        return 0;
    if (cn_unlikely(op->fd < 0))
        return -EBADF;
    if (cn_unlikely(!l->fds || op->fd >= l->fds->count))
        return table_grow(l, op->fd);
    if (cn_likely(!l->fds->at[op->fd].first))
        return 0;
    return check_others(&l->fds->at[op->fd], op);
}

void cn_fd_add(struct cn_loop *l, struct cn_op *op)
{
    if (!uses_fd(op))
        return;
    cn_waitq_push(&l->fds->at[op->fd], &op->w);
    op->flags |= CN_OP_LISTED;
}

/* --- closing ------------------------------------------------------------- */

static void closers_count(struct cn_fd_table *t, int fd)
{
    struct cn_link *next;

    for (struct cn_link *i = t->closers.first; i; i = next) {
        struct closer *c = CN_CONTAINER(i, struct closer, w.link);

        next = i->next;
        if (c->fd != fd || --c->left)
            continue;
        cn_waitq_remove(&t->closers, &c->w);
        cn_wake(&c->w, 0);
    }
}

void cn_fd_remove(struct cn_loop *l, struct cn_op *op)
{
    cn_waitq_remove(&l->fds->at[op->fd], &op->w);
    op->flags &= (uint16_t)~CN_OP_LISTED;
    if (cn_unlikely(op->flags & CN_OP_CLOSING))
        closers_count(l->fds, op->fd);
}

/* The first operation that does not know yet; waking one may end others, so
 * the search starts anew each time. */
static struct cn_op *next_to_end(const struct cn_waitq *q)
{
    for (struct cn_link *i = q->first; i; i = i->next)
        if (!(listed(i)->flags & CN_OP_CLOSING))
            return CN_CONTAINER(i, struct cn_op, w.link);
    return NULL;
}

static void end_all(struct cn_loop *l, int fd)
{
    struct cn_op *op;

    while ((op = next_to_end(&l->fds->at[fd]))) {
        op->flags |= CN_OP_CLOSING;
        if (cn_op_cancel(op) == CN_ABORTED)
            cn_wake(&op->w, CN_ECLOSED);
    }
}

/* End what is in flight on fd and have the backend forget it. CN_PENDING:
 * some of it must end first, and c->w will be woken. */
static int end_fd(struct cn_loop *l, int fd, struct closer *c)
{
    c->left = 0;
    if (fd >= 0 && l->fds && fd < l->fds->count) {
        end_all(l, fd);
        c->left = (uint32_t)cn_waitq_count(&l->fds->at[fd]);
    }
    if (l->ops->closing)
        l->ops->closing(l->backend, fd);
    if (!c->left)
        return CN_DONE;
    c->fd = fd;
    cn_waitq_push(&l->fds->closers, &c->w);
    return CN_PENDING;
}

static const struct cn_wait_kind closing_kind = {
    .what = "waiting for the operations on a descriptor to end",
};

int cn_notify_closing_begin(int fd, struct cn_pending *p)
{
    struct closer *c = (struct closer *)(void *)p;
    int rc = end_fd(cn_loop_self(), fd, c);

    if (rc == CN_PENDING)
        cn_wait_begin_shielded(&c->w, &closing_kind, NULL);
    return rc;
}

void cn_notify_closing(int fd)
{
    struct cn_pending p;

    cn_finish(cn_loop_self(), cn_notify_closing_begin(fd, &p), &p.w);
}

/* --- closing for good: first the above, then the operation --------------- */

struct close_wait {
    struct cn_wait w; /* the task's */
    struct cn_mail mail;
    int fd;
    union {
        struct closer closer;
        struct cn_op op;
    } part;
};

_Static_assert(sizeof(struct close_wait) <= sizeof(struct cn_pending), "room");

static void fill_close(struct cn_op *op, int fd)
{
    op->opcode = CN_OP_CLOSE;
    op->flags = CN_OP_SHIELDED;
    op->fd = fd;
}

static void closed(struct cn_wait *w, int64_t result)
{
    struct close_wait *c = CN_CONTAINER(w, struct close_wait, part.op.w);

    cn_wake(&c->w, result);
}

static const struct cn_wait_kind close_op_kind = {
    .what = "closing a descriptor",
    .notify = closed,
};

/* Out of the backend's wait(), where nothing may be submitted. */
static void close_now(struct cn_mail *mail)
{
    struct close_wait *c = CN_CONTAINER(mail, struct close_wait, mail);
    int64_t result = 0;

    fill_close(&c->part.op, c->fd);
    if (cn_op_begin_part(&c->part.op, &close_op_kind, &result) == CN_DONE)
        cn_wake(&c->w, result);
}

static void ended(struct cn_wait *w, int64_t result)
{
    struct close_wait *c = CN_CONTAINER(w, struct close_wait, part.closer.w);

    (void)result;
    c->mail.deliver = close_now;
    cn_mailbox_post(cn_loop_self()->mailbox, &c->mail);
}

static const struct cn_wait_kind ended_kind = {
    .what = "waiting for the operations on a descriptor to end",
    .notify = ended,
};

int cn_sys_close_begin(int fd, struct cn_pending *p)
{
    struct close_wait *c = (struct close_wait *)(void *)p;
    struct cn_op *op = (struct cn_op *)(void *)p;
    int64_t result = 0;
    int rc;

    if (end_fd(cn_loop_self(), fd, &c->part.closer) == CN_DONE) {
        fill_close(op, fd);
        rc = cn_op_begin(op, &result);
        return rc == CN_DONE ? (int)result : rc;
    }
    c->fd = fd;
    c->part.closer.w.kind = &ended_kind;
    cn_wait_begin_shielded(&c->w, &closing_kind, NULL);
    return CN_PENDING;
}

int cn_sys_close(int fd)
{
    struct cn_pending p;

    return cn_finish(cn_loop_self(), cn_sys_close_begin(fd, &p), &p.w);
}

/* --- readiness ----------------------------------------------------------- */

static int ready_begin(int fd, unsigned events, struct cn_op *op)
{
    int64_t result = 0;
    int rc;

    op->opcode = CN_OP_POLL;
    op->flags = CN_OP_READINESS;
    op->fd = fd;
    op->u.poll.events = events;
    rc = cn_op_begin(op, &result);
    return rc == CN_DONE ? (int)result : rc;
}

int cn_wait_readable_begin(int fd, struct cn_pending *p)
{
    return ready_begin(fd, POLLIN, (struct cn_op *)(void *)p);
}

int cn_wait_writable_begin(int fd, struct cn_pending *p)
{
    return ready_begin(fd, POLLOUT, (struct cn_op *)(void *)p);
}

int cn_wait_readable(int fd)
{
    struct cn_op op;

    return cn_finish(cn_loop_self(), ready_begin(fd, POLLIN, &op), &op.w);
}

int cn_wait_writable(int fd)
{
    struct cn_op op;

    return cn_finish(cn_loop_self(), ready_begin(fd, POLLOUT, &op), &op.w);
}
