/* How control leaves a piece of code and what waits after it. No rule lives
 * here: only questions that the rules on timeouts, cancellation and cleanup
 * share. Invariant: nothing is looked up in a nested function. */
#include "migrate/rules/flow.h"

/* --- waiting ------------------------------------------------------------ */

static bool opens_scope(const struct cn_tree *t, cn_node n)
{
    return cn_is(t, n, CN_K_FUNCTION_DEFINITION) || cn_is(t, n, CN_K_LAMBDA) ||
           cn_is(t, n, CN_K_CLASS_DEFINITION);
}

bool cn_waits(const struct cn_tree *t, cn_node n)
{
    if (!n)
        return false;
    for (cn_node i = n; i < t->at[n].after;) {
        if (cn_is(t, i, CN_K_AWAIT))
            return true;
        if (cn_is(t, i, CN_T_ASYNC) &&
            !cn_is(t, cn_parent(t, i), CN_K_FUNCTION_DEFINITION))
            return true;
        if (t->at[i].field == CN_F_BODY && i != n &&
            opens_scope(t, cn_parent(t, i)))
            i = t->at[i].after;
        else
            i++;
    }
    return false;
}

/* --- exits -------------------------------------------------------------- */

static bool is_statement(const struct cn_tree *t, cn_node n)
{
    return t->at[n].named && !cn_is(t, n, CN_K_COMMENT) &&
           !cn_is(t, n, CN_K_LINE_CONTINUATION);
}

cn_node cn_first_of(const struct cn_tree *t, cn_node block)
{
    return cn_named(t, block, 0);
}

cn_node cn_last_of(const struct cn_tree *t, cn_node block)
{
    cn_node last = 0;

    cn_node_for (child, t, block)
        if (is_statement(t, child))
            last = child;
    return last;
}

cn_node cn_block_of(const struct cn_tree *t, cn_node clause)
{
    return cn_child_of_kind(t, clause, CN_K_BLOCK);
}

static unsigned exits_of(const struct cn_tree *t, cn_node statement,
                         struct cn_str handled);

unsigned cn_exits(const struct cn_tree *t, cn_node block, struct cn_str handled)
{
    unsigned all = 0;

    cn_node_for (child, t, block) {
        if (!is_statement(t, child))
            continue;
        unsigned one = exits_of(t, child, handled);

        all |= one & ~(unsigned)CN_EXIT_END;
        if (!(one & CN_EXIT_END))
            return all;
    }
    return all | CN_EXIT_END;
}

static unsigned exits_of_raise(const struct cn_tree *t, cn_node statement,
                               struct cn_str handled)
{
    cn_node what = cn_named(t, statement, 0);

    if (!what)
        return CN_EXIT_RERAISE;
    if (handled.len && cn_is(t, what, CN_K_IDENTIFIER) &&
        cn_str_eq(cn_text(t, what), handled))
        return CN_EXIT_RERAISE;
    return CN_EXIT_RAISE;
}

/* All blocks below a compound statement, its clauses' included. */
static unsigned exits_of_blocks(const struct cn_tree *t, cn_node n,
                                struct cn_str handled)
{
    unsigned all = 0;

    cn_node_for (child, t, n) {
        if (cn_is(t, child, CN_K_BLOCK))
            all |= cn_exits(t, child, handled);
        else if (cn_is(t, child, CN_K_ELIF_CLAUSE) ||
                 cn_is(t, child, CN_K_ELSE_CLAUSE) ||
                 cn_is(t, child, CN_K_CASE_CLAUSE) ||
                 cn_is(t, child, CN_K_EXCEPT_CLAUSE))
            all |= exits_of_blocks(t, child, handled);
    }
    return all;
}

static unsigned exits_of_try(const struct cn_tree *t, cn_node n,
                             struct cn_str handled)
{
    cn_node last = cn_child_of_kind(t, n, CN_K_FINALLY_CLAUSE);
    unsigned end = last ? cn_exits(t, cn_block_of(t, last), handled)
                        : (unsigned)CN_EXIT_END;
    unsigned all = exits_of_blocks(t, n, handled);

    if (!(end & CN_EXIT_END))
        return end;
    return all | (end & ~(unsigned)CN_EXIT_END);
}

static unsigned exits_of_loop(const struct cn_tree *t, cn_node n,
                              struct cn_str handled)
{
    unsigned inner = cn_exits(t, cn_child(t, n, CN_F_BODY), handled);
    bool endless = cn_is(t, n, CN_K_WHILE_STATEMENT) &&
                   cn_is(t, cn_child(t, n, CN_F_CONDITION), CN_K_TRUE);
    cn_node other = cn_child_of_kind(t, n, CN_K_ELSE_CLAUSE);
    unsigned all =
        inner & ~(unsigned)(CN_EXIT_BREAK | CN_EXIT_CONTINUE | CN_EXIT_END);

    if (other)
        all |= exits_of_blocks(t, other, handled);
    if (!endless || inner & CN_EXIT_BREAK)
        all |= CN_EXIT_END;
    return all;
}

