/* plumbing: taking away the statements round a run of an event loop. Which
 * statements go is loop.c's decision; here it is how: alone, with the try that
 * holds nothing else, or leaving a try's body behind. Invariant: no block is
 * left empty, and what stays of a try keeps its comments. */
#include "migrate/rules/plumbing.h"

bool cn_plumbing_has(const struct cn_plumbing *p, cn_node statement)
{
    for (size_t i = 0; i < p->statements.len; i++)
        if (p->statements.at[i] == statement)
            return true;
    return false;
}

void cn_plumbing_add(struct cn_plumbing *p, cn_node statement)
{
    if (!cn_plumbing_has(p, statement))
        cn_vec_push(p->m->arena, &p->statements, statement);
}

static bool is_statement(const struct cn_tree *t, cn_node n)
{
    return t->at[n].named && !cn_is(t, n, CN_K_COMMENT) &&
           !cn_is(t, n, CN_K_LINE_CONTINUATION);
}

/* Do all statements of the block go? */
bool cn_plumbing_goes(const struct cn_plumbing *p, cn_node block)
{
    cn_node_for (n, p->t, block) {
        if (is_statement(p->t, n) && !cn_plumbing_has(p, n))
            return false;
    }
    return true;
}

static cn_node block_of(const struct cn_tree *t, cn_node clause)
{
    return cn_is(t, clause, CN_K_BLOCK)
               ? clause
               : cn_child_of_kind(t, clause, CN_K_BLOCK);
}

/* Do the try statement's body and all its clauses go? */
static bool try_goes(const struct cn_plumbing *p, cn_node try)
{
    cn_node_for (clause, p->t, try) {
        cn_node block =
            p->t->at[clause].named && !cn_is(p->t, clause, CN_K_COMMENT)
                ? block_of(p->t, clause)
                : 0;

        if (block && !cn_plumbing_goes(p, block))
            return false;
    }
    return true;
}

/* Whole try statements that go, from the inside out. */
static void add_tries(struct cn_plumbing *p)
{
    for (size_t i = 0; i < p->statements.len; i++) {
        cn_node try = cn_above(p->t, p->statements.at[i], CN_K_TRY_STATEMENT);

        if (try && !cn_plumbing_has(p, try) &&
            cn_function(p->t, try) == cn_function(p->t, p->m->node) &&
            try_goes(p, try))
            cn_vec_push(p->m->arena, &p->statements, try);
    }
}

/* The statements of a try's body that stay, with the comments round them:
 * what is left when the try goes. */
struct rest {
    cn_node first, last;
    uint32_t start, end;
};

static bool starts_line(const struct cn_tree *t, cn_node n)
{
    return cn_place_of(t, cn_start(t, n)).column ==
           cn_indent_at(t, cn_start(t, n)).len + 1;
}

static struct rest rest_of(const struct cn_plumbing *p, cn_node try,
                           cn_node body)
{
    const struct cn_tree *t = p->t;
    cn_node gone = try;
    struct rest r = {0};

    cn_node_for (n, t, body) {
        if (!is_statement(t, n))
            continue;
        if (cn_plumbing_has(p, n) && !r.first)
            gone = t->at[n].after - 1;
        if (cn_plumbing_has(p, n))
            continue;
        r.first = r.first ? r.first : n;
        r.last = n;
    }
    r.start = cn_start(t, r.first);
    r.end = cn_end(t, r.last);
    for (cn_node n = r.first - 1; n > gone; n--)
        if (cn_is(t, n, CN_K_COMMENT) && starts_line(t, n) &&
            cn_str_eq(cn_indent_at(t, cn_start(t, n)),
                      cn_indent_at(t, cn_start(t, r.first))))
            r.start = cn_start(t, n);
    for (cn_node n = t->at[r.last].after; cn_is(t, n, CN_K_COMMENT); n++)
        r.end = cn_end(t, n);
    return r;
}

/* `finally:` with nothing but plumbing: the clause goes, and the try with it
 * when it was there for nothing else. */
static void drop_finally(struct cn_plumbing *p, cn_node finally)
{
    cn_node try = cn_parent(p->t, finally);
    cn_node before = cn_prev_named(p->t, finally);

    if (cn_is(p->t, before, CN_K_BLOCK)) {
        struct rest r = rest_of(p, try, before);

        cn_unwrap_lines(p->m, try, r.start, r.end);
        cn_vec_push(p->m->arena, &p->unwrapped, try);
    } else {
        cn_replace_span(p->m, cn_end(p->t, before), cn_end(p->t, finally), "%s",
                        "");
    }
}

/* Does the statement stand before or behind what stays of a try that goes? */
static bool is_cut(const struct cn_plumbing *p, cn_node statement)
{
    for (size_t i = 0; i < p->unwrapped.len; i++) {
        cn_node try = p->unwrapped.at[i];
        cn_node body = cn_child(p->t, try, CN_F_BODY);
        struct rest r = rest_of(p, try, body);

        if (cn_parent(p->t, statement) == body &&
            (statement < r.first || statement > r.last))
            return true;
    }
    return false;
}

/* Is the statement part of another one that goes? */
static bool is_covered(const struct cn_plumbing *p, cn_node statement)
{
    for (cn_node up = cn_parent(p->t, statement); up; up = cn_parent(p->t, up))
        if (cn_plumbing_has(p, up))
            return true;
    return false;
}

/* `finally` clauses first: they say which try statements go. */
static void drop_clauses(struct cn_plumbing *p)
{
    for (size_t i = 0; i < p->statements.len; i++) {
        cn_node statement = p->statements.at[i];
        cn_node block = cn_parent(p->t, statement);

        if (is_covered(p, statement) || !cn_plumbing_goes(p, block))
            continue;
        if (!cn_is(p->t, cn_parent(p->t, block), CN_K_FINALLY_CLAUSE))
            cn_demote_manual(p->m, "a block would be left empty");
        else if (statement == cn_named(p->t, block, 0))
            drop_finally(p, cn_parent(p->t, block));
    }
}

void cn_plumbing_drop(struct cn_plumbing *p)
{
    add_tries(p);
    drop_clauses(p);
    for (size_t i = 0; i < p->statements.len; i++) {
        cn_node statement = p->statements.at[i];

        if (!is_covered(p, statement) && !is_cut(p, statement) &&
            !cn_plumbing_goes(p, cn_parent(p->t, statement)))
            cn_drop_statement(p->m, statement);
    }
    cn_forget_comments(p->m);
}
