/* Timeouts: asyncio.wait_for, whose block is placed by timeout_place.c; the
 * timeout blocks (timeout_block.c) and the identity of TimeoutError
 * (timeout_error.c).
 *
 * `await wait_for(f(), t)` becomes `with fail_after(t): await f()`, which is a
 * statement: the await must own one, or get one without changing the order in
 * which things are evaluated. Invariant: what is awaited under the limit is
 * exactly what wait_for ran under it; the rest of the statement stays outside
 * or cannot wait. */
#include "migrate/rules/timeouts.h"

#include "migrate/rules/dropin.h"
#include "migrate/rules/flow.h"

/* --- the call ----------------------------------------------------------- */

static bool binds_names(const struct cn_tree *t, cn_node n)
{
    for (cn_node i = n; i < t->at[n].after; i++)
        if (cn_is(t, i, CN_K_NAMED_EXPRESSION))
            return true;
    return false;
}

/* NULL, or why the call cannot be read. */
static const char *read_call(const struct cn_match *m, struct cn_limited *w)
{
    const struct cn_tree *t = m->tree;

    *w = (struct cn_limited){.call = cn_call_of(t, m->node)};
    if (!w->call)
        return "wait_for is used as a value";
    if (!cn_args_plain(t, w->call))
        return "arguments are unpacked from a sequence or mapping";
    if (binds_names(t, w->call))
        return "the arguments bind a name";
    w->awaited = cn_arg_value(t, w->call, 0, "fut");
    w->timeout = cn_arg_value(t, w->call, 1, "timeout");
    if (!w->awaited || !w->timeout || cn_arg_count(t, w->call) != 2)
        return "the arguments are not an awaitable and a timeout";
    w->await = cn_await_of(t, w->call);
    if (!w->await)
        return "the result is not awaited in place";
    if (!cn_in_async(t, w->await))
        return "the await is not in an async function";
    return NULL;
}

static bool is_zero(struct cn_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= '1' && text.ptr[i] <= '9')
            return false;
    return true;
}

/* Does the expression subtract, or is it a number that is not positive? */
static bool may_run_out(const struct cn_match *m, cn_node n)
{
    const struct cn_tree *t = m->tree;

    n = cn_bare(t, n);
    if (cn_is(t, n, CN_K_BINARY_OPERATOR))
        return cn_is(t, cn_child(t, n, CN_F_OPERATOR), CN_T_MINUS);
    if (cn_is(t, n, CN_K_INTEGER) || cn_is(t, n, CN_K_FLOAT))
        return is_zero(cn_text(t, n));
    return cn_is(t, n, CN_K_UNARY_OPERATOR);
}

/* The same for what a name may hold. */
static bool name_may_run_out(const struct cn_match *m, cn_node n)
{
    const struct cn_object *object =
        cn_object_at(m->module, cn_bare(m->tree, n));

    if (!object)
        return may_run_out(m, n);
    cn_vec_for (write, &object->writes) {
        if (write->value && may_run_out(m, write->value))
            return true;
    }
    return false;
}

static const char *check_timeout(struct cn_match *m, cn_node timeout)
{
    const struct cn_tree *t = m->tree;
    cn_node n = cn_bare(t, timeout);

    if (cn_is(t, n, CN_K_UNARY_OPERATOR))
        return "a limit below zero never runs the awaited code under wait_for";
    if ((cn_is(t, n, CN_K_INTEGER) || cn_is(t, n, CN_K_FLOAT)) &&
        is_zero(cn_text(t, n)))
        return "a limit of zero never runs the awaited code under wait_for";
    if (cn_waits(t, n) || cn_has_yield(t, n))
        return "the timeout waits while it is computed";
    if (name_may_run_out(m, n))
        cn_demote_unsafe(m, "where the limit comes out as zero or less, the "
                            "awaited code now runs up to its first wait");
    return NULL;
}

/* --- the awaitable ------------------------------------------------------ */

static bool is_one_of(struct cn_str name, const char *const *names)
{
    for (; *names; names++)
        if (cn_str_is(name, *names))
            return true;
    return false;
}

/* Calls that stay with asyncio and own tasks: cancelled over and over by a
 * scope, they would lose their children's cleanup. */
static const char *const owns_tasks[] = {"asyncio.gather",
                                         "asyncio.wait",
                                         "asyncio.ensure_future",
                                         "asyncio.create_task",
                                         "asyncio.wrap_future",
                                         "asyncio.run_coroutine_threadsafe",
                                         "asyncio.Future",
                                         "asyncio.loop.create_task",
                                         "asyncio.as_completed",
                                         "asyncio.loop.create_future",
                                         NULL};

static bool runs_in_thread(struct cn_str name)
{
    return cn_str_is(name, "asyncio.to_thread") ||
           cn_str_is(name, "asyncio.loop.run_in_executor") ||
           cn_str_is(name, "anyio.to_thread.run_sync");
}

