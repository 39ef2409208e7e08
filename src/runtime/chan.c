/* Channels.
 *
 * A ring of items, a queue of waiting senders, a queue of waiting receivers.
 * Whoever arrives second moves the item: a sender copies straight into the
 * buffer of a receiver that waits, a receiver straight from a sender that
 * waits, so a rendezvous is one copy. Not here: waiting for several channels
 * (select.c), which enqueues waits of its own with cn_chan_* below.
 *
 * Invariant: receivers wait only if nothing is buffered and no sender waits;
 * senders wait only if the buffer is full and no receiver waits. So at most
 * one of the two queues has entries; except between the cases of one select,
 * which never meet each other.
 */
#include "runtime/chan_wait.h"

#include <stdlib.h>
#include <string.h>

struct cn_chan {
    size_t item_size, capacity;
    size_t head, count, room; /* of the ring: `room` items are allocated */
    char *ring;
    struct cn_waitq senders_waiting, receivers_waiting;
    struct cn_link senders, receivers; /* open handles */
    size_t sender_count, receiver_count;
};

struct cn_sender {
    struct cn_chan *chan;
    struct cn_link link;
};

struct cn_receiver {
    struct cn_chan *chan;
    struct cn_link link;
};

_Static_assert(sizeof(struct cn_chan_wait) <= sizeof(struct cn_pending),
               "room");

static inline struct cn_chan_wait *first_wait(const struct cn_waitq *q)
{
    return (struct cn_chan_wait *)(void *)q->first;
}

static inline void copy_item(const struct cn_chan *c, void *to,
                             const void *from)
{
    if (cn_likely(c->item_size == sizeof(uint64_t)))
        memcpy(to, from, sizeof(uint64_t));
    else if (c->item_size)
        memcpy(to, from, c->item_size);
}

/* The first wait of the queue that is not of the same select as `me`. */
static inline struct cn_chan_wait *partner(const struct cn_waitq *q,
                                           const void *select)
{
    struct cn_chan_wait *it = first_wait(q);

    while (cn_unlikely(it && select && it->select == select))
        it = (struct cn_chan_wait *)(void *)it->w.link.next;
    return it;
}

/* --- the ring ---------------------------------------------------------------------- */

static char *slot(const struct cn_chan *c, size_t i)
{
    size_t at = c->head + i;

    return c->ring + (at >= c->room ? at - c->room : at) * c->item_size;
}

static int ring_resize(struct cn_chan *c, size_t room)
{
    size_t size = c->item_size ? c->item_size : 1;
    char *ring = room > SIZE_MAX / size ? NULL : malloc(room * size);

    if (!ring)
        return CN_ENOMEM;
    for (size_t i = 0; i < c->count; i++)
        copy_item(c, ring + i * c->item_size, slot(c, i));
    free(c->ring);
    c->ring = ring;
    c->room = room;
    c->head = 0;
    return 0;
}

static int ring_push(struct cn_chan *c, const void *item)
{
    if (cn_unlikely(c->count == c->room)) {
        size_t room = c->room ? 2 * c->room : 16;
        int rc = ring_resize(c, room < c->capacity ? room : c->capacity);

        if (rc < 0)
            return rc;
    }
    copy_item(c, slot(c, c->count++), item);
    return 0;
}

static void ring_pop(struct cn_chan *c, void *item)
{
    copy_item(c, item, slot(c, 0));
    c->head = c->head + 1 == c->room ? 0 : c->head + 1;
    c->count--;
}

/* --- moving items --------------------------------------------------------------------- */

int cn_chan_try_send(struct cn_sender *tx, const void *item, const void *select)
{
    struct cn_chan *c = tx->chan;
    struct cn_chan_wait *r = partner(&c->receivers_waiting, select);

    if (r) {
        cn_waitq_remove(&c->receivers_waiting, &r->w);
        copy_item(c, r->item, item);
        cn_wake_in(cn_loop_self(), &r->w, 0);
        return 0;
    }
    if (!c->receiver_count)
        return CN_EBROKEN;
    if (c->count < c->capacity)
        return ring_push(c, item);
    return CN_EAGAIN;
}

/* A slot of the ring has become free: the oldest waiting sender fills it. */
static void refill(struct cn_chan *c)
{
    struct cn_chan_wait *s = first_wait(&c->senders_waiting);

    if (cn_likely(!s))
        return;
    cn_waitq_remove(&c->senders_waiting, &s->w);
    cn_wake(&s->w, ring_push(c, s->item));
}

