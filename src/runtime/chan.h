/* chan: passing items between tasks (AnyIO's memory object stream).
 *
 * A channel has any number of senders and receivers, all made by cloning the
 * first two. Items are `item_size` bytes each and are copied: into the
 * receiver's buffer directly if one waits, else into the channel's buffer if
 * there is room, else the sender waits. Strictly first in, first out, among
 * items and among waiting tasks.
 *
 * A channel has no lifetime of its own: it is gone when its last sender and
 * its last receiver are closed. One loop's tasks only.
 *
 * An item is never lost or doubled: a send that returns 0 was received or is
 * in the buffer; one that returns an error was not. A receive that was given
 * an item returns 0 even if it was cancelled in the same turn.
 */
#ifndef CN_RUNTIME_CHAN_H
#define CN_RUNTIME_CHAN_H

#include "runtime/loop.h"

struct cn_sender;
struct cn_receiver;

#define CN_UNBOUNDED SIZE_MAX

/* `capacity` items fit in the buffer; 0: a rendezvous, a send ends when its
 * item is received; CN_UNBOUNDED: a send never waits, and may fail for
 * memory. item_size 0 is a channel of signals. CN_ENOMEM: nothing made. */
int cn_chan_open(struct cn_sender **tx, struct cn_receiver **rx,
                 size_t item_size, size_t capacity);

/* [cp] Send a copy of *item. CN_EBROKEN: no receiver is left; CN_ECLOSED:
 * this sender was closed while the call waited; CN_ENOMEM when unbounded. */
int cn_send(struct cn_sender *tx, const void *item);
int cn_send_begin(struct cn_sender *tx, const void *item, struct cn_pending *p);
/* 0, CN_EAGAIN, CN_EBROKEN, CN_ENOMEM. Not a checkpoint. */
int cn_send_nowait(struct cn_sender *tx, const void *item);

/* [cp] Receive into *item. CN_EEND: no sender is left and the buffer is
 * empty; CN_ECLOSED: this receiver was closed while the call waited. */
int cn_recv(struct cn_receiver *rx, void *item);
int cn_recv_begin(struct cn_receiver *rx, void *item, struct cn_pending *p);
/* 0, CN_EAGAIN, CN_EEND. Not a checkpoint. */
int cn_recv_nowait(struct cn_receiver *rx, void *item);

/* Another handle on the same channel; NULL without memory. */
struct cn_sender *cn_sender_clone(struct cn_sender *tx);
struct cn_receiver *cn_receiver_clone(struct cn_receiver *rx);

/* Close a handle; the pointer is dead. Tasks that wait on this very handle
 * get CN_ECLOSED. With the last sender the receivers get what is buffered,
 * then CN_EEND; with the last receiver the senders get CN_EBROKEN and what is
 * buffered is dropped. Never waits, cannot fail; NULL is allowed. */
void cn_sender_close(struct cn_sender *tx);
void cn_receiver_close(struct cn_receiver *rx);

struct cn_chan_stats {
    size_t buffered, capacity;
    size_t senders, receivers;                 /* open handles */
    size_t senders_waiting, receivers_waiting; /* tasks */
};

struct cn_chan_stats cn_sender_stats(const struct cn_sender *tx);
struct cn_chan_stats cn_receiver_stats(const struct cn_receiver *rx);

#endif
