/* Validity of shapes: targets that can be assigned to, expressions in places
 * that take them, clauses that go together. Each check looks at one node and
 * its neighbours. */
#include "python/internal.h"

/* --- targets ------------------------------------------------------------------ */

static bool is_list_of_targets(enum cn_kind kind)
{
    switch (kind) {
    case CN_K_PATTERN_LIST:
    case CN_K_TUPLE_PATTERN:
    case CN_K_LIST_PATTERN:
    case CN_K_TUPLE:
    case CN_K_LIST:
    case CN_K_EXPRESSION_LIST:
    case CN_K_PARENTHESIZED_EXPRESSION:
    case CN_K_AS_PATTERN_TARGET: return true;
    default: return false;
    }
}

static bool is_splat(enum cn_kind kind)
{
    return kind == CN_K_LIST_SPLAT || kind == CN_K_LIST_SPLAT_PATTERN;
}

static bool is_single_target(enum cn_kind kind)
{
    return kind == CN_K_IDENTIFIER || kind == CN_K_ATTRIBUTE ||
           kind == CN_K_SUBSCRIPT;
}

/* One `*x` in a list at most, and none alone. */
static void check_splats(struct cn_checker *c, cn_node list)
{
    size_t splats = 0;

    cn_node_for (n, c->t, list)
        splats += is_splat(cn_kind(c->t, n));
    if (splats > 1)
        cn_bad(c, list, "multiple starred expressions in assignment");
}

static void check_target(struct cn_checker *c, cn_node target, bool splats)
{
    const struct cn_tree *t = c->t;
    cn_node end = t->at[target].after;

    if (is_splat(cn_kind(t, target)))
        cn_bad(c, target, "starred assignment target must be in a list");
    for (cn_node n = target; n && n < end;) {
        enum cn_kind kind = cn_kind(t, n);

        if (is_list_of_targets(kind))
            check_splats(c, n);
        else if (is_splat(kind) ? !splats
                                : t->at[n].named && kind != CN_K_COMMENT &&
                                      kind != CN_K_LINE_CONTINUATION &&
                                      !is_single_target(kind))
            cn_bad(c, n, "cannot assign to or delete this");
        n = is_list_of_targets(kind) || is_splat(kind) ? n + 1 : t->at[n].after;
    }
}

/* The target of `x: T = v` and `x += v`. */
static void check_lone_target(struct cn_checker *c, cn_node target)
{
    while (cn_is(c->t, target, CN_K_TUPLE_PATTERN) &&
           cn_named_count(c->t, target) == 1 &&
           !cn_child_of_kind(c->t, target, CN_T_COMMA))
        target = cn_named(c->t, target, 0);
    if (!is_single_target(cn_kind(c->t, target)))
        cn_bad(c, target, "only a single target is possible here");
}

static void check_assignment(struct cn_checker *c, cn_node n)
{
    const struct cn_tree *t = c->t;
    enum cn_kind above = cn_kind(t, cn_parent(t, n));
    cn_node left = cn_child(t, n, CN_F_LEFT);
    bool typed = cn_child(t, n, CN_F_TYPE);

    if (above == CN_K_AUGMENTED_ASSIGNMENT ||
        (above == CN_K_ASSIGNMENT &&
         (typed || cn_child(t, cn_parent(t, n), CN_F_TYPE))))
        cn_bad(c, n, "this assignment cannot be part of a chain");
    if (typed)
        check_lone_target(c, left);
    else
        check_target(c, left, true);
}

static void check_augmented(struct cn_checker *c, cn_node n)
{
    enum cn_kind above = cn_kind(c->t, cn_parent(c->t, n));

    if (above == CN_K_ASSIGNMENT || above == CN_K_AUGMENTED_ASSIGNMENT)
        cn_bad(c, n, "this assignment cannot be part of a chain");
    check_lone_target(c, cn_child(c->t, n, CN_F_LEFT));
}

static void check_delete(struct cn_checker *c, cn_node n)
{
    cn_node_for (child, c->t, n)
        if (c->t->at[child].named && !cn_is(c->t, child, CN_K_COMMENT) &&
            !cn_is(c->t, child, CN_K_LINE_CONTINUATION))
            check_target(c, child, false);
}

/* `x as y`: only in with, except and case. */
static void check_as(struct cn_checker *c, cn_node n)
{
    const struct cn_tree *t = c->t;
    cn_node target = cn_child_of_kind(t, n, CN_K_AS_PATTERN_TARGET);
    cn_node above = cn_parent(t, n);

    if (!target)
        return;
    if (cn_is(t, above, CN_K_EXCEPT_CLAUSE)) {
        if (!cn_is(t, cn_first(t, target), CN_K_IDENTIFIER))
            cn_bad(c, target, "except ... as takes a name");
        return;
    }
    if (cn_is(t, above, CN_K_PARENTHESIZED_EXPRESSION) ||
        cn_is(t, above, CN_K_TUPLE))
        above = cn_parent(t, above);
    if (!cn_is(t, above, CN_K_WITH_ITEM))
        cn_bad(c, n, "'as' in an expression");
    check_target(c, target, true);
}