static unsigned exits_of_with(const struct cn_tree *t, cn_node n,
                              struct cn_str handled)
{
    unsigned all = exits_of_blocks(t, n, handled);
    struct cn_str header = cn_text(t, cn_child_of_kind(t, n, CN_K_WITH_CLAUSE));

    if (cn_str_find(header, CN_STR("suppress")) >= 0)
        all |= CN_EXIT_END;
    return all;
}

static unsigned exits_of(const struct cn_tree *t, cn_node n,
                         struct cn_str handled)
{
    switch (cn_kind(t, n)) {
    case CN_K_RETURN_STATEMENT: return CN_EXIT_RETURN;
    case CN_K_BREAK_STATEMENT: return CN_EXIT_BREAK;
    case CN_K_CONTINUE_STATEMENT: return CN_EXIT_CONTINUE;
    case CN_K_RAISE_STATEMENT: return exits_of_raise(t, n, handled);
    case CN_K_TRY_STATEMENT: return exits_of_try(t, n, handled);
    case CN_K_WHILE_STATEMENT:
    case CN_K_FOR_STATEMENT: return exits_of_loop(t, n, handled);
    case CN_K_WITH_STATEMENT: return exits_of_with(t, n, handled);
    case CN_K_MATCH_STATEMENT:
        return CN_EXIT_END |
               exits_of_blocks(t, cn_child(t, n, CN_F_BODY), handled);
    case CN_K_IF_STATEMENT: {
        unsigned all = exits_of_blocks(t, n, handled);

        return cn_child_of_kind(t, n, CN_K_ELSE_CLAUSE) ? all
                                                        : all | CN_EXIT_END;
    }
    default: return CN_EXIT_END;
    }
}

/* --- what waits afterwards ---------------------------------------------- */

/* The statements behind `n` in its block: do they wait? Narrows *exits to how
 * the block is left then. */
static bool siblings_wait(const struct cn_tree *t, cn_node n, unsigned *exits)
{
    for (cn_node next = cn_next(t, n); next && *exits & CN_EXIT_END;
         next = cn_next(t, next)) {
        if (!is_statement(t, next))
            continue;
        if (cn_waits(t, next))
            return true;
        *exits &= ~(unsigned)CN_EXIT_END;
        *exits |= exits_of(t, next, (struct cn_str){"", 0});
    }
    return false;
}

/* The block of `n` was left by *exits; `outer` is the compound statement that
 * holds it. */
static bool outer_waits(const struct cn_tree *t, cn_node n, cn_node outer,
                        unsigned *exits)
{
    bool loop = cn_is(t, outer, CN_K_WHILE_STATEMENT) ||
                cn_is(t, outer, CN_K_FOR_STATEMENT);
    bool in_body = cn_within(t, n, cn_child(t, outer, CN_F_BODY));

    if (loop && in_body) {
        if (*exits & (CN_EXIT_END | CN_EXIT_CONTINUE) && cn_waits(t, outer))
            return true;
        *exits |= CN_EXIT_END;
        *exits &= ~(unsigned)(CN_EXIT_BREAK | CN_EXIT_CONTINUE);
    } else if (cn_is(t, outer, CN_K_TRY_STATEMENT) && in_body &&
               *exits & CN_EXIT_END) {
        return cn_waits(t, cn_child_of_kind(t, outer, CN_K_ELSE_CLAUSE));
    } else if (cn_is(t, outer, CN_K_WITH_STATEMENT) && cn_is_async(t, outer)) {
        return true;
    }
    return false;
}

bool cn_waits_after(const struct cn_tree *t, cn_node statement, unsigned exits)
{
    const unsigned goes_on = CN_EXIT_END | CN_EXIT_BREAK | CN_EXIT_CONTINUE;
    cn_node def = cn_function(t, statement), n = statement;

    while (n && exits & goes_on) {
        if (siblings_wait(t, n, &exits))
            return true;
        cn_node outer = cn_statement(t, cn_parent(t, cn_parent(t, n)));

        if (!outer || !cn_within(t, outer, def) || outer == def ||
            cn_is(t, outer, CN_K_DECORATED_DEFINITION))
            return false;
        if (outer_waits(t, n, outer, &exits))
            return true;
        n = outer;
    }
    return false;
}

/* --- what stands around ------------------------------------------------- */

bool cn_decorated_by(const struct cn_module *module, cn_node def,
                     const char *dotted)
{
    const struct cn_tree *t = module->tree;
    cn_node outer = cn_parent(t, def);

    if (!cn_is(t, outer, CN_K_DECORATED_DEFINITION))
        return false;
    cn_node_for (child, t, outer) {
        if (!cn_is(t, child, CN_K_DECORATOR))
            continue;
        cn_node name = cn_named(t, child, 0);

        if (cn_is(t, name, CN_K_CALL))
            name = cn_child(t, name, CN_F_FUNCTION);
        if (cn_resolves_to(module, name, dotted))
            return true;
    }
    return false;
}

bool cn_in_context_manager(const struct cn_module *module, cn_node n)
{
    cn_node def = cn_function(module->tree, n);

    return cn_decorated_by(module, def, "contextlib.asynccontextmanager") ||
           cn_decorated_by(module, def, "contextlib.contextmanager");
}

