/* threads: blocking calls that run in worker threads. Not here: calling from
 * a thread back into the loop (index.c). Invariant: the function gets the same
 * arguments as before; a timeout around the call keeps its effect. */
#include "migrate/rules/loop.h"

/* --- what blocks without end ---------------------------------------------- */

/* Calls that may wait for ever: only leaving their thread alone keeps a
 * cancellation from waiting with them, as asyncio does. */
static bool may_block_for_ever(const struct cn_match *m, cn_node function)
{
    static const char *const methods[] = {
        "accept", "join", "read", "readline", "recv", "wait", "acquire"};
    const struct cn_tree *t = m->tree;

    if (cn_is(t, function, CN_K_IDENTIFIER))
        return cn_text_is(t, function, "input") &&
               cn_site_builtin(m, function, "input");
    if (!cn_is(t, function, CN_K_ATTRIBUTE))
        return false;
    for (size_t i = 0; i < CN_COUNT(methods); i++)
        if (cn_text_is(t, cn_child(t, function, CN_F_ATTRIBUTE), methods[i]))
            return true;
    return false;
}

/* --- a call in a thread --------------------------------------------------- */

static bool is_coroutine_function(const struct cn_match *m, cn_node function)
{
    cn_node def = function ? cn_definition_of(m->module, function) : 0;

    return def && cn_is(m->tree, def, CN_K_FUNCTION_DEFINITION) &&
           cn_is_async_def(m->tree, def);
}

/* Do the arguments from `first` on have lines of their own, and `)` as well? */
static bool hangs(const struct cn_tree *t, cn_node call, cn_node first)
{
    uint32_t end = cn_end(t, call) - 1;

    return cn_place_of(t, cn_start(t, first)).column ==
               cn_indent_at(t, cn_start(t, first)).len + 1 &&
           cn_place_of(t, end).column == cn_indent_at(t, end).len + 1;
}

/* Edits: `functools.partial(` on a line of its own, the arguments one level
 * deeper, `)` and what else is passed on lines below them. */
static void wrap_lines(struct cn_match *m, cn_node call, cn_node first,
                       const char *more)
{
    const struct cn_tree *t = m->tree;
    struct cn_str in = cn_indent_at(t, cn_start(t, first));
    struct cn_str unit = cn_indent_unit(t, call);
    uint32_t line = cn_place_of(t, cn_start(t, first)).line;
    uint32_t last = cn_place_of(t, cn_end(t, call)).line - 1;

    cn_insert(m, cn_start(t, first), "%s(%s%.*s%.*s",
              cn_name(m, "functools.partial"), cn_site_newline(t),
              CN_STR_ARG(in), CN_STR_ARG(unit));
    for (uint32_t i = line; i < last; i++)
        if (!cn_site_in_string(t, call, t->lines[i]))
            cn_insert(m, t->lines[i], "%.*s", CN_STR_ARG(unit));
    if (*more)
        more = cn_str_fmt(m->arena, ",%s%.*s%s", cn_site_newline(t),
                          CN_STR_ARG(in), more + 2)
                   .ptr;
    cn_insert(m, t->lines[last], "%.*s)%s%s", CN_STR_ARG(in), more,
              cn_site_newline(t));
}

/* Edits: the arguments from `first` on, `f, *a, **k`, as run_sync takes them;
 * `more` is put behind them. False when there is nothing to call. */
static bool pass_arguments(struct cn_match *m, cn_node call, uint32_t first,
                           const char *more)
{
    const struct cn_tree *t = m->tree;
    bool keywords = false;
    struct cn_arg arg, function = {0};
    uint32_t i = first;

    for (; cn_arg(t, call, i, &arg); i++) {
        if (i == first)
            function = arg;
        keywords |= arg.kind == CN_ARG_KEYWORD || arg.kind == CN_ARG_DICT_SPLAT;
    }
    if (i == first ||
        (function.kind != CN_ARG_POSITIONAL && function.kind != CN_ARG_SPLAT))
        return false;
    cn_arg(t, call, i - 1, &arg);
    if (keywords && hangs(t, call, function.node)) {
        wrap_lines(m, call, function.node, more);
        return true;
    }
    if (keywords)
        cn_insert(m, cn_start(t, function.node), "%s(",
                  cn_name(m, "functools.partial"));
    if (!keywords && *more && hangs(t, call, arg.node)) {
        struct cn_str in = cn_indent_at(t, cn_start(t, arg.node));

        cn_insert(m, cn_end(t, arg.node), ",%s%.*s%s", cn_site_newline(t),
                  CN_STR_ARG(in), more + 2);
        return true;
    }
    if (keywords || *more)
        cn_insert(m, cn_end(t, arg.node), "%s%s", keywords ? ")" : "", more);
    return true;
}

/* What run_sync needs to know besides. */
static const char *options_of(const struct cn_match *m, cn_node call,
                              cn_node function)
{
    if (cn_under_timeout(m, call) ||
        (function && may_block_for_ever(m, function)))
        return ", abandon_on_cancel=True";
    return "";
}

/* Is the call awaited, or the argument of an asyncio function that takes a
 * coroutine as well as a future and awaits it at once? */
