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

static int rt_run_on(const char *backend, cn_fn *fn, unsigned flags,
                     uint64_t seed)
{
    struct cn_options o = {.backend = backend,
                           .flags = flags | CN_QUIET | CN_VIRTUAL_CLOCK,
                           .seed = seed};

    return cn_run(fn, NULL, &o);
}

static inline int rt_run_as(cn_fn *fn, void *arg, unsigned flags, uint64_t seed)
{
    struct cn_options o = {
        .backend = "sim", .flags = flags | CN_QUIET, .seed = seed};

    return cn_run(fn, arg, &o);
}

static int rt_nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* Run a body that returns `want` plain, strict, and shuffled, on every
 * backend that opens here. */
static inline void rt_all(cn_fn *fn, int want)
{
    static const char *const backends[] = {"sim", "uring", "uv"};

    rt_failures = 0;
    for (size_t i = 0; i < CN_COUNT(backends); i++) {
        const char *on = backends[i];

        if (rt_run_on(on, rt_nothing, 0, 0) < 0)
            continue;
        CHECK_INT(rt_run_on(on, fn, 0, 0), want);
        CHECK_INT(rt_run_on(on, fn, CN_STRICT, 0), want);
        for (uint64_t seed = 1; seed <= 20; seed++)
            CHECK_INT(
                rt_run_on(on, fn, CN_SHUFFLE | CN_STRICT * (seed & 1), seed),
                want);
    }
    assert_int_equal(rt_failures, 0);
}

#endif
