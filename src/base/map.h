/* Hash maps keyed by slices, in an arena.
 *
 * Keys are not copied: their bytes must live as long as the map. Values are
 * pointers or small integers (use the union's right arm). Iteration runs in
 * the order of insertion, so that output never depends on hashing.
 */
#ifndef CN_BASE_MAP_H
#define CN_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

union cn_value {
    void *ptr;
    const void *cptr;
    uint64_t num;
};

struct cn_map_entry {
    struct cn_str key;
    union cn_value value;
    uint32_t hash;
};

struct cn_map {
    struct cn_map_entry *entries; /* in order of insertion */
    uint32_t *slots;              /* 1 + index into entries; 0: free */
    uint32_t len, cap, slot_count;
};

/* The 32-bit hash that maps use; the same on every machine. */
uint32_t cn_hash(struct cn_str key);

/* The value stored under `key`, or NULL. Valid until the next put. */
union cn_value *cn_map_get(const struct cn_map *m, struct cn_str key);
/* The value under `key`, made (cleared) if missing. Sets *fresh if given. */
union cn_value *cn_map_put(struct cn_arena *a, struct cn_map *m,
                           struct cn_str key, bool *fresh);
static inline bool cn_map_has(const struct cn_map *m, struct cn_str key)
{
    return cn_map_get(m, key) != NULL;
}

#endif