enum waited { WAITED_NOT, WAITED_TOGETHER, WAITED };

static enum waited is_waited_for(const struct cn_match *m, cn_node call)
{
    const struct cn_tree *t = m->tree;
    cn_node up = cn_parent(t, call), function;

    if (cn_await_of(t, call))
        return WAITED;
    while (cn_is(t, up, CN_K_LIST_COMPREHENSION) || cn_is(t, up, CN_K_LIST) ||
           cn_is(t, up, CN_K_LIST_SPLAT))
        up = cn_parent(t, up);
    up = cn_is(t, up, CN_K_ARGUMENT_LIST) ? cn_parent(t, up) : 0;
    if (!cn_is(t, up, CN_K_CALL) || !cn_await_of(t, up))
        return WAITED_NOT;
    function = cn_child(t, up, CN_F_FUNCTION);
    if (cn_resolves_to(m->module, function, "asyncio.wait_for") &&
        cn_parent(t, call) == cn_child(t, up, CN_F_ARGUMENTS))
        return WAITED;
    return cn_resolves_to(m->module, function, "asyncio.gather")
               ? WAITED_TOGETHER
               : WAITED_NOT;
}

/* --- CN401 to-thread ------------------------------------------------------ */

static enum cn_verdict check_to_thread(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node);
    cn_node function;

    if (cn_site_unsure(m))
        return cn_site_leave_unsure(m);
    if (cn_site_is_stored(t, m->node))
        return cn_manual(m, NULL, "asyncio itself is changed here");
    cn_site_rename(m, "anyio.to_thread.run_sync");
    if (!call)
        return cn_unsafe(m, "taken as a value: run_sync() passes no keyword "
                            "arguments on");
    function = cn_arg_value(t, call, 0, NULL);
    if (is_coroutine_function(m, function))
        return cn_manual(m, "await the coroutine function instead",
                         "it is a coroutine function, nothing would block");
    if (!pass_arguments(m, call, 0, options_of(m, call, function)))
        return cn_manual(m, NULL, "the function cannot be seen");
    if (is_waited_for(m, call) != WAITED)
        return cn_unsafe(m, "cancelling it waits until the thread is done");
    return cn_safe(m);
}

/* --- CN402 run-in-executor: the default pool ------------------------------ */

static bool is_default_executor(const struct cn_match *m, cn_node executor)
{
    return cn_is(m->tree, executor, CN_K_NONE);
}

/* The edits that do not depend on the executor. */
static const char *change_call(struct cn_match *m, cn_node attribute,
                               const char *limiter)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, attribute);
    cn_node function = cn_arg_value(t, call, 1, NULL);
    const char *more =
        cn_str_fmt(m->arena, "%s%s", limiter, options_of(m, call, function))
            .ptr;
    struct cn_arg executor;

    if (is_coroutine_function(m, function))
        return "it is a coroutine function, nothing would block";
    cn_arg(t, call, 0, &executor);
    cn_drop_argument(m, call, executor.node);
    if (!pass_arguments(m, call, 1, more))
        return "the function cannot be seen";
    cn_replace(m, attribute, "%s", cn_name(m, "anyio.to_thread.run_sync"));
    switch (is_waited_for(m, call)) {
    case WAITED: break;
    case WAITED_TOGETHER:
        cn_demote_unsafe(m, "cancelling it waits until the thread is done");
        break;
    case WAITED_NOT: return "its future is kept";
    }
    return NULL;
}

const char *cn_threads_executor(struct cn_match *m, cn_node attribute)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, attribute);
    struct cn_arg executor;

    if (!call || !cn_arg(t, call, 0, &executor) ||
        executor.kind != CN_ARG_POSITIONAL)
        return "the arguments cannot be seen";
    if (!is_default_executor(m, executor.node))
        return "it has an executor of its own";
    if (cn_site_text_has(m, "set_default_executor") ||
        cn_site_others_have(m, "set_default_executor"))
        cn_demote_unsafe(m, "the default executor was replaced: set "
                            "total_tokens of the default limiter instead");
    return change_call(m, attribute, "");
}

/* --- CN402: a pool of its own --------------------------------------------- */

static bool is_executor_of(const struct cn_match *m, cn_node read)
{
    const struct cn_tree *t = m->tree;
    cn_node list = cn_parent(t, read);
    cn_node call = cn_is(t, list, CN_K_ARGUMENT_LIST) ? cn_parent(t, list) : 0;
    const struct cn_use *use =
        call ? cn_site_use_at(m->module, cn_child(t, call, CN_F_FUNCTION))
             : NULL;
    struct cn_arg first;

    return use && use->certainty == CN_SURE &&
           cn_str_is(use->name, "asyncio.loop.run_in_executor") &&
           cn_arg(t, call, 0, &first) && first.node == read;
}

/* Edits: ThreadPoolExecutor(n) becomes CapacityLimiter(n); a reason why it
 * cannot, or NULL. */
