/* Event, lock, semaphore, condition, limiter: smoke tests. */
#include "rt.h"

static struct cn_event event;
static struct cn_lock lock;
static struct cn_sem sem;
static struct cn_cond cond;
static int order[16], order_len;

static void reset(void)
{
    memset(&event, 0, sizeof(event));
    memset(&lock, 0, sizeof(lock));
    sem = (struct cn_sem)CN_SEM_INIT(1, 1);
    cond = (struct cn_cond)CN_COND_INIT(&lock);
    order_len = 0;
}

static int wait_event(void *arg)
{
    int rc = cn_event_wait(&event);

    if (rc == 0)
        ++*(int *)arg;
    return rc;
}

static int events(void *arg)
{
    struct cn_group g;
    struct cn_task *victim;
    int woken = 0;

    (void)arg;
    reset();
    cn_group_open(&g);
    for (int i = 0; i < 3; i++)
        cn_spawn(&g, wait_event, &woken);
    cn_spawn_opt(&g, wait_event, &woken, NULL, &victim);
    CHECK_INT(cn_wait_all_blocked(), 0);
    CHECK_INT(cn_event_waiting(&event), 4);
    cn_task_cancel(victim, NULL);
    CHECK_INT(cn_event_waiting(&event), 3);
    cn_event_set(&event);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(woken, 3);
    CHECK_INT(cn_event_wait(&event), 0);
    return 0;
}

static void test_event(void **state)
{
    (void)state;
    rt_all(events, 0);
}

static int take_lock(void *arg)
{
    int rc = cn_lock_acquire(&lock);

    if (rc < 0)
        return rc;
    order[order_len++] = (int)(intptr_t)arg;
    CHECK_INT(cn_lock_acquire(&lock), CN_EINVAL);
    CHECK_INT(cn_checkpoint(), 0);
    return cn_lock_release(&lock);
}

static int locks(void *arg)
{
    struct cn_group g;

    (void)arg;
    reset();
    CHECK_INT(cn_lock_acquire(&lock), 0);
    cn_group_open(&g);
    for (intptr_t i = 0; i < 5; i++) {
        cn_spawn(&g, take_lock, (void *)i);
        CHECK_INT(cn_wait_all_blocked(), 0);
    }
    CHECK_INT(cn_lock_waiting(&lock), 5);
    CHECK_INT(cn_lock_release(&lock), 0);
    CHECK_INT(cn_lock_release(&lock), CN_EINVAL);
    CHECK_INT(cn_lock_acquire_nowait(&lock), CN_EAGAIN);
    CHECK_INT(cn_group_close(&g, 0), 0);
    for (int i = 0; i < 5; i++)
        CHECK_INT(order[i], i);
    CHECK(!cn_lock_locked(&lock));
    return 0;
}

static void test_lock_is_fair(void **state)
{
    (void)state;
    rt_all(locks, 0);
}

/* Cancelled in the turn in which the lock is handed over: it has it. */
static int handed_over(void *arg)
{
    int rc = cn_lock_acquire(&lock);

    CHECK_INT(rc, 0);
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    CHECK_INT(cn_lock_release(&lock), 0);
    ++*(int *)arg;
    return CN_ECANCELED;
}

static int cancel_after_release(void *arg)
{
    struct cn_group g;
    int done = 0;

    (void)arg;
    reset();
    CHECK_INT(cn_lock_acquire(&lock), 0);
    cn_group_open(&g);
    cn_spawn(&g, handed_over, &done);
    CHECK_INT(cn_wait_all_blocked(), 0);
    CHECK_INT(cn_lock_release(&lock), 0);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(done, 1);
    CHECK(!cn_lock_locked(&lock));
    return 0;
}

static void test_cancel_after_release(void **state)
{
    (void)state;
    rt_all(cancel_after_release, 0);
}

static int use_sem(void *arg)
{
    int *inside = arg;

    CHECK_INT(cn_sem_acquire(&sem), 0);
    CHECK_INT(++*inside, 1);
    CHECK_INT(cn_sleep(CN_MSEC), 0);
    --*inside;
    CHECK_INT(cn_sem_release(&sem), 0);
    return 0;
}

