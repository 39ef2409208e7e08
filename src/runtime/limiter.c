/* The capacity limiter: a semaphore that knows who holds its tokens.
 *
 * Borrowers are addresses, in a hash set with open addressing. Who waits is
 * in the set as well, so that a hand-over needs no memory. Not here: the
 * default limiter of the thread pool (thread.c).
 *
 * Invariant: used = borrowed + waiting; whoever waits does so because
 * borrowed >= total.
 */
#include "runtime/sched.h"

#include <stdlib.h>

_Static_assert(sizeof(struct cn_limiter_wait) <= sizeof(struct cn_pending),
               "room");

/* --- the set of borrowers ---------------------------------------------------------- */

static size_t slot_of(const struct cn_limiter *l, const void *borrower)
{
    uint64_t hash =
        (uint64_t)(uintptr_t)borrower * UINT64_C(0x9e3779b97f4a7c15);
    size_t mask = l->capacity - 1, i = (size_t)(hash >> 32) & mask;

    while (l->borrowers[i] && l->borrowers[i] != borrower)
        i = (i + 1) & mask;
    return i;
}

static bool contains(const struct cn_limiter *l, const void *borrower)
{
    return l->capacity && l->borrowers[slot_of(l, borrower)];
}

static int grow(struct cn_limiter *l)
{
    size_t old_capacity = l->capacity;
    const void **old = l->borrowers;
    const void **borrowers;

    if (2 * (l->used + 1) <= old_capacity)
        return 0;
    borrowers = calloc(old_capacity ? 2 * old_capacity : 16, sizeof(*old));
    if (!borrowers)
        return CN_ENOMEM;
    l->borrowers = borrowers;
    l->capacity = old_capacity ? 2 * old_capacity : 16;
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i])
            borrowers[slot_of(l, old[i])] = old[i];
    free(old);
    return 0;
}

static int insert(struct cn_limiter *l, const void *borrower)
{
    if (contains(l, borrower))
        return CN_EINVAL;
    if (grow(l) < 0)
        return CN_ENOMEM;
    l->borrowers[slot_of(l, borrower)] = borrower;
    l->used++;
    return 0;
}

/* Take it out, and close the gap: what follows in the run is placed anew. */
static void erase(struct cn_limiter *l, const void *borrower)
{
    size_t mask = l->capacity - 1, i = slot_of(l, borrower);

    l->borrowers[i] = NULL;
    l->used--;
    while (l->borrowers[i = (i + 1) & mask]) {
        const void *moved = l->borrowers[i];

        l->borrowers[i] = NULL;
        l->borrowers[slot_of(l, moved)] = moved;
    }
}

/* --- tokens -------------------------------------------------------------------------- */

static bool is_waiting(const struct cn_limiter *l, const void *borrower)
{
    for (const struct cn_link *it = l->q.first; it; it = it->next)
        if (((const struct cn_limiter_wait *)(const void *)it)->borrower ==
            borrower)
            return true;
    return false;
}

/* Hand free tokens to those who wait. */
static void serve(struct cn_limiter *l)
{
    while (l->q.first && l->borrowed < l->total) {
        l->borrowed++;
        cn_wake(cn_waitq_pop(&l->q), 0);
    }
}

static int limiter_abort(struct cn_wait *w)
{
    struct cn_limiter *l = (struct cn_limiter *)(uintptr_t)w->object;

    cn_waitq_remove(&l->q, w);
    erase(l, ((struct cn_limiter_wait *)(void *)w)->borrower);
    return CN_ABORTED;
}

static const struct cn_wait_kind limiter_kind = {
    .what = "waiting for a token of a limiter",
    .abort = limiter_abort,
};

static const void *borrower_or_self(const void *borrower)
{
    return borrower ? borrower : cn_loop_self()->cur;
}

int cn_limiter_acquire_nowait(struct cn_limiter *l, const void *borrower)
{
    int rc;

    borrower = borrower_or_self(borrower);
    if (contains(l, borrower))
        return CN_EINVAL;
    if (l->borrowed >= l->total)
        return CN_EAGAIN;
    rc = insert(l, borrower);
    if (rc == 0)
        l->borrowed++;
    return rc;
}

/* No token is free: into the queue, with a slot in the set. */
static int enqueue(struct cn_limiter *l, const void *borrower,
                   struct cn_limiter_wait *lw)
{
    int rc;

    lw->borrower = borrower_or_self(borrower);
    rc = insert(l, lw->borrower);
    if (rc == 0)
        cn_waitq_push(&l->q, &lw->w);
    return rc < 0 ? rc : CN_PENDING;
}

int cn_limiter_acquire_part(struct cn_limiter *l, const void *borrower,
                            struct cn_limiter_wait *lw,
                            const struct cn_wait_kind *kind)
{
    int rc = cn_limiter_acquire_nowait(l, borrower);

    if (rc != CN_EAGAIN)
        return rc;
    cn_wait_part(&lw->w, kind, l);
    return enqueue(l, borrower, lw);
}

void cn_limiter_undo_part(struct cn_limiter_wait *lw)
{
    limiter_abort(&lw->w);
}

int cn_limiter_acquire_begin(struct cn_limiter *l, const void *borrower,
                             struct cn_pending *p)
{
    struct cn_limiter_wait *lw = (struct cn_limiter_wait *)(void *)p;
    int rc;

    if (cn_task_cancelled(cn_loop_self()->cur))
        return CN_ECANCELED;
    rc = cn_limiter_acquire_nowait(l, borrower);
    if (rc != CN_EAGAIN)
        return rc;
    rc = enqueue(l, borrower, lw);
    if (rc == CN_PENDING)
        cn_wait_begin_shielded(&lw->w, &limiter_kind, l);
    return rc;
}

int cn_limiter_acquire(struct cn_limiter *l, const void *borrower)
{
    struct cn_pending p;

    return cn_finish(cn_loop_self(), cn_limiter_acquire_begin(l, borrower, &p),
                     &p.w);
}

int cn_limiter_release(struct cn_limiter *l, const void *borrower)
{
    borrower = borrower_or_self(borrower);
    if (!contains(l, borrower) || is_waiting(l, borrower))
        return CN_EINVAL;
    erase(l, borrower);
    l->borrowed--;
    serve(l);
    return 0;
}

void cn_limiter_set_total(struct cn_limiter *l, size_t total)
{
    l->total = total;
    serve(l);
}

size_t cn_limiter_available(const struct cn_limiter *l)
{
    return l->total > l->borrowed ? l->total - l->borrowed : 0;
}

size_t cn_limiter_waiting(const struct cn_limiter *l)
{
    return l->used - l->borrowed;
}

void cn_limiter_done(struct cn_limiter *l)
{
    cn_assert(l->used == 0);
    free(l->borrowers);
    l->borrowers = NULL;
    l->capacity = 0;
}
