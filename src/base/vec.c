/* The one function behind the typed vectors of vec.h. */
#include "base/vec.h"

void *cn_vec_grow_(struct cn_arena *a, void *at, size_t *cap, size_t elem)
{
    size_t old = *cap;

    *cap = old ? old * 2 : 8;
    return cn_arena_realloc(a, at, old * elem, *cap * elem);
}