static int semaphores(void *arg)
{
    struct cn_group g;
    int inside = 0;

    (void)arg;
    reset();
    cn_group_open(&g);
    for (int i = 0; i < 4; i++)
        cn_spawn(&g, use_sem, &inside);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(cn_sem_value(&sem), 1);
    CHECK_INT(cn_sem_release(&sem), CN_EINVAL);
    CHECK_INT(cn_now(), 4 * CN_MSEC);
    return 0;
}

static void test_semaphore(void **state)
{
    (void)state;
    rt_all(semaphores, 0);
}

static int wait_cond(void *arg)
{
    int rc;

    CHECK_INT(cn_lock_acquire(&lock), 0);
    rc = cn_cond_wait(&cond);
    CHECK(lock.owner == cn_self());
    if (rc == 0)
        ++*(int *)arg;
    CHECK_INT(cn_lock_release(&lock), 0);
    return rc;
}

static int conditions(void *arg)
{
    struct cn_group g;
    struct cn_task *first;
    int woken = 0;

    (void)arg;
    reset();
    CHECK_INT(cn_cond_notify(&cond, 1), CN_EINVAL);
    cn_group_open(&g);
    cn_spawn_opt(&g, wait_cond, &woken, NULL, &first);
    CHECK_INT(cn_wait_all_blocked(), 0);
    for (int i = 0; i < 3; i++)
        cn_spawn(&g, wait_cond, &woken);
    CHECK_INT(cn_wait_all_blocked(), 0);
    CHECK_INT(cn_cond_waiting(&cond), 4);
    CHECK_INT(cn_lock_acquire(&lock), 0);
    cn_task_cancel(first, NULL);
    CHECK_INT(cn_cond_waiting(&cond), 3);
    CHECK_INT(cn_cond_notify(&cond, 1), 0);
    CHECK_INT(cn_lock_release(&lock), 0);
    CHECK_INT(cn_wait_all_blocked(), 0);
    CHECK_INT(woken, 1);
    CHECK_INT(cn_lock_acquire(&lock), 0);
    CHECK_INT(cn_cond_notify(&cond, SIZE_MAX), 0);
    CHECK_INT(cn_lock_release(&lock), 0);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(woken, 3);
    return 0;
}

static void test_condition(void **state)
{
    (void)state;
    rt_all(conditions, 0);
}

static int borrow(void *arg)
{
    struct cn_limiter *l = arg;
    int rc = cn_limiter_acquire(l, NULL);

    if (rc < 0)
        return rc;
    CHECK_INT(cn_limiter_acquire_nowait(l, NULL), CN_EINVAL);
    CHECK(l->borrowed <= 3);
    cn_sleep(CN_MSEC);
    return cn_limiter_release(l, NULL);
}

static int limiters(void *arg)
{
    struct cn_limiter l = CN_LIMITER_INIT(1);
    struct cn_group g;

    (void)arg;
    cn_group_open(&g);
    for (int i = 0; i < 100; i++)
        cn_spawn(&g, borrow, &l);
    CHECK_INT(cn_wait_all_blocked(), 0);
    CHECK_INT(l.borrowed, 1);
    CHECK_INT(cn_limiter_waiting(&l), 99);
    CHECK_INT(cn_limiter_acquire_nowait(&l, &g), CN_EAGAIN);
    cn_limiter_set_total(&l, 3);
    CHECK_INT(l.borrowed, 3);
    cn_limiter_set_total(&l, 2);
    CHECK_INT(cn_limiter_available(&l), 0);
    CHECK_INT(cn_sleep(20 * CN_MSEC), 0);
    CHECK_INT(l.borrowed, 2);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_limiter_waiting(&l), 0);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(cn_limiter_available(&l), 2);
    cn_limiter_done(&l);
    return 0;
}

static void test_limiter(void **state)
{
    (void)state;
    rt_all(limiters, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event),
        cmocka_unit_test(test_lock_is_fair),
        cmocka_unit_test(test_cancel_after_release),
        cmocka_unit_test(test_semaphore),
        cmocka_unit_test(test_condition),
        cmocka_unit_test(test_limiter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
