/* Wrong recipes that are calls: functions wanted and coroutines given, awaits
 * too many or too few. Invariant: a call is repaired only when the called
 * function is known to be an async def of this module. */
#include "migrate/rules/flow.h"
#include "migrate/rules/recipes.h"

/* --- what a call gives -------------------------------------------------- */

/* Are all functions of this name that stand in the module async, and is there
 * one? For methods of objects whose class we do not know. */
static bool all_async(const struct cn_match *m, struct cn_str name)
{
    const struct cn_tree *t = m->tree;
    bool found = false;

    for (cn_node n = 1; n < t->count; n++) {
        if (!cn_is(t, n, CN_K_FUNCTION_DEFINITION) ||
            !cn_str_eq(cn_text(t, cn_child(t, n, CN_F_NAME)), name))
            continue;
        if (!cn_is_async_def(t, n) || cn_has_yield(t, n) ||
            cn_is(t, cn_parent(t, n), CN_K_DECORATED_DEFINITION))
            return false;
        found = true;
    }
    return found;
}

enum cn_callee cn_callee_of(const struct cn_match *m, cn_node call)
{
    const struct cn_tree *t = m->tree;
    cn_node function = cn_bare(t, cn_child(t, call, CN_F_FUNCTION));
    cn_node def = cn_definition_of(m->module, function);

    if (cn_resolves_to(m->module, function, "functools.partial"))
        return CN_CALLEE_FUNCTION;
    if (def)
        return cn_is_async_def(t, def) && !cn_has_yield(t, def) &&
                       !cn_is(t, cn_parent(t, def), CN_K_DECORATED_DEFINITION)
                   ? CN_CALLEE_COROUTINE
                   : CN_CALLEE_FUNCTION;
    if (cn_is(t, function, CN_K_ATTRIBUTE) &&
        all_async(m, cn_text(t, cn_child(t, function, CN_F_ATTRIBUTE))))
        return CN_CALLEE_COROUTINE;
    return CN_CALLEE_UNKNOWN;
}

/* The first keyword of the call that is none of `allowed`, or 0. */
static cn_node wrong_keyword(const struct cn_match *m, cn_node call,
                             const char *const *allowed)
{
    struct cn_arg arg;

    for (uint32_t i = 0; cn_arg(m->tree, call, i, &arg); i++) {
        bool fine = arg.kind != CN_ARG_KEYWORD;

        for (const char *const *a = allowed; *a; a++)
            fine |= cn_str_is(arg.name, *a);
        if (!fine)
            return arg.node;
    }
    return 0;
}

/* `run(f(x))` -> `run(f, x)`; the other arguments of `outer` are keywords. */
static enum cn_verdict repair(struct cn_match *m, cn_node outer, cn_node inner)
{
    struct cn_arg arg;

    if (cn_arg(m->tree, outer, 1, &arg) && arg.kind != CN_ARG_KEYWORD)
        return cn_wrong(m, NULL, "a coroutine is given instead of a function");
    const char *text = cn_as_function_and_args(m, inner);

    if (!text)
        return cn_wrong(m, NULL, "a coroutine is given instead of a function");
    cn_replace(m, inner, "%s", text);
    return cn_unsafe(m, "a coroutine was given instead of a function: a "
                        "TypeError");
}

static enum cn_verdict judge_function(struct cn_match *m, cn_node outer)
{
    const struct cn_tree *t = m->tree;
    cn_node first = cn_arg_value(t, outer, 0, NULL);
    cn_node inner = cn_bare(t, first);

    if (!cn_is(t, inner, CN_K_CALL))
        return cn_pass(m);
    switch (cn_callee_of(m, inner)) {
    case CN_CALLEE_COROUTINE: return repair(m, outer, inner);
    case CN_CALLEE_FUNCTION: return cn_pass(m);
    default:
        return cn_manual(m, NULL,
                         "it is given the result of a call: if that is a "
                         "coroutine and not a function, this is a TypeError");
    }
}

/* --- run, start_soon ---------------------------------------------------- */

enum cn_verdict cn_recipe_run(struct cn_match *m)
{
    static const char *const allowed[] = {"func", "backend", "backend_options",
                                          NULL};
    cn_node call = cn_call_of(m->tree, m->node);

    if (!call || m->use->certainty != CN_SURE)
        return cn_pass(m);
    if (wrong_keyword(m, call, allowed))
        return cn_wrong(m,
                        "keywords of the function go through "
                        "functools.partial, debug=True into "
                        "backend_options={\"debug\": True}",
                        "anyio.run passes no keywords on: a TypeError");
    return judge_function(m, call);
}

enum cn_verdict cn_recipe_start_soon(struct cn_match *m)
{
    static const char *const allowed[] = {"name", NULL};
    const struct cn_tree *t = m->tree;
    cn_node function = cn_child(t, m->node, CN_F_FUNCTION);

