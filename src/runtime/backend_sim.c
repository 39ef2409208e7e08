/* The backend without a kernel: no operations yet, only the virtual clock and
 * a place to sleep until another thread wakes the loop.
 */
#include "runtime/sched.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct cn_backend {
    pthread_mutex_t lock;
    pthread_cond_t wakened;
    bool woken;
};

static int sim_probe(void)
{
    return 0;
}

static int sim_open(struct cn_backend **out, struct cn_loop *l,
                    const struct cn_options *o)
{
    struct cn_backend *b = calloc(1, sizeof(*b));
    pthread_condattr_t attr;

    (void)l;
    (void)o;
    if (!b)
        return CN_ENOMEM;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&b->wakened, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&b->lock, NULL);
    *out = b;
    return 0;
}

static void sim_close(struct cn_backend *b)
{
    pthread_cond_destroy(&b->wakened);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static uint64_t sim_supports(struct cn_backend *b)
{
    (void)b;
    return 0;
}

static int sim_submit(struct cn_backend *b, struct cn_op *op, int64_t *now)
{
    (void)b;
    (void)op;
    (void)now;
    return -EOPNOTSUPP;
}

static int sim_cancel(struct cn_backend *b, struct cn_op *op)
{
    (void)b;
    (void)op;
    return CN_ABORTED;
}

static int sim_wait(struct cn_backend *b, cn_time deadline)
{
    struct timespec until = {.tv_sec = deadline / CN_SEC,
                             .tv_nsec = deadline % CN_SEC};
    int rc = 0;

    if (deadline == INT64_MIN)
        return 0;
    pthread_mutex_lock(&b->lock);
    while (!b->woken && rc == 0)
        rc = deadline == CN_NEVER
                 ? pthread_cond_wait(&b->wakened, &b->lock)
                 : pthread_cond_timedwait(&b->wakened, &b->lock, &until);
    b->woken = false;
    pthread_mutex_unlock(&b->lock);
    return 0;
}

static void sim_wake(struct cn_backend *b)
{
    pthread_mutex_lock(&b->lock);
    b->woken = true;
    pthread_cond_signal(&b->wakened);
    pthread_mutex_unlock(&b->lock);
}

static cn_time sim_next(struct cn_backend *b)
{
    (void)b;
    return CN_NEVER;
}

const struct cn_backend_ops cn_backend_sim = {
    .abi = CN_BACKEND_ABI,
    .traits = CN_BACKEND_VIRTUAL,
    .name = "sim",
    .probe = sim_probe,
    .open = sim_open,
    .close = sim_close,
    .supports = sim_supports,
    .submit = sim_submit,
    .cancel = sim_cancel,
    .wait = sim_wait,
    .wake = sim_wake,
    .next = sim_next,
};
