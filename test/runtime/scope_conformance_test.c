/* Conformance of cancel scopes. */
#include "conformance.h"

/* --- cancelling ---------------------------------------------------------------- */

static int count_then_checkpoint(void *arg)
{
    int rc;

    ++*(int *)arg;
    rc = cn_checkpoint();
    CHECK_INT(rc, CN_ECANCELED);
    return rc;
}

static int precancelled(void *arg)
{
    struct cn_group g;
    int reached = 0;

    (void)arg;
    cn_group_open(&g);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    cn_spawn(&g, count_then_checkpoint, &reached);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(reached, 1);
    return 0;
}

static int level(void *arg)
{
    struct cn_scope s;
    struct cn_event e = {0};

    (void)arg;
    cn_scope_open(&s, CN_NEVER, 0);
    cn_scope_cancel(&s, NULL);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(cn_checkpoint(), CN_ECANCELED);
        CHECK_INT(cn_sleep(CN_SEC), CN_ECANCELED);
        CHECK_INT(cn_event_wait(&e), CN_ECANCELED);
    }
    CHECK_INT(cn_scope_close(&s, CN_ECANCELED), 0);
    CHECK(cn_scope_caught(&s));
    CHECK_INT(cn_checkpoint(), 0);
    return 0;
}

static int cancel_twice(void *arg)
{
    struct cn_scope s;

    (void)arg;
    cn_scope_open(&s, CN_NEVER, 0);
    cn_scope_cancel(&s, "first");
    cn_scope_cancel(&s, "second");
    CHECK(strcmp(cn_scope_reason(&s), "first") == 0);
    CHECK_INT(cn_scope_close(&s, cn_checkpoint()), 0);
    cn_scope_cancel(&s, "late");
    CHECK(strcmp(cn_scope_reason(&s), "first") == 0);
    return 0;
}

static int not_caught(void *arg)
{
    struct cn_scope s;

    (void)arg;
    cn_scope_open(&s, CN_NEVER, CN_FAIL);
    CHECK_INT(cn_checkpoint(), 0);
    cn_scope_cancel(&s, NULL);
    CHECK_INT(cn_scope_close(&s, 7), 7);
    CHECK(cn_scope_cancelled(&s) && !cn_scope_caught(&s));
    return 0;
}

static int error_passes(void *arg)
{
    struct cn_scope s;

    (void)arg;
    cn_scope_open(&s, CN_NEVER, 0);
    cn_scope_cancel(&s, NULL);
    CHECK_INT(cn_scope_close(&s, -EIO), -EIO);
    CHECK(!cn_scope_caught(&s));
    cn_scope_open(&s, CN_NEVER, 0);
    CHECK_INT(cn_scope_close(&s, CN_ECANCELED), CN_ECANCELED);
    return 0;
}

static int cancel_arg(void *arg)
{
    cn_scope_cancel(arg, "sibling");
    return 0;
}

static int from_a_sibling(void *arg)
{
    struct cn_group g;
    struct cn_scope s;

    (void)arg;
    cn_group_open(&g);
    cn_scope_open(&s, CN_NEVER, 0);
    cn_spawn(&g, cancel_arg, &s);
    CHECK_INT(cn_scope_close(&s, cn_sleep(CN_NEVER)), 0);
    CHECK(cn_scope_caught(&s));
    CHECK_INT(cn_checkpoint(), 0);
    return cn_group_close(&g, 0);
}

static void cancel_posted(void *arg)
{
    cn_scope_cancel(arg, "callback");
}

static int from_a_callback(void *arg)
{
    struct cn_group g;
    struct cn_portal *p;
    struct cn_scope s;

    (void)arg;
    cn_group_open(&g);
    CHECK_INT(cn_portal_open(&g, &p), 0);
    cn_scope_open(&s, CN_NEVER, 0);
    CHECK_INT(cn_post(p, cancel_posted, &s), 0);
    CHECK_INT(cn_scope_close(&s, cn_sleep(CN_NEVER)), 0);
    cn_portal_close(p);
    return cn_group_close(&g, 0);
}

/* --- shields --------------------------------------------------------------------- */

static int shielded_checkpoint(void *arg)
{
    struct cn_scope s, shield;

    (void)arg;
    cn_scope_open(&s, CN_NEVER, 0);
    cn_scope_open(&shield, CN_NEVER, CN_SHIELD);
    cn_scope_cancel(&s, NULL);
    CHECK_INT(cn_sleep(CN_SEC), 0);
    CHECK_INT(cn_scope_close(&shield, 0), 0);
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    CHECK_INT(cn_scope_close(&s, CN_ECANCELED), 0);
    return 0;
}

