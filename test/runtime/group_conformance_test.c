/* Conformance of groups, and of starting tasks. */
#include "conformance.h"

static int set_flag(void *arg)
{
    *(int *)arg = 1;
    return 0;
}

static int empty_gives_way(void *arg)
{
    struct cn_group outer, g;
    int ran = 0;

    (void)arg;
    cn_group_open(&outer);
    cn_spawn(&outer, set_flag, &ran);
    cn_group_open(&g);
    CHECK_INT(cn_group_close(&g, 0), 0);
    for (int i = 0; i < 100 && !ran; i++) /* shuffled: not always at once */
        CHECK_INT(cn_checkpoint(), 0);
    CHECK(ran);
    return cn_group_close(&outer, 0);
}

static int child_cancels_host(void *arg)
{
    struct cn_group g;
    int cancelled = 0, rc;

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, rt_wait, &cancelled);
    cn_spawn(&g, rt_fail, NULL);
    rc = rt_wait(NULL);
    CHECK_INT(cn_group_close(&g, rc), -EIO);
    CHECK_INT(cancelled, 1);
    CHECK(strcmp(cn_error_last()->message, "on purpose") == 0);
    return 0;
}

static int host_cancels_children(void *arg)
{
    struct cn_group g;
    int cancelled = 0;

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, rt_wait, &cancelled);
    cn_spawn(&g, rt_wait, &cancelled);
    CHECK_INT(cn_group_close(&g, cn_fail(-ENOENT, "host")), -ENOENT);
    CHECK_INT(cancelled, 2);
    CHECK(strcmp(cn_error_last()->message, "host") == 0);
    return 0;
}

static int two_in_one_turn(void *arg)
{
    struct cn_group g;

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, rt_fail, NULL);
    cn_spawn(&g, rt_fail, NULL);
    CHECK_INT(cn_group_close(&g, 0), CN_EGROUP);
    CHECK(cn_error_last()->children && cn_error_last()->children->next);
    CHECK(cn_group_errors(&g) == cn_error_last()->children);
    return 0;
}

static int fail_when_cancelled(void *arg)
{
    int rc = rt_wait(arg);

    CHECK_INT(rc, CN_ECANCELED);
    return cn_fail(-EPIPE, "while cancelled");
}

static int fails_while_cancelled(void *arg)
{
    struct cn_group g;

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, fail_when_cancelled, NULL);
    CHECK_INT(cn_checkpoint(), 0);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_group_close(&g, 0), -EPIPE);
    return 0;
}

static int swallow(void *arg)
{
    rt_wait(arg);
    return 0;
}

static int child_swallows(void *arg)
{
    struct cn_group g;
    int cancelled = 0;

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, swallow, &cancelled);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(cancelled, 1);
    return 0;
}

struct spawner {
    struct cn_group *g;
    int ran;
};

static int spawn_late(void *arg)
{
    struct spawner *s = arg;

    CHECK_INT(cn_sleep(CN_SEC), 0); /* the group is closing by now */
    CHECK_INT(cn_spawn(s->g, set_flag, &s->ran), 0);
    return 0;
}

static int spawn_while_closing(void *arg)
{
    struct cn_group g;
    struct spawner s = {.g = &g};

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, spawn_late, &s);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(s.ran, 1);
    CHECK_INT(cn_spawn(&g, set_flag, &s.ran), CN_ECLOSED);
    return 0;
}

static int spawn_when_cancelled(void *arg)
{
    struct spawner *s = arg;

    CHECK_INT(cn_sleep(CN_NEVER), CN_ECANCELED);
    CHECK_INT(cn_spawn(s->g, rt_wait, &s->ran), 0);
    return CN_ECANCELED;
}

static int inner_spawn_is_cancelled(void *arg)
{
    struct cn_group g;
    struct spawner s = {.g = &g};

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, spawn_when_cancelled, &s);
    CHECK_INT(cn_wait_all_blocked(), 0);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(s.ran, 1);
    return 0;
}

static int failing_family(void *arg)
{
    struct cn_group g;

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, rt_fail, NULL);
    return cn_group_close(&g, rt_wait(NULL));
}

static int through_two_groups(void *arg)
{
    struct cn_group g;

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, failing_family, NULL);
    CHECK_INT(cn_group_close(&g, rt_wait(NULL)), -EIO);
    CHECK(strcmp(cn_error_last()->message, "on purpose") == 0);
    return 0;
}

static int host_cancelled_in_close(void *arg)
{
    struct cn_scope s;
    struct cn_group g;
    int cancelled = 0;

    (void)arg;
    cn_scope_open(&s, cn_after(CN_SEC), 0);
    cn_group_open(&g);
    cn_spawn(&g, rt_wait, &cancelled);
    CHECK_INT(cn_group_close(&g, 0), CN_ECANCELED);
    CHECK_INT(cancelled, 1);
    CHECK_INT(cn_scope_close(&s, CN_ECANCELED), 0);
    CHECK(cn_scope_caught(&s));
    return 0;
}

