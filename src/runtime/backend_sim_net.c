/* backend_sim_net: pipes and stream sockets in memory.
 *
 * A file is an end: it reads from one channel and writes to another. Behaviour
 * follows the kernel's: reading at the end of the stream gives 0, writing to
 * nobody EPIPE, closing an end with unread bytes resets the other. Nothing
 * here waits, and nothing is random; that is backend_sim.c's.
 *
 * Each file holds a descriptor of the process (of /dev/null), so that its
 * number is unique and is used again as the kernel would.
 */
#include "runtime/backend_sim.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Bytes on their way in one direction. */
struct channel {
    size_t capacity, head, len;
    bool ended; /* no more will be written */
    bool deaf;  /* nobody will read */
    bool reset;
    unsigned refs; /* 2 ends */
    char data[];
};

struct sim_file {
    int fd;
    bool is_socket, listens;
    struct channel *in, *out; /* either may be NULL */
    /* of a listener */
    struct sockaddr_storage addr;
    socklen_t addr_size;
    unsigned backlog, queued;
    struct sim_file *queue; /* the servers' ends, newest first, fd < 0 */
    struct sim_file *next;
};

/* --- channels ------------------------------------------------------------ */

static struct channel *channel_new(size_t capacity)
{
    struct channel *c = calloc(1, sizeof(*c) + capacity);

    if (c) {
        c->capacity = capacity;
        c->refs = 2;
    }
    return c;
}

static void channel_unref(struct channel *c)
{
    if (c && --c->refs == 0)
        free(c);
}

static void channel_copy_out(const struct channel *c, char *to, size_t n)
{
    size_t first = c->capacity - c->head;

    first = n < first ? n : first;
    memcpy(to, c->data + c->head, first);
    memcpy(to + first, c->data, n - first);
}

static int64_t channel_read(struct channel *c, const struct iovec *iov,
                            size_t count, size_t limit, bool peek)
{
    struct channel saved = *c;
    int64_t total = 0;

    if (c->reset)
        return -ECONNRESET;
    if (!c->len)
        return c->ended ? 0 : -EAGAIN;
    for (size_t i = 0; i < count && c->len && limit; i++) {
        size_t n = iov[i].iov_len < c->len ? iov[i].iov_len : c->len;

        n = n < limit ? n : limit;
        channel_copy_out(c, iov[i].iov_base, n);
        c->head = (c->head + n) % c->capacity;
        c->len -= n;
        limit -= n;
        total += (int64_t)n;
    }
    if (peek) {
        c->head = saved.head;
        c->len = saved.len;
    }
    return total;
}

static void channel_copy_in(struct channel *c, const char *from, size_t n)
{
    size_t tail = (c->head + c->len) % c->capacity;
    size_t first = c->capacity - tail;

    first = n < first ? n : first;
    memcpy(c->data + tail, from, first);
    memcpy(c->data, from + first, n - first);
    c->len += n;
}

static int64_t channel_write(struct channel *c, const struct iovec *iov,
                             size_t count, size_t limit)
{
    int64_t total = 0;

    if (c->reset)
        return -ECONNRESET;
    if (c->deaf || c->ended)
        return -EPIPE;
    if (c->len == c->capacity)
        return -EAGAIN;
    for (size_t i = 0; i < count && limit; i++) {
        size_t n = iov[i].iov_len, room = c->capacity - c->len;

        n = n < room ? n : room;
        n = n < limit ? n : limit;
        channel_copy_in(c, iov[i].iov_base, n);
        limit -= n;
        total += (int64_t)n;
    }
    return total;
}

/* --- files --------------------------------------------------------------- */

static struct sim_file *find(const struct sim_net *n, int fd)
{
    return fd >= 0 && fd < n->file_count ? n->files[fd] : NULL;
}