static const char *change_pool(struct cn_match *m, const struct cn_binding *b)
{
    const struct cn_tree *t = m->tree;
    cn_node size = cn_arg_value(t, b->value, 0, "max_workers");
    struct cn_arg arg;

    if (!size || cn_is(t, size, CN_K_NONE))
        return "the size of the pool is not given";
    if (cn_text_is(t, size, "1"))
        return "a pool of one thread may be there for that thread";
    for (uint32_t i = 0; cn_arg(t, b->value, i, &arg); i++) {
        if (cn_str_is(arg.name, "thread_name_prefix"))
            cn_drop_argument(m, b->value, arg.node);
        else if (arg.value != size)
            return "the pool has an initializer";
        else if (arg.kind == CN_ARG_KEYWORD)
            cn_replace(m, cn_child(t, arg.node, CN_F_NAME), "total_tokens");
    }
    cn_replace(m, cn_child(t, b->value, CN_F_FUNCTION), "%s",
               cn_name(m, "anyio.CapacityLimiter"));
    return NULL;
}

/* The variable of a thread pool that only run_in_executor uses; or a reason. */
static const char *only_pool(const struct cn_match *m, cn_node executor,
                             const struct cn_object **out)
{
    const struct cn_tree *t = m->tree;
    const struct cn_object *o = cn_object_at(m->module, executor);
    cn_node value;

    if (!o || o->writes.len != 1)
        return "the executor is not made in sight";
    value = o->writes.at[0].value;
    if (!value || !cn_is(t, value, CN_K_CALL) || o->writes.at[0].annotation ||
        !cn_is(t, cn_parent(t, value), CN_K_ASSIGNMENT) ||
        !cn_resolves_to(m->module, cn_child(t, value, CN_F_FUNCTION),
                        "concurrent.futures.ThreadPoolExecutor"))
        return "the executor is not made in sight as a thread pool";
    for (size_t i = 0; i < o->reads.len; i++)
        if (!is_executor_of(m, o->reads.at[i]))
            return "the pool is used for more than run_in_executor()";
    *out = o;
    return NULL;
}

/* Edits for the pool and all its calls, from the first of them. */
static const char *change_all(struct cn_match *m, const struct cn_object *o)
{
    const struct cn_tree *t = m->tree;
    const char *reason = change_pool(m, &o->writes.at[0]);

    for (size_t i = 0; i < o->reads.len && !reason; i++) {
        cn_node read = o->reads.at[i];
        cn_node call = cn_parent(t, cn_parent(t, read));
        cn_node attribute = cn_child(t, call, CN_F_FUNCTION);
        cn_node loop = cn_child(t, attribute, CN_F_OBJECT);

        reason = change_call(
            m, attribute,
            cn_str_fmt(m->arena, ", limiter=%s", cn_z(m, read)).ptr);
        if (reason)
            break;
        cn_site_claim(m, attribute);
        if (cn_is(t, loop, CN_K_CALL))
            cn_site_claim(m, cn_child(t, loop, CN_F_FUNCTION));
    }
    return reason;
}

static enum cn_verdict own_pool(struct cn_match *m, cn_node executor)
{
    const struct cn_object *o;
    const char *reason = only_pool(m, executor, &o);

    if (!reason && o->reads.at[0] != executor)
        return cn_manual(
            m, NULL, "goes with the call on line %u",
            cn_place_of(m->tree, cn_start(m->tree, o->reads.at[0])).line);
    if (!reason)
        reason = change_all(m, o);
    if (reason)
        return cn_manual(m, NULL, "%s", reason);
    return cn_unsafe(m, "a limiter for the pool: threads are shared, and not "
                        "always the same ones");
}

static enum cn_verdict check_executor(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node);
    cn_node receiver = m->use->receiver;
    struct cn_arg executor;
    const char *reason;

    if (cn_site_unsure(m))
        return cn_site_leave_unsure(m);
    if (call && cn_arg(t, call, 0, &executor) &&
        executor.kind == CN_ARG_POSITIONAL &&
        !is_default_executor(m, executor.node))
        return own_pool(m, executor.node);
    reason = cn_threads_executor(m, m->node);
    if (reason)
        return cn_manual(m, NULL, "%s", reason);
    if (cn_is(t, receiver, CN_K_CALL))
        cn_site_claim(m, cn_child(t, receiver, CN_F_FUNCTION));
    return cn_safe(m);
}

/* --- the table ------------------------------------------------------------ */

static const struct cn_rule rules[] = {
    {
        .code = "CN401",
        .name = "to-thread",
        .summary = "asyncio.to_thread() becomes to_thread.run_sync()",
        .names = CN_NAMES("asyncio.to_thread"),
        .check = check_to_thread,
        .advice = "await to_thread.run_sync(f, *args), with functools.partial "
                  "for keyword arguments",
    },
    {
        .code = "CN402",
        .name = "run-in-executor",
        .summary = "loop.run_in_executor() becomes to_thread.run_sync()",
        .names = CN_NAMES("asyncio.loop.run_in_executor"),
        .check = check_executor,
        .advice =
            "await to_thread.run_sync(f, *args, limiter=...) with an "
            "anyio.CapacityLimiter(n) for a pool of n threads, "
            "to_process.run_sync() for a process pool; start it in a task "
            "group where the future is kept",
    },
};

CN_FAMILY(threads);