/* --- expressions in their places ------------------------------------------------- */

/* Operators that `*x` binds tighter than, but for arguments. */
static bool is_loose(enum cn_kind kind)
{
    return kind == CN_K_BOOLEAN_OPERATOR || kind == CN_K_COMPARISON_OPERATOR ||
           kind == CN_K_CONDITIONAL_EXPRESSION || kind == CN_K_NOT_OPERATOR ||
           kind == CN_K_LAMBDA;
}

static void check_splat(struct cn_checker *c, cn_node n)
{
    cn_node above = cn_parent(c->t, n);

    if (cn_is(c->t, above, CN_K_ARGUMENT_LIST))
        return;
    if (is_loose(cn_kind(c->t, cn_named(c->t, n, 0))))
        cn_bad(c, n, "starred expression needs parentheses");
    switch (cn_kind(c->t, above)) {
    case CN_K_LIST:
    case CN_K_SET:
    case CN_K_EXPRESSION_LIST:
    case CN_K_PATTERN_LIST:
    case CN_K_LIST_PATTERN:
    case CN_K_TUPLE_PATTERN:
    case CN_K_SUBSCRIPT:
    case CN_K_AS_PATTERN_TARGET:
    case CN_K_TYPE: return;
    case CN_K_TUPLE:
    case CN_K_EXPRESSION_STATEMENT:
        if (cn_child_of_kind(c->t, above, CN_T_COMMA))
            return;
        break;
    default: break;
    }
    cn_bad(c, n, "cannot use starred expression here");
}

/* A walrus without parentheses of its own. */
static void check_walrus(struct cn_checker *c, cn_node n)
{
    cn_node above = cn_parent(c->t, n);

    switch (cn_kind(c->t, above)) {
    case CN_K_PARENTHESIZED_EXPRESSION:
    case CN_K_IF_STATEMENT:
    case CN_K_ELIF_CLAUSE:
    case CN_K_WHILE_STATEMENT:
    case CN_K_MATCH_STATEMENT:
    case CN_K_ARGUMENT_LIST:
    case CN_K_LIST:
    case CN_K_TUPLE:
    case CN_K_SET:
    case CN_K_SUBSCRIPT:
    case CN_K_DECORATOR:
    case CN_K_INTERPOLATION: /* not one at all: a format */
    case CN_K_LIST_COMPREHENSION:
    case CN_K_SET_COMPREHENSION:
    case CN_K_GENERATOR_EXPRESSION: return;
    case CN_K_IF_CLAUSE: /* of a case; in a comprehension it needs them */
        if (cn_is(c->t, cn_parent(c->t, above), CN_K_CASE_CLAUSE))
            return;
        break;
    default: break;
    }
    cn_bad(c, n, "assignment expression needs parentheses here");
}

/* `await` takes a primary: no operator, no second await. */
static void check_await(struct cn_checker *c, cn_node n)
{
    switch (cn_kind(c->t, cn_named(c->t, n, 0))) {
    case CN_K_UNARY_OPERATOR:
    case CN_K_BINARY_OPERATOR:
    case CN_K_AWAIT:
    case CN_K_LIST_SPLAT:
    case CN_K_NOTHING: cn_bad(c, n, "'await' takes a call or name"); break;
    default: break;
    }
}

static void check_yield(struct cn_checker *c, cn_node n)
{
    enum cn_kind above = cn_kind(c->t, cn_parent(c->t, n));

    if (above == CN_K_LIST || above == CN_K_TUPLE || above == CN_K_SET)
        cn_bad(c, n, "'yield' needs parentheses here");
}

/* `a: b` inside a type: a bound of a type parameter, or a slice. */
static void check_bound(struct cn_checker *c, cn_node n)
{
    cn_node list = cn_parent(c->t, cn_parent(c->t, n));

    if (!cn_is(c->t, list, CN_K_TYPE_PARAMETER))
        cn_bad(c, n, "invalid syntax in an annotation");
}

/* --- statements -------------------------------------------------------------------- */

static void check_raise(struct cn_checker *c, cn_node n)
{
    if (cn_child_of_kind(c->t, n, CN_K_EXPRESSION_LIST))
        cn_bad(c, n, "raise of Python 2");
    if (cn_child_of_kind(c->t, n, CN_T_FROM) &&
        cn_named(c->t, n, 0) == cn_child(c->t, n, CN_F_CAUSE))
        cn_bad(c, n, "raise from without an exception");
}

