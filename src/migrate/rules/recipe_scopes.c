/* Wrong recipes about scopes, task groups and streams. Invariant: context
 * managers and fixtures may hold a scope over their yield, and classes may
 * enter one in their own __aenter__; everything else breaks. */
#include "migrate/rules/flow.h"
#include "migrate/rules/recipes.h"

/* --- with and async with ------------------------------------------------ */

static const char *const scopes[] = {"anyio.CancelScope", "anyio.fail_after",
                                     "anyio.fail_at",     "anyio.move_on_after",
                                     "anyio.move_on_at",  NULL};

/* The call that an item enters. */
static cn_node entered(const struct cn_tree *t, cn_node item)
{
    cn_node n = cn_bare(t, cn_named(t, item, 0));

    if (cn_is(t, n, CN_K_AS_PATTERN))
        n = cn_bare(t, cn_named(t, n, 0));
    return cn_is(t, n, CN_K_CALL) ? n : 0;
}

static bool enters_scope(const struct cn_match *m, cn_node item)
{
    cn_node call = entered(m->tree, item);

    for (size_t i = 0; call && scopes[i]; i++)
        if (cn_resolves_to(m->module, cn_child(m->tree, call, CN_F_FUNCTION),
                           scopes[i]))
            return true;
    return false;
}

static bool enters_group(const struct cn_match *m, cn_node item)
{
    cn_node call = entered(m->tree, item);

    return call &&
           cn_resolves_to(m->module, cn_child(m->tree, call, CN_F_FUNCTION),
                          "anyio.create_task_group");
}

/* The first item of the statement that satisfies `test`, or 0. */
static cn_node find_item(const struct cn_match *m,
                         bool (*test)(const struct cn_match *, cn_node),
                         uint32_t *count)
{
    cn_node clause = cn_child_of_kind(m->tree, m->node, CN_K_WITH_CLAUSE);
    cn_node found = 0;

    *count = 0;
    cn_node_for (item, m->tree, clause) {
        if (!cn_is(m->tree, item, CN_K_WITH_ITEM))
            continue;
        ++*count;
        if (!found && test(m, item))
            found = item;
    }
    return found;
}

enum cn_verdict cn_recipe_with(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node first = cn_first(t, m->node);
    uint32_t count;

    if (cn_is_async(t, m->node)) {
        if (!find_item(m, enters_scope, &count))
            return cn_pass(m);
        if (count > 1)
            return cn_wrong(m, NULL,
                            "a cancel scope is no async context "
                            "manager: a TypeError");
        cn_replace_span(m, cn_start(t, first), cn_start(t, cn_next(t, first)),
                        "%s", "");
        return cn_unsafe(m, "a cancel scope is no async context manager: this "
                            "was a TypeError");
    }
    if (!find_item(m, enters_group, &count))
        return cn_pass(m);
    if (count > 1 || !cn_in_async(t, m->node))
        return cn_wrong(m, NULL,
                        "a task group is an async context manager: a "
                        "TypeError");
    cn_insert(m, cn_start(t, first), "async ");
    return cn_unsafe(m, "a task group is an async context manager: this was a "
                        "TypeError");
}

/* --- yields ------------------------------------------------------------- */

enum cn_verdict cn_recipe_yield(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    uint32_t count;
    bool async = cn_is_async(t, m->node);

    if (!find_item(m, async ? enters_group : enters_scope, &count) ||
        !cn_is_async_def(t, cn_function(t, m->node)) ||
        !cn_has_yield(t, cn_child(t, m->node, CN_F_BODY)) ||
        cn_in_context_manager(m->module, m->node) ||
        cn_in_fixture(m->module, m->node) ||
        cn_is(t, cn_parent(t, cn_function(t, m->node)),
              CN_K_DECORATED_DEFINITION))
        return cn_pass(m);
    return cn_wrong(m, NULL,
                    "the scope breaks when the consumer of this generator "
                    "stops early or opens a scope of its own");
}