static int shield_with_deadline(void *arg)
{
    struct cn_scope outer, s;

    (void)arg;
    cn_scope_open(&outer, CN_NEVER, 0);
    cn_scope_cancel(&outer, NULL);
    cn_scope_open(&s, cn_after(CN_SEC), CN_SHIELD);
    CHECK_INT(cn_sleep(CN_NEVER), CN_ECANCELED);
    CHECK_INT(cn_scope_close(&s, CN_ECANCELED), 0);
    CHECK(cn_scope_caught(&s));
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    return cn_scope_close(&outer, CN_ECANCELED);
}

/* Three deep; `cancel` says which of the three is cancelled, and what a
 * checkpoint in each says then. */
static void three_deep(int cancel, int in_inner, int in_middle, int in_outer)
{
    struct cn_scope s[3];

    for (int i = 0; i < 3; i++)
        cn_scope_open(&s[i], CN_NEVER, i ? CN_SHIELD : 0);
    cn_scope_cancel(&s[cancel], NULL);
    CHECK_INT(cn_checkpoint(), in_inner);
    CHECK_INT(cn_scope_close(&s[2], 0), 0);
    CHECK_INT(cn_checkpoint(), in_middle);
    CHECK_INT(cn_scope_close(&s[1], 0), 0);
    CHECK_INT(cn_checkpoint(), in_outer);
    CHECK_INT(cn_scope_close(&s[0], 0), 0);
    CHECK_INT(cn_checkpoint(), 0);
}

static int triple_shields(void *arg)
{
    (void)arg;
    three_deep(0, 0, 0, CN_ECANCELED);
    three_deep(1, 0, CN_ECANCELED, 0);
    three_deep(2, CN_ECANCELED, 0, 0);
    return 0;
}

/* trio#1175: the scope in the middle was never cancelled; the cancellation
 * that is on its way out is the outer one's, although a shield has gone up
 * meanwhile. */
static int unshield_in_flight(void *arg)
{
    struct cn_scope outer, middle;
    int rc;

    (void)arg;
    cn_scope_open(&outer, CN_NEVER, 0);
    cn_scope_open(&middle, CN_NEVER, 0);
    cn_scope_cancel(&outer, NULL);
    rc = cn_checkpoint();
    cn_scope_set_shield(&middle, true);
    CHECK_INT(cn_scope_close(&middle, rc), CN_ECANCELED);
    CHECK(!cn_scope_caught(&middle));
    CHECK_INT(cn_scope_close(&outer, rc), 0);
    CHECK(cn_scope_caught(&outer));
    return 0;
}

static int drop_shield_of(void *arg)
{
    cn_scope_set_shield(arg, false);
    return 0;
}

static int shield_dropped_while_waiting(void *arg)
{
    struct cn_group g;
    struct cn_scope outer, shield;

    (void)arg;
    cn_group_open(&g);
    cn_scope_open(&outer, CN_NEVER, 0);
    cn_scope_open(&shield, CN_NEVER, CN_SHIELD);
    cn_scope_cancel(&outer, NULL);
    cn_spawn(&g, drop_shield_of, &shield);
    CHECK_INT(cn_sleep(CN_NEVER), CN_ECANCELED);
    CHECK_INT(cn_scope_close(&shield, CN_ECANCELED), CN_ECANCELED);
    CHECK_INT(cn_scope_close(&outer, CN_ECANCELED), 0);
    return cn_group_close(&g, 0);
}

static int shield_mutated(void *arg)
{
    struct cn_scope outer, s;

    (void)arg;
    cn_scope_open(&outer, CN_NEVER, 0);
    cn_scope_open(&s, CN_NEVER, 0);
    cn_scope_cancel(&outer, NULL);
    for (int i = 0; i < 3; i++) {
        cn_scope_set_shield(&s, true);
        CHECK(cn_scope_shield(&s));
        CHECK_INT(cn_checkpoint(), 0);
        cn_scope_set_shield(&s, false);
        CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    }
    CHECK_INT(cn_scope_close(&s, CN_ECANCELED), CN_ECANCELED);
    return cn_scope_close(&outer, CN_ECANCELED);
}

/* --- deadlines ---------------------------------------------------------------------- */

static void both_expired(unsigned flags, int want)
{
    struct cn_scope outer, inner;
    int rc;

    cn_scope_open(&outer, cn_after(CN_SEC), flags);
    cn_scope_open(&inner, cn_after(CN_SEC), flags);
    rc = cn_sleep(CN_NEVER);
    CHECK_INT(rc, CN_ECANCELED);
    CHECK_INT(cn_scope_close(&inner, rc), CN_ECANCELED);
    CHECK_INT(cn_scope_close(&outer, rc), want);
    CHECK(!cn_scope_caught(&inner) && cn_scope_caught(&outer));
    cn_scope_open(&outer, cn_after(2 * CN_SEC), flags);
    cn_scope_open(&inner, cn_after(CN_SEC), flags);
    CHECK_INT(cn_scope_close(&inner, cn_sleep(CN_NEVER)), want);
    CHECK_INT(cn_scope_close(&outer, 0), 0);
    CHECK(cn_scope_caught(&inner) && !cn_scope_cancelled(&outer));
}

