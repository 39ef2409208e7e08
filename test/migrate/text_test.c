/* One text through the whole engine: states of sites, suppression, selection,
 * claims, fixes that collide, and the checks that refuse a bad result. */
#include "mini.h"

static void migrate(struct mini *x, const char *text, int want)
{
    int err = mini_migrate(x, cn_str_from(text));

    if (err != want)
        fail_msg("%s: %s\n%s", cn_errname(err), x->note.message, text);
}

static void expect(const struct mini *x, size_t i, const char *code,
                   enum cn_class class_, enum cn_site_state state)
{
    assert_true(i < x->result.sites.len);
    const struct cn_site *s = &x->result.sites.at[i];

    assert_string_equal(s->rule->code, code);
    assert_int_equal(s->class_, class_);
    assert_int_equal(s->state, state);
}

static void every_site_has_a_state(void **state)
{
    (void)state;
    struct mini x;

    mini_open(&x);
    migrate(&x,
            "import asyncio\n"
            "async def f():\n"
            "    global wrong, right\n"
            "    global wrong\n"
            "    await asyncio.sleep(1)\n"
            "    await asyncio.to_thread(f)\n"
            "    await asyncio.gather()\n"
            "    asyncio.Queue()\n"
            "    \xc3\xa4 = asyncio\n",
            0);
    assert_int_equal(x.result.sites.len, 6);
    expect(&x, 0, "MI113", CN_CLASS_WRONG, CN_SITE_LEFT);
    expect(&x, 1, "MI101", CN_CLASS_SAFE, CN_SITE_FIXED);
    expect(&x, 2, "MI102", CN_CLASS_UNSAFE, CN_SITE_FIXED);
    expect(&x, 3, "MI112", CN_CLASS_MANUAL, CN_SITE_LEFT);
    expect(&x, 4, "MI100", CN_CLASS_MANUAL, CN_SITE_LEFT);
    expect(&x, 5, "CN199", CN_CLASS_MANUAL, CN_SITE_LEFT);
    assert_string_equal(x.result.sites.at[0].reason, "wrong already");
    assert_string_equal(x.result.sites.at[2].reason, "threads differ");
    assert_string_equal(x.result.sites.at[3].reason, "left 1");
    assert_string_equal(x.result.sites.at[3].advice, "advice of the row");
    assert_string_equal(x.result.sites.at[4].reason, "no rule");
    assert_string_equal(x.result.sites.at[4].advice, "look it up");
    assert_int_equal(x.result.sites.at[1].place.line, 5);
    assert_int_equal(x.result.sites.at[1].place.column, 11);
    assert_int_equal(x.result.sites.at[5].place.line, 9);
    assert_int_equal(x.result.sites.at[5].place.column, 9);
    assert_true(x.result.changed);
    assert_true(x.result.uses_asyncio_after);
    mini_close(&x);
}

static void a_scan_changes_nothing(void **state)
{
    (void)state;
    struct mini x;

    mini_open(&x);
    x.options.scan_only = true;
    migrate(&x, "import asyncio\nasyncio.run(f())\n", 0);
    assert_false(x.result.changed);
    assert_false(x.result.uses_asyncio_after);
    expect(&x, 0, "MI104", CN_CLASS_SAFE, CN_SITE_FIXED);
    migrate(&x, "import asyncio\nasyncio.Queue()\n", 0);
    assert_true(x.result.uses_asyncio_after);
    mini_close(&x);
}

static void claims_share_a_state(void **state)
{
    (void)state;
    struct mini x;

    mini_open(&x);
    mini_check(&x,
               "import asyncio\nasyncio.wait(asyncio.sleep)\n"
               "asyncio.wait(asyncio.gather(1))\n",
               "print()\nprint()\n");
    assert_int_equal(x.result.sites.len, 4);
    for (size_t i = 0; i < 4; i++)
        expect(&x, i, "MI111", CN_CLASS_UNSAFE, CN_SITE_FIXED);
    mini_close(&x);
}

static void comments_suppress(void **state)
{
    (void)state;
    struct mini x;

    mini_open(&x);
    mini_check(&x,
               "import asyncio\n"
               "async def f():\n"
               "    await asyncio.sleep(1)  # canyon: ignore[sleep]\n"
               "    await asyncio.sleep(  # canyon: ignore[MI101] -- later\n"
               "        2)\n"
               "    await asyncio.sleep(\n"
               "        3)  # canyon:ignore[other, MI101]\n"
               "    # canyon: ignore[MI101]\n"
               "    await asyncio.sleep(4)\n"
               "    await asyncio.sleep(5)  # canyon: ignore[wait-for]\n"
               "    await asyncio.sleep(6)  # canyon: ignore\n",
               "import asyncio\n\nimport anyio\n"
               "async def f():\n"
               "    await asyncio.sleep(1)  # canyon: ignore[sleep]\n"
               "    await asyncio.sleep(  # canyon: ignore[MI101] -- later\n"
               "        2)\n"
               "    await asyncio.sleep(\n"
               "        3)  # canyon:ignore[other, MI101]\n"
               "    # canyon: ignore[MI101]\n"
               "    await asyncio.sleep(4)\n"
               "    await anyio.sleep(5)  # canyon: ignore[wait-for]\n"
               "    await anyio.sleep(6)  # canyon: ignore\n");
    expect(&x, 0, "MI101", CN_CLASS_SAFE, CN_SITE_SUPPRESSED);
    expect(&x, 4, "MI101", CN_CLASS_SAFE, CN_SITE_FIXED);
    mini_check(&x,
               "# canyon: file-ignore[MI101]\nimport asyncio\n"
               "async def f():\n    await asyncio.sleep(1)\n",
               "# canyon: file-ignore[MI101]\nimport asyncio\n"
               "async def f():\n    await asyncio.sleep(1)\n");
    mini_check(&x,
               "import asyncio\n"
               "# canyon: ignore[MI101]\n"
               "async def f(x=asyncio.sleep):\n    await asyncio.sleep(1)\n",
               "import asyncio\n\nimport anyio\n"
               "# canyon: ignore[MI101]\n"
               "async def f(x=asyncio.sleep):\n    await anyio.sleep(1)\n");
    mini_close(&x);
}

