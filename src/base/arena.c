/* Arenas: a list of chunks, each filled by bumping a pointer. The invariant:
 * `next` and `end` bound the free bytes of the newest chunk, and every byte
 * handed out lies in some chunk of the list. */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum {
    ALIGNMENT = 16,
    FIRST_CHUNK = 4096,
    LARGEST_CHUNK = 1 << 20,
};

struct cn_arena_chunk {
    struct cn_arena_chunk *older;
    size_t size; /* of data */
    _Alignas(ALIGNMENT) char data[];
};

void cn_arena_init(struct cn_arena *a)
{
    *a = (struct cn_arena){.chunk_size = FIRST_CHUNK};
}

static void free_chunks_down_to(struct cn_arena *a, struct cn_arena_chunk *keep)
{
    while (a->chunk != keep) {
        struct cn_arena_chunk *older = a->chunk->older;

        free(a->chunk);
        a->chunk = older;
    }
}

void cn_arena_done(struct cn_arena *a)
{
    free_chunks_down_to(a, NULL);
    cn_arena_init(a);
}

static void use_chunk(struct cn_arena *a, char *next)
{
    a->next = next;
    a->end = a->chunk ? a->chunk->data + a->chunk->size : NULL;
}

void cn_arena_reset(struct cn_arena *a)
{
    struct cn_arena_chunk *largest = a->chunk;

    for (struct cn_arena_chunk *c = a->chunk; c; c = c->older)
        if (c->size > largest->size)
            largest = c;
    while (a->chunk) {
        struct cn_arena_chunk *older = a->chunk->older;

        if (a->chunk != largest)
            free(a->chunk);
        a->chunk = older;
    }
    a->chunk = largest;
    if (largest)
        largest->older = NULL;
    use_chunk(a, largest ? largest->data : NULL);
}

struct cn_arena_mark cn_arena_mark(const struct cn_arena *a)
{
    return (struct cn_arena_mark){a->chunk, a->next};
}

void cn_arena_rewind(struct cn_arena *a, struct cn_arena_mark mark)
{
    free_chunks_down_to(a, mark.chunk);
    use_chunk(a, mark.next);
}

static void add_chunk(struct cn_arena *a, size_t at_least)
{
    if (!a->chunk_size)
        a->chunk_size = FIRST_CHUNK;
    size_t size = at_least > a->chunk_size ? at_least : a->chunk_size;
    struct cn_arena_chunk *c = malloc(sizeof(*c) + size);

    if (!c)
        cn_out_of_memory(size);
    c->older = a->chunk;
    c->size = size;
    a->chunk = c;
    use_chunk(a, c->data);
    if (a->chunk_size < LARGEST_CHUNK)
        a->chunk_size *= 2;
}

static size_t rounded_up(size_t size)
{
    cn_assert(size < SIZE_MAX - ALIGNMENT);
    return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

void *cn_arena_alloc(struct cn_arena *a, size_t size)
{
    size = rounded_up(size);
    if ((size_t)(a->end - a->next) < size)
        add_chunk(a, size);
    char *p = a->next;

    a->next += size;
    return p;
}

void *cn_arena_zalloc(struct cn_arena *a, size_t size)
{
    void *p = cn_arena_alloc(a, size);

    return size ? memset(p, 0, size) : p;
}

static bool is_newest(const struct cn_arena *a, const void *p, size_t size)
{
    return p && (const char *)p + rounded_up(size) == a->next;
}

void *cn_arena_realloc(struct cn_arena *a, void *old, size_t old_size,
                       size_t size)
{
    if (is_newest(a, old, old_size) &&
        (size_t)(a->end - (char *)old) >= rounded_up(size)) {
        a->next = (char *)old + rounded_up(size);
        return old;
    }
    void *p = cn_arena_alloc(a, size);

    if (old_size)
        memcpy(p, old, old_size < size ? old_size : size);
    return p;
}
