/* Conformance: behaviours by name, each with the upstream test it comes from,
 * run on every backend that opens here: plain, strict, and shuffled with
 * $CANYON_SEEDS seeds (default 20). With $CANYON_CONFORMANCE set to a file,
 * a row per behaviour is appended to it; tools/conformance makes the page.
 */
#ifndef CN_TEST_CONFORMANCE_H
#define CN_TEST_CONFORMANCE_H

#include "rt.h"

struct behaviour {
    const char *name, *upstream;
    cn_fn *body; /* returns `want` */
    int want;
};

static const char *const rt_backends[] = {"sim", "uring", "uv"};

static long rt_seeds(void)
{
    const char *text = getenv("CANYON_SEEDS");

    return text ? atol(text) : 20;
}

static bool one_run(const char *backend, const struct behaviour *b,
                    unsigned flags, uint64_t seed)
{
    int before = rt_failures;

    CHECK_INT(rt_run_on(backend, b->body, flags, seed), b->want);
    if (rt_failures == before)
        return true;
    fprintf(stderr, "%s: on %s, flags %u, seed %llu\n", b->name, backend, flags,
            (unsigned long long)seed);
    return false;
}

/* "holds", "fails" or "-" where the backend does not open. */
static const char *holds_on(const char *backend, const struct behaviour *b)
{
    if (rt_run_on(backend, rt_nothing, 0, 0) < 0)
        return "-";
    if (!one_run(backend, b, 0, 0) || !one_run(backend, b, CN_STRICT, 0))
        return "fails";
    for (long seed = 1; seed <= rt_seeds(); seed++)
        if (!one_run(backend, b, CN_SHUFFLE | CN_STRICT * (seed & 1),
                     (uint64_t)seed))
            return "fails";
    return "holds";
}

static const char *rt_chapter;

static void check_behaviour(void **state)
{
    const struct behaviour *b = *state;
    const char *page = getenv("CANYON_CONFORMANCE");
    const char *word[CN_COUNT(rt_backends)];
    FILE *f;

    rt_failures = 0;
    for (size_t i = 0; i < CN_COUNT(rt_backends); i++)
        word[i] = holds_on(rt_backends[i], b);
    f = page ? fopen(page, "a") : NULL;
    if (f) {
        fprintf(f, "%s|%s|%s|%s|%s|%s\n", rt_chapter, b->name, b->upstream,
                word[0], word[1], word[2]);
        fclose(f);
    }
    assert_int_equal(rt_failures, 0);
}

static inline int conformance(const char *chapter, const struct behaviour *b,
                              size_t n)
{
    struct CMUnitTest *tests = calloc(n, sizeof(*tests));
    int failed;

    rt_chapter = chapter;
    for (size_t i = 0; i < n; i++) {
        tests[i].name = b[i].name;
        tests[i].test_func = check_behaviour;
        tests[i].initial_state = (void *)(uintptr_t)&b[i];
    }
    failed = _cmocka_run_group_tests(chapter, tests, n, NULL, NULL);
    free(tests);
    return failed;
}

/* --- bodies that many behaviours use ---------------------------------------- */

/* Sleeps until cancelled; counts that in *arg. */
static inline int rt_wait(void *arg)
{
    int rc = cn_sleep(CN_NEVER);

    CHECK_INT(rc, CN_ECANCELED);
    if (arg)
        ++*(int *)arg;
    return rc;
}

static inline int rt_second(void *arg)
{
    (void)arg;
    return cn_sleep(CN_SEC);
}

static inline int rt_fail(void *arg)
{
    (void)arg;
    return cn_fail(-EIO, "on purpose");
}

#endif
