/* Tasks, groups, scopes: the runtime's own smoke tests. */
#include "rt.h"

/* --- running ---------------------------------------------------------------- */

static int return_arg(void *arg)
{
    return *(int *)arg;
}

static void test_run_returns(void **state)
{
    int seven = 7, bad = -EIO;

    (void)state;
    assert_int_equal(rt_run_as(return_arg, &seven, 0, 0), 7);
    assert_int_equal(rt_run_as(return_arg, &bad, 0, 0), -EIO);
    assert_null(cn_backend_name());
    assert_null(cn_self());
}

static int nested_loop(void *arg)
{
    (void)arg;
    CHECK_INT(cn_run(nested_loop, NULL, NULL), CN_EBUSY);
    CHECK(cn_backend_name() != NULL);
    return 0;
}

static void test_loops_do_not_nest(void **state)
{
    (void)state;
    rt_all(nested_loop, 0);
}

static int add_one(void *arg)
{
    CHECK(cn_self() != NULL);
    CHECK_INT(cn_checkpoint(), 0);
    ++*(int *)arg;
    return 0;
}

static int spawn_many(void *arg)
{
    struct cn_group g;
    int count = 0;

    (void)arg;
    cn_group_open(&g);
    for (int i = 0; i < 1000; i++)
        CHECK_INT(cn_spawn(&g, add_one, &count), 0);
    CHECK_INT(cn_group_task_count(&g), 1000);
    CHECK_INT(count, 0);
    CHECK_INT(cn_group_close(&g, 5), 5);
    CHECK_INT(count, 1000);
    CHECK_INT(cn_spawn(&g, add_one, &count), CN_ECLOSED);
    return 0;
}

static void test_spawn_many(void **state)
{
    (void)state;
    rt_all(spawn_many, 0);
}

/* --- errors -------------------------------------------------------------------- */

static int fail_io(void *arg)
{
    (void)arg;
    return cn_fail(-EIO, "page %d", 7);
}

static int sleep_for_ever(void *arg)
{
    int rc = cn_sleep(CN_NEVER);

    CHECK_INT(rc, CN_ECANCELED);
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    if (arg)
        ++*(int *)arg;
    return rc;
}

static int one_fails(void *arg)
{
    struct cn_group g;
    int cancelled = 0, rc;

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, sleep_for_ever, &cancelled);
    cn_spawn(&g, sleep_for_ever, &cancelled);
    cn_spawn(&g, fail_io, NULL);
    rc = cn_sleep(CN_SEC);
    CHECK_INT(rc, CN_ECANCELED);
    rc = cn_group_close(&g, rc);
    CHECK_INT(rc, -EIO);
    CHECK_INT(cancelled, 2);
    CHECK(cn_error_last() && cn_error_last()->code == -EIO);
    CHECK(strcmp(cn_error_last()->message, "page 7") == 0);
    CHECK(strstr(cn_error_last()->where, "task_test.c:"));
    CHECK(cn_group_errors(&g) == cn_error_last());
    CHECK_INT(cn_checkpoint(), 0);
    return 0;
}

static void test_first_failure_cancels(void **state)
{
    (void)state;
    rt_all(one_fails, 0);
}

static int two_fail(void *arg)
{
    struct cn_group g;
    int rc;

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, fail_io, NULL);
    cn_spawn(&g, fail_io, NULL);
    rc = cn_group_close(&g, cn_sleep(CN_SEC));
    CHECK_INT(rc, CN_EGROUP);
    CHECK(cn_error_last() && cn_error_last()->children);
    CHECK(cn_error_last()->children->next);
    CHECK(!cn_error_last()->children->next->next);
    return rc;
}

static int nested_errors(void *arg)
{
    struct cn_group g;
    const struct cn_error *e;
    int rc;

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, two_fail, NULL);
    cn_spawn(&g, fail_io, NULL);
    rc = cn_group_close(&g, cn_sleep(CN_SEC));
    CHECK_INT(rc, CN_EGROUP);
    e = cn_error_last()->children;
    CHECK(e->children || e->next->children);
    return rc;
}

static void test_nested_errors(void **state)
{
    const struct cn_error *e = NULL;
    struct cn_options o = {.backend = "sim", .reterr_error = &e};

    (void)state;
    rt_all(nested_errors, CN_EGROUP);
    assert_int_equal(cn_run(nested_errors, NULL, &o), CN_EGROUP);
    assert_non_null(e);
    assert_int_equal(e->code, CN_EGROUP);
    cn_error_free(e);
}