bool cn_in_fixture(const struct cn_module *module, cn_node n)
{
    cn_node def = cn_function(module->tree, n);

    return cn_decorated_by(module, def, "pytest.fixture") ||
           cn_decorated_by(module, def, "pytest_asyncio.fixture");
}

static bool item_shields(const struct cn_module *module, cn_node item)
{
    static const char *const scopes[] = {
        "anyio.CancelScope", "anyio.move_on_after", "anyio.move_on_at",
        "anyio.fail_after", "anyio.fail_at"};
    const struct cn_tree *t = module->tree;
    cn_node value = cn_bare(t, cn_named(t, item, 0));
    struct cn_str name;

    if (cn_is(t, value, CN_K_AS_PATTERN))
        value = cn_named(t, value, 0);
    if (!cn_is(t, value, CN_K_CALL) ||
        cn_resolve(module, cn_child(t, value, CN_F_FUNCTION), &name) ==
            CN_UNKNOWN ||
        !cn_is(t, cn_arg_value(t, value, -1, "shield"), CN_K_TRUE))
        return false;
    for (size_t i = 0; i < CN_COUNT(scopes); i++)
        if (cn_str_is(name, scopes[i]))
            return true;
    return false;
}

bool cn_is_shielded(const struct cn_module *module, cn_node n)
{
    const struct cn_tree *t = module->tree;
    cn_node def = cn_function(t, n);

    for (cn_node up = cn_parent(t, n); up && up != def; up = cn_parent(t, up)) {
        if (!cn_is(t, up, CN_K_WITH_STATEMENT) || cn_is_async(t, up))
            continue;
        cn_node clause = cn_child_of_kind(t, up, CN_K_WITH_CLAUSE);

        cn_node_for (item, t, clause)
            if (cn_is(t, item, CN_K_WITH_ITEM) && item_shields(module, item))
                return true;
    }
    return false;
}

/* --- effects ------------------------------------------------------------ */

static bool is_quick(const struct cn_match *m, cn_node call)
{
    static const char *const quick[] = {
        "str",  "int",     "float", "len",   "bytes", "dict",
        "list", "tuple",   "set",   "repr",  "bool",  "max",
        "min",  "getattr", "abs",   "round", "range"};
    cn_node function = cn_child(m->tree, call, CN_F_FUNCTION);

    if (cn_resolves_to(m->module, function, "functools.partial") ||
        cn_resolves_to(m->module, function, "asyncio.wait_for") ||
        cn_is_async_def(m->tree, cn_definition_of(m->module, function)))
        return true;
    if (!cn_is(m->tree, function, CN_K_IDENTIFIER) ||
        cn_symbol_at(m->module, function))
        return false;
    for (size_t i = 0; i < CN_COUNT(quick); i++)
        if (cn_text_is(m->tree, function, quick[i]))
            return true;
    return false;
}

bool cn_has_effects(const struct cn_match *m, cn_node n)
{
    const struct cn_tree *t = m->tree;

    if (!n)
        return false;
    for (cn_node i = n; i < t->at[n].after;) {
        enum cn_kind kind = cn_kind(t, i);

        if (kind == CN_K_LAMBDA) {
            i = t->at[i].after;
            continue;
        }
        if (kind == CN_K_AWAIT || kind == CN_K_YIELD ||
            kind == CN_K_NAMED_EXPRESSION ||
            (kind == CN_K_CALL && !is_quick(m, i)))
            return true;
        i++;
    }
    return false;
}

/* --- with items --------------------------------------------------------- */

bool cn_item_of(const struct cn_tree *t, cn_node expression,
                struct cn_item *out)
{
    cn_node n = cn_parent(t, expression);

    *out = (struct cn_item){0};
    while (cn_is(t, n, CN_K_PARENTHESIZED_EXPRESSION))
        n = cn_parent(t, n);
    if (cn_is(t, n, CN_K_AS_PATTERN)) {
        out->target = cn_named(t, cn_child(t, n, CN_F_ALIAS), 0);
        n = cn_parent(t, n);
        while (cn_is(t, n, CN_K_PARENTHESIZED_EXPRESSION))
            n = cn_parent(t, n);
    }
    if (!cn_is(t, n, CN_K_WITH_ITEM))
        return false;
    out->item = n;
    out->clause = cn_parent(t, n);
    out->statement = cn_parent(t, out->clause);
    cn_node_for (child, t, out->clause) {
        if (!cn_is(t, child, CN_K_WITH_ITEM))
            continue;
        if (child == n)
            out->index = out->count;
        out->count++;
    }
    return cn_is(t, out->statement, CN_K_WITH_STATEMENT);
}

cn_node cn_around(const struct cn_tree *t, cn_node n)
{
    cn_node up = cn_parent(t, n);

    while (cn_is(t, up, CN_K_TUPLE) || cn_is(t, up, CN_K_AS_PATTERN) ||
           cn_is(t, up, CN_K_PARENTHESIZED_EXPRESSION))
        up = cn_parent(t, up);
    return up;
}
