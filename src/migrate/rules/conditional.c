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

/* --- the try ------------------------------------------------------------ */

static bool is_import(const struct cn_tree *t, cn_node n)
{
    return cn_is(t, n, CN_K_IMPORT_STATEMENT) ||
           cn_is(t, n, CN_K_IMPORT_FROM_STATEMENT);
}

/* `import anyio`, `import anyio.x as y`, `from anyio.x import y`. */
static bool imports_anyio(const struct cn_tree *t, cn_node n)
{
    cn_node name = cn_is(t, n, CN_K_IMPORT_FROM_STATEMENT)
                       ? cn_child(t, n, CN_F_MODULE_NAME)
                       : cn_child(t, n, CN_F_NAME);

    if (!is_import(t, n))
        return false;
    if (cn_is(t, name, CN_K_ALIASED_IMPORT))
        name = cn_child(t, name, CN_F_NAME);
    return cn_text_is(t, name, "anyio") ||
           cn_str_starts(cn_text(t, name), CN_STR("anyio."));
}

static bool catches_import_error(const struct cn_tree *t, cn_node clause)
{
    struct cn_str head = cn_str_sub(t->text, cn_start(t, clause),
                                    cn_start(t, cn_block_of(t, clause)));

    return cn_str_find(head, CN_STR("ImportError")) >= 0 ||
           cn_str_find(head, CN_STR("ModuleNotFoundError")) >= 0 ||
           cn_str_find(head, CN_STR("Exception")) >= 0 ||
           cn_is(t, cn_named(t, clause, 0), CN_K_BLOCK);
}

static void collect_bound(const struct cn_match *m, struct cn_choice *c)
{
    for (size_t i = 0; i < m->module->scopes.len; i++) {
        struct cn_scope *scope = m->module->scopes.at[i];

        if (cn_within(m->tree, scope->node, c->statement))
            continue;
        for (uint32_t k = 0; k < scope->symbols.len; k++) {
            struct cn_symbol *s = scope->symbols.entries[k].value.ptr;
            bool in = false;

            cn_vec_for (b, &s->bindings)
                in |= cn_within(m->tree, b->name, c->statement);
            if (in)
                cn_vec_push(m->arena, &c->bound, s);
        }
    }
}

/* Is the statement a choice between AnyIO and something else? */
bool cn_choice_read(const struct cn_match *m, cn_node n, struct cn_choice *c)
{
    const struct cn_tree *t = m->tree;
    cn_node body = cn_child(t, n, CN_F_BODY);
    bool found = false;

    *c = (struct cn_choice){.statement = n};
    if (!cn_is(t, n, CN_K_TRY_STATEMENT))
        return false;
    cn_node_for (child, t, body)
        found |= imports_anyio(t, child);
    c->handler = cn_child_of_kind(t, n, CN_K_EXCEPT_CLAUSE);
    if (!found || !c->handler || !catches_import_error(t, c->handler))
        return false;
    collect_bound(m, c);
    return true;
}

/* --- flags -------------------------------------------------------------- */

/* The constant that an assignment of the taken branch gives: 1, 0, or -1. */
static int value_in_try(const struct cn_match *m, const struct cn_choice *c,
                        const struct cn_symbol *s)
{
    const struct cn_tree *t = m->tree;
    int value = -1;

    cn_vec_for (b, &s->bindings) {
        if (!cn_within(t, b->name, c->statement))
            return -1;
        if (cn_within(t, b->name, c->handler))
            continue;
        if (b->kind == CN_BIND_IMPORT || b->kind == CN_BIND_FROM)
            return -1;
        cn_node v = cn_bare(t, b->value);

        if (value >= 0 || !(cn_is(t, v, CN_K_TRUE) || cn_is(t, v, CN_K_FALSE)))
            return -1;
        value = cn_is(t, v, CN_K_TRUE);
    }
    return value;
}

/* Is the symbol imported in the try and set to None in the handler, and bound
 * nowhere else? Then it is a flag as well, true where AnyIO is. */
static bool is_none_flag(const struct cn_match *m, const struct cn_choice *c,
                         const struct cn_symbol *s)
{
    const struct cn_tree *t = m->tree;
    bool imported = false, none = false;

    cn_vec_for (b, &s->bindings) {
        if (!cn_within(t, b->name, c->statement))
            return false;
        if (cn_within(t, b->name, c->handler))
            none |= cn_is(t, cn_bare(t, b->value), CN_K_NONE);
        else
            imported |= b->kind == CN_BIND_IMPORT || b->kind == CN_BIND_FROM;
    }
    return imported && none;
}

/* What a test means once AnyIO is always there: 1, 0, or -1 for anything that
 * is not a plain test of a flag. */
