/* Branches on the library in use that are not folded (conditional.c): code that
 * serves several backends, or whose flag we do not understand. Invariant: every
 * site of asyncio in such a branch is claimed, so that no rule touches it. */
#include "migrate/rules/conditional.h"

static bool is_upper(struct cn_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] >= 'a' && s.ptr[i] <= 'z')
            return false;
    return true;
}

/* Does a test ask whether AnyIO is there, or which library runs? */
static bool asks_for_backend(const struct cn_match *m, cn_node test)
{
    const struct cn_tree *t = m->tree;

    for (cn_node n = test; n < t->at[test].after; n++) {
        struct cn_str text = cn_text(t, n);

        if (cn_is(t, n, CN_K_IDENTIFIER) && is_upper(text) &&
            cn_str_find(text, CN_STR("ANYIO")) >= 0)
            return true;
        if (cn_is(t, n, CN_K_STRING_CONTENT) &&
            cn_is(t, cn_parent(t, cn_parent(t, n)), CN_K_COMPARISON_OPERATOR) &&
            (cn_str_is(text, "trio") || cn_str_is(text, "asyncio")))
            return true;
        if (cn_is(t, n, CN_K_CALL) &&
            cn_resolves_to(m->module, cn_child(t, n, CN_F_FUNCTION),
                           "sniffio.current_async_library"))
            return true;
    }
    return false;
}

/* A test of the flag of a choice that is folded, or of its imported name. */
static bool is_folded(const struct cn_match *m, cn_node test)
{
    const struct cn_tree *t = m->tree;

    for (cn_node n = 1; n < t->count; n++) {
        struct cn_choice c;

        if (cn_is(t, n, CN_K_TRY_STATEMENT) && cn_choice_read(m, n, &c) &&
            cn_choice_value(m, &c, test) >= 0 && !cn_choice_problem(m, &c))
            return true;
    }
    return false;
}

/* Tests of `anyio is None` and the like, whatever the choice. */
static bool tests_module(const struct cn_match *m, cn_node test)
{
    const struct cn_tree *t = m->tree;

    for (cn_node n = 1; n < t->count; n++) {
        struct cn_choice c;

        if (cn_is(t, n, CN_K_TRY_STATEMENT) && cn_choice_read(m, n, &c) &&
            cn_choice_value(m, &c, test) >= 0)
            return true;
    }
    return false;
}

static bool has_asyncio(const struct cn_match *m, cn_node n)
{
    cn_vec_for (use, &m->module->uses)
        if (cn_within(m->tree, use->node, n) &&
            cn_str_starts(use->name, CN_STR("asyncio")))
            return true;
    return false;
}

enum cn_verdict cn_backend_branch(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    bool expression = cn_is(t, m->node, CN_K_CONDITIONAL_EXPRESSION);
    cn_node test = expression ? cn_named(t, m->node, 1)
                              : cn_child(t, m->node, CN_F_CONDITION);

    if (!has_asyncio(m, m->node) ||
        !(asks_for_backend(m, test) || tests_module(m, test)) ||
        is_folded(m, test))
        return cn_pass(m);
    cn_claim_inside(m, m->node);
    return cn_manual(m, NULL,
                     "the code chooses between libraries itself; both branches "
                     "would become alike");
}