static int table_reserve(struct sim_net *n, int fd)
{
    int count = 64;
    struct sim_file **at;

    if (fd < n->file_count)
        return 0;
    while (count <= fd)
        count *= 2;
    at = realloc(n->files, (size_t)count * sizeof(struct sim_file *));
    if (!at)
        return CN_ENOMEM;
    for (int i = n->file_count; i < count; i++)
        at[i] = NULL;
    n->files = at;
    n->file_count = count;
    return 0;
}

/* Nobody holds the file any more: the other ends notice. */
static void file_free(struct sim_file *f)
{
    struct sim_file *next;

    if (f->in) {
        f->in->deaf = true;
        if (f->is_socket && f->in->len && f->out)
            f->out->reset = true;
        channel_unref(f->in);
    }
    if (f->out) {
        f->out->ended = true;
        channel_unref(f->out);
    }
    for (struct sim_file *q = f->queue; q; q = next) {
        next = q->next;
        file_free(q);
    }
    free(f);
}

static struct sim_file *file_new(struct channel *in, struct channel *out)
{
    struct sim_file *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->fd = -1;
    f->in = in;
    f->out = out;
    return f;
}

/* Give it a number. */
static int file_install(struct sim_net *n, struct sim_file *f)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC), rc;

    if (fd < 0)
        return -errno;
    rc = table_reserve(n, fd);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    if (n->files[fd]) /* closed behind our back, or fd were not free */
        file_free(n->files[fd]);
    n->files[fd] = f;
    f->fd = fd;
    return fd;
}

static void file_close(struct sim_net *n, struct sim_file *f)
{
    n->files[f->fd] = NULL;
    close(f->fd);
    file_free(f);
}

static bool still_ours(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
           st.st_rdev == makedev(1, 3);
}

void cn_sim_net_done(struct sim_net *n)
{
    for (int i = 0; i < n->file_count; i++) {
        if (!n->files[i])
            continue;
        if (still_ours(i))
            close(i);
        file_free(n->files[i]);
    }
    free(n->files);
}

/* --- operations ---------------------------------------------------------- */

bool cn_sim_knows(const struct sim_net *n, const struct cn_op *op)
{
    return (op->opcode <= CN_OP_SHUTDOWN || op->opcode == CN_OP_SYNC) &&
           find(n, op->fd);
}

static unsigned poll_events(const struct sim_file *f)
{
    unsigned events = 0;

    if (f->listens)
        return f->queued ? POLLIN : 0;
    if (!f->in && !f->out)
        return POLLOUT | POLLHUP;
    if (f->in && (f->in->len || f->in->ended || f->in->reset))
        events |= POLLIN;
    if (f->in && f->in->ended)
        events |= POLLRDHUP;
    if (f->out && (f->out->len < f->out->capacity || f->out->deaf))
        events |= POLLOUT;
    if ((f->in && f->in->reset) || (f->out && f->out->deaf))
        events |= POLLERR;
    if ((!f->in || f->in->ended) && (!f->out || f->out->deaf))
        events |= POLLHUP;
    return events;
}

static int64_t attempt_poll(const struct sim_file *f, unsigned asked)
{
    unsigned events = poll_events(f) & (asked | POLLERR | POLLHUP);

    return events ? (int64_t)events : -EAGAIN;
}

static int64_t attempt_read(struct sim_file *f, const struct cn_op *op,
                            size_t limit)
{
    struct iovec one = {op->u.io.buf, op->u.io.len};

    if (!f->in)
        return f->is_socket ? -ENOTCONN : -EBADF;
    if (op->opcode == CN_OP_RECVMSG)
        return channel_read(f->in, op->u.msg.msg->msg_iov,
                            op->u.msg.msg->msg_iovlen, limit,
                            op->u.msg.flags & MSG_PEEK);
    if (!one.iov_len)
        return 0;
    return channel_read(f->in, &one, 1, limit,
                        op->opcode == CN_OP_RECV && op->u.io.flags & MSG_PEEK);
}

