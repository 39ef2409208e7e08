/* The switch for arm64 (AAPCS64). See coro_x86_64.h for the idea: all
 * registers are declared lost, so that the compiler saves what is alive; the
 * frame pointer and the link register are saved here. x18 is the platform's.
 */
#ifndef CN_RUNTIME_CORO_ARM64_H
#define CN_RUNTIME_CORO_ARM64_H

#include <stdint.h>

/* Save this context in *save and continue the one in `load`. */
static inline __attribute__((always_inline)) void cn_coro_swap(void **save,
                                                               void *load)
{
    register void **save_ __asm__("x0") = save;
    register void *load_ __asm__("x1") = load;

    __asm__ volatile(
        "stp x29, x30, [sp, #-16]!\n\t"
        "adr x9, 1f\n\t"
        "str x9, [sp, #-16]!\n\t"
        "mov x9, sp\n\t"
        "str x9, [%0]\n\t"
        "mov sp, %1\n\t"
        "ldr x9, [sp], #16\n\t"
        "mov x29, xzr\n\t"
        "mov x30, xzr\n\t" /* a first frame has no caller */
        "br x9\n"
        "1:\thint #36\n\t" /* bti j */
        "ldp x29, x30, [sp], #16"
        : "+r"(save_), "+r"(load_)
        :
        : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
          "x13", "x14", "x15", "x16", "x17", "x19", "x20", "x21", "x22", "x23",
          "x24", "x25", "x26", "x27", "x28", "v0", "v1", "v2", "v3", "v4", "v5",
          "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
          "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25",
          "v26", "v27", "v28", "v29", "v30", "v31", "memory", "cc");
}

/* A context that will call entry() on the stack whose end is `top`. entry
 * never returns. */
static inline void *cn_coro_prepare(char *low, char *top, void (*entry)(void))
{
    void **sp = (void **)((uintptr_t)top & ~(uintptr_t)15);

    (void)low;
    sp -= 2;
    sp[0] = (void *)(uintptr_t)entry;
    return sp;
}

#endif
