/* Timeout blocks: `async with asyncio.timeout(t) as cm` becomes `with
 * anyio.fail_after(t) as cm`, and the methods of `cm` the attributes of a
 * cancel scope. Not here: wait_for (timeouts.c). Invariant: a block that holds
 * a yield is rewritten only where the yield hands over within one task. */
#include "migrate/rules/flow.h"
#include "migrate/rules/timeouts.h"

/* --- the clock ----------------------------------------------------------- */

static bool is_loop_time(struct cn_str name)
{
    return cn_str_is(name, "asyncio.loop.time") ||
           cn_str_is(name, "anyio.current_time");
}

static bool reads_clock(const struct cn_match *m, cn_node expression)
{
    cn_vec_for (use, &m->module->uses) {
        if (cn_within(m->tree, use->node, expression) &&
            is_loop_time(use->name))
            return true;
    }
    return false;
}

/* Does a deadline derive from the clock of the loop? */
static bool on_loop_clock(const struct cn_match *m, cn_node when)
{
    const struct cn_object *object;

    if (reads_clock(m, when))
        return true;
    object = cn_object_at(m->module, cn_bare(m->tree, when));
    if (!object || !object->writes.len)
        return false;
    cn_vec_for (write, &object->writes) {
        if (!write->value || !reads_clock(m, write->value))
            return false;
    }
    return true;
}

/* --- the `as` target ---------------------------------------------------- */

/* One read of the target: `cm.expired()` and its kin. NULL, or the problem. */
static const char *rewrite_read(struct cn_match *m, const struct cn_item *item,
                                cn_node read)
{
    const struct cn_tree *t = m->tree;
    cn_node attribute = cn_parent(t, read), call = cn_call_of(t, attribute);
    cn_node name = cn_child(t, attribute, CN_F_ATTRIBUTE);
    struct cn_arg when;

    if (!cn_is(t, attribute, CN_K_ATTRIBUTE) || !call)
        return "the timeout object is used as a value";
    if (cn_function(t, read) != cn_function(t, item->statement))
        return "the timeout object is used in another function";
    if (cn_text_is(t, name, "expired") && !cn_arg_count(t, call)) {
        if (cn_within(t, read, item->statement)) {
            cn_replace_span(m, cn_start(t, name), cn_end(t, call),
                            "cancel_called");
            cn_demote_unsafe(m, "expired() inside the block becomes "
                                "cancel_called, which looks at the clock");
        } else {
            cn_replace_span(m, cn_start(t, name), cn_end(t, call),
                            "cancelled_caught");
        }
    } else if (cn_text_is(t, name, "when") && !cn_arg_count(t, call)) {
        cn_replace_span(m, cn_start(t, name), cn_end(t, call), "deadline");
        cn_demote_unsafe(m, "the deadline is inf where when() was None");
    } else if (cn_text_is(t, name, "reschedule") && cn_arg(t, call, 0, &when) &&
               cn_arg_count(t, call) == 1 && when.kind == CN_ARG_POSITIONAL &&
               cn_is(t, cn_parent(t, call), CN_K_EXPRESSION_STATEMENT)) {
        cn_replace_span(m, cn_start(t, name), cn_start(t, when.value),
                        "deadline = ");
        cn_replace_span(m, cn_end(t, when.value), cn_end(t, call), "%s", "");
        if (cn_is(t, when.value, CN_K_NONE))
            cn_replace(m, when.value, "%s", cn_name(m, "math.inf"));
        else if (!on_loop_clock(m, when.value))
            cn_demote_unsafe(m, "the new deadline must be a number on the "
                                "clock of anyio.current_time()");
    } else {
        return "a method of the timeout object has no counterpart";
    }
    cn_claim(m, attribute);
    return NULL;
}

static const char *rewrite_target(struct cn_match *m,
                                  const struct cn_item *item)
{
    const struct cn_object *object;

    if (!item->target)
        return NULL;
    object = cn_object_at(m->module, item->target);
    if (!cn_is(m->tree, item->target, CN_K_IDENTIFIER) || !object ||
        !object->symbol || object->writes.len != 1)
        return "the timeout object is kept where others may use it";
    cn_vec_for (read, &object->reads) {
        const char *problem = rewrite_read(m, item, *read);

        if (problem)
            return problem;
    }
    return NULL;
}

/* --- the block ---------------------------------------------------------- */

static const char *check_body(struct cn_match *m, const struct cn_item *item)
{
    if (!cn_is_async(m->tree, item->statement))
        return "the block is not an async with";
    if (!cn_first_of(m->tree, cn_child(m->tree, item->statement, CN_F_BODY)))
        return "the block is empty";
    if (!cn_has_yield(m->tree, cn_child(m->tree, item->statement, CN_F_BODY)))
        return NULL;
    if (cn_in_context_manager(m->module, item->statement))
        return NULL;
    if (!cn_in_fixture(m->module, item->statement))
        return "there is a yield in the block: a scope breaks when the "
               "consumer stops or opens its own";
    cn_demote_unsafe(m, "the scope spans the yield of a fixture");
    return NULL;
}