    if (!cn_is(t, function, CN_K_ATTRIBUTE) ||
        !cn_text_is(t, cn_child(t, function, CN_F_ATTRIBUTE), "start_soon"))
        return cn_pass(m);
    if (wrong_keyword(m, m->node, allowed))
        return cn_wrong(m, NULL,
                        "start_soon passes no keywords on: a TypeError");
    return judge_function(m, m->node);
}

/* --- threads and processes ---------------------------------------------- */

static enum cn_verdict called_module(struct cn_match *m, cn_node call)
{
    struct cn_arg arg;

    for (uint32_t i = 0; cn_arg(m->tree, call, i, &arg); i++)
        if (arg.kind == CN_ARG_KEYWORD || arg.kind == CN_ARG_DICT_SPLAT)
            return cn_wrong(m, NULL, "anyio.to_thread is a module");
    cn_replace(m, m->node, "%s", cn_name(m, "anyio.to_thread.run_sync"));
    return cn_unsafe(m, "anyio.to_thread is a module: this was a TypeError");
}

enum cn_verdict cn_recipe_thread(struct cn_match *m)
{
    static const char *const allowed[] = {"func", "abandon_on_cancel",
                                          "cancellable", "limiter", NULL};
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node);

    if (!call || m->use->certainty != CN_SURE)
        return cn_pass(m);
    if (cn_str_is(m->use->name, "anyio.to_thread"))
        return called_module(m, call);
    if (wrong_keyword(m, call, allowed))
        return cn_wrong(m, NULL, "run_sync passes no keywords on: a TypeError");
    cn_node inner = cn_bare(t, cn_arg_value(t, call, 0, "func"));

    if (cn_is(t, inner, CN_K_CALL) &&
        cn_callee_of(m, inner) == CN_CALLEE_COROUTINE)
        return cn_wrong(m,
                        "await the coroutine; threads are for functions "
                        "that block",
                        "a coroutine is given to a thread");
    cn_node def = cn_definition_of(m->module, inner);

    if (cn_is_async_def(t, def))
        return cn_wrong(m,
                        "await the coroutine; threads are for functions "
                        "that block",
                        "an async function is given to a thread, which never "
                        "runs its body");
    return cn_pass(m);
}

enum cn_verdict cn_recipe_process(struct cn_match *m)
{
    static const char *const gone[] = {
        "text",    "universal_newlines", "encoding", "errors", "shell", "limit",
        "timeout", "capture_output",     NULL};
    cn_node call = cn_call_of(m->tree, m->node);
    struct cn_arg arg;

    if (!call || m->use->certainty != CN_SURE)
        return cn_pass(m);
    for (uint32_t i = 0; cn_arg(m->tree, call, i, &arg); i++) {
        if (i > 0 &&
            (arg.kind == CN_ARG_POSITIONAL || arg.kind == CN_ARG_SPLAT))
            return cn_wrong(m, NULL,
                            "the command is one string or one list: a "
                            "TypeError");
        for (const char *const *g = gone; *g; g++)
            if (arg.kind == CN_ARG_KEYWORD && cn_str_is(arg.name, *g))
                return cn_wrong(m,
                                "decode the bytes yourself; a string runs in "
                                "a shell, fail_after sets a limit",
                                "there is no argument %s: a TypeError", *g);
    }
    return cn_pass(m);
}

/* --- awaits too many or too few ----------------------------------------- */

enum cn_verdict cn_recipe_open_file(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node);
    struct cn_item item;

    if (!call || m->use->certainty != CN_SURE || !cn_item_of(t, call, &item))
        return cn_pass(m);
    if (!cn_is_async(t, item.statement))
        return cn_wrong(m, NULL, "anyio.open_file must be awaited");
    cn_insert(m, cn_start(t, call), "await ");
    return cn_unsafe(m, "without the await it was a TypeError");
}

enum cn_verdict cn_recipe_awaited(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node);
    cn_node await = call ? cn_await_of(t, call) : 0;

    if (!await || m->use->certainty != CN_SURE)
        return cn_pass(m);
    cn_unwrap(m, await, call);
    return cn_unsafe(m, "it is not async: awaiting its result was a "
                        "TypeError");
}

enum cn_verdict cn_recipe_path(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node), up = cn_parent(t, call);
    bool tested = t->at[call].field == CN_F_CONDITION ||
                  cn_is(t, up, CN_K_NOT_OPERATOR) ||
                  cn_is(t, up, CN_K_BOOLEAN_OPERATOR);

    if (!call || m->use->certainty != CN_SURE || cn_await_of(t, call) ||
        !tested)
        return cn_pass(m);
    if (!cn_in_async(t, call))
        return cn_wrong(m, "use pathlib.Path in code that is not async",
                        "without await this is always true");
    cn_insert(m, cn_start(t, call), "await ");
    return cn_unsafe(m, "without await this was always true");
}
