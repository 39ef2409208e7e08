/* Typed growable arrays in an arena.
 *
 *     CN_VEC(int) v = {0};
 *     cn_vec_push(arena, &v, 7);
 *     for (size_t i = 0; i < v.len; i++) use(v.at[i]);
 *
 * Elements move when the vector grows: keep indices, not pointers.
 */
#ifndef CN_BASE_VEC_H
#define CN_BASE_VEC_H

#include <stddef.h>

#include "base/arena.h"

#define CN_VEC(type)                                                           \
    struct {                                                                   \
        type *at;                                                              \
        size_t len, cap;                                                       \
    }

void *cn_vec_grow_(struct cn_arena *a, void *at, size_t *cap, size_t elem);

#define cn_vec_push(arena, v, value)                                           \
    do {                                                                       \
        if ((v)->len == (v)->cap)                                              \
            (v)->at =                                                          \
                cn_vec_grow_((arena), (v)->at, &(v)->cap, sizeof *(v)->at);    \
        (v)->at[(v)->len++] = (value);                                         \
    } while (0)

#define cn_vec_pop(v) ((v)->at[--(v)->len])

/* Pointer to each element in turn; do not push inside. */
#define cn_vec_for(it, v)                                                      \
    for (__typeof__((v)->at[0]) *it = (v)->at, *it##_end = it + (v)->len;      \
         it != it##_end; it++)

#endif
