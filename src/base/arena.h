/* Arenas: memory with one lifetime.
 *
 * Allocation is a pointer bump; everything is freed together, at
 * cn_arena_done() or, back to a mark, at cn_arena_rewind(). Nothing that an
 * arena handed out is freed alone. One arena belongs to one thread at a time.
 *
 * Allocation never returns NULL: a command that cannot get memory stops with
 * a message before it has written anything (cn_out_of_memory). The runtime
 * does not use arenas on paths where memory may run out.
 */
#ifndef CN_BASE_ARENA_H
#define CN_BASE_ARENA_H

#include <stddef.h>

struct cn_arena_chunk;

struct cn_arena {
    struct cn_arena_chunk *chunk; /* newest first */
    char *next, *end;             /* the free bytes of the newest chunk */
    size_t chunk_size;            /* of the next chunk; grows */
};

struct cn_arena_mark {
    struct cn_arena_chunk *chunk;
    char *next;
};

/* An empty arena; memory is taken at the first allocation. Cannot fail. */
void cn_arena_init(struct cn_arena *a);
/* Free everything. A zeroed arena is allowed. */
void cn_arena_done(struct cn_arena *a);
/* Forget everything but keep the largest chunk for the next use. */
void cn_arena_reset(struct cn_arena *a);

struct cn_arena_mark cn_arena_mark(const struct cn_arena *a);
void cn_arena_rewind(struct cn_arena *a, struct cn_arena_mark mark);

/* `size` bytes, aligned for any type, not cleared. Size 0 gives a pointer
 * that may not be read. */
void *cn_arena_alloc(struct cn_arena *a, size_t size);
/* The same, cleared. */
void *cn_arena_zalloc(struct cn_arena *a, size_t size);
/* Grow the newest allocation in place if it can be, else move it. */
void *cn_arena_realloc(struct cn_arena *a, void *old, size_t old_size,
                       size_t size);

#define CN_NEW(arena, type) ((type *)cn_arena_zalloc((arena), sizeof(type)))
#define CN_NEW_ARRAY(arena, type, count)                                       \
    ((type *)cn_arena_zalloc((arena), sizeof(type) * (count)))

#endif