static void check_assert(struct cn_checker *c, cn_node n)
{
    if (cn_named_count(c->t, n) > 2)
        cn_bad(c, n, "assert takes two expressions at most");
}

static bool is_star_handler(const struct cn_tree *t, cn_node handler)
{
    return cn_child_of_kind(t, handler, CN_T_STAR);
}

static void check_try(struct cn_checker *c, cn_node n)
{
    const struct cn_tree *t = c->t;
    cn_node first = cn_child_of_kind(t, n, CN_K_EXCEPT_CLAUSE), bare = 0;

    if (!first && !cn_child_of_kind(t, n, CN_K_FINALLY_CLAUSE))
        cn_bad(c, n, "expected 'except' or 'finally' block");
    if (!first && cn_child_of_kind(t, n, CN_K_ELSE_CLAUSE))
        cn_bad(c, n, "'else' without 'except'");
    cn_node_for (clause, t, n) {
        if (!cn_is(t, clause, CN_K_EXCEPT_CLAUSE))
            continue;
        if (bare)
            cn_bad(c, bare, "default 'except:' must be last");
        if (is_star_handler(t, clause) != is_star_handler(t, first))
            cn_bad(c, clause, "cannot have both 'except' and 'except*'");
        if (!cn_child(t, clause, CN_F_VALUE))
            bare = clause;
    }
    if (bare && is_star_handler(t, bare))
        cn_bad(c, bare, "expected one or more exception types");
}

static void check_handler(struct cn_checker *c, cn_node n)
{
    size_t values = 0;

    cn_node_for (child, c->t, n)
        values += c->t->at[child].field == CN_F_VALUE && c->t->at[child].named;
    if (values > 1)
        cn_bad(c, n, "multiple exception types must be parenthesized");
}

/* A pattern that takes everything: a name or `_`, alone. */
static bool takes_all(const struct cn_tree *t, cn_node clause)
{
    cn_node pattern = cn_child_of_kind(t, clause, CN_K_CASE_PATTERN);

    if (cn_child(t, clause, CN_F_GUARD) ||
        cn_child_of_kind(t, clause, CN_T_COMMA))
        return false;
    if (cn_text_is(t, pattern, "_"))
        return true;
    pattern = cn_first(t, pattern);
    return cn_is(t, pattern, CN_K_DOTTED_NAME) &&
           cn_named_count(t, pattern) == 1;
}

static void check_match(struct cn_checker *c, cn_node n)
{
    cn_node all = 0;

    cn_node_for (clause, c->t, cn_child(c->t, n, CN_F_BODY)) {
        if (!cn_is(c->t, clause, CN_K_CASE_CLAUSE))
            continue;
        if (all)
            cn_bad(c, all, "pattern makes remaining patterns unreachable");
        if (takes_all(c->t, clause))
            all = clause;
    }
}

/* `for x in a, b` stands in statements only. */
static void check_clause(struct cn_checker *c, cn_node n)
{
    if (cn_child_of_kind(c->t, n, CN_T_COMMA))
        cn_bad(c, n, "tuple in a comprehension needs parentheses");
    check_target(c, cn_child(c->t, n, CN_F_LEFT), true);
}

static void check_statement(struct cn_checker *c, cn_node n)
{
    switch (cn_kind(c->t, n)) {
    case CN_K_RAISE_STATEMENT: check_raise(c, n); break;
    case CN_K_ASSERT_STATEMENT: check_assert(c, n); break;
    case CN_K_TRY_STATEMENT: check_try(c, n); break;
    case CN_K_EXCEPT_CLAUSE: check_handler(c, n); break;
    case CN_K_MATCH_STATEMENT: check_match(c, n); break;
    case CN_K_DELETE_STATEMENT: check_delete(c, n); break;
    case CN_K_FOR_IN_CLAUSE: check_clause(c, n); break;
    case CN_K_FOR_STATEMENT:
        check_target(c, cn_child(c->t, n, CN_F_LEFT), true);
        break;
    default: break;
    }
}

void cn_check_shape(struct cn_checker *c, cn_node n)
{
    switch (cn_kind(c->t, n)) {
    case CN_K_ASSIGNMENT: check_assignment(c, n); break;
    case CN_K_AUGMENTED_ASSIGNMENT: check_augmented(c, n); break;
    case CN_K_AS_PATTERN: check_as(c, n); break;
    case CN_K_LIST_SPLAT: check_splat(c, n); break;
    case CN_K_NAMED_EXPRESSION: check_walrus(c, n); break;
    case CN_K_AWAIT: check_await(c, n); break;
    case CN_K_YIELD: check_yield(c, n); break;
    case CN_K_CONSTRAINED_TYPE: check_bound(c, n); break;
    default: check_statement(c, n); break;
    }
}
