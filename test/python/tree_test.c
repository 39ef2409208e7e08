/* Trees: shape, statements, functions, calls, places. */
#include "test.h"

#include "python/python.h"

static struct cn_parser *parser;
static struct cn_arena arena;

static const struct cn_tree *parse(const char *text)
{
    struct cn_tree *t;

    assert_int_equal(cn_tree_parse(parser, &arena, cn_str_from(text), &t), 0);
    return t;
}

/* The first node with this text and kind. */
static cn_node find(const struct cn_tree *t, enum cn_kind kind,
                    const char *text)
{
    for (cn_node n = 1; n < t->count; n++)
        if (cn_is(t, n, kind) && cn_text_is(t, n, text))
            return n;
    fail_msg("no %s `%s`", cn_kind_name(kind), text);
    return 0;
}

static void shape_is_consistent(void **state)
{
    (void)state;
    const struct cn_tree *t =
        parse("def f(a, b=1):\n    # note\n    return [x for x in a]\n");

    assert_int_equal(t->broken, 0);
    for (cn_node n = 1; n < t->count; n++) {
        uint32_t children = 0;

        cn_node_for (child, t, n) {
            assert_int_equal(cn_parent(t, child), n);
            assert_true(cn_within(t, child, n));
            children++;
        }
        assert_true(children || t->at[n].after == n + 1);
    }
    assert_int_equal(cn_first(t, 0), 0);
    assert_int_equal(cn_next(t, 1), 0);
}

static void broken_text_is_seen(void **state)
{
    (void)state;
    assert_true(parse("def f(:\n")->broken);
    assert_false(parse("")->broken);
    assert_false(parse("x = 1")->broken);
}

static void functions_and_async(void **state)
{
    (void)state;
    const struct cn_tree *t = parse("@deco\n"
                                    "async def f(a=one):\n"
                                    "    two\n"
                                    "    lambda: three\n"
                                    "    (four for x in five)\n"
                                    "    [six for x in y]\n"
                                    "    class C:\n"
                                    "        seven\n");

    assert_int_equal(cn_function(t, find(t, CN_K_IDENTIFIER, "deco")), 0);
    assert_int_equal(cn_function(t, find(t, CN_K_IDENTIFIER, "one")), 0);
    assert_true(cn_in_async(t, find(t, CN_K_IDENTIFIER, "two")));
    assert_false(cn_in_async(t, find(t, CN_K_IDENTIFIER, "three")));
    assert_false(cn_in_async(t, find(t, CN_K_IDENTIFIER, "four")));
    assert_true(cn_in_async(t, find(t, CN_K_IDENTIFIER, "five")));
    assert_true(cn_in_async(t, find(t, CN_K_IDENTIFIER, "six")));
    assert_false(cn_in_async(t, find(t, CN_K_IDENTIFIER, "seven")));
}

static void yields_of_nested_functions_do_not_count(void **state)
{
    (void)state;
    const struct cn_tree *t = parse("def f():\n"
                                    "    def g():\n"
                                    "        yield 1\n"
                                    "    x = lambda: (yield)\n"
                                    "def h():\n"
                                    "    yield 2\n");
    cn_node f = cn_named(t, 1, 0), h = cn_named(t, 1, 1);

    assert_false(cn_has_yield(t, f));
    assert_true(cn_has_yield(t, h));
    assert_true(cn_has_yield(t, cn_child(t, h, CN_F_BODY)));
}

static void arguments_by_place_and_name(void **state)
{
    (void)state;
    const struct cn_tree *t =
        parse("f(a, # first\n  *b, k=c, **d)\ng(x for x in y)\nh(1, t=2)\n");
    cn_node f = find(t, CN_K_CALL, "f(a, # first\n  *b, k=c, **d)");
    cn_node h = find(t, CN_K_CALL, "h(1, t=2)");
    struct cn_arg a;

    assert_int_equal(cn_arg_count(t, f), 4);
    assert_true(cn_arg(t, f, 1, &a));
    assert_int_equal(a.kind, CN_ARG_SPLAT);
    assert_true(cn_text_is(t, cn_arg_value(t, f, 5, "k"), "c"));
    assert_int_equal(cn_arg_value(t, f, 1, NULL), 0);
    assert_false(cn_args_plain(t, f));
    assert_true(cn_text_is(t, cn_arg_value(t, h, 1, "t"), "2"));
    assert_true(cn_text_is(t, cn_arg_value(t, h, 0, "x"), "1"));
    assert_int_equal(cn_arg_count(t, find(t, CN_K_CALL, "g(x for x in y)")), 1);
}

static void places_count_characters(void **state)
{
    (void)state;
    const struct cn_tree *t = parse("a = 'äö'; b\r\n  c = 1\rd\n");
    cn_node b = find(t, CN_K_IDENTIFIER, "b");
    struct cn_place p = cn_place_of(t, cn_start(t, b));

    assert_int_equal(p.line, 1);
    assert_int_equal(p.column, 11);
    assert_int_equal(t->line_count, 4);
    assert_true(cn_str_is(cn_line(t, 1), "  c = 1"));
    assert_true(cn_str_is(cn_line(t, 9), ""));
}

static void every_word_is_known_to_the_grammar(void **state)
{
    (void)state;
    const struct cn_tree *t = parse("async def f(): await g(*a, **k)\n");

    assert_non_null(t);
    assert_string_equal(cn_kind_name(CN_K_AWAIT), "await");
    assert_int_equal(cn_kind(t, cn_first(t, cn_named(t, 1, 0))), CN_T_ASYNC);
    assert_true(find(t, CN_K_DICTIONARY_SPLAT, "**k"));
}

static int setup(void **state)
{
    (void)state;
    parser = cn_parser_open();
    cn_arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cn_parser_close(parser);
    cn_arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_is_consistent),
        cmocka_unit_test(broken_text_is_seen),
        cmocka_unit_test(functions_and_async),
        cmocka_unit_test(yields_of_nested_functions_do_not_count),
        cmocka_unit_test(arguments_by_place_and_name),
        cmocka_unit_test(places_count_characters),
        cmocka_unit_test(every_word_is_known_to_the_grammar),
    };

    return cmocka_run_group_tests_name("tree", tests, setup, teardown);
}
