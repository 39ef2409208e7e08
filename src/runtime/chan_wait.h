/* What select needs to know of a channel's inside. Private. */
#ifndef CN_RUNTIME_CHAN_WAIT_H
#define CN_RUNTIME_CHAN_WAIT_H

#include "runtime/sched.h"

/* A wait in one of a channel's queues; w.object is the handle. */
struct cn_chan_wait {
    struct cn_wait w;
    void *item;         /* where it comes from, or goes to */
    const void *select; /* the select it is a case of, or NULL */
};

/* Move one item now. 0, CN_EAGAIN, or the end of the channel. Never meets a
 * wait of the same select. */
int cn_chan_try_send(struct cn_sender *tx, const void *item,
                     const void *select);
int cn_chan_try_recv(struct cn_receiver *rx, void *item, const void *select);

void cn_chan_enqueue_send(struct cn_sender *tx, struct cn_chan_wait *cw);
void cn_chan_enqueue_recv(struct cn_receiver *rx, struct cn_chan_wait *cw);
void cn_chan_dequeue_send(struct cn_sender *tx, struct cn_chan_wait *cw);
void cn_chan_dequeue_recv(struct cn_receiver *rx, struct cn_chan_wait *cw);

#endif