int cn_chan_try_recv(struct cn_receiver *rx, void *item, const void *select)
{
    struct cn_chan *c = rx->chan;
    struct cn_chan_wait *s;

    if (c->count) {
        ring_pop(c, item);
        refill(c);
        return 0;
    }
    s = partner(&c->senders_waiting, select);
    if (s) {
        cn_waitq_remove(&c->senders_waiting, &s->w);
        copy_item(c, item, s->item);
        cn_wake_in(cn_loop_self(), &s->w, 0);
        return 0;
    }
    return c->sender_count ? CN_EAGAIN : CN_EEND;
}

/* --- waiting ---------------------------------------------------------------------------- */

void cn_chan_enqueue_send(struct cn_sender *tx, struct cn_chan_wait *cw)
{
    cn_waitq_push(&tx->chan->senders_waiting, &cw->w);
}

void cn_chan_enqueue_recv(struct cn_receiver *rx, struct cn_chan_wait *cw)
{
    cn_waitq_push(&rx->chan->receivers_waiting, &cw->w);
}

void cn_chan_dequeue_send(struct cn_sender *tx, struct cn_chan_wait *cw)
{
    cn_waitq_remove(&tx->chan->senders_waiting, &cw->w);
}

void cn_chan_dequeue_recv(struct cn_receiver *rx, struct cn_chan_wait *cw)
{
    cn_waitq_remove(&rx->chan->receivers_waiting, &cw->w);
}

static int send_abort(struct cn_wait *w)
{
    cn_chan_dequeue_send((struct cn_sender *)(uintptr_t)w->object,
                         (struct cn_chan_wait *)(void *)w);
    return CN_ABORTED;
}

static int recv_abort(struct cn_wait *w)
{
    cn_chan_dequeue_recv((struct cn_receiver *)(uintptr_t)w->object,
                         (struct cn_chan_wait *)(void *)w);
    return CN_ABORTED;
}

static const struct cn_wait_kind send_kind = {
    .what = "sending to a channel",
    .abort = send_abort,
};

static const struct cn_wait_kind recv_kind = {
    .what = "receiving from a channel",
    .abort = recv_abort,
};

static int send_begin(struct cn_sender *tx, const void *item,
                      struct cn_chan_wait *cw)
{
    int rc;

    if (cn_task_cancelled(cn_loop_self()->cur))
        return CN_ECANCELED;
    rc = cn_chan_try_send(tx, item, NULL);
    if (rc != CN_EAGAIN)
        return rc;
    cw->select = NULL;
    cw->item = (void *)(uintptr_t)item;
    cn_wait_enter(cn_loop_self(), &cw->w, &send_kind, tx);
    cn_chan_enqueue_send(tx, cw);
    return CN_PENDING;
}

int cn_send_begin(struct cn_sender *tx, const void *item, struct cn_pending *p)
{
    return send_begin(tx, item, (struct cn_chan_wait *)(void *)p);
}

int cn_send(struct cn_sender *tx, const void *item)
{
    struct cn_chan_wait cw;

    return cn_finish(cn_loop_self(), send_begin(tx, item, &cw), &cw.w);
}

int cn_send_nowait(struct cn_sender *tx, const void *item)
{
    return cn_chan_try_send(tx, item, NULL);
}

static int recv_begin(struct cn_receiver *rx, void *item,
                      struct cn_chan_wait *cw)
{
    int rc;

    if (cn_task_cancelled(cn_loop_self()->cur))
        return CN_ECANCELED;
    rc = cn_chan_try_recv(rx, item, NULL);
    if (rc != CN_EAGAIN)
        return rc;
    cw->select = NULL;
    cw->item = item;
    cn_wait_enter(cn_loop_self(), &cw->w, &recv_kind, rx);
    cn_chan_enqueue_recv(rx, cw);
    return CN_PENDING;
}

int cn_recv_begin(struct cn_receiver *rx, void *item, struct cn_pending *p)
{
    return recv_begin(rx, item, (struct cn_chan_wait *)(void *)p);
}

int cn_recv(struct cn_receiver *rx, void *item)
{
    struct cn_chan_wait cw;

    return cn_finish(cn_loop_self(), recv_begin(rx, item, &cw), &cw.w);
}

