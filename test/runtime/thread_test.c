/* Worker threads and portals: smoke tests. */
#include "rt.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static int on_worker(void *arg)
{
    CHECK(cn_self() == NULL);
    CHECK_INT(cn_thread_cancelled(), 0);
    return *(int *)arg;
}

static int call_worker(void *arg)
{
    int n = 42;

    (void)arg;
    CHECK_INT(cn_thread_cancelled(), CN_ENOTASK);
    CHECK_INT(cn_to_thread(on_worker, &n, NULL, 0), 42);
    return cn_to_thread(on_worker, &n, NULL, 0);
}

static int many_workers(void *arg)
{
    struct cn_group g;

    (void)arg;
    cn_group_open(&g);
    for (int i = 0; i < 200; i++)
        cn_spawn(&g, call_worker, NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(cn_limiter_available(cn_thread_limiter()), 40);
    return 0;
}

static void test_to_thread(void **state)
{
    (void)state;
    rt_all(many_workers, 0);
}

static int until_cancelled(void *arg)
{
    (void)arg;
    while (cn_thread_cancelled() == 0)
        usleep(100);
    return 3;
}

static int stubborn(void *arg)
{
    atomic_int *stop = arg;

    while (!atomic_load(stop))
        usleep(100);
    return 0;
}

static int cancel_workers(void *arg)
{
    static atomic_int stop;
    struct cn_scope s;

    (void)arg;
    atomic_store(&stop, 0);
    cn_scope_open(&s, cn_after(5 * CN_MSEC), 0);
    CHECK_INT(cn_to_thread(until_cancelled, NULL, NULL, 0), 3);
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    CHECK_INT(cn_scope_close(&s, CN_ECANCELED), 0);
    cn_scope_open(&s, cn_after(5 * CN_MSEC), 0);
    CHECK_INT(cn_to_thread(stubborn, &stop, NULL, CN_ABANDON), CN_ECANCELED);
    CHECK_INT(cn_scope_close(&s, CN_ECANCELED), 0);
    CHECK_INT(cn_limiter_available(cn_thread_limiter()), 39);
    atomic_store(&stop, 1);
    while (cn_limiter_available(cn_thread_limiter()) < 40)
        cn_sleep(CN_MSEC);
    return 0;
}

static void test_cancelled_workers(void **state)
{
    (void)state;
    rt_all(cancel_workers, 0);
}

/* --- portals ------------------------------------------------------------------- */

static int posted, served;

static void post_one(void *arg)
{
    CHECK(cn_self() == NULL);
    if (arg)
        CHECK_INT(posted, (int)(intptr_t)arg);
    posted++;
}

static int serve(void *arg)
{
    CHECK(cn_self() != NULL);
    CHECK_INT(cn_sleep(CN_MSEC), 0);
    served++;
    return *(int *)arg;
}

static int visitor(void *arg)
{
    struct cn_portal *p = arg;
    int bad = -EIO;

    for (intptr_t i = 0; i < 100; i++)
        CHECK_INT(cn_post(p, post_one, (void *)i), 0);
    CHECK_INT(cn_from_thread(p, serve, &bad), -EIO);
    CHECK_INT(posted, 100);
    return cn_from_thread(p, serve, &(int){5});
}

/* A thread of our own that outlives the loop. */
static void *late_visitor(void *arg)
{
    struct cn_portal *p = arg;

    while (cn_post(p, post_one, NULL) == 0)
        usleep(100);
    CHECK_INT(cn_from_thread(p, serve, NULL), CN_ECLOSED);
    CHECK_INT(cn_portal_spawn(p, serve, NULL), CN_ECLOSED);
    cn_portal_unref(p);
    return NULL;
}

static pthread_t late;

static int forgotten_portal(void *arg)
{
    struct cn_group g;
    struct cn_portal *p = NULL;

    cn_group_open(&g);
    CHECK_INT(cn_portal_open(&g, &p), 0);
    posted = 0;
    pthread_create(&late, NULL, late_visitor, cn_portal_ref(p));
    CHECK_INT(cn_sleep(5 * CN_MSEC), 0);
    CHECK_INT(cn_group_close(&g, 0), 0); /* which shuts the portal */
    if (arg)
        cn_portal_close(p);
    return 0;
}

static void test_portal_outlives_the_loop(void **state)
{
    (void)state;
    rt_failures = 0;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(
            rt_run_as(forgotten_portal, i & 1 ? &late : NULL, 0, 0), 0);
        pthread_join(late, NULL);
    }
    assert_int_equal(rt_failures, 0);
}

static int portals(void *arg)
{
    struct cn_group g;
    struct cn_portal *p = NULL;

    (void)arg;
    posted = served = 0;
    cn_group_open(&g);
    CHECK_INT(cn_portal_open(&g, &p), 0);
    CHECK_INT(cn_from_thread(p, serve, &(int){5}), CN_EINVAL);
    CHECK_INT(cn_to_thread(visitor, p, NULL, 0), 5);
    CHECK_INT(served, 2);
    cn_portal_close(p);
    CHECK_INT(cn_group_close(&g, 0), 0);
    return 0;
}

static void test_portals(void **state)
{
    (void)state;
    rt_all(portals, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_thread),
        cmocka_unit_test(test_cancelled_workers),
        cmocka_unit_test(test_portals),
        cmocka_unit_test(test_portal_outlives_the_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