static int64_t attempt_write(struct sim_file *f, const struct cn_op *op,
                             size_t limit)
{
    struct iovec one = {op->u.io.buf, op->u.io.len};

    if (!f->out)
        return f->is_socket ? -ENOTCONN : -EBADF;
    if (op->opcode == CN_OP_SENDMSG)
        return channel_write(f->out, op->u.msg.msg->msg_iov,
                             op->u.msg.msg->msg_iovlen, limit);
    return channel_write(f->out, &one, 1, limit);
}

static int64_t attempt_accept(struct sim_net *n, struct sim_file *f,
                              const struct cn_op *op)
{
    struct sim_file **oldest = &f->queue, *server;
    int fd;

    if (!f->listens)
        return -EINVAL;
    if (!f->queued)
        return -EAGAIN;
    while ((*oldest)->next)
        oldest = &(*oldest)->next;
    server = *oldest;
    fd = file_install(n, server);
    if (fd < 0)
        return fd;
    *oldest = NULL;
    f->queued--;
    if (op->u.sock.addr && op->u.sock.len) {
        socklen_t size =
            f->addr_size < *op->u.sock.len ? f->addr_size : *op->u.sock.len;

        memcpy(op->u.sock.addr, &f->addr, size);
        *op->u.sock.len = f->addr_size;
    }
    return fd;
}

static struct sim_file *listener_at(const struct sim_net *n, const void *addr,
                                    socklen_t size)
{
    for (int i = 0; i < n->file_count; i++) {
        struct sim_file *f = n->files[i];

        if (f && f->listens && f->addr_size == size &&
            memcmp(&f->addr, addr, size) == 0)
            return f;
    }
    return NULL;
}

/* Two channels between a file and a new one. */
static int join(struct sim_net *n, struct sim_file *f, struct sim_file **peer)
{
    struct channel *there = channel_new(n->capacity);
    struct channel *back = channel_new(n->capacity);
    struct sim_file *p = there && back ? file_new(there, back) : NULL;

    if (!p) {
        free(there);
        free(back);
        return CN_ENOMEM;
    }
    p->is_socket = f->is_socket = true;
    f->in = back;
    f->out = there;
    *peer = p;
    return 0;
}

static int64_t attempt_connect(struct sim_net *n, struct sim_file *f,
                               const struct cn_op *op)
{
    struct sim_file *l = listener_at(n, op->u.sock.addr, op->u.sock.size);
    struct sim_file *server;
    int rc;

    if (!f->is_socket || f->listens)
        return -EINVAL;
    if (f->in)
        return -EISCONN;
    if (!l)
        return -ECONNREFUSED;
    if (l->queued >= l->backlog)
        return -EAGAIN;
    rc = join(n, f, &server);
    if (rc < 0)
        return rc;
    server->next = l->queue;
    l->queue = server;
    l->queued++;
    return 0;
}

static int64_t attempt_shutdown(struct sim_file *f, int how)
{
    if (!f->is_socket || !f->in)
        return -ENOTCONN;
    if (how == SHUT_RD || how == SHUT_RDWR)
        f->in->ended = true;
    if (how == SHUT_WR || how == SHUT_RDWR)
        f->out->ended = true;
    return 0;
}

int64_t cn_sim_attempt(struct sim_net *n, struct cn_op *op, size_t limit)
{
    struct sim_file *f = find(n, op->fd);

    if (!f)
        return -EBADF;
    switch ((enum cn_opcode)op->opcode) {
    case CN_OP_POLL: return attempt_poll(f, op->u.poll.events);
    case CN_OP_READ:
    case CN_OP_RECV:
    case CN_OP_RECVMSG: return attempt_read(f, op, limit);
    case CN_OP_WRITE:
    case CN_OP_SEND:
    case CN_OP_SENDMSG: return attempt_write(f, op, limit);
    case CN_OP_ACCEPT: return attempt_accept(n, f, op);
    case CN_OP_CONNECT: return attempt_connect(n, f, op);
    case CN_OP_SHUTDOWN: return attempt_shutdown(f, op->u.io.flags);
    case CN_OP_CLOSE: file_close(n, f); return 0;
    default: return -EINVAL;
    }
}

