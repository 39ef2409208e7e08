/* The identity of TimeoutError. From Python 3.11 on asyncio.TimeoutError is
 * the builtin class; before, fail_after raises another class than wait_for
 * did, which is an OSError. Invariant: what a handler caught from code that
 * is not migrated it still catches, or the change is listed. */
#include "migrate/rules/flow.h"
#include "migrate/rules/timeouts.h"

/* --- where the name stands ---------------------------------------------- */

/* The tuple around the name, or 0. */
static cn_node tuple_around(const struct cn_tree *t, cn_node n)
{
    cn_node up = cn_parent(t, n);

    return cn_is(t, up, CN_K_TUPLE) ? up : 0;
}

/* The except clause whose class (or one of whose classes) is `n`, or 0. */
static cn_node clause_of(const struct cn_tree *t, cn_node n)
{
    cn_node up = cn_around(t, n);

    return cn_is(t, up, CN_K_EXCEPT_CLAUSE) ? up : 0;
}

static bool is_builtin(const struct cn_match *m, cn_node n, const char *name)
{
    return cn_is(m->tree, n, CN_K_IDENTIFIER) && cn_text_is(m->tree, n, name) &&
           !cn_symbol_at(m->module, n);
}

static bool is_builtin_error(const struct cn_match *m, cn_node n)
{
    return is_builtin(m, n, "TimeoutError");
}

/* Does another element of the tuple become (or is) the builtin class, so that
 * this one is a duplicate? Of several equal ones the first is kept. */
static bool is_duplicate(const struct cn_match *m, cn_node tuple)
{
    cn_node_for (other, m->tree, tuple) {
        if (other == m->node)
            continue;
        if (is_builtin_error(m, other))
            return true;
        if (other < m->node &&
            cn_resolves_to(m->module, other, "asyncio.TimeoutError"))
            return true;
    }
    return false;
}

static bool stands_in(const struct cn_match *m, cn_node n, const char *name)
{
    cn_node_for (element, m->tree, n)
        if (is_builtin(m, element, name))
            return true;
    return is_builtin(m, n, name);
}

/* Would an earlier clause of the same try catch the builtin, an OSError? */
static bool caught_before(const struct cn_match *m, cn_node clause)
{
    static const char *const wider[] = {"OSError", "IOError",
                                        "EnvironmentError"};
    const struct cn_tree *t = m->tree;

    for (cn_node up = cn_prev_named(t, clause); up; up = cn_prev_named(t, up)) {
        cn_node value =
            cn_is(t, up, CN_K_EXCEPT_CLAUSE) ? cn_named(t, up, 0) : 0;

        if (cn_is(t, value, CN_K_AS_PATTERN))
            value = cn_named(t, value, 0);
        for (size_t i = 0; value && i < CN_COUNT(wider); i++)
            if (stands_in(m, value, wider[i]))
                return true;
    }
    return false;
}

/* Does the try await something that neither stands in this module nor comes
 * from AnyIO? It may raise the old class. */
static bool awaits_others(const struct cn_match *m, cn_node clause)
{
    const struct cn_tree *t = m->tree;
    cn_node body = cn_child(t, cn_parent(t, clause), CN_F_BODY);

    for (cn_node i = body; i && i < t->at[body].after; i++) {
        struct cn_str name;

        if (!cn_is(t, i, CN_K_AWAIT) ||
            cn_function(t, i) != cn_function(t, clause))
            continue;
        cn_node call = cn_bare(t, cn_named(t, i, 0));
        cn_node function = cn_child(t, call, CN_F_FUNCTION);

        if (!cn_is(t, call, CN_K_CALL))
            return true;
        if (cn_definition_of(m->module, function) ||
            cn_resolves_to(m->module, function, "asyncio.wait_for"))
            continue;
        if (cn_resolve(m->module, function, &name) == CN_UNKNOWN ||
            !cn_str_starts(name, CN_STR("anyio.")))
            return true;
    }
    return false;
}

/* --- the edits ---------------------------------------------------------- */

