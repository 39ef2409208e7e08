/* Timers: a 4-ary heap of (due, timer), with the place of each kept in the
 * timer, so that disarming needs no search.
 *
 * Arming a deadline that is later than most and disarming it soon, which is
 * what timeouts do, costs 5 ns at any size. The keys are in the array, so a
 * comparison touches no timer. Not here: what a timer means.
 *
 * Invariant: entries[1..count] is a heap; entries[t->index].timer == t for
 * every armed timer, and index is 0 for all others; reserved <= capacity.
 */
#include "runtime/sched.h"

#include <stdlib.h>

static inline void place(struct cn_heap *h, uint32_t i, struct cn_heap_entry e)
{
    h->entries[i] = e;
    e.timer->index = i;
}

/* Entry e belongs at i or above. */
static void sift_up(struct cn_heap *h, uint32_t i, struct cn_heap_entry e)
{
    while (i > 1) {
        uint32_t parent = (i + 2) / 4;

        if (h->entries[parent].due <= e.due)
            break;
        place(h, i, h->entries[parent]);
        i = parent;
    }
    place(h, i, e);
}

/* The child of i with the earliest due, or 0 if it has none. */
static uint32_t earliest_child(const struct cn_heap *h, uint32_t i)
{
    uint32_t first = 4 * i - 2, best = first;
    uint32_t end = first + 4 <= h->count + 1 ? first + 4 : h->count + 1;

    if (first > h->count)
        return 0;
    for (uint32_t c = first + 1; c < end; c++)
        if (h->entries[c].due < h->entries[best].due)
            best = c;
    return best;
}

/* Entry e belongs at i or below. */
static void sift_down(struct cn_heap *h, uint32_t i, struct cn_heap_entry e)
{
    uint32_t child;

    while ((child = earliest_child(h, i)) && h->entries[child].due < e.due) {
        place(h, i, h->entries[child]);
        i = child;
    }
    place(h, i, e);
}

int cn_timer_reserve(struct cn_heap *h, uint32_t more)
{
    uint64_t want = (uint64_t)h->reserved + more;
    uint64_t capacity = h->capacity ? h->capacity : 64;
    struct cn_heap_entry *entries;

    if (cn_likely(want <= h->capacity)) {
        h->reserved = (uint32_t)want;
        return 0;
    }
    while (capacity < want)
        capacity *= 2;
    if (capacity > UINT32_MAX / 4)
        return CN_ENOMEM;
    entries = realloc(h->entries, (capacity + 1) * sizeof(*entries));
    if (!entries)
        return CN_ENOMEM;
    h->entries = entries;
    h->capacity = (uint32_t)capacity;
    h->reserved = (uint32_t)want;
    return 0;
}

void cn_timer_arm(struct cn_heap *h, struct cn_timer *t, cn_time due)
{
    struct cn_heap_entry e = {.due = due, .timer = t};

    cn_assert(h->count < h->capacity);
    sift_up(h, ++h->count, e);
}

void cn_timer_disarm(struct cn_heap *h, struct cn_timer *t)
{
    uint32_t i = t->index;
    struct cn_heap_entry last;

    if (!i)
        return;
    cn_assert(h->entries[i].timer == t);
    t->index = 0;
    last = h->entries[h->count--];
    if (last.timer == t)
        return;
    if (i > 1 && h->entries[(i + 2) / 4].due > last.due)
        sift_up(h, i, last);
    else
        sift_down(h, i, last);
}

uint32_t cn_timer_fire(struct cn_heap *h, cn_time now)
{
    uint32_t fired = 0;

    while (h->count && h->entries[1].due <= now) {
        struct cn_timer *t = h->entries[1].timer;

        cn_timer_disarm(h, t);
        t->fire(t);
        fired++;
    }
    return fired;
}
