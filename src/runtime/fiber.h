/* fiber: telling the sanitizers and valgrind about stacks and switches.
 * Everything here is empty in an ordinary build.
 *
 * AddressSanitizer keeps a fake stack per fiber and must know the bounds of
 * the stack switched to; ThreadSanitizer keeps a whole state per fiber.
 */
#ifndef CN_RUNTIME_FIBER_H
#define CN_RUNTIME_FIBER_H

#include "runtime/coro.h"

#include <pthread.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CN_ASAN 1
#elif __has_feature(thread_sanitizer)
#define CN_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define CN_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define CN_TSAN 1
#endif

#ifdef CN_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#elif defined(CN_TSAN)
#include <sanitizer/tsan_interface.h>
#endif
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif

/* Before leaving `from` (NULL: its task has ended) for `to`. */
static inline void cn_fiber_leave(struct cn_stack *from, struct cn_stack *to)
{
#ifdef CN_ASAN
    __sanitizer_start_switch_fiber(from ? &from->sanitizer : NULL, to->low,
                                   (size_t)(to->high - to->low));
#elif defined(CN_TSAN)
    __tsan_switch_to_fiber(to->sanitizer, 0);
#endif
    (void)from;
    (void)to;
}

/* Having arrived on `me`, first or again. */
static inline void cn_fiber_arrive(struct cn_stack *me)
{
#ifdef CN_ASAN
    __sanitizer_finish_switch_fiber(me->sanitizer, NULL, NULL);
    me->sanitizer = NULL;
#endif
    (void)me;
}

/* Drop what the last task left behind; called from another stack. */
static inline void cn_fiber_unbind(struct cn_stack *s)
{
#ifdef CN_TSAN
    if (s->sanitizer)
        __tsan_destroy_fiber(s->sanitizer);
#endif
    s->sanitizer = NULL;
}

/* The stack will be used by a new task. */
static inline void cn_fiber_bind(struct cn_stack *s)
{
    cn_fiber_unbind(s);
#ifdef CN_ASAN
    __asan_unpoison_memory_region(s->low, (size_t)(s->high - s->low));
#elif defined(CN_TSAN)
    s->sanitizer = __tsan_create_fiber(0);
#endif
}

/* Fill in the description of the thread's own stack. */
static inline void cn_fiber_home(struct cn_stack *s)
{
#ifdef CN_ASAN
    pthread_attr_t attr;
    void *low;
    size_t size;

    pthread_getattr_np(pthread_self(), &attr);
    pthread_attr_getstack(&attr, &low, &size);
    pthread_attr_destroy(&attr);
    s->low = low;
    s->high = (char *)low + size;
#elif defined(CN_TSAN)
    s->sanitizer = __tsan_get_current_fiber();
#endif
    (void)s;
}

static inline void cn_fiber_map(char *low, char *high)
{
#ifdef VALGRIND_STACK_REGISTER
    (void)VALGRIND_STACK_REGISTER(low, high);
#endif
    (void)low;
    (void)high;
}

#if defined(CN_ASAN) || defined(CN_TSAN)
enum { CN_STACK_FACTOR = 4 }; /* instrumented frames are larger */
#else
enum { CN_STACK_FACTOR = 1 };
#endif

#endif
