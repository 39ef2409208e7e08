/* Shields around cleanup. A cancelled AnyIO scope cancels again at every
 * await, so cleanup that waits does not happen unless a shield covers it; on
 * asyncio one cancellation was delivered and cleanup ran on. Without a
 * cancellation the shield does nothing.
 *
 * Invariant: no statement is put under two shields, none that does not wait,
 * none with a yield in it; files that were on AnyIO already are left alone. */
#include "migrate/rules/cancel.h"
#include "migrate/rules/flow.h"

#define REASON                                                                 \
    "cleanup that waits is shielded: it survives a cancelled scope, and "      \
    "cannot be cancelled itself"

/* --- handlers ------------------------------------------------------------ */

static bool catches_all(const struct cn_match *m, cn_node clause)
{
    const struct cn_tree *t = m->tree;
    cn_node value = cn_named(t, clause, 0);

    if (cn_is(t, value, CN_K_BLOCK))
        return true;
    if (cn_is(t, value, CN_K_AS_PATTERN))
        value = cn_named(t, value, 0);
    value = cn_bare(t, value);
    cn_node_for (element, t, value)
        if (cn_is(t, value, CN_K_TUPLE) &&
            cn_text_is(t, element, "BaseException"))
            return true;
    return cn_text_is(t, value, "BaseException");
}

static bool catches_cancelled(const struct cn_match *m, cn_node clause)
{
    const struct cn_tree *t = m->tree;
    cn_node value = cn_named(t, clause, 0);

    if (cn_is(t, value, CN_K_BLOCK))
        return false;
    if (cn_is(t, value, CN_K_AS_PATTERN))
        value = cn_named(t, value, 0);
    value = cn_bare(t, value);
    if (!cn_is(t, value, CN_K_TUPLE))
        return cn_is_cancelled_class(m, value);
    cn_node_for (element, t, value)
        if (cn_is_cancelled_class(m, element))
            return true;
    return false;
}

/* --- which statements --------------------------------------------------- */

/* Waits in `n`, and not under a shield already? */
static bool waits_bare(const struct cn_match *m, cn_node n)
{
    const struct cn_tree *t = m->tree;

    if (!cn_waits(t, n))
        return false;
    for (cn_node i = n; i < t->at[n].after; i++) {
        bool async = cn_is(t, i, CN_T_ASYNC) &&
                     !cn_is(t, cn_parent(t, i), CN_K_FUNCTION_DEFINITION);

        if ((async || cn_is(t, i, CN_K_AWAIT)) &&
            cn_function(t, i) == cn_function(t, n) &&
            !cn_is_shielded(m->module, i))
            return true;
    }
    return false;
}

struct run {
    cn_node first, last; /* statements of one block; 0: none */
};

/* The statements from the first that waits to the last, at or after `from`. */
static struct run waiting_run(const struct cn_match *m, cn_node block,
                              cn_node from)
{
    struct run run = {0};

    cn_node_for (child, m->tree, block) {
        if (child < from || !waits_bare(m, child))
            continue;
        if (!run.first)
            run.first = child;
        run.last = child;
    }
    return run;
}

/* The one block below a compound statement that waits, or 0 when the head or
 * several blocks do. */
static cn_node only_waiting_block(const struct cn_match *m, cn_node n)
{
    const struct cn_tree *t = m->tree;
    cn_node found = 0;

    cn_node_for (child, t, n) {
        cn_node block = child;

        if (!waits_bare(m, child))
            continue;
        if (cn_is(t, child, CN_K_ELSE_CLAUSE) ||
            cn_is(t, child, CN_K_ELIF_CLAUSE)) {
            cn_node test = cn_child(t, child, CN_F_CONDITION);

            if (test && cn_waits(t, test))
                return 0;
            block = cn_block_of(t, child);
        }
        if (!cn_is(t, block, CN_K_BLOCK) || found)
            return 0;
        found = block;
    }
    return found;
}

/* A try that catches cancellations (it reaps a task) stays in one piece. */
static bool reaps(const struct cn_match *m, cn_node n)
{
    cn_node_for (clause, m->tree, n)
        if (cn_is(m->tree, clause, CN_K_EXCEPT_CLAUSE) &&
            (catches_cancelled(m, clause) || catches_all(m, clause)))
            return true;
    return false;
}

/* Go into conditions, tries and plain withs as long as one block waits. */
static struct run narrowed(const struct cn_match *m, struct run run)
{
    const struct cn_tree *t = m->tree;

