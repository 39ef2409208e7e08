/* Where the block of a limit goes: around the statement that awaits, above the
 * statement (hoisted), or into a loop whose test awaits. Invariant: nothing is
 * evaluated in another order than before, unless the change says so. */
#include "migrate/rules/flow.h"
#include "migrate/rules/timeouts.h"

/* --- where the block goes ----------------------------------------------- */

static enum cn_verdict wrap_whole(struct cn_match *m,
                                  const struct cn_limited *w, cn_node statement)
{
    cn_unwrap(m, w->call, w->awaited);
    cn_wrap_statement(m, statement,
                      "with %s(%s):", cn_name(m, "anyio.fail_after"),
                      cn_z(m, w->timeout));
    return cn_safe(m);
}

/* The outermost parentheses around an expression, which go with it. */
static cn_node with_parentheses(const struct cn_tree *t, cn_node n)
{
    while (cn_is(t, cn_parent(t, n), CN_K_PARENTHESIZED_EXPRESSION))
        n = cn_parent(t, n);
    return n;
}

/* Something read before the await could change while it waits: an attribute
 * or a name other than a function that is about to be called. */
static bool reads_before(const struct cn_match *m, cn_node from, cn_node n)
{
    const struct cn_tree *t = m->tree;

    for (cn_node i = from; i < n; i++) {
        if (cn_within(t, n, i))
            continue;
        if (cn_is(t, i, CN_K_ATTRIBUTE) || cn_is(t, i, CN_K_SUBSCRIPT)) {
            if (t->at[i].field != CN_F_FUNCTION &&
                !cn_is(t, cn_parent(t, i), CN_K_ASSIGNMENT))
                return true;
            i = t->at[i].after - 1;
        }
    }
    return false;
}

/* The local name for a hoisted result, and what it replaces: the walrus'
 * own name where the await is all of its value. */
static const char *hoisted_name(struct cn_match *m, cn_node await,
                                cn_node *replaced)
{
    const struct cn_tree *t = m->tree;
    cn_node up = cn_parent(t, with_parentheses(t, await));

    *replaced = with_parentheses(t, await);
    if (cn_is(t, up, CN_K_NAMED_EXPRESSION) &&
        cn_is(t, cn_child(t, up, CN_F_NAME), CN_K_IDENTIFIER)) {
        *replaced = with_parentheses(t, up);
        return cn_z(m, cn_child(t, up, CN_F_NAME));
    }
    return cn_new_name(m, "result");
}

/* Above `statement`, the two lines that take the await out of its place. */
static void hoisted_lines(struct cn_match *m, const struct cn_limited *w,
                          cn_node statement, const char *name)
{
    cn_node awaited = cn_bare(m->tree, w->awaited);
    struct cn_str unit = cn_indent_unit(m->tree, statement);

    cn_line_above(m, statement, "with %s(%s):", cn_name(m, "anyio.fail_after"),
                  cn_z(m, w->timeout));
    cn_line_above(m, statement, "%.*s%s = await %s", CN_STR_ARG(unit), name,
                  cn_z(m, awaited));
}

static bool takes_hoisting(const struct cn_match *m, cn_node statement,
                           cn_node await)
{
    const struct cn_tree *t = m->tree;

    switch (cn_kind(t, statement)) {
    case CN_K_EXPRESSION_STATEMENT:
    case CN_K_RETURN_STATEMENT:
    case CN_K_RAISE_STATEMENT:
    case CN_K_DELETE_STATEMENT: return true;
    case CN_K_IF_STATEMENT:
        return cn_within(t, await, cn_child(t, statement, CN_F_CONDITION));
    case CN_K_FOR_STATEMENT:
        return cn_within(t, await, cn_child(t, statement, CN_F_RIGHT));
    case CN_K_MATCH_STATEMENT:
        return cn_within(t, await, cn_child(t, statement, CN_F_SUBJECT));
    default: return false;
    }
}

static enum cn_verdict hoist(struct cn_match *m, const struct cn_limited *w,
                             cn_node statement)
{
    cn_node replaced;

    if (cn_has_yield(m->tree, w->call))
        return cn_manual(m, NULL, "there is a yield inside");
    if (reads_before(m, statement, w->await))
        cn_demote_unsafe(m, "what stands before the await is now read after "
                            "it");
    const char *name = hoisted_name(m, w->await, &replaced);

    hoisted_lines(m, w, statement, name);
    cn_replace(m, replaced, "%s", name);
    return cn_safe(m);
}

/* --- while tests -------------------------------------------------------- */

static bool is_simple(const struct cn_tree *t, cn_node n)
{
    switch (cn_kind(t, n)) {
    case CN_K_IDENTIFIER:
    case CN_K_INTEGER:
    case CN_K_FLOAT:
    case CN_K_STRING:
    case CN_K_NONE:
    case CN_K_TRUE:
    case CN_K_FALSE: return true;
    default: return !t->at[n].named;
    }
}

