/* Helpers of the runtime's own tests: bodies run as tasks on the backend
 * "sim", plain, strict and shuffled. A task cannot leave by cmocka's longjmp,
 * so checks inside tasks are counted and the count is asserted outside. */
#ifndef CN_TEST_RT_H
#define CN_TEST_RT_H

#include "test.h"

#include "runtime/runtime.h"

static int rt_failures;

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);         \
            rt_failures++;                                                     \
        }                                                                      \
    } while (0)

/* Prints both sides. */
#define CHECK_INT(a, b)                                                        \
    do {                                                                       \
        long long a_ = (long long)(a), b_ = (long long)(b);                    \
        if (a_ != b_) {                                                        \
            fprintf(stderr, "%s:%d: %s is %lld (%s), not %lld\n", __FILE__,    \
                    __LINE__, #a, a_, cn_errname((int)a_), b_);                \
            rt_failures++;                                                     \
        }                                                                      \
    } while (0)

static int rt_run_as(cn_fn *fn, void *arg, unsigned flags, uint64_t seed)
{
    struct cn_options o = {
        .backend = "sim", .flags = flags | CN_QUIET, .seed = seed};

    return cn_run(fn, arg, &o);
}

/* Run a body that returns `want` plain, strict, and shuffled. */
static inline void rt_all(cn_fn *fn, int want)
{
    rt_failures = 0;
    CHECK_INT(rt_run_as(fn, NULL, 0, 0), want);
    CHECK_INT(rt_run_as(fn, NULL, CN_STRICT, 0), want);
    for (uint64_t seed = 1; seed <= 20; seed++)
        CHECK_INT(rt_run_as(fn, NULL, CN_SHUFFLE | CN_STRICT * (seed & 1),
                            seed),
                  want);
    assert_int_equal(rt_failures, 0);
}

#endif
