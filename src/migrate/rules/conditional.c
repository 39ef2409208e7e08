/* Conditional imports: code that chooses between AnyIO and asyncio when it is
 * imported. After a migration AnyIO is a dependency, so the choice is folded:
 * flags become true, the asyncio branch goes. Rules about asyncio must not
 * touch such a branch (both would become alike), so whatever is not folded
 * claims the sites in it and leaves them alone.
 *
 * Invariant: a choice is folded as a whole, its try and every test of its
 * flags in one fix, or not at all. */
#include "migrate/rules/conditional.h"

#include "migrate/rules/flow.h"

/* --- folding ------------------------------------------------------------ */

static bool inside_string(const struct cn_tree *t, cn_node outer, uint32_t at)
{
    for (cn_node n = outer; n < t->at[outer].after; n++)
        if (cn_is(t, n, CN_K_STRING) && cn_start(t, n) < at &&
            at < cn_end(t, n))
            return true;
    return false;
}

/* The text [from, to) of a suite, its lines moved left from the indentation
 * `in` to `out`. */
static const char *moved_left(struct cn_match *m, cn_node suite, uint32_t from,
                              uint32_t to, struct cn_str in, struct cn_str out)
{
    const struct cn_tree *t = m->tree;
    struct cn_buf text;

    cn_buf_init(&text, to - from + CN_MIB);
    for (uint32_t at = from; at < to; at++) {
        bool start = at == from || t->text.ptr[at - 1] == '\n' ||
                     t->text.ptr[at - 1] == '\r';
        struct cn_str rest = cn_str_sub(t->text, at, to);

        if (start && at != from && cn_str_starts(rest, in) &&
            !inside_string(t, suite, at)) {
            cn_buf_add_str(&text, out);
            at += (uint32_t)in.len - 1;
            continue;
        }
        cn_buf_add_char(&text, t->text.ptr[at]);
    }
    struct cn_str made = cn_buf_str(&text);

    while (made.len && strchr(" \t\r\n", made.ptr[made.len - 1]))
        made.len--;
    const char *z = cn_str_dup(m->arena, made);

    cn_buf_done(&text);
    return z;
}

/* The kept suite of a conditional as it stands in place of the whole. */
static const char *suite_text(struct cn_match *m, cn_node suite, cn_node whole)
{
    const struct cn_tree *t = m->tree;
    cn_node header = cn_parent(t, suite), next = cn_next(t, suite);
    uint32_t from = cn_start(t, suite), to = cn_end(t, suite);
    struct cn_str out = cn_indent_at(t, cn_start(t, whole));
    struct cn_str in = cn_indent_at(t, from);

    if (cn_place_of(t, from).line == cn_place_of(t, cn_start(t, header)).line)
        return cn_z(m, suite);
    cn_node_for (child, t, header) { /* comments above the first statement */
        if (cn_is(t, child, CN_K_COMMENT) && cn_start(t, child) < from &&
            cn_str_eq(cn_indent_at(t, cn_start(t, child)), in) &&
            cn_place_of(t, cn_start(t, child)).column == in.len + 1)
            from = cn_start(t, child);
    }
    for (; next && cn_is(t, next, CN_K_COMMENT); next = cn_next(t, next))
        to = cn_end(t, next);
    return moved_left(m, suite, from, to, in, out);
}

static void claim_range(struct cn_match *m, struct cn_range r)
{
    cn_vec_for (use, &m->module->uses)
        if (cn_is_in(use->node, r))
            cn_claim(m, use->node);
}

void cn_claim_inside(struct cn_match *m, cn_node part)
{
    claim_range(m, (struct cn_range){part, m->tree->at[part].after});
}

/* `if FLAG: A elif ...: B else: C` with FLAG known. */
static void fold_if(struct cn_match *m, cn_node n, int value)
{
    const struct cn_tree *t = m->tree;
    cn_node suite = cn_child(t, n, CN_F_CONSEQUENCE);
    cn_node other = cn_child(t, n, CN_F_ALTERNATIVE);

    if (value) {
        cn_replace(m, n, "%s", suite_text(m, suite, n));
    } else if (!other) {
        cn_drop_statement(m, n);
    } else if (cn_is(t, other, CN_K_ELSE_CLAUSE)) {
        cn_replace(m, n, "%s", suite_text(m, cn_block_of(t, other), n));
    } else { /* the elif becomes the if */
        cn_replace_span(m, cn_start(t, n), cn_start(t, other) + 2, "%s", "");
    }
}

static void fold_elif(struct cn_match *m, cn_node n, int value)
{
    const struct cn_tree *t = m->tree;
    cn_node suite = cn_child(t, n, CN_F_CONSEQUENCE), last = n;
    cn_node before = cn_prev_named(t, n);

    if (!value) {
        cn_replace_span(m, cn_end(t, before), cn_end(t, n), "%s", "");
        return;
    }
    cn_node_for (child, t, cn_parent(t, n))
        last = child;
    cn_node test = cn_child(t, n, CN_F_CONDITION);

    cn_replace_span(m, cn_start(t, n), cn_end(t, test), "else");
    if (cn_end(t, last) > cn_end(t, n))
        cn_replace_span(m, cn_end(t, suite), cn_end(t, last), "%s", "");
}