/* It waits only for room at the listener. */
static bool connect_is_ready(const struct sim_net *n, const struct sim_file *f,
                             const struct cn_op *op)
{
    const struct sim_file *l = listener_at(n, op->u.sock.addr, op->u.sock.size);

    return f->in || !l || l->queued < l->backlog;
}

bool cn_sim_ready(const struct sim_net *n, const struct cn_op *op)
{
    const struct sim_file *f = find(n, op->fd);

    if (!f)
        return true;
    switch ((enum cn_opcode)op->opcode) {
    case CN_OP_POLL: return attempt_poll(f, op->u.poll.events) != -EAGAIN;
    case CN_OP_READ:
    case CN_OP_RECV:
    case CN_OP_RECVMSG:
        return !f->in || f->in->len || f->in->ended || f->in->reset;
    case CN_OP_WRITE:
    case CN_OP_SEND:
    case CN_OP_SENDMSG:
        return !f->out || f->out->len < f->out->capacity || f->out->deaf ||
               f->out->ended || f->out->reset;
    case CN_OP_ACCEPT: return !f->listens || f->queued;
    case CN_OP_CONNECT: return connect_is_ready(n, f, op);
    default: return true;
    }
}

/* --- making them --------------------------------------------------------- */

static int install_pair(struct sim_net *n, struct sim_file *a,
                        struct sim_file *b, int fds[2])
{
    int first = file_install(n, a), second;

    if (first < 0) {
        file_free(a);
        file_free(b);
        return first;
    }
    second = file_install(n, b);
    if (second < 0) {
        file_close(n, a);
        file_free(b);
        return second;
    }
    fds[0] = first;
    fds[1] = second;
    return 0;
}

int cn_sim_pipe(int fds[2])
{
    struct sim_net *n = cn_sim_net();
    struct channel *c = n ? channel_new(n->capacity) : NULL;
    struct sim_file *r = c ? file_new(c, NULL) : NULL;
    struct sim_file *w = c ? file_new(NULL, c) : NULL;

    if (!n)
        return CN_EINVAL;
    if (r && w)
        return install_pair(n, r, w, fds);
    free(r);
    free(w);
    free(c);
    return CN_ENOMEM;
}

int cn_sim_socketpair(int fds[2])
{
    struct sim_net *n = cn_sim_net();
    struct sim_file *a = n ? file_new(NULL, NULL) : NULL, *b;

    if (!n)
        return CN_EINVAL;
    if (!a)
        return CN_ENOMEM;
    if (join(n, a, &b) < 0) {
        free(a);
        return CN_ENOMEM;
    }
    return install_pair(n, a, b, fds);
}

int cn_sim_socket(void)
{
    struct sim_net *n = cn_sim_net();
    struct sim_file *f = n ? file_new(NULL, NULL) : NULL;
    int fd;

    if (!n)
        return CN_EINVAL;
    if (!f)
        return CN_ENOMEM;
    f->is_socket = true;
    fd = file_install(n, f);
    if (fd < 0)
        free(f);
    return fd;
}

int cn_sim_listen(const struct sockaddr *addr, socklen_t size, unsigned backlog)
{
    struct sim_net *n = cn_sim_net();
    int fd;

    if (!n || size > sizeof(struct sockaddr_storage))
        return CN_EINVAL;
    if (listener_at(n, addr, size))
        return -EADDRINUSE;
    fd = cn_sim_socket();
    if (fd < 0)
        return fd;
    n->files[fd]->listens = true;
    n->files[fd]->backlog = backlog ? backlog : 1;
    n->files[fd]->addr_size = size;
    memcpy(&n->files[fd]->addr, addr, size);
    return fd;
}

int cn_sim_reset(int fd)
{
    struct sim_net *n = cn_sim_net();
    struct sim_file *f = n ? find(n, fd) : NULL;

    if (!f || !f->is_socket || !f->in)
        return CN_EINVAL;
    f->in->reset = f->out->reset = true;
    return 0;
}