int cn_choice_value(const struct cn_match *m, const struct cn_choice *c,
                    cn_node test)
{
    const struct cn_tree *t = m->tree;
    cn_node n = cn_bare(t, test);

    if (cn_is(t, n, CN_K_NOT_OPERATOR)) {
        int inner = cn_choice_value(m, c, cn_child(t, n, CN_F_ARGUMENT));

        return inner < 0 ? -1 : !inner;
    }
    if (cn_is(t, n, CN_K_IDENTIFIER)) {
        const struct cn_symbol *s = cn_symbol_at(m->module, n);
        int value = s ? value_in_try(m, c, s) : -1;

        return s && value < 0 && is_none_flag(m, c, s) ? 1 : value;
    }
    if (!cn_is(t, n, CN_K_COMPARISON_OPERATOR) || cn_named_count(t, n) != 2 ||
        !cn_is(t, cn_named(t, n, 1), CN_K_NONE))
        return -1;
    const struct cn_symbol *s = cn_symbol_at(m->module, cn_named(t, n, 0));
    struct cn_str between = cn_str_trim(cn_str_sub(
        t->text, cn_end(t, cn_named(t, n, 0)), cn_start(t, cn_named(t, n, 1))));

    if (!s || !is_none_flag(m, c, s))
        return -1;
    if (cn_str_is(between, "is not"))
        return 1;
    return cn_str_is(between, "is") ? 0 : -1;
}

/* The if, elif or conditional expression whose whole test holds `use`. */
static cn_node tested_by(const struct cn_match *m, cn_node use, cn_node *test)
{
    const struct cn_tree *t = m->tree;

    for (cn_node n = use; n; n = cn_parent(t, n)) {
        cn_node up = cn_parent(t, n);

        if (cn_is(t, up, CN_K_CONDITIONAL_EXPRESSION)) {
            *test = n;
            return cn_named(t, up, 1) == n ? up : 0;
        }
        if (t->at[n].field == CN_F_CONDITION &&
            (cn_is(t, up, CN_K_IF_STATEMENT) ||
             cn_is(t, up, CN_K_ELIF_CLAUSE))) {
            *test = n;
            return up;
        }
        if (cn_is(t, up, CN_K_BLOCK))
            return 0;
    }
    return 0;
}

/* --- can it be folded? -------------------------------------------------- */

/* The nodes [from, to) of a conditional that go when its test is `value`. */
struct range {
    cn_node from, to;
};

static struct range dead_part(const struct cn_tree *t, cn_node n, int value)
{
    cn_node suite = cn_child(t, n, CN_F_CONSEQUENCE), whole = n;

    if (cn_is(t, n, CN_K_CONDITIONAL_EXPRESSION)) {
        cn_node arm = cn_named(t, n, value ? 2 : 0);

        return (struct range){arm, t->at[arm].after};
    }
    if (!value)
        return (struct range){suite, t->at[suite].after};
    if (cn_is(t, n, CN_K_ELIF_CLAUSE))
        whole = cn_parent(t, n);
    return (struct range){t->at[suite].after, t->at[whole].after};
}

static bool is_in(cn_node n, struct range r)
{
    return r.from <= n && n < r.to;
}

/* Is `n` inside code that folding takes away? */
static bool is_dead(const struct cn_match *m, const struct cn_choice *c,
                    cn_node n)
{
    const struct cn_tree *t = m->tree;

    if (cn_within(t, n, c->handler))
        return true;
    for (cn_node up = n; up; up = cn_parent(t, up)) {
        cn_node head = cn_parent(t, up), test = 0;

        if (cn_is(t, head, CN_K_CONDITIONAL_EXPRESSION))
            test = cn_named(t, head, 1);
        else if (cn_is(t, head, CN_K_IF_STATEMENT) ||
                 cn_is(t, head, CN_K_ELIF_CLAUSE))
            test = cn_child(t, head, CN_F_CONDITION);
        int value = test ? cn_choice_value(m, c, test) : -1;

        if (value >= 0 && is_in(n, dead_part(t, head, value)))
            return true;
    }
    return false;
}

/* Is a conditional inside another one that is folded now? */
static bool is_nested(const struct cn_match *m, const struct cn_choice *c,
                      cn_node n)
{
    const struct cn_tree *t = m->tree;

    for (cn_node up = cn_parent(t, n); up; up = cn_parent(t, up)) {
        cn_node test = cn_is(t, up, CN_K_CONDITIONAL_EXPRESSION)
                           ? cn_named(t, up, 1)
                           : cn_child(t, up, CN_F_CONDITION);

        if ((cn_is(t, up, CN_K_CONDITIONAL_EXPRESSION) ||
             cn_is(t, up, CN_K_IF_STATEMENT) ||
             cn_is(t, up, CN_K_ELIF_CLAUSE)) &&
            cn_choice_value(m, c, test) >= 0 && !cn_within(t, n, test))
            return true;
        cn_node_for (sibling, t, up) /* two folded clauses of one if */
            if (cn_is(t, up, CN_K_IF_STATEMENT) && sibling != n &&
                cn_is(t, sibling, CN_K_ELIF_CLAUSE) && sibling < n &&
                cn_choice_value(m, c, cn_child(t, sibling, CN_F_CONDITION)) >=
                    0)
                return true;
    }
    return false;
}