    while (run.first && run.first == run.last) {
        cn_node n = run.first, block;

        if (!cn_is(t, n, CN_K_IF_STATEMENT) &&
            !cn_is(t, n, CN_K_TRY_STATEMENT) &&
            !(cn_is(t, n, CN_K_WITH_STATEMENT) && !cn_is_async(t, n)))
            break;
        block = reaps(m, n) ? 0 : only_waiting_block(m, n);
        if (!block)
            break;
        run = waiting_run(m, block, 0);
    }
    return run;
}

static bool is_sleep(const struct cn_match *m, cn_node statement)
{
    const struct cn_tree *t = m->tree;
    cn_node await = cn_named(t, statement, 0);
    cn_node call = cn_bare(t, cn_named(t, await, 0));
    cn_node function = cn_child(t, call, CN_F_FUNCTION);

    return cn_is(t, statement, CN_K_EXPRESSION_STATEMENT) &&
           cn_is(t, await, CN_K_AWAIT) && cn_is(t, call, CN_K_CALL) &&
           (cn_resolves_to(m->module, function, "asyncio.sleep") ||
            cn_resolves_to(m->module, function, "anyio.sleep"));
}

/* Nothing but a pause at the very end: losing it loses nothing. */
static bool only_pauses(const struct cn_match *m, struct run run)
{
    cn_node block = cn_parent(m->tree, run.first);

    return run.first == run.last && is_sleep(m, run.first) &&
           cn_last_of(m->tree, block) == run.first;
}

static bool yields_in(const struct cn_match *m, struct run run)
{
    for (cn_node n = run.first; n && n <= run.last; n = cn_next(m->tree, n))
        if (cn_has_yield(m->tree, n))
            return true;
    return false;
}

static void wrap(struct cn_match *m, struct run run)
{
    const char *scope = cn_name(m, "anyio.CancelScope");

    if (run.first == run.last)
        cn_wrap_statement(m, run.first, "with %s(shield=True):", scope);
    else
        cn_wrap_statements(m, run.first, run.last,
                           "with %s(shield=True):", scope);
}

/* --- which places ------------------------------------------------------- */

static bool is_exit_method(const struct cn_match *m, cn_node def)
{
    const struct cn_tree *t = m->tree;
    cn_node name = cn_child(t, def, CN_F_NAME);

    return cn_is_async_def(t, def) &&
           (cn_text_is(t, name, "__aexit__") ||
            cn_text_is(t, name, "aclose")) &&
           cn_is(t, cn_function(t, def), CN_K_CLASS_DEFINITION);
}

/* Does it end another object's scope by hand? A shield would keep the children
 * of a task group from being cancelled. */
static bool exits_by_hand(const struct cn_match *m, cn_node def)
{
    const struct cn_tree *t = m->tree;

    for (cn_node i = def; i < t->at[def].after; i++) {
        cn_node name = cn_child(t, i, CN_F_ATTRIBUTE);

        if (cn_is(t, i, CN_K_ATTRIBUTE) && cn_call_of(t, i) &&
            (cn_text_is(t, name, "__aexit__") ||
             cn_text_is(t, name, "__aenter__")))
            return true;
    }
    return false;
}

/* Will the whole waiting part of this method be shielded (CN513)? */
static bool exit_method_problem(const struct cn_match *m, cn_node def)
{
    return exits_by_hand(m, def) ||
           cn_has_yield(m->tree, cn_child(m->tree, def, CN_F_BODY));
}

/* Is `n` in cleanup that an outer place of the same function shields? */
static bool is_covered(const struct cn_match *m, cn_node n)
{
    const struct cn_tree *t = m->tree;
    cn_node def = cn_function(t, n);

    if (is_exit_method(m, def) && !exit_method_problem(m, def))
        return true;
    for (cn_node up = cn_parent(t, n); up && up != def; up = cn_parent(t, up)) {
        if (cn_is(t, up, CN_K_FINALLY_CLAUSE))
            return true;
        if (cn_is(t, up, CN_K_EXCEPT_CLAUSE) &&
            (catches_cancelled(m, up) || catches_all(m, up)))
            return true;
    }
    return cn_is_shielded(m->module, n);
}

/* What all places have in common; false: nothing to do. */
static bool concerns(const struct cn_match *m, cn_node n)
{
    return m->was_asyncio && cn_in_async(m->tree, n) && waits_bare(m, n) &&
           !is_covered(m, n);
}

