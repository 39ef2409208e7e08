/* The switch for x86-64 (System V): 1.5 ns where it is predicted.
 *
 * Inlined where it is used; the compiler is told that every register is lost
 * and so saves only what is alive. rbp and rbx cannot be named as lost and
 * are pushed. The resume address goes through an indirect jump, not a `ret`,
 * because the return-stack predictor always misses after a switch. The file
 * that switches (sched.c) is compiled with -mno-red-zone: stepping over it
 * would cost every sleeping task a cache line. mxcsr and the x87 control word
 * are the thread's, not the task's: a task that changes the rounding mode
 * restores it before it waits.
 */
#ifndef CN_RUNTIME_CORO_X86_64_H
#define CN_RUNTIME_CORO_X86_64_H

#include <stdint.h>

/* Save this context in *save and continue the one in `load`. */
static inline __attribute__((always_inline)) void cn_coro_swap(void **save,
                                                               void *load)
{
    __asm__ volatile("push %%rbp\n\t"
                     "push %%rbx\n\t"
                     "lea 1f(%%rip), %%rax\n\t"
                     "push %%rax\n\t"
                     "mov %%rsp, (%0)\n\t"
                     "mov %1, %%rsp\n\t"
                     "pop %%rax\n\t"
                     "xor %%ebp, %%ebp\n\t" /* a first frame has no caller */
                     "jmp *%%rax\n"
                     "1:\tpop %%rbx\n\t"
                     "pop %%rbp"
                     : "+D"(save), "+S"(load)
                     :
                     : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12",
                       "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3",
                       "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                       "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory",
                       "cc");
}

/* A context that will call entry() on the stack whose end is `top`. entry
 * never returns. */
static inline void *cn_coro_prepare(char *low, char *top, void (*entry)(void))
{
    void **sp = (void **)((uintptr_t)top & ~(uintptr_t)15);

    (void)low;
    *--sp = 0; /* the return address of the first frame: none. With it the
                  stack is aligned as a call leaves it */
    *--sp = (void *)(uintptr_t)entry;
    return sp;
}

#endif