static const char *check_flag(const struct cn_match *m,
                              const struct cn_choice *c,
                              const struct cn_symbol *s, bool none_flag)
{
    cn_vec_for (use, &s->uses) {
        cn_node test = 0, head = tested_by(m, *use, &test);
        bool plain = head && cn_choice_value(m, c, test) >= 0;

        if (plain && is_nested(m, c, head))
            return "tests of the flag stand inside of each other";
        if (plain || is_dead(m, c, *use))
            continue;
        if (none_flag && !head)
            continue; /* an ordinary use of the module */
        return "the flag is used for more than a plain if";
    }
    if (s->string_uses)
        return "the flag is exported";
    return NULL;
}

/* Does another file of the project seem to use the flag of this one? */
static bool used_elsewhere(const struct cn_match *m, const struct cn_symbol *s)
{
    const struct cn_project_facts *project = m->module->project;
    static const char *const before[] = {".", "import ", ", ", ""};
    static const char *const after[] = {"", "", "", ","};

    if (!project || !project->mentioned || s->scope->kind != CN_SCOPE_MODULE)
        return false;
    for (size_t i = 0; i < CN_COUNT(before); i++) {
        struct cn_str bytes = cn_str_fmt(m->arena, "%s%.*s%s", before[i],
                                         CN_STR_ARG(s->name), after[i]);

        if (project->mentioned(project->ctx, bytes, m->module))
            return true;
    }
    return false;
}

/* A name that only the handler binds: nobody may need it afterwards. */
static const char *check_fallback(const struct cn_match *m,
                                  const struct cn_choice *c,
                                  const struct cn_symbol *s)
{
    cn_vec_for (b, &s->bindings)
        if (!cn_within(m->tree, b->name, c->statement))
            return NULL; /* bound elsewhere, too */
    cn_vec_for (use, &s->uses)
        if (!is_dead(m, c, *use))
            return "a name of the fallback is used outside of it";
    return s->string_uses ? "a name of the fallback is exported" : NULL;
}

static bool bound_in_body(const struct cn_match *m, const struct cn_choice *c,
                          const struct cn_symbol *s)
{
    cn_vec_for (b, &s->bindings)
        if (cn_within(m->tree, b->name, c->statement) &&
            !cn_within(m->tree, b->name, c->handler))
            return true;
    return false;
}

/* Only imports and constant flags in the part that is kept. */
static const char *check_body(const struct cn_match *m,
                              const struct cn_choice *c)
{
    const struct cn_tree *t = m->tree;
    cn_node blocks[] = {
        cn_child(t, c->statement, CN_F_BODY),
        cn_block_of(t, cn_child_of_kind(t, c->statement, CN_K_ELSE_CLAUSE))};

    if (cn_next_named(t, c->handler) &&
        !cn_is(t, cn_next_named(t, c->handler), CN_K_ELSE_CLAUSE))
        return "the try has more clauses than one handler";
    for (size_t i = 0; i < CN_COUNT(blocks); i++) {
        if (!blocks[i])
            continue;
        cn_node_for (n, t, blocks[i]) {
            cn_node what = cn_named(t, n, 0);

            if (!t->at[n].named || cn_is(t, n, CN_K_COMMENT))
                continue;
            if (is_import(t, n) ? imports_anyio(t, n)
                                : cn_is(t, what, CN_K_ASSIGNMENT) &&
                                      cn_named_count(t, what) == 2)
                continue;
            return "the try does more than to import anyio";
        }
    }
    return NULL;
}

const char *cn_choice_problem(const struct cn_match *m,
                              const struct cn_choice *c)
{
    const char *problem = check_body(m, c);

    for (size_t i = 0; i < c->bound.len && !problem; i++) {
        const struct cn_symbol *s = c->bound.at[i];
        bool none_flag = is_none_flag(m, c, s);

        if (!bound_in_body(m, c, s))
            problem = check_fallback(m, c, s);
        else if (none_flag || value_in_try(m, c, s) >= 0)
            problem = check_flag(m, c, s, none_flag);
        else if (s->bindings.len > 1)
            problem = "the name stands for another module without anyio";
        if (!problem && value_in_try(m, c, s) >= 0 && used_elsewhere(m, s))
            problem = "other files may use the flag";
    }
    return problem;
}

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

static void claim_range(struct cn_match *m, struct range r)
{
    cn_vec_for (use, &m->module->uses)
        if (is_in(use->node, r))
            cn_claim(m, use->node);
}

void cn_claim_inside(struct cn_match *m, cn_node part)
{
    claim_range(m, (struct range){part, m->tree->at[part].after});
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

    claim_range(m, dead_part(t, n, value));
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
            cn_node test = 0, head = tested_by(m, *use, &test);
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
        if (!is_import(t, n))
            continue;
        text = text.len
                   ? cn_str_fmt(m->arena, "%.*s%s%.*s%s", CN_STR_ARG(text),
                                line_end_of(t), CN_STR_ARG(out), cn_z(m, n))
                   : cn_text(t, n);
    }
    cn_replace(m, c->statement, "%.*s", CN_STR_ARG(text));
    cn_claim_inside(m, cn_block_of(t, c->handler));
}

static enum cn_verdict choice_rule(struct cn_match *m)
{
    struct cn_choice c;

    if (!cn_choice_read(m, m->node, &c))
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
