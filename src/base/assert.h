/* Assertions: for our own mistakes only, and they stay on in every build.
 *
 * A stranger's mistake (a bad argument, a broken file) returns an error code
 * instead. cn_assert is cheap enough for hot paths; cn_check may walk a list
 * and is compiled only with -DCN_CHECKS (the sanitizer builds define it).
 */
#ifndef CN_BASE_ASSERT_H
#define CN_BASE_ASSERT_H

#include <stddef.h>

/* Print the failed condition and its place to stderr, then abort. */
_Noreturn void cn_assert_failed(const char *what, const char *file, int line);

#define cn_assert(cond)                                                        \
    (__builtin_expect(!!(cond), 1)                                             \
         ? (void)0                                                             \
         : cn_assert_failed(#cond, __FILE__, __LINE__))

#ifdef CN_CHECKS
#define cn_check(cond) cn_assert(cond)
#else
#define cn_check(cond) ((void)sizeof(cond))
#endif

#define cn_unreachable() cn_assert_failed("unreachable", __FILE__, __LINE__)

/* Memory that the command cannot do without: prints "out of memory" and
 * aborts. The runtime never calls it; it returns CN_ENOMEM instead. */
_Noreturn void cn_out_of_memory(size_t bytes);

#endif