/* --- by hand ------------------------------------------------------------ */

enum cn_verdict cn_recipe_by_hand(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node name = cn_child(t, cn_function(t, m->node), CN_F_NAME);

    if (m->use->certainty != CN_SURE || cn_text_is(t, name, "__aenter__") ||
        cn_text_is(t, name, "__aexit__") || cn_text_is(t, name, "__enter__") ||
        cn_text_is(t, name, "__exit__"))
        return cn_pass(m);
    return cn_wrong(m, NULL,
                    "it breaks unless entered and left in one task, in the "
                    "order of a stack");
}

/* --- streams ------------------------------------------------------------ */

/* The assignment whose whole right side is the call, or 0. */
static cn_node assignment_of(const struct cn_tree *t, cn_node call)
{
    cn_node up = cn_parent(t, call);

    return cn_is(t, up, CN_K_ASSIGNMENT) && t->at[call].field == CN_F_RIGHT ? up
                                                                            : 0;
}

enum cn_verdict cn_recipe_stream(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node);

    if (!call || m->use->certainty != CN_SURE)
        return cn_pass(m);
    cn_node left = cn_child(t, assignment_of(t, call), CN_F_LEFT);
    cn_node name = cn_is(t, left, CN_K_ATTRIBUTE)
                       ? cn_child(t, left, CN_F_ATTRIBUTE)
                       : left;

    if (cn_is(t, name, CN_K_IDENTIFIER) &&
        cn_str_find(cn_text(t, name), CN_STR("queue")) >= 0)
        return cn_wrong(m, NULL,
                        "it gives a pair, a sending and a receiving end, and "
                        "no queue");
    if (!cn_arg_count(t, call) && m->was_asyncio)
        return cn_manual(m, NULL,
                         "without a size a sender waits for its receiver: a "
                         "queue had room");
    return cn_pass(m);
}

/* Does the name come out of unpacking create_memory_object_stream()? */
static bool is_stream_end(const struct cn_match *m, cn_node n)
{
    const struct cn_tree *t = m->tree;
    const struct cn_object *object = cn_object_at(m->module, n);

    if (!object || object->writes.len != 1)
        return false;
    cn_node statement = object->writes.at[0].statement;
    cn_node assignment = cn_named(t, statement, 0);
    cn_node right = cn_bare(t, cn_child(t, assignment, CN_F_RIGHT));
    cn_node function = cn_child(t, right, CN_F_FUNCTION);

    if (cn_is(t, function, CN_K_SUBSCRIPT))
        function = cn_child(t, function, CN_F_VALUE);
    return cn_is(t, assignment, CN_K_ASSIGNMENT) &&
           cn_is(t, right, CN_K_CALL) &&
           cn_resolves_to(m->module, function,
                          "anyio.create_memory_object_stream") &&
           cn_is(t, cn_child(t, assignment, CN_F_LEFT), CN_K_PATTERN_LIST);
}

enum cn_verdict cn_recipe_stream_method(struct cn_match *m)
{
    static const char *const methods[] = {"put",        "get",   "put_nowait",
                                          "get_nowait", "qsize", "join",
                                          "empty",      "full",  "task_done"};
    const struct cn_tree *t = m->tree;
    cn_node function = cn_child(t, m->node, CN_F_FUNCTION);
    cn_node name = cn_child(t, function, CN_F_ATTRIBUTE);

    if (!cn_is(t, function, CN_K_ATTRIBUTE))
        return cn_pass(m);
    for (size_t i = 0; i < CN_COUNT(methods); i++)
        if (cn_text_is(t, name, methods[i]) &&
            is_stream_end(m, cn_child(t, function, CN_F_OBJECT)))
            return cn_wrong(m, NULL,
                            "the ends of a stream have no %s: an "
                            "AttributeError",
                            methods[i]);
    return cn_pass(m);
}
