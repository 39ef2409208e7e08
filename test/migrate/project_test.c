/* The parts of a project that need no files: patterns, TOML, versions,
 * configuration, suggestions, diffs. */
#include "test.h"

#include "migrate/migrate.h"

static void globs_match_as_git_has_them(void **state)
{
    (void)state;
    static const struct {
        const char *glob, *path;
        bool matches;
    } cases[] = {
        {"*.py", "a.py", true},
        {"*.py", "a/b.py", false},
        {"a/*", "a/b", true},
        {"a/*", "a/b/c", false},
        {"**/b", "b", true},
        {"**/b", "x/y/b", true},
        {"**/b", "x/yb", false},
        {"a/**", "a", false},
        {"a/**", "a/b/c", true},
        {"a/**/c", "a/c", true},
        {"a/**/c", "a/x/y/c", true},
        {"a/**/c", "a/xc", false},
        {"a**c", "abbc", true},
        {"a**c", "a/c", false},
        {"?.py", "a.py", true},
        {"?.py", "ab.py", false},
        {"[a-c]x", "bx", true},
        {"[!a-c]x", "bx", false},
        {"[!a-c]x", "dx", true},
        {"[]]x", "]x", true},
        {"[a", "[a", true},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"*a*b*c", "xxaxxbxxc", true},
        {"*a*b*c", "xxaxxcxxb", false},
        {"", "", true},
        {"*", "", true},
        {"a", "", false},
        {"**/x/*.py", "p/x/q.py", true},
        {"**/x/*.py", "p/x/q/r.py", false},
        {"**/x/**/y", "x/1/x/2/y", true},
    };

    for (size_t i = 0; i < CN_COUNT(cases); i++)
        if (cn_glob_match(cn_str_from(cases[i].glob),
                          cn_str_from(cases[i].path)) != cases[i].matches)
            fail_msg("%s against %s", cases[i].glob, cases[i].path);
}

static void ignores_take_the_last_word(void **state)
{
    (void)state;
    struct cn_arena a;
    struct cn_ignores top = {.base = CN_STR("/p")};
    struct cn_ignores sub = {.outer = &top, .base = CN_STR("/p/s")};

    cn_arena_init(&a);
    cn_ignores_add_text(&a, &top,
                        CN_STR("# note\n*.gen.py\n/only_here.py\nlib/\n"
                               "s/deep/x.py\r\n\\#odd.py\ntrail.py   \n"));
    cn_ignores_add_text(&a, &sub, CN_STR("!keep.gen.py\n"));
    assert_true(cn_ignored(&top, CN_STR("/p/a/b.gen.py"), false));
    assert_true(cn_ignored(&sub, CN_STR("/p/s/b.gen.py"), false));
    assert_false(cn_ignored(&sub, CN_STR("/p/s/keep.gen.py"), false));
    assert_true(cn_ignored(&top, CN_STR("/p/only_here.py"), false));
    assert_false(cn_ignored(&top, CN_STR("/p/a/only_here.py"), false));
    assert_true(cn_ignored(&top, CN_STR("/p/a/lib"), true));
    assert_false(cn_ignored(&top, CN_STR("/p/a/lib"), false));
    assert_true(cn_ignored(&sub, CN_STR("/p/s/deep/x.py"), false));
    assert_true(cn_ignored(&top, CN_STR("/p/#odd.py"), false));
    assert_true(cn_ignored(&top, CN_STR("/p/trail.py"), false));
    assert_false(cn_ignored(&top, CN_STR("/prefix/a.gen.py"), false));
    assert_false(cn_ignored(&top, CN_STR("/p"), true));
    cn_arena_done(&a);
}

static void python_floors_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *specifier;
        int floor;
    } cases[] = {
        {">=3.9,<4", 309},
        {">=3.10", 310},
        {"^3.8", 308},
        {"~=3.11", 311},
        {">3.7", 307},
        {"==3.12.*", 312},
        {"<4", 0},
        {"", 0},
        {"*", 0},
        {">=3.8, !=3.9.7", 308},
        {"<3.13,>=3.9", 309},
        {">= 3.10.2 , < 3.14", 310},
        {"^3.9 || ^3.11", 309},
        {"3.10", 310},
        {">=3", 300},
        {"garbage", 0},
    };

    for (size_t i = 0; i < CN_COUNT(cases); i++)
        if (cn_python_floor(cn_str_from(cases[i].specifier)) != cases[i].floor)
            fail_msg("%s gives %d", cases[i].specifier,
                     cn_python_floor(cn_str_from(cases[i].specifier)));
}

static void toml_is_flat_with_lines(void **state)
{
    (void)state;
    struct cn_arena a;
    struct cn_toml toml = {0};
    struct cn_note note = {0};
    struct cn_str text =
        CN_STR("top = 1\n[a.\"b c\"]\nx = 'lit\\n' # note\n"
               "y = [\"p\", 'q\\\\', # more\n]\n"
               "[[t]]\nz.w = true\nin = {k = 4.10}\n"
               "u = \"\\u00e9\\t\\\"\"\nm = \"\"\"\nline\"\"\"\nn = [1, 2]\n");

    cn_arena_init(&a);
    assert_int_equal(cn_toml_read(&a, text, &toml, &note), 0);
    assert_int_equal(toml.len, 8);
    assert_true(cn_str_is(toml.at[1].key, "a.b c.x"));
    assert_true(cn_str_is(toml.at[1].str, "lit\\n"));
    assert_int_equal(toml.at[2].kind, CN_TOML_STRINGS);
    assert_int_equal(toml.at[2].strs.len, 2);
    assert_int_equal(toml.at[2].line, 4);
    assert_true(cn_str_is(toml.at[3].key, "t.z.w"));
    assert_true(toml.at[3].flag);
    assert_true(cn_str_is(toml.at[4].key, "t.in.k"));
    assert_true(cn_str_is(toml.at[4].str, "4.10"));
    assert_true(cn_str_is(toml.at[5].str, "\xc3\xa9\t\""));
    assert_true(cn_str_is(toml.at[6].str, "line"));
    assert_int_equal(toml.at[7].kind, CN_TOML_OTHER);
    assert_int_equal(cn_toml_read(&a, CN_STR("a = 1\nb = = 2\n"), &toml, &note),
                     CN_ECONFIG);
    assert_int_equal(note.line, 2);
    cn_arena_done(&a);
}

