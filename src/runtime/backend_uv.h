/* backend_uv: what its two files share. */
#ifndef CN_RUNTIME_BACKEND_UV_H
#define CN_RUNTIME_BACKEND_UV_H

#include "runtime/sched.h"

#include <uv.h>

enum { READ_SIDE, WRITE_SIDE };

struct watcher {
    uv_poll_t poll;
    struct cn_backend *b;
    struct cn_link idle;  /* on b->idle: armed, perhaps for nobody */
    struct cn_link fresh; /* on b->fresh: armed since the last wait() */
    struct cn_op *ops[2];
    int fd;
    int armed;     /* enum uv_poll_event */
    bool blocking; /* has no O_NONBLOCK */
    bool drained;  /* the last read took all there was */
};

struct cn_backend {
    uv_loop_t *loop, own;
    uv_async_t wakeup;
    uv_timer_t deadline;
    struct cn_loop *core;
    struct watcher **watchers; /* by descriptor */
    int watcher_count;
    struct cn_link idle, fresh;
    uint32_t handles; /* open, ours */
    int completed;    /* in this wait() */
};

/* NULL: none yet. */
struct watcher *cn_uv_find(const struct cn_backend *b, int fd);
/* The same, making one. -EPERM: nothing that can be waited for, as a regular
 * file; -EEXIST: the program watches it itself. */
int cn_uv_get(struct cn_backend *b, int fd, struct watcher **out);
/* Close it; libuv frees it later. */
void cn_uv_drop(struct watcher *w);

/* The events that its operations need. */
int cn_uv_wanted(const struct watcher *w);
/* Arm it for at least these; for no more than these. */
int cn_uv_arm(struct watcher *w);
void cn_uv_disarm(struct watcher *w);

/* Put `to` (op itself, or NULL) on the sides of w that op works on. */
void cn_uv_set_sides(struct watcher *w, const struct cn_op *op,
                     struct cn_op *to);

/* libuv's call: backend_uv.c. */
void cn_uv_ready(uv_poll_t *poll, int status, int events);

#endif