static void drop_element(struct cn_match *m, cn_node tuple)
{
    const struct cn_tree *t = m->tree;

    if (cn_named_count(t, tuple) == 2) {
        cn_node first = cn_named(t, tuple, 0);

        cn_unwrap(m, tuple, first == m->node ? cn_named(t, tuple, 1) : first);
        return;
    }
    cn_node before = cn_prev_named(t, m->node);

    if (before)
        cn_replace_span(m, cn_end(t, before), cn_end(t, m->node), "%s", "");
    else
        cn_replace_span(m, cn_start(t, m->node),
                        cn_start(t, cn_next_named(t, m->node)), "%s", "");
}

/* `from asyncio import TimeoutError` shadows the builtin: the name goes from
 * the import, the uses stay as they are. */
static enum cn_verdict unshadow(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    struct cn_symbol *symbol = m->use->symbol;

    if (!symbol || symbol->bindings.len != 1 || symbol->string_uses ||
        symbol->bindings.at[0].conditional)
        return cn_manual(m,
                         "import nothing under the name TimeoutError and "
                         "use the builtin",
                         "TimeoutError is bound in several places here");
    cn_node name = symbol->bindings.at[0].name;
    cn_node import = symbol->bindings.at[0].statement;
    cn_node item = cn_is(t, cn_parent(t, name), CN_K_DOTTED_NAME)
                       ? cn_parent(t, name)
                       : name;

    if (!cn_is(t, import, CN_K_IMPORT_FROM_STATEMENT) ||
        cn_parent(t, item) != import)
        return cn_manual(m, "use the builtin TimeoutError",
                         "TimeoutError is imported under its own name");
    cn_node before = cn_prev_named(t, item), after = cn_next_named(t, item);

    if (t->at[before].field == CN_F_MODULE_NAME)
        before = 0;
    if (before)
        cn_replace_span(m, cn_end(t, before), cn_end(t, item), "%s", "");
    else if (after)
        cn_replace_span(m, cn_start(t, item), cn_start(t, after), "%s", "");
    else
        cn_drop_statement(m, import);
    cn_vec_for (use, &symbol->uses) {
        if (*use != m->node)
            cn_claim(m, *use);
    }
    return cn_safe(m);
}

/* Before Python 3.11 the classes differ. NULL, or why the name must stay. */
static const char *check_old_python(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node clause = clause_of(t, m->node), tuple = tuple_around(t, m->node);

    if (clause && caught_before(m, clause))
        return "before Python 3.11 fail_after raises an OSError, which an "
               "earlier clause catches";
    if (!clause || !awaits_others(m, clause)) {
        cn_demote_unsafe(m, "before Python 3.11 this is another class than "
                            "the builtin");
        return NULL;
    }
    if (tuple && is_duplicate(m, tuple))
        return "before Python 3.11 both classes are needed here";
    cn_demote_unsafe(m, "before Python 3.11 other libraries may still raise "
                        "asyncio.TimeoutError, another class, here");
    return NULL;
}

enum cn_verdict cn_timeout_error(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node tuple = tuple_around(t, m->node);
    const char *problem = NULL;

    if (m->use->certainty != CN_SURE)
        return cn_manual(m, NULL, "the name may stand for something else");
    if (!m->target->python)
        cn_demote_unsafe(m, "before Python 3.11 this is another class than "
                            "the builtin (set requires-python)");
    else if (m->target->python < 311)
        problem = check_old_python(m);
    if (problem)
        return cn_manual(m, "catch (TimeoutError, asyncio.TimeoutError)", "%s",
                         problem);
    if (cn_text_is(t, m->node, "TimeoutError") &&
        cn_is(t, m->node, CN_K_IDENTIFIER) && !m->use->in_string)
        return unshadow(m);
    if (cn_lookup(m->module, m->node, CN_STR("TimeoutError")))
        return cn_manual(m, NULL, "TimeoutError means something else here");
    if (tuple && clause_of(t, m->node) && is_duplicate(m, tuple))
        drop_element(m, tuple);
    else
        cn_replace_span(m, m->use->start, m->use->end, "TimeoutError");
    return cn_safe(m);
}