/* --- scopes --------------------------------------------------------------------- */

static int timeouts(void *arg)
{
    struct cn_scope outer, inner;
    cn_time start = cn_now();

    (void)arg;
    CHECK_INT(cn_within(CN_SEC, 0, sleep_for_ever, NULL), 0);
    CHECK_INT(cn_now() - start, CN_SEC);
    CHECK_INT(cn_within(CN_SEC, CN_FAIL, sleep_for_ever, NULL), CN_ETIMEDOUT);

    cn_scope_open(&outer, cn_after(CN_SEC), 0);
    cn_scope_open(&inner, cn_after(2 * CN_SEC), 0);
    CHECK_INT(cn_deadline(), cn_after(CN_SEC));
    CHECK_INT(cn_scope_close(&inner, cn_sleep(CN_NEVER)), CN_ECANCELED);
    CHECK(!cn_scope_caught(&inner));
    CHECK_INT(cn_deadline(), INT64_MIN);
    CHECK_INT(cn_scope_close(&outer, CN_ECANCELED), 0);
    CHECK(cn_scope_caught(&outer));
    CHECK_INT(cn_deadline(), CN_NEVER);
    return 0;
}

static void test_timeouts(void **state)
{
    (void)state;
    rt_all(timeouts, 0);
}

static int shields(void *arg)
{
    struct cn_scope outer, shield, inner;

    (void)arg;
    cn_scope_open(&outer, CN_NEVER, 0);
    cn_scope_cancel(&outer, "test");
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    cn_scope_open(&shield, CN_NEVER, CN_SHIELD);
    CHECK_INT(cn_checkpoint(), 0);
    cn_scope_open(&inner, cn_after(CN_SEC), CN_FAIL);
    CHECK_INT(cn_sleep(CN_NEVER), CN_ECANCELED);
    CHECK_INT(cn_scope_close(&inner, CN_ECANCELED), CN_ETIMEDOUT);
    cn_scope_set_shield(&shield, false);
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    cn_scope_set_shield(&shield, true);
    CHECK_INT(cn_checkpoint(), 0);
    CHECK_INT(cn_scope_close(&shield, CN_ECANCELED), CN_ECANCELED);
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    CHECK_INT(cn_scope_close(&outer, CN_ECANCELED), 0);
    return 0;
}

static void test_shields(void **state)
{
    (void)state;
    rt_all(shields, 0);
}

static int misnest(void *arg)
{
    struct cn_scope a, b;

    (void)arg;
    cn_scope_open(&a, CN_NEVER, 0);
    cn_scope_open(&b, CN_NEVER, 0);
    CHECK_INT(cn_scope_close(&a, 0), CN_EMISNEST);
    CHECK_INT(cn_scope_close(&b, 0), CN_EMISNEST);
    CHECK_INT(cn_checkpoint(), 0);
    return 0;
}

static void test_misnesting(void **state)
{
    (void)state;
    rt_all(misnest, 0);
}

static int cancel_deep(void *arg)
{
    enum { DEPTH = 10000 };
    struct cn_scope *s = calloc(DEPTH, sizeof(*s));
    int rc;

    (void)arg;
    for (int i = 0; i < DEPTH; i++)
        cn_scope_open(&s[i], cn_after((i + 1) * CN_SEC), 0);
    rc = cn_sleep(CN_NEVER);
    for (int i = DEPTH; i-- > 0;)
        rc = cn_scope_close(&s[i], rc);
    free(s);
    CHECK_INT(cn_now(), CN_SEC);
    return rc;
}

static void test_deep_nesting(void **state)
{
    (void)state;
    rt_failures = 0;
    assert_int_equal(rt_run_as(cancel_deep, NULL, 0, 0), 0);
    assert_int_equal(rt_failures, 0);
}

/* --- start, handles ---------------------------------------------------------------- */

static int server(void *arg)
{
    int port = *(int *)arg;

    if (port < 0)
        return cn_fail(port, "no port");
    if (port == 0)
        return 0;
    CHECK_INT(cn_sleep(CN_SEC), 0);
    CHECK_INT(cn_started(&port, sizeof(port)), 0);
    CHECK_INT(cn_started(&port, sizeof(port)), CN_EINVAL);
    return sleep_for_ever(NULL);
}

