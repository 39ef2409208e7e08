/* heap: the memory of one parse. tree-sitter allocates and frees millions of
 * small pieces for a file and all of them are dead when our own tree has been
 * copied, so a pointer is bumped instead and the whole is forgotten at once:
 * about a tenth of a scan. Private to src/python.
 *
 * One heap belongs to one thread at a time. While a heap is in use by a
 * thread, everything that tree-sitter allocates there comes from it; outside
 * of that, and for what does not fit, malloc serves.
 */
#ifndef CN_PYTHON_HEAP_H
#define CN_PYTHON_HEAP_H

#include <stddef.h>

struct cn_heap {
    char *base, *next, *end; /* base NULL: no address space, malloc serves */
    char *touched;           /* pages up to here may be resident */
};

/* Reserve address space (no memory yet) and tell tree-sitter. Cannot fail:
 * without the space every parse uses malloc. */
void cn_heap_init(struct cn_heap *heap);
void cn_heap_done(struct cn_heap *heap);

/* From here to cn_heap_leave() the calling thread's tree-sitter allocates in
 * this heap. Not to be nested. */
void cn_heap_enter(struct cn_heap *heap);
/* Forget everything that was allocated since. */
void cn_heap_leave(struct cn_heap *heap);

#endif