/* Does a function of this module, called here, wait for a worker thread? */
static bool calls_into_thread(const struct cn_match *m, cn_node function)
{
    cn_node def = cn_definition_of(m->module, function);

    if (!def)
        return false;
    cn_vec_for (use, &m->module->uses) {
        if (cn_within(m->tree, use->node, def) && runs_in_thread(use->name))
            return true;
    }
    return false;
}

/* What the called name or method is, canonical; false when unknown. */
static bool name_of_call(const struct cn_match *m, cn_node function,
                         struct cn_str *name)
{
    cn_vec_for (use, &m->module->uses) {
        if (use->node == function) {
            *name = use->name;
            return true;
        }
    }
    return cn_resolve(m->module, function, name) != CN_UNKNOWN;
}

/* anyio.to_thread.run_sync that waits for its thread would sit the timeout
 * out. */
static void abandon_thread(struct cn_match *m, cn_node call)
{
    const struct cn_tree *t = m->tree;
    cn_node args = cn_child(t, call, CN_F_ARGUMENTS);

    if (!cn_args_plain(t, call) || !cn_arg_count(t, call))
        cn_demote_manual(m, "the arguments of run_sync are unpacked");
    if (cn_arg_value(t, call, -1, "abandon_on_cancel") ||
        cn_arg_value(t, call, -1, "cancellable"))
        return;
    struct cn_arg last;

    if (!cn_arg(t, call, cn_arg_count(t, call) - 1, &last))
        return;
    cn_insert(m, cn_end(t, last.node), ", abandon_on_cancel=True");
    cn_demote_unsafe(m, "the thread is left behind when the time is up");
    (void)args;
}

/* The timeout is computed before the arguments now. */
static void check_order(struct cn_match *m, const struct cn_limited *w)
{
    cn_node call = cn_bare(m->tree, w->awaited);

    if (cn_has_effects(m, w->timeout) && cn_is(m->tree, call, CN_K_CALL) &&
        cn_arg_count(m->tree, call))
        cn_demote_unsafe(m, "the timeout is computed before the arguments "
                            "now");
}

static const char *check_called(struct cn_match *m, cn_node call)
{
    const struct cn_tree *t = m->tree;
    cn_node function = cn_child(t, call, CN_F_FUNCTION);
    struct cn_str name = {"", 0};

    if (name_of_call(m, function, &name)) {
        if (cn_str_is(name, "asyncio.shield"))
            return "shield inside wait_for keeps the work running after the "
                   "timeout";
        if (is_one_of(name, owns_tasks))
            return "it awaits tasks that stay with asyncio";
        if (cn_str_is(name, "asyncio.Condition.wait") ||
            cn_str_is(name, "asyncio.Condition.wait_for"))
            return "an asyncio.Condition cannot be cancelled by a scope";
        if (cn_str_is(name, "anyio.to_thread.run_sync"))
            abandon_thread(m, call);
    }
    if (cn_waits(t, cn_child(t, call, CN_F_ARGUMENTS)) || cn_waits(t, function))
        return "its arguments wait, and that time would count";
    if (calls_into_thread(m, function))
        cn_demote_unsafe(m, "the awaited function uses a worker thread: the "
                            "timeout is noticed only when the thread is done");
    if (cn_has_effects(m, cn_child(t, call, CN_F_ARGUMENTS)) ||
        (cn_is(t, function, CN_K_ATTRIBUTE) &&
         cn_has_effects(m, cn_child(t, function, CN_F_OBJECT))))
        cn_demote_unsafe(m, "the arguments are evaluated inside the limit "
                            "now, after the timeout");
    return NULL;
}

/* A parameter or local that surely holds a coroutine. */
static bool holds_coroutine(const struct cn_match *m,
                            const struct cn_object *object)
{
    struct cn_str type;

    if (cn_type_of_object(m->module, object, &type) == CN_SURE &&
        cn_str_find(type, CN_STR("Coroutine")) >= 0)
        return true;
    if (object->writes.len != 1)
        return false;
    const struct cn_binding *b = object->writes.at;

    if (b->kind == CN_BIND_PARAMETER) {
        struct cn_str note = cn_text(m->tree, b->annotation);

        return b->annotation && cn_str_find(note, CN_STR("Coroutine")) >= 0 &&
               cn_str_find(note, CN_STR("Task")) < 0;
    }
    cn_node value = cn_bare(m->tree, b->value);

    return b->kind == CN_BIND_ASSIGN && cn_is(m->tree, value, CN_K_CALL) &&
           cn_is_async_def(
               m->tree, cn_definition_of(m->module, cn_child(m->tree, value,
                                                             CN_F_FUNCTION)));
}