/* `async with A as x:` -> `with B as x:`; other edits are made inside. */
static void drop_async(struct cn_match *m, cn_node statement)
{
    cn_node async = cn_first(m->tree, statement);

    cn_replace_span(m, cn_start(m->tree, async),
                    cn_start(m->tree, cn_next(m->tree, async)), "%s", "");
}

/* The header of the block on its own: `with fail_after(t) as cm:`. */
static const char *header_of(struct cn_match *m, const struct cn_item *item,
                             const char *function, const char *arguments)
{
    const char *target = item->target ? cn_z(m, item->target) : "";

    return cn_str_fmt(m->arena, "with %s%s%s%s:", function, arguments,
                      *target ? " as " : "", target)
        .ptr;
}

/* Split the first or last of several items off into a block of its own. */
static const char *split_item(struct cn_match *m, const struct cn_item *item,
                              const char *header)
{
    const struct cn_tree *t = m->tree;
    cn_node body = cn_child(t, item->statement, CN_F_BODY);

    if (item->index == 0) {
        cn_node next = cn_next_named(t, item->item);

        cn_replace_span(m, cn_start(t, item->item), cn_start(t, next), "%s",
                        "");
        cn_wrap_statement(m, item->statement, "%s", header);
    } else if (item->index + 1 == item->count) {
        cn_node before = cn_prev_named(t, item->item);

        cn_replace_span(m, cn_end(t, before), cn_end(t, item->item), "%s", "");
        cn_wrap_statements(m, cn_first_of(t, body), cn_last_of(t, body), "%s",
                           header);
    } else {
        return "the timeout stands between other context managers";
    }
    return NULL;
}

/* Common to all timeout blocks: `call` is the context expression, `function`
 * and `arguments` (with parentheses) spell its replacement. */
static const char *rewrite_block(struct cn_match *m, cn_node call,
                                 const char *function, const char *arguments)
{
    struct cn_item item;
    const char *problem;

    if (!cn_item_of(m->tree, call, &item))
        return "the timeout is not the head of a with block";
    problem = check_body(m, &item);
    if (!problem)
        problem = rewrite_target(m, &item);
    if (problem)
        return problem;
    if (item.count > 1)
        return split_item(m, &item, header_of(m, &item, function, arguments));
    drop_async(m, item.statement);
    cn_replace(m, call, "%s%s", function, arguments);
    return NULL;
}

/* --- asyncio.timeout ---------------------------------------------------- */

static bool is_number_not_positive(const struct cn_match *m, cn_node n)
{
    return n && !cn_surely_positive(m, n) &&
           (cn_is(m->tree, n, CN_K_INTEGER) || cn_is(m->tree, n, CN_K_FLOAT) ||
            cn_is(m->tree, n, CN_K_UNARY_OPERATOR));
}

static void check_delay(struct cn_match *m, cn_node call)
{
    cn_node delay = cn_arg_value(m->tree, call, 0, "delay");

    if (is_number_not_positive(m, delay))
        cn_demote_unsafe(m, "with no time left, anyio cancels at the first "
                            "await, asyncio at the first that really waits");
}

static const char *read_delay(const struct cn_match *m, cn_node call)
{
    if (!call)
        return "timeout is used as a value";
    if (!cn_args_plain(m->tree, call) || cn_arg_count(m->tree, call) != 1)
        return "the arguments are not one delay";
    return NULL;
}

/* `await stack.enter_async_context(asyncio.timeout(t))`. */
static bool enters_stack(struct cn_match *m, cn_node call, const char *function)
{
    const struct cn_tree *t = m->tree;
    cn_node args = cn_parent(t, call), enter = cn_parent(t, args);
    cn_node method = cn_child(t, enter, CN_F_FUNCTION);
    cn_node name = cn_child(t, method, CN_F_ATTRIBUTE);
    cn_node await = cn_await_of(t, enter);

    if (!cn_is(t, args, CN_K_ARGUMENT_LIST) || !cn_is(t, enter, CN_K_CALL) ||
        !cn_is(t, method, CN_K_ATTRIBUTE) ||
        !cn_text_is(t, name, "enter_async_context") || !await ||
        cn_arg_count(t, enter) != 1 ||
        !cn_is(t, cn_parent(t, await), CN_K_EXPRESSION_STATEMENT))
        return false;
    cn_replace(m, m->node, "%s", function);
    cn_replace(m, name, "enter_context");
    cn_unwrap(m, await, enter);
    cn_demote_unsafe(m, "the stack must be closed in the task that enters the "
                        "scope, in the order of a stack");
    return true;
}

enum cn_verdict cn_timeout_block(struct cn_match *m)
{
    cn_node call = cn_call_of(m->tree, m->node);
    const char *problem = read_delay(m, call);

    if (m->use->in_string || m->use->certainty != CN_SURE)
        return cn_manual(m, NULL, "the name may stand for something else");
    if (problem)
        return cn_manual(m, NULL, "%s", problem);
    const char *function = cn_name(m, "anyio.fail_after");