static void configuration_is_strict(void **state)
{
    (void)state;
    struct cn_arena a;
    struct cn_config c = {0};
    struct cn_note note = {0};

    cn_arena_init(&a);
    assert_int_equal(cn_config_set(&a, &c, CN_STR("target-anyio=4.0"), &note),
                     0);
    assert_int_equal(c.anyio, 400);
    assert_int_equal(
        cn_config_set(&a, &c, CN_STR("target-anyio='4.12'"), &note), 0);
    assert_int_equal(c.anyio, 400);
    assert_int_equal(
        cn_config_set(&a, &c, CN_STR("target-python = 3.10"), &note), 0);
    assert_int_equal(c.python, 310);
    assert_int_equal(cn_config_set(&a, &c, CN_STR("style=idiomatic"), &note),
                     0);
    assert_true(c.idiomatic);
    assert_int_equal(
        cn_config_set(&a, &c, CN_STR("select=['CN1', 'sleep']"), &note), 0);
    assert_int_equal(c.select.len, 2);
    assert_int_equal(cn_config_set(&a, &c, CN_STR("selct=[]"), &note),
                     CN_EUSAGE);
    assert_non_null(strstr(note.message, "did you mean 'select'"));
    assert_int_equal(cn_config_set(&a, &c, CN_STR("select=true"), &note),
                     CN_EUSAGE);
    assert_int_equal(cn_config_set(&a, &c, CN_STR("target-anyio=3.7"), &note),
                     CN_EUSAGE);
    assert_int_equal(cn_config_set(&a, &c, CN_STR("select"), &note), CN_EUSAGE);
    assert_int_equal(c.anyio, 400);
    c.anyio = 0;
    assert_int_equal(cn_config_target(&c).anyio, 414);
    c.python = 309;
    assert_int_equal(cn_config_target(&c).anyio, 400);
    c.python = 0;
    assert_int_equal(cn_config_target(&c).anyio, 414);
    cn_arena_done(&a);
}

static void slips_are_recognised(void **state)
{
    (void)state;
    static const char *const words[] = {"scan", "migrate", "undo"};

    assert_string_equal(cn_suggest(CN_STR("sacn"), words, 3), "scan");
    assert_string_equal(cn_suggest(CN_STR("migrat"), words, 3), "migrate");
    assert_null(cn_suggest(CN_STR("frobnicate"), words, 3));
    assert_null(cn_suggest(CN_STR(""), words, 3));
}

static void diffs_are_minimal_and_marked(void **state)
{
    (void)state;
    struct cn_buf b;

    cn_buf_init(&b, 1 << 20);
    cn_diff(&b, CN_STR("x.py"), CN_STR("a\nb\nc\n"), CN_STR("a\nB\nc"), false);
    assert_string_equal(b.ptr, "--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n a\n"
                               "-b\n-c\n+B\n+c\n"
                               "\\ No newline at end of file\n");
    cn_buf_clear(&b);
    cn_diff(&b, CN_STR("x.py"), CN_STR(""), CN_STR("n\n"), false);
    assert_string_equal(b.ptr, "--- a/x.py\n+++ b/x.py\n@@ -0,0 +1 @@\n+n\n");
    cn_buf_clear(&b);
    cn_diff(&b, CN_STR("x.py"), CN_STR("a\n1\n2\n3\n4\n5\n6\n7\n8\nz\n"),
            CN_STR("A\n1\n2\n3\n4\n5\n6\n7\n8\nZ\n"), false);
    assert_string_equal(b.ptr, "--- a/x.py\n+++ b/x.py\n@@ -1,4 +1,4 @@\n-a\n"
                               "+A\n 1\n 2\n 3\n@@ -7,4 +7,4 @@\n 6\n 7\n 8\n"
                               "-z\n+Z\n");
    cn_buf_clear(&b);
    cn_diff(&b, CN_STR("a b\t\xc3\xa9.py"), CN_STR("a"), CN_STR("b"), false);
    assert_non_null(strstr(b.ptr, "--- \"a/a b\\011\\303\\251.py\"\n"));
    cn_buf_clear(&b);
    cn_diff(&b, CN_STR("x.py"), CN_STR("same"), CN_STR("same"), false);
    assert_int_equal(b.len, 0);
    cn_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs_match_as_git_has_them),
        cmocka_unit_test(ignores_take_the_last_word),
        cmocka_unit_test(python_floors_are_read),
        cmocka_unit_test(toml_is_flat_with_lines),
        cmocka_unit_test(configuration_is_strict),
        cmocka_unit_test(slips_are_recognised),
        cmocka_unit_test(diffs_are_minimal_and_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