static const char *check_name(struct cn_match *m, cn_node n)
{
    const struct cn_object *object = cn_object_at(m->module, n);
    struct cn_str type;

    if (!cn_is(m->tree, n, CN_K_IDENTIFIER) || !object || !object->symbol)
        return "what it awaits may be a task, which the timeout must cancel";
    if (holds_coroutine(m, object))
        return NULL;
    if (cn_type_of_object(m->module, object, &type) != CN_UNKNOWN)
        return "it awaits a task or future, which the timeout must cancel";
    if (object->writes.len != 1 ||
        object->writes.at[0].kind != CN_BIND_PARAMETER)
        return "what it awaits may be a task, which the timeout must cancel";
    cn_demote_unsafe(m, "where the caller passes a task, nothing but the "
                        "waiting is cancelled on trio");
    return NULL;
}

static const char *check_awaited(struct cn_match *m, cn_node awaited)
{
    cn_node n = cn_bare(m->tree, awaited);

    if (cn_has_yield(m->tree, n))
        return "there is a yield inside";
    if (!cn_is(m->tree, n, CN_K_CALL))
        return check_name(m, n);
    const char *problem = check_called(m, n);

    if (problem)
        return problem;
    struct cn_str name;
    bool executor =
        name_of_call(m, cn_child(m->tree, n, CN_F_FUNCTION), &name) &&
        cn_str_is(name, "asyncio.loop.run_in_executor");

    return executor || cn_is_plain_call(m, n)
               ? NULL
               : "it awaits a task or future, which the timeout must cancel";
}

/* --- the rule ----------------------------------------------------------- */

static enum cn_verdict by_block(struct cn_match *m)
{
    struct cn_limited w;
    const char *problem;

    if (m->use->in_string || m->use->certainty != CN_SURE)
        return cn_manual(m, NULL, "the name may stand for something else");
    problem = read_call(m, &w);
    if (!problem)
        problem = check_awaited(m, w.awaited);
    if (!problem)
        problem = check_timeout(m, w.timeout);
    if (problem)
        return cn_manual(m, NULL, "%s", problem);
    check_order(m, &w);
    if (m->target->python && m->target->python < 311)
        cn_demote_unsafe(m, "before Python 3.11 fail_after raises another "
                            "TimeoutError than wait_for");
    return cn_place_limit(m, &w);
}

/* Where no block fits, or what is awaited is more than a call: the support
 * module's wait_for, which is asyncio's in all of that. */
static enum cn_verdict wait_for(struct cn_match *m)
{
    enum cn_verdict verdict = by_block(m);
    cn_node call = cn_call_of(m->tree, m->node);

    if (verdict == CN_FIXED || !m->support.len || m->target->idiomatic ||
        cn_site_is_stored(m->tree, m->node) ||
        (call && cn_arg_value(m->tree, call, -1, "loop")))
        return verdict;
    cn_dropin_rename(m, "wait_for");
    return cn_safe(m);
}

/* --- the table ---------------------------------------------------------- */

static const char *const n_wait_for[] = {"asyncio.wait_for", NULL};
static const char *const n_timeout[] = {"asyncio.timeout", NULL};
static const char *const n_timeout_at[] = {"asyncio.timeout_at", NULL};
static const char *const n_scope[] = {"asyncio.Timeout", "asyncio.Timeout.*",
                                      NULL};
static const char *const n_error[] = {"asyncio.TimeoutError", NULL};

static const struct cn_rule rules[] = {
    {.code = "CN301",
     .name = "wait-for",
     .summary = "asyncio.wait_for becomes a fail_after block around the await",
     .names = n_wait_for,
     .check = wait_for,
     .advice = "give the call a line of its own, on a coroutine: "
               "with anyio.fail_after(t): x = await f()"},
    {.code = "CN302",
     .name = "timeout-block",
     .summary = "async with asyncio.timeout becomes with fail_after",
     .names = n_timeout,
     .check = cn_timeout_block,
     .advice = "write the block as: with anyio.fail_after(t) as scope:"},
    {.code = "CN303",
     .name = "timeout-at",
     .summary = "asyncio.timeout_at becomes a scope with that deadline",
     .names = n_timeout_at,
     .check = cn_timeout_at_block,
     .advice = "set the deadline of a scope, in anyio.current_time(): with "
               "anyio.fail_after(None) as scope: scope.deadline = when"},
    {.code = "CN304",
     .name = "timeout-object",
     .summary = "asyncio.Timeout objects become cancel scopes",
     .names = n_scope,
     .check = cn_timeout_object,
     .advice = "use the scope: expired() is cancelled_caught, when() is "
               "deadline, reschedule(w) assigns deadline"},
    {.code = "CN305",
     .name = "async-timeout",
     .summary = "async_timeout.timeout becomes with fail_after",
     .kind = CN_K_WITH_STATEMENT,
     .check = cn_async_timeout_block,
     .advice = "write the block as: with anyio.fail_after(t) as scope:"},
    {.code = "CN306",
     .name = "timeout-error",
     .summary = "asyncio.TimeoutError becomes the builtin TimeoutError",
     .names = n_error,
     .check = cn_timeout_error,
     .advice = "write TimeoutError: fail_after raises the builtin one"},
};

CN_FAMILY(timeouts);
