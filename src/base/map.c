/* Hash maps: entries in order of insertion, and a table of slots that holds
 * 1 + their index, searched linearly. The invariant: the table is at most
 * half full and a power of two long. Nothing is ever removed. */
#include "base/map.h"

#include <string.h>

uint32_t cn_hash(struct cn_str key)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a, folded */

    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char)key.ptr[i]) * 1099511628211u;
    return (uint32_t)(h ^ (h >> 32));
}

/* The slot where `key` stands, or the free one where it would go. */
static uint32_t *slot_of(const struct cn_map *m, struct cn_str key,
                         uint32_t hash)
{
    uint32_t mask = m->slot_count - 1;

    for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t at = m->slots[i];

        if (!at)
            return &m->slots[i];
        const struct cn_map_entry *e = &m->entries[at - 1];
        if (e->hash == hash && cn_str_eq(e->key, key))
            return &m->slots[i];
    }
}

union cn_value *cn_map_get(const struct cn_map *m, struct cn_str key)
{
    if (!m->slot_count)
        return NULL;
    uint32_t at = *slot_of(m, key, cn_hash(key));

    return at ? &m->entries[at - 1].value : NULL;
}

static void grow(struct cn_arena *a, struct cn_map *m)
{
    uint32_t cap = m->cap ? m->cap * 2 : 8;

    m->entries = cn_arena_realloc(a, m->entries, m->cap * sizeof(*m->entries),
                                  cap * sizeof(*m->entries));
    m->cap = cap;
    m->slot_count = cap * 2;
    m->slots = cn_arena_zalloc(a, m->slot_count * sizeof(*m->slots));
    for (uint32_t i = 0; i < m->len; i++)
        *slot_of(m, m->entries[i].key, m->entries[i].hash) = i + 1;
}

union cn_value *cn_map_put(struct cn_arena *a, struct cn_map *m,
                           struct cn_str key, bool *fresh)
{
    uint32_t hash = cn_hash(key);

    if (m->len == m->cap)
        grow(a, m);
    uint32_t *slot = slot_of(m, key, hash);

    if (fresh)
        *fresh = !*slot;
    if (!*slot) {
        m->entries[m->len] = (struct cn_map_entry){.key = key, .hash = hash};
        *slot = ++m->len;
    }
    return &m->entries[*slot - 1].value;
}