static int nested_deadlines(void *arg)
{
    (void)arg;
    both_expired(0, 0);
    both_expired(CN_FAIL, CN_ETIMEDOUT);
    return 0;
}

static int deadline_moved(void *arg)
{
    struct cn_scope s;
    cn_time start = cn_now();

    (void)arg;
    cn_scope_open(&s, start + CN_SEC, 0);
    cn_scope_set_deadline(&s, start + 3 * CN_SEC);
    CHECK_INT(cn_sleep_until(start + 2 * CN_SEC), 0);
    cn_scope_set_deadline(&s, CN_NEVER);
    CHECK_INT(cn_sleep_until(start + 5 * CN_SEC), 0);
    cn_scope_set_deadline(&s, start + 7 * CN_SEC);
    cn_scope_set_deadline(&s, start + 6 * CN_SEC);
    CHECK_INT(cn_sleep(CN_NEVER), CN_ECANCELED);
    CHECK_INT(cn_now() - start, 6 * CN_SEC);
    CHECK_INT(cn_scope_close(&s, CN_ECANCELED), 0);
    cn_scope_open(&s, CN_NEVER, 0);
    cn_scope_set_deadline(&s, start);
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    cn_scope_set_deadline(&s, CN_NEVER);
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    return cn_scope_close(&s, CN_ECANCELED);
}

static int deadline_past_at_open(void *arg)
{
    (void)arg;
    CHECK_INT(cn_within(0, 0, rt_wait, NULL), 0);
    CHECK_INT(cn_within(-CN_SEC, CN_FAIL, rt_wait, NULL), CN_ETIMEDOUT);
    CHECK_INT(cn_within(0, CN_FAIL, rt_nothing, NULL), 0);
    return 0;
}

static int fail_cancelled_by_hand(void *arg)
{
    struct cn_scope s;

    (void)arg;
    cn_scope_open(&s, cn_after(CN_SEC), CN_FAIL);
    cn_scope_cancel(&s, NULL);
    CHECK_INT(cn_scope_close(&s, cn_sleep(CN_NEVER)), 0);
    CHECK(cn_scope_caught(&s));
    return 0;
}

static int equal_deadlines(void *arg)
{
    struct cn_group g;
    struct cn_scope s;
    int cancelled = 0;

    (void)arg;
    cn_scope_open(&s, cn_after(CN_SEC), 0);
    cn_group_open(&g);
    cn_scope_set_deadline(cn_group_scope(&g), cn_after(CN_SEC));
    for (int i = 0; i < 10; i++)
        cn_spawn(&g, rt_wait, &cancelled);
    CHECK_INT(cn_group_close(&g, 0), CN_ECANCELED);
    CHECK_INT(cn_scope_close(&s, CN_ECANCELED), 0);
    CHECK_INT(cancelled, 10);
    return 0;
}

static int effective_deadline(void *arg)
{
    struct cn_scope s[4];
    cn_time now = cn_now();

    (void)arg;
    CHECK_INT(cn_deadline(), CN_NEVER);
    cn_scope_open(&s[0], now + CN_SEC, 0);
    cn_scope_open(&s[1], now + 5 * CN_SEC, 0);
    CHECK_INT(cn_deadline(), now + CN_SEC);
    cn_scope_open(&s[2], now + 3 * CN_SEC, CN_SHIELD);
    CHECK_INT(cn_deadline(), now + 3 * CN_SEC);
    cn_scope_open(&s[3], CN_NEVER, 0);
    CHECK_INT(cn_deadline(), now + 3 * CN_SEC);
    cn_scope_set_shield(&s[2], false);
    CHECK_INT(cn_deadline(), now + CN_SEC);
    cn_scope_cancel(&s[1], NULL);
    CHECK_INT(cn_deadline(), INT64_MIN);
    cn_scope_set_shield(&s[2], true);
    CHECK_INT(cn_deadline(), now + 3 * CN_SEC);
    for (int i = 3; i >= 0; i--)
        cn_scope_close(&s[i], 0);
    return 0;
}

/* --- misnesting ------------------------------------------------------------------------ */

static int close_it(void *arg)
{
    CHECK_INT(cn_scope_close(arg, 0), CN_EMISNEST);
    return 0;
}

