/* select: waiting for the first of several things.
 *
 *     struct cn_case c[] = {
 *         CN_CASE_RECEIVE(rx, &item),
 *         CN_CASE_EVENT_SET(&stop),
 *         CN_CASE_TIME(deadline),
 *     };
 *
 *     switch (cn_select(c, 3)) { case 0: ...
 *
 * Every sort of case is one that loses nothing when it is undone, so exactly
 * one case happens. If several can happen at once the first in the array
 * does (under CN_SHUFFLE: any of them). The same channel may appear several
 * times, also as both ends of itself; a select never meets itself.
 */
#ifndef CN_RUNTIME_SELECT_H
#define CN_RUNTIME_SELECT_H

#include "runtime/chan.h"
#include "runtime/op.h"
#include "runtime/sync.h"

enum cn_case_what {
    CN_CASE_SEND = 1, /* object: sender; item: what to send */
    CN_CASE_RECV,     /* object: receiver; item: where to put it */
    CN_CASE_EVENT,    /* object: event, until set */
    CN_CASE_TASK,     /* object: task handle, until it ends */
    CN_CASE_FD,       /* fd, events (POLLIN, POLLOUT): until ready */
    CN_CASE_UNTIL,    /* time */
    CN_CASE_NONE,     /* never happens: a case switched off */
};

struct cn_select;

struct cn_case {
    enum cn_case_what what;
    int fd;
    unsigned events; /* of CN_CASE_FD: asked for, and on return what is so */
    int result;      /* out, of the case that happened: 0, or as cn_send() and
                        cn_recv() (CN_EEND is an event like any other) */
    void *object;
    void *item;
    cn_time time;
    /* private */
    struct cn_select *select; /* while it waits */
    union {
        struct cn_wait w;
        struct cn_op op;
    } wait;
};

#define CN_CASE_RECEIVE(rx_, item_)                                            \
    {                                                                          \
        .what = CN_CASE_RECV, .object = (rx_), .item = (item_)                 \
    }
#define CN_CASE_SENDING(tx_, item_)                                            \
    {                                                                          \
        .what = CN_CASE_SEND, .object = (tx_), .item = (item_)                 \
    }
#define CN_CASE_EVENT_SET(event_)                                              \
    {                                                                          \
        .what = CN_CASE_EVENT, .object = (event_)                              \
    }
#define CN_CASE_TASK_DONE(task_)                                               \
    {                                                                          \
        .what = CN_CASE_TASK, .object = (task_)                                \
    }
#define CN_CASE_TIME(time_)                                                    \
    {                                                                          \
        .what = CN_CASE_UNTIL, .time = (time_)                                 \
    }
#define CN_CASE_READY(fd_, events_)                                            \
    {                                                                          \
        .what = CN_CASE_FD, .fd = (fd_), .events = (events_)                   \
    }

/* [cp] The index of the case that happened; its .result says how (of
 * CN_CASE_FD also: what is wrong with the descriptor). Or CN_ECANCELED (none
 * happened), or CN_EINVAL (no case, a bad one, a task without a handle). */
int cn_select(struct cn_case *cases, size_t n);
/* CN_DONE: *index is set. CN_PENDING: the result of the wait is the index. */
int cn_select_begin(struct cn_case *cases, size_t n, int *index,
                    struct cn_pending *p);

#endif
