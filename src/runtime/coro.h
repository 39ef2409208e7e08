/* coro: stacks, and switching between them. Private to the runtime.
 *
 * Stacks are cut from large mappings, one power of two in size, with a guard
 * at the low end. Only what a task touches costs memory: an idle task keeps
 * one page. Idle stacks are kept, warmest first.
 */
#ifndef CN_RUNTIME_CORO_H
#define CN_RUNTIME_CORO_H

#include "base/base.h"

#define cn_likely(x)   __builtin_expect(!!(x), 1)
#define cn_unlikely(x) __builtin_expect(!!(x), 0)

#if defined(CN_CORO_UCONTEXT)
#include "runtime/coro_ucontext.h"
#elif defined(__x86_64__)
#include "runtime/coro_x86_64.h"
#elif defined(__aarch64__)
#include "runtime/coro_arm64.h"
#else
#include "runtime/coro_ucontext.h"
#endif

/* Sits at the high end of its stack, in the page that is touched anyway. */
struct cn_stack {
    struct cn_stack *next; /* idle */
    char *low, *high;      /* usable bytes; below low is the guard */
    void *sanitizer;       /* see fiber.h */
    uint32_t size_class;   /* log2 of its bytes, guard included */
    bool guarded;          /* else the lowest word is a canary */
};

enum { CN_STACK_CLASS_MIN = 14, CN_STACK_CLASS_MAX = 30 };

struct cn_stacks {
    struct cn_stack *idle[CN_STACK_CLASS_MAX + 1]; /* by class */
    struct cn_slab *slabs;
    char *next[CN_STACK_CLASS_MAX + 1], *end[CN_STACK_CLASS_MAX + 1];
    size_t slab_size; /* of the next mapping */
    unsigned colour;  /* of the next stack */
    uint32_t mprotected;
    bool guards, cheap_guards;
};

/* The class of the smallest stack of at least `bytes`. */
uint32_t cn_stack_class(size_t bytes);

void cn_stacks_init(struct cn_stacks *s, bool guards);
/* No task may be alive. */
void cn_stacks_done(struct cn_stacks *s);

/* A stack, idle or new; NULL without memory. */
struct cn_stack *cn_stack_get(struct cn_stacks *s, uint32_t size_class);

static inline void cn_stack_put(struct cn_stacks *s, struct cn_stack *stack)
{
    stack->next = s->idle[stack->size_class];
    s->idle[stack->size_class] = stack;
}

/* False: the task has written below its stack. */
bool cn_stack_sound(const struct cn_stack *stack);

#endif
