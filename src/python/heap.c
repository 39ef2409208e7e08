/* A bump allocator behind tree-sitter's four allocation functions (heap.h).
 *
 * Each piece has a 16-byte header with its size, for realloc. The newest piece
 * grows in place. The one mutable variable here is the calling thread's heap:
 * tree-sitter's functions take no context. The invariant: a pointer lies in
 * [base, end) of the current heap exactly when that heap gave it out. */
#include "python/heap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <tree_sitter/api.h>

#include "base/base.h"

enum { HEADER = 16 };

/* Address space for one parse, and how much of it stays resident between two
 * of them: the largest files need some 40 MB. */
static const size_t reserve = (size_t)2 << 30;
static const size_t keep = 16 * CN_MIB;

static _Thread_local struct cn_heap *current;

static bool is_ours(const void *p)
{
    return current && (const char *)p >= current->base &&
           (const char *)p < current->end;
}

static void *checked(void *p, size_t size)
{
    if (!p)
        cn_out_of_memory(size);
    return p;
}

static size_t rounded(size_t size)
{
    return (size + HEADER + 15) & ~(size_t)15;
}

static void *bump(size_t size)
{
    size_t whole = rounded(size);

    if (whole < size || (size_t)(current->end - current->next) < whole)
        return NULL;
    char *at = current->next;

    memcpy(at, &size, sizeof(size));
    current->next += whole;
    return at + HEADER;
}

static void *heap_malloc(size_t size)
{
    void *p = current ? bump(size) : NULL;

    return p ? p : checked(malloc(size ? size : 1), size);
}

static void *heap_calloc(size_t count, size_t size)
{
    cn_assert(!size || count <= SIZE_MAX / size);
    void *p = heap_malloc(count * size);

    /* pages are used again, so they are not zero by themselves */
    return memset(p, 0, count * size);
}

static void heap_free(void *p)
{
    if (!is_ours(p))
        free(p);
}

static void *heap_realloc(void *p, size_t size)
{
    size_t old;

    if (!p)
        return heap_malloc(size);
    if (!is_ours(p))
        return checked(realloc(p, size ? size : 1), size);
    char *at = (char *)p - HEADER;

    memcpy(&old, at, sizeof(old));
    if (size <= old)
        return p;
    if (at + rounded(old) == current->next) {
        current->next = at;
        void *grown = bump(size);

        if (grown)
            return grown;
        current->next = at + rounded(old);
    }
    return memcpy(heap_malloc(size), p, old);
}

void cn_heap_init(struct cn_heap *heap)
{
    char *base = mmap(NULL, reserve, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    *heap = (struct cn_heap){NULL, NULL, NULL, NULL};
    if (base == MAP_FAILED)
        return;
    *heap = (struct cn_heap){base, base, base + reserve, base};
    ts_set_allocator(heap_malloc, heap_calloc, heap_realloc, heap_free);
}

void cn_heap_done(struct cn_heap *heap)
{
    if (heap->base)
        munmap(heap->base, (size_t)(heap->end - heap->base));
    *heap = (struct cn_heap){NULL, NULL, NULL, NULL};
}

void cn_heap_enter(struct cn_heap *heap)
{
    cn_assert(!current);
    current = heap->base ? heap : NULL;
}

void cn_heap_leave(struct cn_heap *heap)
{
    current = NULL;
    if (heap->next > heap->touched)
        heap->touched = heap->next;
    if (heap->touched > heap->base + keep) {
        madvise(heap->base + keep, (size_t)(heap->end - heap->base) - keep,
                MADV_DONTNEED);
        heap->touched = heap->base + keep;
    }
    heap->next = heap->base;
}