static int wrong_order(void *arg)
{
    struct cn_scope a, b, never = {0};

    (void)arg;
    CHECK_INT(cn_scope_close(&never, 0), CN_EMISNEST);
    cn_scope_open(&a, CN_NEVER, 0);
    cn_scope_open(&b, cn_after(CN_SEC), 0);
    CHECK_INT(cn_scope_close(&a, 0), CN_EMISNEST);
    CHECK(cn_error_last()->code == CN_EMISNEST);
    CHECK_INT(cn_scope_close(&b, 0), CN_EMISNEST);
    CHECK_INT(cn_scope_close(&a, 0), CN_EMISNEST);
    return cn_sleep(2 * CN_SEC);
}

static int wrong_task(void *arg)
{
    struct cn_group g;
    struct cn_scope s;

    (void)arg;
    cn_scope_open(&s, CN_NEVER, 0);
    cn_group_open(&g);
    cn_spawn(&g, close_it, &s);
    CHECK_INT(cn_group_close(&g, 0), 0);
    return cn_scope_close(&s, 0);
}

static int leaves_a_scope(void *arg)
{
    static struct cn_scope s;

    (void)arg;
    cn_scope_open(&s, CN_NEVER, 0);
    return 0;
}

static int leaves_a_group(void *arg)
{
    static struct cn_group g;

    cn_group_open(&g);
    cn_spawn(&g, rt_wait, arg);
    return 0;
}

static int left_open_at_the_end(void *arg)
{
    struct cn_group g;
    int cancelled = 0;

    (void)arg;
    cn_group_open(&g);
    cn_spawn(&g, leaves_a_scope, NULL);
    CHECK_INT(cn_group_close(&g, 0), CN_EMISNEST);
    cn_group_open(&g);
    cn_spawn(&g, leaves_a_group, &cancelled);
    CHECK_INT(cn_group_close(&g, 0), CN_EMISNEST);
    return 0;
}

static int group_around_a_scope(void *arg)
{
    struct cn_group g;
    struct cn_scope s;

    (void)arg;
    cn_group_open(&g);
    cn_scope_open(&s, CN_NEVER, 0);
    CHECK_INT(cn_scope_close(cn_group_scope(&g), 0), CN_EMISNEST);
    CHECK_INT(cn_group_close(&g, 0), CN_EMISNEST);
    CHECK_INT(cn_group_close(&g, 0), CN_EMISNEST);
    return 0;
}

int main(void)
{
    static const struct behaviour all[] = {
        {"cancelled before the first checkpoint: runs up to it",
         "trio test_precancelled_task", precancelled, 0},
        {"every checkpoint fails until the scope closes",
         "anyio test_level_cancellation", level, 0},
        {"cancelling twice is cancelling once", "anyio test_cancel_twice",
         cancel_twice, 0},
        {"cancelled after the work was done: not caught",
         "anyio test_cancelled_not_caught", not_caught, 0},
        {"errors and made-up cancellations pass", "anyio test_exception",
         error_passes, 0},
        {"cancelled from a sibling", "anyio test_cancel_scope_in_another_task",
         from_a_sibling, 0},
        {"cancelled from a callback", "-", from_a_callback, 0},
        {"a shielded checkpoint does not fail", "anyio test_shielding",
         shielded_checkpoint, 0},
        {"a shield's own deadline strikes",
         "anyio test_move_on_after_moves_on_even_if_shielded",
         shield_with_deadline, 0},
        {"shields three deep", "anyio test_triple_nested_shield_*",
         triple_shields, 0},
        {"a shield raised in flight catches nothing", "trio#1175",
         unshield_in_flight, 0},
        {"a shield dropped under a waiting task",
         "trio test_unshield_while_cancel_propagating",
         shield_dropped_while_waiting, 0},
        {"a shield raised and dropped", "anyio test_shielding_mutate",
         shield_mutated, 0},
        {"outer and inner both expired", "anyio test_nested_move_on_after",
         nested_deadlines, 0},
        {"deadline moved earlier, later, past, never",
         "anyio test_deadline_moved", deadline_moved, 0},
        {"deadline already past at open",
         "anyio test_deadline_reached_on_start", deadline_past_at_open, 0},
        {"CN_FAIL cancelled by hand is no timeout",
         "anyio test_fail_after_cancelled_before_deadline",
         fail_cancelled_by_hand, 0},
        {"many equal deadlines", "trio test_cancel_scope_deadline_duplicates",
         equal_deadlines, 0},
        {"effective deadline through shields",
         "trio test_current_effective_deadline", effective_deadline, 0},
        {"closed out of order, twice, before opening",
         "trio test_cancel_scope_misnesting_*", wrong_order, 0},
        {"closed in another task", "anyio test_cancelscope_exit_in_wrong_task",
         wrong_task, 0},
        {"left open when the task ends", "trio test_cancel_scope_misnesting_3",
         left_open_at_the_end, 0},
        {"a group closed around an open scope",
         "anyio test_cancelscope_wrong_exit_order", group_around_a_scope, 0},
    };

    return conformance("Scopes", all, CN_COUNT(all));
}
