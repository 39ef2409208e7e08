/* Edits by themselves: what collides, what is applied, and where bytes go. */
#include "test.h"

#include "migrate/engine.h"

struct bench {
    struct cn_arena arena;
    struct cn_str text;
    struct cn_fix fix[3];
    struct cn_fix *list[3];
    bool chosen[3];
    struct cn_str out;
    struct cn_position_map map;
};

static void open_bench(struct bench *b, const char *text)
{
    memset(b, 0, sizeof *b);
    cn_arena_init(&b->arena);
    b->text = cn_str_from(text);
    for (int i = 0; i < 3; i++)
        b->list[i] = &b->fix[i];
}

static void add(struct bench *b, int fix, uint32_t start, uint32_t end,
                const char *text)
{
    cn_fix_edit(&b->arena, &b->fix[fix],
                (struct cn_edit){.start = start,
                                 .end = end,
                                 .text = cn_str_from(text),
                                 .rank = CN_RANK_TEXT});
}

static void soft(struct bench *b, int fix, uint32_t at)
{
    cn_fix_edit(
        &b->arena, &b->fix[fix],
        (struct cn_edit){
            .start = at, .end = at, .text = CN_STR("  "), .soft = true});
}

static void apply(struct bench *b, const char *want)
{
    cn_fixes_choose(&b->arena, b->list, 3, b->chosen);
    assert_int_equal(cn_fixes_apply(&b->arena, b->text, b->list, 3, b->chosen,
                                    &b->out, &b->map),
                     0);
    if (!cn_str_is(b->out, want))
        fail_msg("got %.*s, want %s", CN_STR_ARG(b->out), want);
    cn_arena_done(&b->arena);
}

static void collisions_wait(void **state)
{
    (void)state;
    struct bench b;

    open_bench(&b, "0123456789");
    add(&b, 0, 2, 5, "x");
    add(&b, 1, 4, 6, "y"); /* overlaps the first: not now */
    add(&b, 2, 5, 7, "z"); /* touches the first, overlaps the second */
    apply(&b, "01xz789");
    open_bench(&b, "0123456789");
    add(&b, 0, 3, 3, "(");
    add(&b, 0, 6, 6, ")");
    add(&b, 1, 3, 6, "x"); /* wrapped by the first */
    add(&b, 2, 4, 4, "y"); /* inside of what the second takes */
    apply(&b, "012(x)6789");
    open_bench(&b, "0123456789");
    add(&b, 0, 3, 3, "a");
    add(&b, 1, 3, 3, "a"); /* insertions are never one */
    add(&b, 2, 5, 5, "c");
    apply(&b, "012a34c56789");
    open_bench(&b, "0123456789");
    add(&b, 0, 3, 5, "a");
    add(&b, 1, 3, 5, "a"); /* the same replacement is */
    add(&b, 1, 8, 9, "b");
    apply(&b, "012a567b9");
}

static void all_of_a_fix_or_nothing(void **state)
{
    (void)state;
    struct bench b;

    open_bench(&b, "0123456789");
    add(&b, 0, 8, 9, "x");
    add(&b, 1, 1, 2, "y");
    add(&b, 1, 8, 10, "z");
    apply(&b, "01234567x9");
}

static void line_starts_are_soft(void **state)
{
    (void)state;
    struct bench b;

    open_bench(&b, "a\nb\nc\nd\n");
    soft(&b, 0, 2);
    soft(&b, 0, 4);
    soft(&b, 0, 6);
    add(&b, 1, 2, 4, "");  /* the line goes, its indentation as well */
    add(&b, 2, 4, 5, "C"); /* this one only changes */
    apply(&b, "a\n  C\n  d\n");
}

static void new_lines_do_not_move(void **state)
{
    (void)state;
    struct bench b;

    open_bench(&b, "a\nb\nc\n");
    soft(&b, 0, 2);
    cn_vec_push(&b.arena, &b.fix[0].moved, ((struct cn_span){0, 3}));
    add(&b, 1, 1, 1, "\nx"); /* inside what is moved: waits */
    add(&b, 2, 3, 3, "\ny"); /* behind it */
    apply(&b, "a\n  b\ny\nc\n");
}

static void suites_are_not_emptied_by_two(void **state)
{
    (void)state;
    struct bench b;

    open_bench(&b, "0123456789");
    for (int i = 0; i < 3; i++) {
        add(&b, i, (uint32_t)i * 3, (uint32_t)i * 3 + 2, "");
        cn_vec_push(&b.arena, &b.fix[i].drops, ((struct cn_drop){7, 1, 3}));
    }
    apply(&b, "256789");
}

static void collides_with_itself(void **state)
{
    (void)state;
    struct bench b;

    open_bench(&b, "0123456789");
    add(&b, 0, 1, 5, "");
    add(&b, 0, 3, 8, ""); /* deletions may overlap */
    add(&b, 1, 1, 5, "x");
    add(&b, 1, 3, 8, "y");
    add(&b, 2, 8, 20, "");
    assert_false(cn_fix_collides(&b.arena, b.text, &b.fix[0]));
    assert_true(cn_fix_collides(&b.arena, b.text, &b.fix[1]));
    assert_true(cn_fix_collides(&b.arena, b.text, &b.fix[2]));
    b.list[1] = b.list[2] = NULL;
    apply(&b, "089");
}

static void bytes_are_found_again(void **state)
{
    (void)state;
    struct bench b;
    struct cn_span at;

    open_bench(&b, "0123456789");
    add(&b, 0, 0, 0, "ab");
    add(&b, 0, 3, 6, "x");
    cn_fixes_choose(&b.arena, b.list, 3, b.chosen);
    assert_int_equal(
        cn_fixes_apply(&b.arena, b.text, b.list, 3, b.chosen, &b.out, &b.map),
        0);
    assert_true(cn_str_is(b.out, "ab012x6789"));
    assert_true(cn_map_forward(&b.map, 0, &at));
    assert_int_equal(at.start, 2);
    assert_true(cn_map_forward(&b.map, 6, &at));
    assert_int_equal(at.start, 6);
    assert_false(cn_map_forward(&b.map, 4, &at));
    assert_int_equal(at.start, 5);
    assert_int_equal(at.end, 6);
    assert_int_equal(cn_map_back(&b.map, 0), 0);
    assert_int_equal(cn_map_back(&b.map, 4), 2);
    assert_int_equal(cn_map_back(&b.map, 5), 3);
    assert_int_equal(cn_map_back(&b.map, 9), 9);
    cn_arena_done(&b.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collisions_wait),
        cmocka_unit_test(all_of_a_fix_or_nothing),
        cmocka_unit_test(line_starts_are_soft),
        cmocka_unit_test(new_lines_do_not_move),
        cmocka_unit_test(suites_are_not_emptied_by_two),
        cmocka_unit_test(collides_with_itself),
        cmocka_unit_test(bytes_are_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
