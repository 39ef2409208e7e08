/* source: encodings, byte order marks, NULs. */
#include "test.h"

#include "python/python.h"

struct row {
    const char *text;
    size_t len;
    int want;
    uint32_t line;
};
#define ROW(text, want, line)                                                  \
    {                                                                          \
        text, sizeof(text) - 1, want, line                                     \
    }

static void texts_are_taken_or_refused(void **state)
{
    (void)state;
    static const struct row rows[] = {
        ROW("", 0, 0),
        ROW("x = 1\n", 0, 0),
        ROW("x = '\xC3\xA9'\n", 0, 0),
        ROW("x = '\xE2\x82\xAC \xF0\x9F\x90\x8D'", 0, 0),
        ROW("\xEF\xBB\xBFx = '\xC3\xA9'\n", 0, 0),
        ROW("x\n\ny = '\xE9'\n", CN_EENCODING, 3),
        ROW("x\r\ry\r\n'\xE9'\n", CN_EENCODING, 4),
        ROW("'\xC0\x80'", CN_EENCODING, 1),         /* overlong */
        ROW("'\xE0\x80\x80'", CN_EENCODING, 1),     /* overlong */
        ROW("'\xED\xA0\x80'", CN_EENCODING, 1),     /* surrogate */
        ROW("'\xF4\x90\x80\x80'", CN_EENCODING, 1), /* above U+10FFFF */
        ROW("12345678\xC3", CN_EENCODING, 1),
        ROW("x\n\0", CN_EENCODING, 2),
        ROW("\xFF\xFEx\0", CN_EENCODING, 1),
        ROW("# coding: latin-1\n'\xE9'\n", 0, 0),
        ROW("# -*- coding: ISO-8859-15 -*-\n'\xE9'\n", 0, 0),
        ROW("#!/x\n# vim: set fileencoding=cp1252 :\n'\xE9'\n", 0, 0),
        ROW("\n# coding=koi8-r\n'\xE9'\n", 0, 0),
        ROW("  # coding=mac_roman\n'\xE9'\n", 0, 0),
        ROW("x = 1\n# coding: latin-1\n'\xE9'\n", CN_EENCODING, 3),
        ROW("\n\n# coding: latin-1\n'\xE9'\n", CN_EENCODING, 4),
        ROW("x = 1 # coding: latin-1\n'\xE9'\n", CN_EENCODING, 2),
        ROW("# coding: utf-8\n'\xC3\xA9'\n", 0, 0),
        ROW("# coding: UTF_8\n'\xC3\xA9'\n", 0, 0),
        ROW("# coding: utf-8\n'\xE9'\n", CN_EENCODING, 2),
        ROW("# coding: ascii\n'\xC3\xA9'\n", CN_EENCODING, 2),
        ROW("# coding: shift_jis\n", CN_EENCODING, 1),
        ROW("#\n# coding: utf-16\n", CN_EENCODING, 2),
        ROW("# coding: no-such\n", CN_EENCODING, 1),
        ROW("# coding no\n", 0, 0),
        ROW("# encoding : x\n", 0, 0),
        ROW("\xEF\xBB\xBF# coding: latin-1\n", CN_EENCODING, 1),
        ROW("\xEF\xBB\xBF# coding: utf8\n", CN_EENCODING, 1), /* CPython, too */
        ROW("\xEF\xBB\xBF# coding: utf_8\n", 0, 0),
    };

    for (size_t i = 0; i < CN_COUNT(rows); i++) {
        struct cn_note note = {0};
        char *exact = malloc(rows[i].len + 1); /* the sanitizer's eye */
        int got;

        memcpy(exact, rows[i].text, rows[i].len);
        exact = realloc(exact, rows[i].len ? rows[i].len : 1);
        got = cn_text_check((struct cn_str){exact, rows[i].len}, &note);
        if (got != rows[i].want || note.line != rows[i].line)
            fail_msg("row %zu: %d, line %u: %s", i, got, note.line,
                     note.message);
        free(exact);
    }
    assert_int_equal(cn_text_check(CN_STR("\xE9"), NULL), CN_EENCODING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_taken_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