static int starting(void *arg)
{
    struct cn_group g;
    struct cn_scope s;
    int port = 80, bad = -EADDRINUSE, zero = 0, out = 0;

    (void)arg;
    cn_group_open(&g);
    CHECK_INT(cn_start(&g, server, &port, &out, sizeof(out)), 0);
    CHECK_INT(out, 80);
    CHECK_INT(cn_start(&g, server, &bad, &out, sizeof(out)), -EADDRINUSE);
    CHECK(strcmp(cn_error_last()->message, "no port") == 0);
    CHECK_INT(cn_start(&g, server, &zero, &out, sizeof(out)), CN_ENOSTART);
    cn_scope_open(&s, cn_after(CN_SEC / 2), 0);
    /* The child checks that its sleep is not cancelled: use another one. */
    CHECK_INT(cn_scope_close(&s, cn_start(&g, sleep_for_ever, NULL, NULL, 0)),
              0);
    CHECK(cn_scope_caught(&s));
    CHECK_INT(cn_group_task_count(&g), 1);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    return 0;
}

static void test_start(void **state)
{
    (void)state;
    rt_all(starting, 0);
}

static int copied(void *arg)
{
    return *(int *)arg;
}

static int handles(void *arg)
{
    struct cn_group g;
    struct cn_task *t[10], *victim;
    struct cn_task_options o = {.name = "copy"};
    int rc;

    (void)arg;
    cn_group_open(&g);
    for (int i = 0; i < 10; i++) {
        o.copy = &i;
        o.copy_len = sizeof(i);
        CHECK_INT(cn_spawn_opt(&g, copied, NULL, &o, &t[i]), 0);
    }
    CHECK_INT(cn_spawn_opt(&g, sleep_for_ever, NULL, NULL, &victim), 0);
    for (int i = 0; i < 10; i++) {
        rc = -1;
        CHECK_INT(cn_task_wait(t[i], &rc), 0);
        CHECK_INT(rc, i);
        CHECK_INT(cn_task_status(t[i]), CN_TASK_FINISHED);
    }
    cn_task_release(t[3]);
    CHECK_INT(cn_task_status(victim), CN_TASK_PENDING);
    cn_task_cancel(victim, "enough");
    CHECK_INT(cn_task_status(victim), CN_TASK_CANCELLING);
    CHECK_INT(cn_task_wait(victim, &rc), 0);
    CHECK_INT(rc, CN_ECANCELED);
    CHECK_INT(cn_task_status(victim), CN_TASK_CANCELLED);
    CHECK_INT(cn_group_close(&g, 0), 0);
    return 0;
}

static void test_handles(void **state)
{
    (void)state;
    rt_all(handles, 0);
}

/* --- deadlock ------------------------------------------------------------------------ */

static int stuck(void *arg)
{
    struct cn_event e = {0};
    struct cn_scope s;

    (void)arg;
    cn_scope_open(&s, CN_NEVER, CN_SHIELD);
    return cn_scope_close(&s, cn_event_wait(&e));
}

static void test_deadlock_is_reported(void **state)
{
    (void)state;
    rt_all(stuck, CN_EDEADLOCK);
}

/* --- task-local values ------------------------------------------------------------------ */

static const char key;

static int local_child(void *arg)
{
    CHECK(cn_local_get(&key) == arg);
    CHECK_INT(cn_local_set(&key, NULL), 0);
    CHECK(cn_local_get(&key) == NULL);
    return 0;
}

static int locals(void *arg)
{
    struct cn_group g;
    int a, b;

    (void)arg;
    CHECK(cn_local_get(&key) == NULL);
    CHECK_INT(cn_local_set(&key, &a), 0);
    cn_group_open(&g);
    cn_spawn(&g, local_child, &a);
    CHECK_INT(cn_local_set(&key, &b), 0);
    cn_spawn(&g, local_child, &b);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK(cn_local_get(&key) == &b);
    return 0;
}

static void test_locals(void **state)
{
    (void)state;
    rt_all(locals, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_returns),
        cmocka_unit_test(test_loops_do_not_nest),
        cmocka_unit_test(test_spawn_many),
        cmocka_unit_test(test_first_failure_cancels),
        cmocka_unit_test(test_nested_errors),
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_shields),
        cmocka_unit_test(test_misnesting),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_handles),
        cmocka_unit_test(test_deadlock_is_reported),
        cmocka_unit_test(test_locals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