static enum cn_verdict shield_block(struct cn_match *m, cn_node block)
{
    struct run run = narrowed(m, waiting_run(m, block, 0));

    if (!run.first || only_pauses(m, run))
        return cn_pass(m);
    if (yields_in(m, run))
        return cn_manual(m, NULL, "there is a yield in the cleanup");
    wrap(m, run);
    return cn_unsafe(m, REASON);
}

/* --- the rules ---------------------------------------------------------- */

enum cn_verdict cn_shield_finally(struct cn_match *m)
{
    if (!concerns(m, m->node))
        return cn_pass(m);
    return shield_block(m, cn_block_of(m->tree, m->node));
}

/* Does an earlier clause of the same try take the cancellations away? */
static bool taken_before(const struct cn_match *m, cn_node clause)
{
    const struct cn_tree *t = m->tree;

    for (cn_node up = cn_prev_named(t, clause); up; up = cn_prev_named(t, up))
        if (cn_is(t, up, CN_K_EXCEPT_CLAUSE) &&
            (catches_cancelled(m, up) || catches_all(m, up)))
            return true;
    return false;
}

enum cn_verdict cn_shield_handler(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node clause = m->node, block = cn_block_of(t, clause);
    cn_node value = cn_named(t, clause, 0);
    bool all = catches_all(m, clause) && !catches_cancelled(m, clause);
    struct cn_str name = {"", 0};

    if (!m->was_asyncio || (!all && !catches_cancelled(m, clause)) ||
        !cn_in_async(t, clause) || taken_before(m, clause) ||
        !cn_waits(t, cn_child(t, cn_parent(t, clause), CN_F_BODY)))
        return cn_pass(m);
    if (cn_is(t, value, CN_K_AS_PATTERN))
        name = cn_text(t, cn_child(t, value, CN_F_ALIAS));
    if (all &&
        cn_exits(t, block, name) & ~(unsigned)(CN_EXIT_RERAISE | CN_EXIT_RAISE))
        return cn_manual(m,
                         "catch Exception, or raise cancellations again: "
                         "except anyio.get_cancelled_exc_class(): raise",
                         "it swallows cancellations with everything else");
    if (!concerns(m, clause))
        return cn_pass(m);
    return shield_block(m, block);
}

enum cn_verdict cn_shield_exit_method(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node body = cn_child(t, m->node, CN_F_BODY);

    if (!m->was_asyncio || !is_exit_method(m, m->node) || !waits_bare(m, body))
        return cn_pass(m);
    if (exits_by_hand(m, m->node))
        return cn_manual(m, NULL,
                         "it leaves another context manager by hand; a shield "
                         "would keep a task group from being cancelled");
    if (cn_has_yield(t, body))
        return cn_pass(m);
    return shield_block(m, body);
}

/* The one yield of the function, or 0. */
static cn_node only_yield(const struct cn_match *m, cn_node def)
{
    const struct cn_tree *t = m->tree;
    cn_node found = 0;

    for (cn_node i = def; i < t->at[def].after; i++) {
        if (!cn_is(t, i, CN_K_YIELD) || cn_function(t, i) != def)
            continue;
        if (found)
            return 0;
        found = i;
    }
    return found;
}

/* Wrap what waits behind `statement` in its block. */
static bool wrap_behind(struct cn_match *m, cn_node statement)
{
    cn_node block = cn_parent(m->tree, statement);
    struct run run = waiting_run(m, block, m->tree->at[statement].after);

    run = narrowed(m, run);
    if (!run.first || only_pauses(m, run))
        return false;
    wrap(m, run);
    return true;
}

enum cn_verdict cn_shield_after_yield(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node def = m->node, statement;
    bool wrapped = false;

    if (!m->was_asyncio || !cn_is_async_def(t, def) ||
        !cn_decorated_by(m->module, def, "contextlib.asynccontextmanager") ||
        !only_yield(m, def))
        return cn_pass(m);
    for (statement = cn_statement(t, only_yield(m, def));
         statement && cn_within(t, statement, def) && statement != def;
         statement = cn_statement(t, cn_parent(t, cn_parent(t, statement)))) {
        if (cn_is(t, statement, CN_K_FOR_STATEMENT) ||
            cn_is(t, statement, CN_K_WHILE_STATEMENT))
            return cn_pass(m);
        if (!is_covered(m, statement) && wrap_behind(m, statement))
            wrapped = true;
    }
    return wrapped ? cn_unsafe(m, REASON) : cn_pass(m);
}