    check_delay(m, call);
    if (enters_stack(m, call, function))
        return cn_safe(m);
    problem = rewrite_block(m, call, function,
                            cn_z(m, cn_child(m->tree, call, CN_F_ARGUMENTS)));
    return problem ? cn_manual(m, NULL, "%s", problem) : cn_safe(m);
}

/* --- async_timeout ------------------------------------------------------ */

/* Its import goes with its only use. */
static void drop_import(struct cn_match *m, cn_node function)
{
    const struct cn_tree *t = m->tree;
    cn_node name = function;

    while (cn_is(t, name, CN_K_ATTRIBUTE))
        name = cn_child(t, name, CN_F_OBJECT);
    struct cn_symbol *symbol = cn_symbol_at(m->module, name);

    if (!symbol || symbol->uses.len != 1 || symbol->bindings.len != 1 ||
        symbol->string_uses)
        return;
    cn_node import = symbol->bindings.at[0].statement;

    if (cn_named_count(t, import) ==
            (cn_is(t, import, CN_K_IMPORT_FROM_STATEMENT) ? 2u : 1u) &&
        !symbol->bindings.at[0].conditional)
        cn_drop_statement(m, import);
}

enum cn_verdict cn_async_timeout_block(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node clause = cn_child_of_kind(t, m->node, CN_K_WITH_CLAUSE);

    cn_node_for (item, t, clause) {
        cn_node call = cn_bare(t, cn_named(t, item, 0));

        if (!cn_is(t, item, CN_K_WITH_ITEM))
            continue;
        if (cn_is(t, call, CN_K_AS_PATTERN))
            call = cn_bare(t, cn_named(t, call, 0));
        cn_node function = cn_child(t, call, CN_F_FUNCTION);

        if (!cn_is(t, call, CN_K_CALL) ||
            !cn_resolves_to(m->module, function, "async_timeout.timeout"))
            continue;
        const char *problem = read_delay(m, call);

        if (!problem) {
            check_delay(m, call);
            problem = rewrite_block(m, call, cn_name(m, "anyio.fail_after"),
                                    cn_z(m, cn_child(t, call, CN_F_ARGUMENTS)));
            drop_import(m, function);
        }
        return problem ? cn_manual(m, NULL, "%s", problem) : cn_safe(m);
    }
    return cn_pass(m);
}

/* --- asyncio.timeout_at ------------------------------------------------- */

/* Before AnyIO 4.15 the deadline is set by the block's first statement. */
static const char *set_deadline(struct cn_match *m, cn_node call, cn_node when)
{
    const struct cn_tree *t = m->tree;
    struct cn_item item;

    if (!cn_item_of(t, call, &item))
        return "the timeout is not the head of a with block";
    if (item.target && !cn_is(t, item.target, CN_K_IDENTIFIER))
        return "the timeout object is kept where others may use it";
    if (item.count > 1)
        return "the timeout stands among other context managers";
    const char *scope =
        item.target ? cn_z(m, item.target) : cn_new_name(m, "scope");
    const char *problem = rewrite_block(
        m, call, cn_name(m, "anyio.fail_after"),
        item.target ? "(None)"
                    : cn_str_fmt(m->arena, "(None) as %s", scope).ptr);

    if (problem)
        return problem;
    cn_node body = cn_child(t, item.statement, CN_F_BODY);

    cn_line_above(m, cn_first_of(t, body), "%s.deadline = %s", scope,
                  cn_z(m, when));
    return NULL;
}

enum cn_verdict cn_timeout_at_block(struct cn_match *m)
{
    cn_node call = cn_call_of(m->tree, m->node);
    const char *problem = read_delay(m, call);

    if (m->use->in_string || m->use->certainty != CN_SURE)
        return cn_manual(m, NULL, "the name may stand for something else");
    if (problem)
        return cn_manual(m, NULL, "%s", problem);
    cn_node when = cn_arg_value(m->tree, call, 0, "when");
    const char *arguments = cn_z(m, cn_child(m->tree, call, CN_F_ARGUMENTS));

    if (cn_is(m->tree, when, CN_K_NONE)) {
        problem =
            rewrite_block(m, call, cn_name(m, "anyio.fail_after"), "(None)");
    } else {
        if (!on_loop_clock(m, when))
            cn_demote_unsafe(m, "the deadline must come from the clock of "
                                "anyio.current_time(), and not be None");
        if (m->target->anyio >= 415)
            problem =
                rewrite_block(m, call, cn_name(m, "anyio.fail_at"), arguments);
        else
            problem = set_deadline(m, call, when);
    }
    return problem ? cn_manual(m, NULL, "%s", problem) : cn_safe(m);
}

/* --- the class itself --------------------------------------------------- */

enum cn_verdict cn_timeout_object(struct cn_match *m)
{
    if (m->use->method)
        return cn_manual(m, NULL, "its block was not rewritten");
    return cn_manual(m, NULL,
                     "asyncio.Timeout objects are made by hand or "
                     "named in an annotation");
}