static int cancel_group(void *arg)
{
    cn_scope_cancel(cn_group_scope(arg), "child");
    return 0;
}

static int cancelled_by_a_child(void *arg)
{
    struct cn_group g;
    int cancelled = 0;

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, rt_wait, &cancelled);
    cn_spawn(&g, cancel_group, &g);
    CHECK_INT(cn_group_close(&g, rt_wait(NULL)), 0);
    CHECK_INT(cancelled, 1);
    CHECK(cn_scope_caught(cn_group_scope(&g)));
    return 0;
}

/* The host is shielded in the group; its tasks are not. */
static int host_shielded(void *arg)
{
    struct cn_group g;
    struct cn_scope shield;
    int cancelled = 0;

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, rt_wait, &cancelled);
    cn_scope_open(&shield, CN_NEVER, CN_SHIELD);
    CHECK_INT(cn_checkpoint(), 0);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_sleep(CN_SEC), 0);
    CHECK_INT(cancelled, 1);
    CHECK_INT(cn_scope_close(&shield, 0), 0);
    return cn_group_close(&g, 0);
}

static int group_in_a_shield(void *arg)
{
    struct cn_scope outer, shield;
    struct cn_group g;

    (void)arg;
    cn_scope_open(&outer, CN_NEVER, 0);
    cn_scope_open(&shield, CN_NEVER, CN_SHIELD);
    cn_group_open(&g);
    cn_spawn(&g, rt_second, NULL);
    cn_scope_cancel(&outer, NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(cn_scope_close(&shield, 0), 0);
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    return cn_scope_close(&outer, CN_ECANCELED);
}

static int many_spawns(void *arg)
{
    int ran = 0;

    (void)arg;
    for (int i = 0; i < 100; i++) {
        struct cn_group g;

        cn_group_open(&g);
        for (int j = 0; j < 50; j++)
            cn_spawn(&g, set_flag, &ran);
        CHECK_INT(cn_group_close(&g, 0), 0);
    }
    return 0;
}

/* --- starting ---------------------------------------------------------------------- */

enum how { VALUE, NO_VALUE, TWICE, CRASH_BEFORE, CRASH_AFTER, NEVER, SLOW };

static int starts(void *arg)
{
    int value = 42;

    switch (*(enum how *)arg) {
    case VALUE: CHECK_INT(cn_started(&value, sizeof(value)), 0); return 0;
    case NO_VALUE: CHECK_INT(cn_started(NULL, 0), 0); return 0;
    case TWICE:
        CHECK_INT(cn_started(NULL, 0), 0);
        CHECK_INT(cn_started(NULL, 0), CN_EINVAL);
        return 0;
    case CRASH_BEFORE: return rt_fail(NULL);
    case CRASH_AFTER: CHECK_INT(cn_started(NULL, 0), 0); return rt_fail(NULL);
    case NEVER: return 0;
    case SLOW: return rt_wait(NULL);
    }
    return 0;
}

static int start_as(struct cn_group *g, enum how how, int *value)
{
    static enum how as[] = {VALUE,       NO_VALUE, TWICE, CRASH_BEFORE,
                            CRASH_AFTER, NEVER,    SLOW};

    return cn_start(g, starts, &as[how], value, sizeof(*value));
}

static int start_values(void *arg)
{
    struct cn_group g;
    int value = 0;

    (void)arg;
    CHECK_INT(cn_started(NULL, 0), CN_EINVAL);
    cn_group_open(&g);
    CHECK_INT(start_as(&g, VALUE, &value), 0);
    CHECK_INT(value, 42);
    value = 1;
    CHECK_INT(start_as(&g, NO_VALUE, &value), 0);
    CHECK_INT(value, 1);
    CHECK_INT(start_as(&g, TWICE, &value), 0);
    CHECK_INT(cn_start(&g, starts, &(enum how){NO_VALUE}, NULL, 0), 0);
    return cn_group_close(&g, 0);
}

static int start_crashes(void *arg)
{
    struct cn_group g;
    int value;

    (void)arg;
    cn_group_open(&g);
    CHECK_INT(start_as(&g, CRASH_BEFORE, &value), -EIO);
    CHECK_INT(start_as(&g, NEVER, &value), CN_ENOSTART);
    CHECK_INT(cn_checkpoint(), 0); /* the group knows nothing of it */
    CHECK_INT(start_as(&g, CRASH_AFTER, &value), 0);
    CHECK_INT(cn_group_close(&g, 0), -EIO);
    return 0;
}

static int start_cancelled(void *arg)
{
    struct cn_group g;
    struct cn_scope s;
    int value;

    (void)arg;
    cn_group_open(&g);
    cn_scope_open(&s, cn_after(CN_SEC), 0);
    CHECK_INT(cn_scope_close(&s, start_as(&g, SLOW, &value)), 0);
    CHECK(cn_scope_caught(&s));
    CHECK_INT(cn_group_task_count(&g), 0);
    CHECK_INT(cn_checkpoint(), 0);
    return cn_group_close(&g, 0);
}

static int cancel_then_wait(void *arg)
{
    cn_scope_cancel(arg, "from the child");
    return rt_wait(NULL);
}

static int start_child_cancels_starter(void *arg)
{
    struct cn_group g;
    struct cn_scope s;

    (void)arg;
    cn_group_open(&g);
    cn_scope_open(&s, CN_NEVER, 0);
    CHECK_INT(cn_start(&g, cancel_then_wait, &s, NULL, 0), CN_ECANCELED);
    CHECK_INT(cn_scope_close(&s, CN_ECANCELED), 0);
    return cn_group_close(&g, 0);
}

static int start_slowly(void *arg)
{
    CHECK_INT(cn_sleep(CN_SEC), 0);
    CHECK_INT(cn_started(NULL, 0), 0);
    return rt_wait(arg);
}

struct starter {
    struct cn_group *g;
    int cancelled;
};

static int start_into(void *arg)
{
    struct starter *s = arg;

    CHECK_INT(cn_start(s->g, start_slowly, &s->cancelled, NULL, 0), 0);
    return 0;
}

/* The group was cancelled while the child started in another's scope: the
 * child is cancelled when it arrives. The starting child keeps it open. */
static int group_closes_during_start(void *arg)
{
    struct cn_group outer, g;
    struct starter s = {.g = &g};

    (void)arg;
    cn_group_open(&outer);
    cn_group_open(&g);
    cn_spawn(&outer, start_into, &s);
    CHECK_INT(cn_wait_all_blocked(), 0);
    CHECK_INT(cn_group_task_count(&g), 1);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(cn_now(), CN_SEC);
    CHECK_INT(s.cancelled, 1);
    return cn_group_close(&outer, 0);
}

int main(void)
{
    static const struct behaviour all[] = {
        {"an empty group is a checkpoint",
         "anyio test_empty_taskgroup_contains_yield_point", empty_gives_way, 0},
        {"a failing child cancels siblings and host",
         "anyio test_failing_child_task_cancels_host", child_cancels_host, 0},
        {"a failing host cancels the children",
         "anyio test_failing_host_task_cancels_children", host_cancels_children,
         0},
        {"two fail in one turn: both are kept",
         "anyio test_exception_group_children", two_in_one_turn, 0},
        {"a failure while cancelled is kept", "-", fails_while_cancelled, 0},
        {"a child swallows its cancellation", "-", child_swallows, 0},
        {"spawned while closing: waited for; after closing: refused",
         "anyio test_start_soon_while_running, test_start_already_closed",
         spawn_while_closing, 0},
        {"spawned in a cancelled group",
         "anyio test_cancel_propagation_with_inner_spawn",
         inner_spawn_is_cancelled, 0},
        {"a grandchild's error passes two groups",
         "anyio test_nested_exception_group_filtering", through_two_groups, 0},
        {"the host is cancelled in close",
         "anyio test_cancel_exiting_task_group", host_cancelled_in_close, 0},
        {"a child cancels the group", "anyio test_cancel_scope_in_child_task",
         cancelled_by_a_child, 0},
        {"a shield of the host does not protect the children",
         "anyio test_cancel_child_task_when_host_is_shielded", host_shielded,
         0},
        {"a group inside a shield runs on",
         "anyio test_shielded_cleanup_after_cancel", group_in_a_shield, 0},
        {"many tasks, one after the other", "-", many_spawns, 0},
        {"start: value, no value, twice",
         "anyio test_start_with_value, test_start_no_value, "
         "test_start_called_twice",
         start_values, 0},
        {"start: crash before and after, never started",
         "anyio test_start_crash_before_started_call, "
         "test_start_crash_after_started_call, test_start_no_started_call",
         start_crashes, 0},
        {"start: the starter is cancelled", "anyio test_start_cancelled",
         start_cancelled, 0},
        {"start: the child cancels the starter's scope",
         "anyio test_start_cancels_parent_scope", start_child_cancels_starter,
         0},
        {"start: the group is cancelled and closes meanwhile",
         "trio test_nursery_start_keeps_nursery_open, anyio "
         "test_start_not_cancelled_before_started_by_tg",
         group_closes_during_start, 0},
    };

    return conformance("Groups", all, CN_COUNT(all));
}