static void filters_deselect(void **state)
{
    (void)state;
    struct mini x;
    const char *text = "import asyncio\nasyncio.sleep(1)\n"
                       "asyncio.to_thread(f)\n";

    mini_open(&x);
    assert_int_equal(cn_rules_filter_limit(&x.arena, x.filter, CN_STR("MI10"),
                                           CN_STR(""), &x.note),
                     CN_EUSAGE);
    assert_string_equal(x.note.message, "unknown rule: MI10");
    assert_int_equal(cn_rules_filter_limit(&x.arena, x.filter, CN_STR("ALL"),
                                           CN_STR("sleep, MI103"), &x.note),
                     0);
    migrate(&x, text, 0);
    expect(&x, 0, "MI101", CN_CLASS_SAFE, CN_SITE_DESELECTED);
    expect(&x, 1, "MI102", CN_CLASS_UNSAFE, CN_SITE_FIXED);
    x.options.filter = x.reversed;
    x.options.safe_only = true;
    migrate(&x, text, 0);
    expect(&x, 0, "MI101", CN_CLASS_SAFE, CN_SITE_FIXED);
    expect(&x, 1, "MI102", CN_CLASS_UNSAFE, CN_SITE_DESELECTED);
    mini_close(&x);
}

static void bad_results_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "import asyncio\nasyncio.Event()\n",
        "import asyncio\nasyncio.shield(x)\n",
        "import asyncio\nasyncio.current_task()\n",
    };
    static const char *const codes[] = {"MI108", "MI109", "MI110"};
    struct mini x;

    mini_open(&x);
    for (size_t i = 0; i < CN_COUNT(texts); i++) {
        migrate(&x, texts[i], CN_EINTERNAL);
        assert_null(x.result.text.ptr);
        if (!strstr(x.note.message, codes[i]))
            fail_msg("%s is not in: %s", codes[i], x.note.message);
    }
    migrate(&x, "import asyncio\nasyncio.run(\n", CN_ESYNTAX);
    migrate(&x, "import asyncio\rasync def f():\r  await g()\r", CN_ESYNTAX);
    assert_int_equal(x.note.line, 1);
    mini_check(&x, "import asyncio\nasyncio.sleep('''\r''')\n",
               "import anyio\nanyio.sleep('''\r''')\n");
    mini_close(&x);
}

static void uncertain_names_are_left(void **state)
{
    (void)state;
    struct mini x;

    mini_open(&x);
    migrate(&x, "async def f():\n    await asyncio.sleep(1)\n", 0);
    assert_false(x.result.changed);
    expect(&x, 0, "MI101", CN_CLASS_MANUAL, CN_SITE_LEFT);
    migrate(&x,
            "if x:\n    import asyncio\nelse:\n    asyncio = None\n"
            "asyncio.sleep(1)\n",
            0);
    assert_false(x.result.changed);
    expect(&x, 0, "MI101", CN_CLASS_MANUAL, CN_SITE_LEFT);
    mini_close(&x);
}

static void many_fixes_in_one_statement(void **state)
{
    (void)state;
    struct mini x;
    struct cn_buf before, after;

    mini_open(&x);
    cn_buf_init(&before, CN_MIB);
    cn_buf_init(&after, CN_MIB);
    cn_buf_add_z(&before, "import asyncio\nasync def f():\n    x = y(\n");
    cn_buf_add_z(&after, "import anyio\nasync def f():\n    x = y(\n");
    for (int i = 0; i < 500; i++) {
        cn_buf_fmt(&before, "        asyncio.sleep(%d),\n", i);
        cn_buf_fmt(&after, "        anyio.sleep(%d),\n", i);
    }
    cn_buf_add_z(&before, "    )\n");
    cn_buf_add_z(&after, "    )\n");
    mini_check(&x, before.ptr, after.ptr);
    assert_int_equal(x.result.sites.len, 500);
    cn_buf_done(&before);
    cn_buf_done(&after);
    mini_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_site_has_a_state),
        cmocka_unit_test(a_scan_changes_nothing),
        cmocka_unit_test(claims_share_a_state),
        cmocka_unit_test(comments_suppress),
        cmocka_unit_test(filters_deselect),
        cmocka_unit_test(bad_results_are_refused),
        cmocka_unit_test(uncertain_names_are_left),
        cmocka_unit_test(many_fixes_in_one_statement),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