int cn_recv_nowait(struct cn_receiver *rx, void *item)
{
    return cn_chan_try_recv(rx, item, NULL);
}

/* --- handles --------------------------------------------------------------------------- */

static struct cn_sender *add_sender(struct cn_chan *c)
{
    struct cn_sender *tx = malloc(sizeof(*tx));

    if (!tx)
        return NULL;
    tx->chan = c;
    cn_list_push_back(&c->senders, &tx->link);
    c->sender_count++;
    return tx;
}

static struct cn_receiver *add_receiver(struct cn_chan *c)
{
    struct cn_receiver *rx = malloc(sizeof(*rx));

    if (!rx)
        return NULL;
    rx->chan = c;
    cn_list_push_back(&c->receivers, &rx->link);
    c->receiver_count++;
    return rx;
}

static void chan_free(struct cn_chan *c)
{
    free(c->ring);
    free(c);
}

int cn_chan_open(struct cn_sender **out_tx, struct cn_receiver **out_rx,
                 size_t item_size, size_t capacity)
{
    struct cn_chan *c = calloc(1, sizeof(*c));
    struct cn_sender *tx = NULL;
    struct cn_receiver *rx = NULL;

    if (!c)
        return CN_ENOMEM;
    c->item_size = item_size;
    c->capacity = capacity;
    cn_list_init(&c->senders);
    cn_list_init(&c->receivers);
    if (capacity && capacity != CN_UNBOUNDED && ring_resize(c, capacity) < 0)
        goto fail;
    tx = add_sender(c);
    rx = add_receiver(c);
    if (!tx || !rx)
        goto fail;
    *out_tx = tx;
    *out_rx = rx;
    return 0;

fail:
    free(tx);
    free(rx);
    chan_free(c);
    return CN_ENOMEM;
}

struct cn_sender *cn_sender_clone(struct cn_sender *tx)
{
    return add_sender(tx->chan);
}

struct cn_receiver *cn_receiver_clone(struct cn_receiver *rx)
{
    return add_receiver(rx->chan);
}

/* End all waits of the queue with `result`; if `handle` is given only those
 * on that handle. A wake can take other waits of the same select off the
 * queue, so each search starts anew. */
static void wake_all(struct cn_waitq *q, const void *handle, int result)
{
    struct cn_link *it = q->first;

    while (it) {
        struct cn_wait *w = (struct cn_wait *)(void *)it;

        if (handle && w->object != handle) {
            it = it->next;
            continue;
        }
        cn_waitq_remove(q, w);
        cn_wake(w, result);
        it = q->first;
    }
}

static void drop_if_unused(struct cn_chan *c)
{
    if (!c->sender_count && !c->receiver_count)
        chan_free(c);
}

void cn_sender_close(struct cn_sender *tx)
{
    struct cn_chan *c;

    if (!tx)
        return;
    c = tx->chan;
    wake_all(&c->senders_waiting, tx, CN_ECLOSED);
    cn_list_remove(&tx->link);
    free(tx);
    if (--c->sender_count == 0)
        wake_all(&c->receivers_waiting, NULL, CN_EEND);
    drop_if_unused(c);
}

void cn_receiver_close(struct cn_receiver *rx)
{
    struct cn_chan *c;

    if (!rx)
        return;
    c = rx->chan;
    wake_all(&c->receivers_waiting, rx, CN_ECLOSED);
    cn_list_remove(&rx->link);
    free(rx);
    if (--c->receiver_count == 0) {
        wake_all(&c->senders_waiting, NULL, CN_EBROKEN);
        c->count = 0;
    }
    drop_if_unused(c);
}

static struct cn_chan_stats stats(const struct cn_chan *c)
{
    return (struct cn_chan_stats){
        .buffered = c->count,
        .capacity = c->capacity,
        .senders = c->sender_count,
        .receivers = c->receiver_count,
        .senders_waiting = cn_waitq_count(&c->senders_waiting),
        .receivers_waiting = cn_waitq_count(&c->receivers_waiting),
    };
}

struct cn_chan_stats cn_sender_stats(const struct cn_sender *tx)
{
    return stats(tx->chan);
}

struct cn_chan_stats cn_receiver_stats(const struct cn_receiver *rx)
{
    return stats(rx->chan);
}
