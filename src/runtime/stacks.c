/* Where stacks come from: mappings cut into equal parts.
 *
 * One mapping per stack would cost 0.6 us each and meet the kernel's limit
 * on mappings at 32 000 tasks, so stacks are cut from slabs. Their guards are
 * made by MADV_GUARD_INSTALL (Linux 6.13), which makes no new mapping; on
 * older kernels the first 8192 stacks get a mprotected page and the others a
 * canary word, checked at each switch. The tops are staggered by
 * multiples of 128 bytes, or the hottest lines of all stacks would fall into
 * one cache set. Not here: the switch itself (coro_*.h).
 *
 * Invariant: a stack is in use by one task, idle in the list of its class, or
 * not yet cut.
 */
#include "runtime/fiber.h"

#include <stdlib.h>
#include <sys/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum {
    PAGE = 4096,
    COLOURS = 16,
    COLOUR_STEP = 128,
    MPROTECT_MAX = 8192,
};

static const uint64_t canary = 0x5ca1ab1e0ddba11;
static const size_t slab_max = 256 * CN_MIB;

struct cn_slab {
    struct cn_slab *next;
    char *start;
    size_t size;
};

uint32_t cn_stack_class(size_t bytes)
{
    uint32_t class = CN_STACK_CLASS_MIN;

    while (class < CN_STACK_CLASS_MAX && ((size_t)1 << class) < bytes)
        class ++;
    return class;
}

void cn_stacks_init(struct cn_stacks *s, bool guards)
{
    *s = (struct cn_stacks){
        .guards = guards,
        .cheap_guards = true,
        .slab_size = 4 * CN_MIB,
    };
}

void cn_stacks_done(struct cn_stacks *s)
{
    struct cn_slab *slab;

    for (int class = CN_STACK_CLASS_MIN; class <= CN_STACK_CLASS_MAX; class ++)
        for (struct cn_stack *it = s->idle[class]; it; it = it->next)
            cn_fiber_unbind(it);
    while ((slab = s->slabs)) {
        s->slabs = slab->next;
        munmap(slab->start, slab->size);
        free(slab);
    }
}

/* A new mapping for stacks of this class. Each is twice as large as the last,
 * so that small programs reserve little and large ones map seldom. */
static int add_slab(struct cn_stacks *s, uint32_t class)
{
    size_t least = (size_t)4 << class;
    size_t size = s->slab_size > least ? s->slab_size : least;
    struct cn_slab *slab = malloc(sizeof(*slab));
    char *start;

    if (!slab)
        return CN_ENOMEM;
    start = mmap(NULL, size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
        free(slab);
        return CN_ENOMEM;
    }
    madvise(start, size, MADV_NOHUGEPAGE); /* else every stack is resident */
    *slab = (struct cn_slab){.next = s->slabs, .start = start, .size = size};
    s->slabs = slab;
    s->next[class] = start;
    s->end[class] = start + size;
    if (s->slab_size < slab_max)
        s->slab_size *= 2;
    return 0;
}

static size_t guard_size(uint32_t class)
{
    return class >= 16 ? 4 * (size_t)PAGE : PAGE;
}

static bool install_guard(struct cn_stacks *s, char *start, size_t size)
{
    if (!s->guards)
        return true; /* nobody wants one */
    if (s->cheap_guards) {
        if (madvise(start, size, MADV_GUARD_INSTALL) == 0)
            return true;
        s->cheap_guards = false;
    }
    if (s->mprotected >= MPROTECT_MAX)
        return false;
    s->mprotected++;
    return mprotect(start, size, PROT_NONE) == 0;
}

static struct cn_stack *cut(struct cn_stacks *s, uint32_t class)
{
    char *start = s->next[class], *high = start + ((size_t)1 << class);
    size_t stagger = COLOUR_STEP * (s->colour++ % COLOURS);
    size_t room = (sizeof(struct cn_stack) + 15) & ~(size_t)15;
    struct cn_stack *stack = (void *)(high - stagger - room);

    s->next[class] = high;
    stack->low = start + guard_size(class);
    stack->high = (char *)stack;
    stack->sanitizer = NULL;
    stack->size_class = class;
    stack->guarded = install_guard(s, start, guard_size(class));
    if (!stack->guarded)
        *(uint64_t *)(void *)stack->low = canary;
    cn_fiber_map(stack->low, high);
    return stack;
}

struct cn_stack *cn_stack_get(struct cn_stacks *s, uint32_t class)
{
    struct cn_stack *stack = s->idle[class];

    if (cn_likely(stack != NULL)) {
        s->idle[class] = stack->next;
        return stack;
    }
    if (s->next[class] == s->end[class] && add_slab(s, class) < 0)
        return NULL;
    return cut(s, class);
}

bool cn_stack_sound(const struct cn_stack *stack)
{
    return stack->guarded || *(const uint64_t *)(void *)stack->low == canary;
}
