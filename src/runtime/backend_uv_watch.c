/* backend_uv_watch: one uv_poll_t per descriptor, and what it is armed for.
 * Which operations wait, and what becomes of them, is backend_uv.c's. */
#include "runtime/backend_uv.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

static void watcher_freed(uv_handle_t *h)
{
    struct watcher *w = h->data;

    w->b->handles--;
    free(w);
}

void cn_uv_drop(struct watcher *w)
{
    if (cn_link_on_list(&w->idle))
        cn_list_remove(&w->idle);
    if (cn_link_on_list(&w->fresh))
        cn_list_remove(&w->fresh);
    w->b->watchers[w->fd] = NULL;
    uv_close((uv_handle_t *)&w->poll, watcher_freed);
}

static int table_grow(struct cn_backend *b, int fd)
{
    int count = 64;
    struct watcher **at;

    while (count <= fd)
        count *= 2;
    at = realloc(b->watchers, (size_t)count * sizeof(struct watcher *));
    if (!at)
        return CN_ENOMEM;
    for (int i = b->watcher_count; i < count; i++)
        at[i] = NULL;
    b->watchers = at;
    b->watcher_count = count;
    return 0;
}

/* uv_poll_init() sets O_NONBLOCK; see the top. */
static int init_poll(struct cn_backend *b, struct watcher *w)
{
    int flags = fcntl(w->fd, F_GETFL), rc;

    if (flags < 0)
        return -errno;
    rc = uv_poll_init(b->loop, &w->poll, w->fd);
    if (rc < 0)
        return rc;
    w->poll.data = w;
    w->blocking = !(flags & O_NONBLOCK);
    if (w->blocking)
        fcntl(w->fd, F_SETFL, flags);
    return 0;
}

struct watcher *cn_uv_find(const struct cn_backend *b, int fd)
{
    return fd >= 0 && fd < b->watcher_count ? b->watchers[fd] : NULL;
}

/* -EPERM: nothing that can be waited for, as a regular file. */
int cn_uv_get(struct cn_backend *b, int fd, struct watcher **out)
{
    struct watcher *w = cn_uv_find(b, fd);
    int rc = 0;

    if (w) {
        *out = w;
        return 0;
    }
    if (fd >= b->watcher_count)
        rc = table_grow(b, fd);
    if (rc < 0)
        return rc;
    w = calloc(1, sizeof(*w));
    if (!w)
        return CN_ENOMEM;
    w->b = b;
    w->fd = fd;
    rc = init_poll(b, w);
    if (rc < 0) {
        free(w);
        return rc;
    }
    b->handles++;
    *out = b->watchers[fd] = w;
    return 0;
}

static int uv_events(unsigned events)
{
    return (events & POLLIN ? UV_READABLE : 0) |
           (events & POLLOUT ? UV_WRITABLE : 0) |
           (events & POLLPRI ? UV_PRIORITIZED : 0) |
           (events & POLLRDHUP ? UV_DISCONNECT : 0);
}

int cn_uv_wanted(const struct watcher *w)
{
    int events = 0;

    for (int side = 0; side < 2; side++) {
        const struct cn_op *op = w->ops[side];

        if (op)
            events |= op->opcode == CN_OP_POLL ? uv_events(op->u.poll.events)
                      : side == READ_SIDE      ? UV_READABLE
                                               : UV_WRITABLE;
    }
    return events;
}

static int start(struct watcher *w, int events)
{
    int rc = uv_poll_start(&w->poll, events, cn_uv_ready);

    if (rc < 0)
        return rc;
    w->armed = events;
    if (!cn_link_on_list(&w->fresh))
        cn_list_push_back(&w->b->fresh, &w->fresh);
    return 0;
}

/* Armed for at least what is wanted. */
int cn_uv_arm(struct watcher *w)
{
    int events = cn_uv_wanted(w);

    if ((events & ~w->armed) == 0)
        return 0;
    return start(w, events | w->armed);
}

/* Armed for no more than is cn_uv_wanted. */
void cn_uv_disarm(struct watcher *w)
{
    int events = cn_uv_wanted(w);

    if (events == w->armed)
        return;
    if (events) {
        start(w, events);
        return;
    }
    w->armed = 0;
    uv_poll_stop(&w->poll);
}

void cn_uv_set_sides(struct watcher *w, const struct cn_op *op,
                     struct cn_op *to)
{
    unsigned sides = op->opcode == CN_OP_WAITPID ? POLLIN : cn_op_sides(op);

    if (sides & POLLIN)
        w->ops[READ_SIDE] = to;
    if (sides & POLLOUT)
        w->ops[WRITE_SIDE] = to;
}
