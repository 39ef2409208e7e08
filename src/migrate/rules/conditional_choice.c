/* Reading a choice between AnyIO and something else: which names it binds,
 * what their tests mean, and whether it can be folded (conditional.c does it).
 * Invariant: nothing that the handler or a dead branch provides is needed by
 * code that is kept. */
#include "migrate/rules/conditional.h"
#include "migrate/rules/flow.h"

/* --- the try ------------------------------------------------------------ */

bool cn_is_import(const struct cn_tree *t, cn_node n)
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

    if (!cn_is_import(t, n))
        return false;
    if (cn_is(t, name, CN_K_ALIASED_IMPORT))
        name = cn_child(t, name, CN_F_NAME);
    return cn_text_is(t, name, "anyio") ||
           cn_str_starts(cn_text(t, name), CN_STR("anyio."));
}

/* `FLAG = True` or `FLAG = False`. */
bool cn_sets_flag(const struct cn_tree *t, cn_node n)
{
    cn_node what = cn_named(t, n, 0);
    cn_node value = cn_bare(t, cn_child(t, what, CN_F_RIGHT));

    return cn_is(t, n, CN_K_EXPRESSION_STATEMENT) &&
           cn_is(t, what, CN_K_ASSIGNMENT) &&
           cn_is(t, cn_child(t, what, CN_F_LEFT), CN_K_IDENTIFIER) &&
           (cn_is(t, value, CN_K_TRUE) || cn_is(t, value, CN_K_FALSE));
}

/* Nothing but imports of AnyIO and flags? */
static bool only_imports(const struct cn_tree *t, cn_node block)
{
    cn_node_for (n, t, block)
        if (t->at[n].named && !cn_is(t, n, CN_K_COMMENT) &&
            !imports_anyio(t, n) && !cn_sets_flag(t, n))
            return false;
    return true;
}

/* Is the try about the import: by the class that it catches or, where that
 * says little, because there is nothing else in it? */
static bool catches_import_error(const struct cn_tree *t, cn_node clause)
{
    struct cn_str head = cn_str_sub(t->text, cn_start(t, clause),
                                    cn_start(t, cn_block_of(t, clause)));

    return cn_str_find(head, CN_STR("ImportError")) >= 0 ||
           cn_str_find(head, CN_STR("ModuleNotFoundError")) >= 0 ||
           only_imports(t, cn_child(t, cn_parent(t, clause), CN_F_BODY));
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
bool cn_is_none_flag(const struct cn_match *m, const struct cn_choice *c,
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

        return s && value < 0 && cn_is_none_flag(m, c, s) ? 1 : value;
    }
    if (!cn_is(t, n, CN_K_COMPARISON_OPERATOR) || cn_named_count(t, n) != 2 ||
        !cn_is(t, cn_named(t, n, 1), CN_K_NONE))
        return -1;
    const struct cn_symbol *s = cn_symbol_at(m->module, cn_named(t, n, 0));
    struct cn_str between = cn_str_trim(cn_str_sub(
        t->text, cn_end(t, cn_named(t, n, 0)), cn_start(t, cn_named(t, n, 1))));

    if (!s || !cn_is_none_flag(m, c, s))
        return -1;
    if (cn_str_is(between, "is not"))
        return 1;
    return cn_str_is(between, "is") ? 0 : -1;
}

/* The if, elif or conditional expression whose whole test holds `use`. */
cn_node cn_tested_by(const struct cn_match *m, cn_node use, cn_node *test)
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

struct cn_range cn_dead_part(const struct cn_tree *t, cn_node n, int value)
{
    cn_node suite = cn_child(t, n, CN_F_CONSEQUENCE), whole = n;

    if (cn_is(t, n, CN_K_CONDITIONAL_EXPRESSION)) {
        cn_node arm = cn_named(t, n, value ? 2 : 0);

        return (struct cn_range){arm, t->at[arm].after};
    }
    if (!value)
        return (struct cn_range){suite, t->at[suite].after};
    if (cn_is(t, n, CN_K_ELIF_CLAUSE))
        whole = cn_parent(t, n);
    return (struct cn_range){t->at[suite].after, t->at[whole].after};
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

        if (value >= 0 && cn_is_in(n, cn_dead_part(t, head, value)))
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
        cn_node test = 0, head = cn_tested_by(m, *use, &test);
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

static const char *check_body(const struct cn_match *m,
                              const struct cn_choice *c)
{
    const struct cn_tree *t = m->tree;
    cn_node other = cn_child_of_kind(t, c->statement, CN_K_ELSE_CLAUSE);
    cn_node next = cn_next_named(t, c->handler);

    if (next && next != other)
        return "the try has more clauses than one handler";
    if (!only_imports(t, cn_child(t, c->statement, CN_F_BODY)) ||
        (other && !only_imports(t, cn_block_of(t, other))))
        return "the try does more than to import anyio";
    return NULL;
}

const char *cn_choice_problem(const struct cn_match *m,
                              const struct cn_choice *c)
{
    const char *problem = check_body(m, c);

    for (size_t i = 0; i < c->bound.len && !problem; i++) {
        const struct cn_symbol *s = c->bound.at[i];
        bool none_flag = cn_is_none_flag(m, c, s);

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