static void fold_one(struct cn_match *m, cn_node n, int value)
{
    const struct cn_tree *t = m->tree;

    claim_range(m, cn_dead_part(t, n, value));
    if (cn_is(t, n, CN_K_CONDITIONAL_EXPRESSION))
        cn_unwrap(m, n, cn_named(t, n, value ? 0 : 2));
    else if (cn_is(t, n, CN_K_IF_STATEMENT))
        fold_if(m, n, value);
    else
        fold_elif(m, n, value);
}

static void fold_tests(struct cn_match *m, const struct cn_choice *c)
{
    for (size_t i = 0; i < c->bound.len; i++) {
        cn_vec_for (use, &c->bound.at[i]->uses) {
            cn_node test = 0, head = cn_tested_by(m, *use, &test);
            int value = head ? cn_choice_value(m, c, test) : -1;

            if (value >= 0)
                fold_one(m, head, value);
        }
    }
}

static const char *line_end_of(const struct cn_tree *t)
{
    if (cn_str_find(t->text, CN_STR("\r\n")) >= 0)
        return "\r\n";
    return cn_str_find(t->text, CN_STR("\n")) >= 0 ? "\n" : "\r";
}

/* The try itself: its imports stay, its flags go. */
static void fold_try(struct cn_match *m, const struct cn_choice *c)
{
    const struct cn_tree *t = m->tree;
    cn_node body = cn_child(t, c->statement, CN_F_BODY);
    struct cn_str out = cn_indent_at(t, cn_start(t, c->statement));
    struct cn_str text = {"", 0};

    cn_node_for (n, t, body) {
        if (!cn_is_import(t, n))
            continue;
        text = text.len
                   ? cn_str_fmt(m->arena, "%.*s%s%.*s%s", CN_STR_ARG(text),
                                line_end_of(t), CN_STR_ARG(out), cn_z(m, n))
                   : cn_text(t, n);
    }
    cn_replace(m, c->statement, "%.*s", CN_STR_ARG(text));
    cn_claim_inside(m, cn_block_of(t, c->handler));
}

static bool has_flag(const struct cn_match *m, const struct cn_choice *c)
{
    const struct cn_tree *t = m->tree;

    for (cn_node n = c->statement; n < t->at[c->statement].after; n++)
        if (cn_sets_flag(t, n))
            return true;
    for (size_t i = 0; i < c->bound.len; i++)
        if (cn_is_none_flag(m, c, c->bound.at[i]))
            return true;
    return false;
}

/* Does it choose between libraries: is there a flag to be asked, or asyncio in
 * place of AnyIO? Else it only complains about the absence. */
static bool chooses(const struct cn_match *m, const struct cn_choice *c)
{
    const struct cn_tree *t = m->tree;

    if (m->was_asyncio && has_flag(m, c))
        return true;
    for (cn_node n = c->handler; n < t->at[c->handler].after; n++)
        if (cn_is_import(t, n) &&
            cn_str_find(cn_text(t, n), CN_STR("asyncio")) >= 0)
            return true;
    return false;
}

static enum cn_verdict choice_rule(struct cn_match *m)
{
    struct cn_choice c;

    if (!cn_choice_read(m, m->node, &c) || !chooses(m, &c))
        return cn_pass(m);
    const char *problem = cn_choice_problem(m, &c);

    if (problem) {
        cn_claim_inside(m, cn_block_of(m->tree, c.handler));
        return cn_manual(m, NULL, "%s", problem);
    }
    cn_forget_comments(m);
    fold_tests(m, &c);
    fold_try(m, &c);
    return cn_unsafe(m, "anyio becomes a dependency: the code for its absence "
                        "is taken out");
}

/* --- the table ---------------------------------------------------------- */

#define BRANCH_ADVICE                                                          \
    "keep only the anyio branch, by hand; code that serves several backends "  \
    "on purpose stays as it is"

static const struct cn_rule rules[] = {
    {.code = "CN151",
     .name = "optional-anyio",
     .summary = "try: import anyio, except ImportError becomes the import",
     .kind = CN_K_TRY_STATEMENT,
     .check = choice_rule,
     .advice = "make anyio a dependency, import it without the try, and keep "
               "only its branches"},
    {.code = "CN152",
     .name = "backend-branch",
     .summary = "code that branches on the library in use is left alone",
     .kind = CN_K_IF_STATEMENT,
     .check = cn_backend_branch,
     .advice = BRANCH_ADVICE},
    {.code = "CN153",
     .name = "backend-elif",
     .summary = "elif branches on the library in use are left alone",
     .kind = CN_K_ELIF_CLAUSE,
     .check = cn_backend_branch,
     .advice = BRANCH_ADVICE},
    {.code = "CN154",
     .name = "backend-expression",
     .summary = "expressions that depend on the library in use are left alone",
     .kind = CN_K_CONDITIONAL_EXPRESSION,
     .check = cn_backend_branch,
     .advice = BRANCH_ADVICE},
};

CN_FAMILY(conditional);
