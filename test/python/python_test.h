/* What the tests of the front end share: a text analysed in one call. */
#ifndef CN_PYTHON_TEST_H
#define CN_PYTHON_TEST_H

#include "test.h"

#include "python/python.h"

struct analysed {
    struct cn_arena arena;
    struct cn_parser *parser;
    struct cn_tree *tree;
    struct cn_module *module;
};

static inline void analyse_as(struct analysed *a, const char *text,
                              const char *name, bool is_package,
                              const struct cn_project_facts *project)
{
    cn_arena_init(&a->arena);
    a->parser = cn_parser_open();
    assert_int_equal(
        cn_tree_parse(a->parser, &a->arena, cn_str_from(text), &a->tree), 0);
    a->module = cn_module_analyse(&a->arena, a->tree, cn_str_from(name),
                                  is_package, project);
}

static inline void analyse(struct analysed *a, const char *text)
{
    analyse_as(a, text, "pkg.mod", false, NULL);
}

static inline void forget(struct analysed *a)
{
    cn_parser_close(a->parser);
    cn_arena_done(&a->arena);
}

/* The uses as words: "asyncio.sleep", with a ? for MAYBE, a ! for UNKNOWN, a
 * quote in front for those in strings, and @line behind. */
static inline const char *uses_of(struct analysed *a)
{
    struct cn_buf b;
    const char *words;

    cn_buf_init(&b, CN_MIB);
    cn_vec_for (u, &a->module->uses)
        cn_buf_fmt(&b, "%s%s%.*s%s@%u", b.len ? " " : "",
                   u->in_string ? "'" : "", CN_STR_ARG(u->name),
                   u->certainty == CN_SURE    ? ""
                   : u->certainty == CN_MAYBE ? "?"
                                              : "!",
                   cn_place_of(a->tree, u->start).line);
    words = cn_str_dup(&a->arena, cn_buf_str(&b));
    cn_buf_done(&b);
    return words;
}

/* The n-th identifier with this text, from 1. */
static inline cn_node identifier(const struct analysed *a, const char *text,
                                 int n)
{
    for (cn_node i = 1; i < a->tree->count; i++)
        if (cn_is(a->tree, i, CN_K_IDENTIFIER) &&
            cn_text_is(a->tree, i, text) && --n == 0)
            return i;
    fail_msg("no such identifier: %s", text);
    return 0;
}

#endif
