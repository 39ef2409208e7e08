/* The switch by ucontext(3): any processor that has it, at a hundred times
 * the price (two system calls each). Chosen by -DCN_CORO_UCONTEXT, or where
 * there is no assembly.
 */
#ifndef CN_RUNTIME_CORO_UCONTEXT_H
#define CN_RUNTIME_CORO_UCONTEXT_H

#include <ucontext.h>

#include <stddef.h>
#include <stdint.h>

/* Save this context in *save and continue the one in `load`. */
static inline void cn_coro_swap(void **save, void *load)
{
    ucontext_t here;

    *save = &here;
    swapcontext(&here, load);
}

/* A context that will call entry() on the stack from `low` to `top`. entry
 * never returns. */
static inline void *cn_coro_prepare(char *low, char *top, void (*entry)(void))
{
    ucontext_t *first =
        (ucontext_t *)(((uintptr_t)top - sizeof(ucontext_t)) & ~(uintptr_t)63);

    getcontext(first);
    first->uc_link = NULL;
    first->uc_stack.ss_sp = low;
    first->uc_stack.ss_size = (size_t)((char *)first - low);
    makecontext(first, entry, 0);
    return first;
}

#endif
