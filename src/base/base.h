/* base: what every other layer stands on and no library gives us.
 *
 * Knows nothing of tasks, files or Python. One include brings all of it:
 * assertions, units, error codes and notes, slices and buffers, arenas,
 * vectors, maps and intrusive lists. Nothing here starts a thread or keeps
 * a global.
 */
#ifndef CN_BASE_H
#define CN_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"

/* Sizes, in bytes. */
#define CN_KIB ((size_t)1024)
#define CN_MIB (CN_KIB * 1024)

/* Number of elements of an array (not of a pointer). */
#define CN_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The struct of which `ptr` is the field `member`. */
#define CN_CONTAINER(ptr, type, member)                                        \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Take a pointer out of a variable: the variable is NULL afterwards. */
#define CN_TAKE(ptr)                                                           \
    __extension__({                                                            \
        __typeof__(ptr) cn_taken_ = (ptr);                                     \
        (ptr) = NULL;                                                          \
        cn_taken_;                                                             \
    })

#endif
