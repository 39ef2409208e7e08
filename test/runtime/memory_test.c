/* Every allocation and every mapping made to fail in turn: no crash, no hang,
 * no leak (the sanitizers look), and the program says CN_ENOMEM or copes.
 * Linked with --wrap for the allocating functions; see the Makefile. */
#include "rt.h"

#include <pthread.h>
#include <sys/mman.h>

static pthread_t victim; /* only this thread's allocations fail */
static bool armed;
static long countdown, count;

static bool fails(void)
{
    if (!armed || !pthread_equal(pthread_self(), victim))
        return false;
    count++;
    return --countdown == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_mmap(void *at, size_t size, int prot, int flags, int fd, off_t o);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t o);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t o)
{
    return fails() ? MAP_FAILED : __real_mmap(at, size, prot, flags, fd, o);
}

/* --- a program that uses a bit of everything --------------------------------- */

static int job(void *arg)
{
    (void)arg;
    return 0;
}

static int leaf(void *arg)
{
    static const char key;
    int rc = arg ? cn_local_set(&key, arg) : 0;

    if (rc < 0)
        return rc;
    rc = cn_sleep(CN_MSEC);
    if (rc < 0)
        return rc;
    return cn_within(CN_SEC, 0, job, NULL);
}

static int starter(void *arg)
{
    int rc = cn_sleep(CN_MSEC);

    return rc < 0 ? rc : cn_started(arg, 0);
}

static int failing(void *arg)
{
    (void)arg;
    return cn_fail(-EIO, "on purpose");
}

static int failing_group(void)
{
    struct cn_group g;
    int rc;

    cn_group_open(&g);
    rc = cn_spawn(&g, failing, NULL);
    if (rc == 0)
        rc = cn_spawn(&g, failing, NULL);
    rc = cn_group_close(&g, rc);
    return rc == -EIO || rc == CN_EGROUP ? 0 : rc;
}

static int channels(void)
{
    struct cn_sender *tx, *clone;
    struct cn_receiver *rx;
    int item = 1, rc = cn_chan_open(&tx, &rx, sizeof(int), CN_UNBOUNDED);

    if (rc < 0)
        return rc;
    clone = cn_sender_clone(tx);
    for (int i = 0; i < 100 && rc == 0; i++)
        rc = cn_send(tx, &item);
    cn_sender_close(clone);
    cn_sender_close(tx);
    cn_receiver_close(rx);
    return rc;
}

static int portal_and_thread(struct cn_group *g)
{
    struct cn_limiter limiter = CN_LIMITER_INIT(1);
    struct cn_portal *p;
    int rc = cn_portal_open(g, &p);

    if (rc < 0)
        return rc;
    rc = cn_portal_spawn(p, leaf, NULL);
    if (rc == 0)
        rc = cn_sleep(CN_MSEC);
    cn_portal_close(p);
    if (rc == 0)
        rc = cn_to_thread(job, NULL, &limiter, 0);
    cn_limiter_done(&limiter);
    return rc;
}

static int everything(struct cn_group *g)
{
    struct cn_task_options o = {.name = "leaf", .stack_size = 65536};
    struct cn_task *t;
    int rc = 0;

    for (int i = 0; i < 520 && rc == 0; i++) /* more than a slab of tasks */
        rc = cn_spawn(g, leaf, i ? NULL : g);
    if (rc == 0)
        rc = cn_spawn_opt(g, leaf, NULL, &o, &t);
    if (rc == 0)
        rc = cn_start(g, starter, NULL, NULL, 0);
    if (rc == 0)
        rc = failing_group();
    if (rc == 0)
        rc = channels();
    if (rc == 0)
        rc = portal_and_thread(g);
    return rc;
}

static int program(void *arg)
{
    struct cn_group g;

    (void)arg;
    cn_group_open(&g);
    return cn_group_close(&g, everything(&g));
}

/* --- the test -------------------------------------------------------------------- */

static bool is_honest(int rc)
{
    return rc == 0 || rc == CN_ENOMEM || rc == CN_EGROUP || rc == CN_EAGAIN;
}

static long run_with_failure(const char *backend, long at, int *rc)
{
    victim = pthread_self();
    count = 0;
    countdown = at;
    armed = true;
    *rc = rt_run_on(backend, program, 0, 0);
    armed = false;
    return count;
}

static void fail_each(const char *backend)
{
    int rc;
    long total = run_with_failure(backend, 0, &rc);

    if (rc < 0)
        return; /* it does not open here */
    assert_true(total > 20);
    for (long at = 1; at <= total; at++) {
        run_with_failure(backend, at, &rc);
        if (!is_honest(rc))
            fprintf(stderr, "%s: allocation %ld: %s\n", backend, at,
                    cn_errname(rc));
        assert_true(is_honest(rc));
    }
}

static void test_on_sim(void **state)
{
    (void)state;
    fail_each("sim");
}

static void test_on_uring(void **state)
{
    (void)state;
    fail_each("uring");
}

static void test_on_uv(void **state)
{
    (void)state;
    fail_each("uv");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_on_sim),
        cmocka_unit_test(test_on_uring),
        cmocka_unit_test(test_on_uv),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
