/* base: slices, buffers with their maximum, arenas and marks, vectors, maps
 * in order of insertion, lists, and the error table. */
#include "test.h"

#include "base/base.h"

static void str_cuts_and_finds(void **state)
{
    (void)state;
    struct cn_str s = CN_STR("a,b,,c"), part;
    const char *want[] = {"a", "b", "", "c"};
    size_t n = 0;

    while (cn_str_cut(&s, ',', &part))
        assert_true(cn_str_is(part, want[n++]));
    assert_int_equal(n, 4);
    assert_int_equal(cn_str_find(CN_STR("hello"), CN_STR("l")), 2);
    assert_int_equal(cn_str_rfind(CN_STR("hello"), CN_STR("l")), 3);
    assert_int_equal(cn_str_find(CN_STR("hello"), CN_STR("x")), -1);
    assert_int_equal(cn_str_rfind(CN_STR(""), CN_STR("x")), -1);
    assert_true(cn_str_is(cn_str_trim(CN_STR(" \t a b\n")), "a b"));
    assert_true(cn_str_cmp(CN_STR("ab"), CN_STR("abc")) < 0);
    assert_true(cn_str_ends(CN_STR("x.py"), CN_STR(".py")));
    assert_false(cn_str_starts(CN_STR("x"), CN_STR("xx")));
}

static void buf_stops_at_its_maximum(void **state)
{
    (void)state;
    struct cn_buf b;

    cn_buf_init(&b, 5);
    cn_buf_add_z(&b, "abc");
    cn_buf_fmt(&b, "%d", 12);
    assert_int_equal(b.err, 0);
    cn_buf_add_char(&b, 'x');
    assert_int_equal(b.err, CN_ETOOBIG);
    cn_buf_clear(&b);
    cn_buf_add_z(&b, "y");
    assert_string_equal(b.ptr, "y");
    cn_buf_done(&b);
}

static void arena_rewinds_to_a_mark(void **state)
{
    (void)state;
    struct cn_arena a;

    cn_arena_init(&a);
    char *kept = cn_str_dup(&a, CN_STR("kept"));
    struct cn_arena_mark mark = cn_arena_mark(&a);

    for (int i = 0; i < 1000; i++)
        memset(cn_arena_alloc(&a, 999), 'x', 999);
    cn_arena_rewind(&a, mark);
    assert_string_equal(kept, "kept");
    assert_int_equal((uintptr_t)cn_arena_alloc(&a, 1) % 16, 0);
    cn_arena_reset(&a);
    assert_non_null(cn_arena_alloc(&a, 100));
    cn_arena_done(&a);
}

static void vec_and_map_keep_order(void **state)
{
    (void)state;
    struct cn_arena a;
    struct cn_map m = {0};
    CN_VEC(uint32_t) v = {0};

    cn_arena_init(&a);
    for (uint32_t i = 0; i < 5000; i++) {
        bool fresh;
        struct cn_str key = cn_str_fmt(&a, "key%u", i % 2500);

        cn_map_put(&a, &m, key, &fresh)->num += i;
        assert_int_equal(fresh, i < 2500);
        cn_vec_push(&a, &v, i);
    }
    assert_int_equal(m.len, 2500);
    assert_int_equal(v.at[4999], 4999);
    assert_true(cn_str_is(m.entries[7].key, "key7"));
    assert_int_equal(cn_map_get(&m, CN_STR("key7"))->num, 7 + 2507);
    assert_null(cn_map_get(&m, CN_STR("nokey")));
    cn_arena_done(&a);
}

static void list_removes_while_walking(void **state)
{
    (void)state;
    struct cn_link head, items[4] = {{0}};
    int seen = 0;

    cn_list_init(&head);
    for (int i = 0; i < 4; i++)
        cn_list_push_back(&head, &items[i]);
    cn_list_for (it, &head) {
        cn_list_remove(it);
        seen++;
    }
    assert_int_equal(seen, 4);
    assert_true(cn_list_empty(&head));
    assert_false(cn_link_on_list(&items[2]));
    assert_null(cn_list_pop_front(&head));
}

static void every_error_has_a_text(void **state)
{
    (void)state;
    struct cn_note note = {0};

#define ROW(name, number, text)                                                \
    assert_string_equal(cn_strerror(name), text);                              \
    assert_string_equal(cn_errname(name), #name);
    CN_ERROR_MAP(ROW)
#undef ROW
    assert_string_equal(cn_errname(-ENOENT), "ENOENT");
    assert_string_equal(cn_strerror(-999999), "unknown error");
    assert_int_equal(cn_note_set(&note, CN_EUSAGE, "%s", "no"), CN_EUSAGE);
    assert_string_equal(note.message, "no");
    assert_int_equal(cn_note_set(NULL, CN_EUSAGE, "x"), CN_EUSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(str_cuts_and_finds),
        cmocka_unit_test(buf_stops_at_its_maximum),
        cmocka_unit_test(arena_rewinds_to_a_mark),
        cmocka_unit_test(vec_and_map_keep_order),
        cmocka_unit_test(list_removes_while_walking),
        cmocka_unit_test(every_error_has_a_text),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