/* Is the await the first thing that the test evaluates, always? */
static bool is_first_in(const struct cn_tree *t, cn_node test, cn_node await)
{
    for (cn_node n = await; n != test; n = cn_parent(t, n)) {
        cn_node up = cn_parent(t, n);

        switch (cn_kind(t, up)) {
        case CN_K_PARENTHESIZED_EXPRESSION:
        case CN_K_NOT_OPERATOR:
        case CN_K_NAMED_EXPRESSION:
        case CN_K_ATTRIBUTE:
        case CN_K_SUBSCRIPT:
        case CN_K_CALL:
        case CN_K_ARGUMENT_LIST:
        case CN_K_COMPARISON_OPERATOR:
        case CN_K_BINARY_OPERATOR:
        case CN_K_BOOLEAN_OPERATOR: break;
        default: return false;
        }
        if (cn_is(t, up, CN_K_COMPARISON_OPERATOR) && cn_named(t, up, 0) != n &&
            cn_named(t, up, 1) != n)
            return false; /* a < b < (await c): c only if a < b */
        if (cn_is(t, up, CN_K_BOOLEAN_OPERATOR) &&
            cn_child(t, up, CN_F_LEFT) != n)
            return false;
        cn_node_for (before, t, up) {
            if (before == n)
                break;
            if (!is_simple(t, before) && t->at[before].field != CN_F_FUNCTION)
                return false;
            if (t->at[before].field == CN_F_FUNCTION &&
                !cn_is(t, before, CN_K_IDENTIFIER) &&
                !cn_is(t, before, CN_K_ATTRIBUTE))
                return false;
        }
    }
    return true;
}

/* The test with the await replaced, turned round: when to leave the loop. */
static const char *leave_test(struct cn_match *m, cn_node test,
                              cn_node replaced, const char *name)
{
    const struct cn_tree *t = m->tree;
    cn_node inner = cn_bare(t, test);
    bool negated = cn_is(t, inner, CN_K_NOT_OPERATOR);
    cn_node kept = negated ? cn_child(t, inner, CN_F_ARGUMENT) : test;

    if (!cn_within(t, replaced, kept))
        kept = test, negated = false;
    struct cn_str before =
        cn_str_sub(t->text, cn_start(t, kept), cn_start(t, replaced));
    struct cn_str after =
        cn_str_sub(t->text, cn_end(t, replaced), cn_end(t, kept));
    bool loose = !negated &&
                 (cn_is(t, test, CN_K_BOOLEAN_OPERATOR) ||
                  cn_is(t, test, CN_K_NAMED_EXPRESSION)) &&
                 replaced != kept;

    return cn_str_fmt(m->arena, "%s%s%.*s%s%.*s%s", negated ? "" : "not ",
                      loose ? "(" : "", CN_STR_ARG(before), name,
                      CN_STR_ARG(after), loose ? ")" : "")
        .ptr;
}

static enum cn_verdict rewrite_while(struct cn_match *m,
                                     const struct cn_limited *w, cn_node loop)
{
    const struct cn_tree *t = m->tree;
    cn_node test = cn_child(t, loop, CN_F_CONDITION);
    cn_node body = cn_child(t, loop, CN_F_BODY), replaced;

    if (!cn_first_of(t, body))
        return cn_manual(m, NULL, "the loop is empty");
    if (cn_child_of_kind(t, loop, CN_K_ELSE_CLAUSE))
        return cn_manual(m, NULL, "the loop whose test waits has an else");
    if (!is_first_in(t, test, w->await) || cn_has_yield(t, test))
        return cn_manual(m, NULL,
                         "the test evaluates something before it waits");
    const char *name = hoisted_name(m, w->await, &replaced);

    struct cn_str unit = cn_indent_unit(t, loop);

    hoisted_lines(m, w, cn_first_of(t, body), name);
    cn_line_above(m, cn_first_of(t, body),
                  "if %s:", leave_test(m, test, replaced, name));
    cn_line_above(m, cn_first_of(t, body), "%.*sbreak", CN_STR_ARG(unit));
    cn_replace(m, test, "True");
    return cn_safe(m);
}

enum cn_verdict cn_place_limit(struct cn_match *m, const struct cn_limited *w)
{
    const struct cn_tree *t = m->tree;
    cn_node whole = cn_whole_statement(m, w->await);
    cn_node statement = cn_statement(t, w->await);

    if (whole)
        return wrap_whole(m, w, whole);
    if (cn_is(t, statement, CN_K_WHILE_STATEMENT) &&
        cn_within(t, w->await, cn_child(t, statement, CN_F_CONDITION)))
        return rewrite_while(m, w, statement);
    if (takes_hoisting(m, statement, w->await) && cn_hoistable(m, w->await))
        return hoist(m, w, statement);
    return cn_manual(m, NULL,
                     "it is awaited inside an expression where no block fits");
}
