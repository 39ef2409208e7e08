/* valid: what CPython compiles (valid.good) and what it refuses (valid.bad),
 * one text a line; valid.test compares the lists with a real compile(). */
#include "test.h"

#include "python/python.h"

/* \n, \t, \f, \r, \\ and \xNN, in place. */
static void decode(char *s)
{
    static const char letters[] = "ntfr\\", meant[] = "\n\t\f\r\\";
    char *out = s;

    for (; *s; s++) {
        const char *at = *s == '\\' ? strchr(letters, s[1]) : NULL;
        unsigned byte;

        if (*s == '\\' && sscanf(s, "\\x%2x", &byte) == 1) {
            *out++ = (char)byte;
            s += 3;
        } else if (at && s[1]) {
            *out++ = meant[at - letters];
            s++;
        } else {
            *out++ = *s;
        }
    }
    *out = '\0';
}

/* Call fn(text) for each line of the file, escapes decoded. */
static void each_case(const char *name, void (*fn)(const char *text))
{
    char path[4096], line[1024];
    const char *top = getenv("CANYON_TOP");
    size_t cases = 0;

    snprintf(path, sizeof path, "%s/test/python/%s", top ? top : ".", name);
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    for (; fgets(line, sizeof line, f); cases++) {
        decode(line);
        fn(line);
    }
    fclose(f);
    assert_true(cases > 100);
}

static int check(const char *text, struct cn_note *note)
{
    struct cn_arena arena;
    struct cn_parser *parser = cn_parser_open();
    struct cn_tree *tree;
    int r;

    cn_arena_init(&arena);
    assert_int_equal(cn_tree_parse(parser, &arena, cn_str_from(text), &tree),
                     0);
    r = cn_valid(tree, note);
    cn_arena_done(&arena);
    cn_parser_close(parser);
    return r;
}

static void passes(const char *text)
{
    struct cn_note note = {0};

    if (check(text, &note) != 0)
        fail_msg("refused: %s\n%u: %s", text, note.line, note.message);
}

static void is_refused(const char *text)
{
    struct cn_note note = {0};

    if (check(text, &note) != CN_ESYNTAX)
        fail_msg("let through: %s", text);
    assert_int_equal(note.code, CN_ESYNTAX);
    assert_true(note.line > 0);
    assert_int_equal(check(text, NULL), CN_ESYNTAX);
}

static void good_texts_pass(void **state)
{
    (void)state;
    each_case("valid.good", passes);
}

static void bad_texts_are_refused(void **state)
{
    (void)state;
    each_case("valid.bad", is_refused);
}

static void notes_say_where(void **state)
{
    (void)state;
    struct cn_note note = {0};

    assert_int_equal(check("x = 1\nif x:\n    await y\n", &note), CN_ESYNTAX);
    assert_int_equal(note.line, 3);
    assert_int_equal(note.column, 5);
    assert_string_equal(note.message, "'await' outside async function");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts_pass),
        cmocka_unit_test(bad_texts_are_refused),
        cmocka_unit_test(notes_say_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
