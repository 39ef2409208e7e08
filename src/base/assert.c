/* The two ways a program of ours stops by itself: see assert.h. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void cn_assert_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}

_Noreturn void cn_out_of_memory(size_t bytes)
{
    fprintf(stderr,
            "canyon: out of memory (%zu bytes wanted); nothing was written\n",
            bytes);
    abort();
}
