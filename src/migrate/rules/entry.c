/* entry: where a program enters the event loop: asyncio.run(), Runner, a
 * loop's run_until_complete(). The variables that hold loops are loop.c's.
 * Invariant: the coroutine is never made before anyio.run() is called, except
 * where the text made it before and the lambda round it says so. */
#include "migrate/rules/loop.h"

static const char in_async[] =
    "a loop is running already, this fails on asyncio as well";

/* --- what may differ ------------------------------------------------------ */

/* Does a handler of a try statement around `n` name one of these? */
static bool is_caught(const struct cn_tree *t, cn_node n, const char *name)
{
    for (cn_node up = cn_above(t, n, CN_K_TRY_STATEMENT); up;
         up = cn_above(t, up, CN_K_TRY_STATEMENT)) {
        cn_node body = cn_child(t, up, CN_F_BODY);

        if (!cn_within(t, n, body))
            continue;
        for (cn_node c = cn_next(t, body); c; c = cn_next(t, c)) {
            cn_node block = cn_child_of_kind(t, c, CN_K_BLOCK);
            struct cn_str head =
                cn_str_sub(t->text, cn_start(t, c), cn_start(t, block));

            if (cn_is(t, c, CN_K_EXCEPT_CLAUSE) &&
                cn_str_find(head, cn_str_from(name)) >= 0)
                return true;
        }
    }
    return false;
}

void cn_entry_demote(struct cn_match *m, cn_node call)
{
    if ((is_caught(m->tree, call, "KeyboardInterrupt") ||
         is_caught(m->tree, call, "SystemExit")) &&
        (cn_site_text_has(m, "create_task_group") ||
         cn_site_others_have(m, "create_task_group")))
        cn_demote_unsafe(m, "on trio, Ctrl-C inside a task group comes as an "
                            "exception group");
    if (cn_site_text_has(m, "cannot be called from a running event loop") ||
        cn_site_text_has(m, "loop is already running"))
        cn_demote_unsafe(m, "the message for a nested run is another one");
    if (cn_site_text_has(m, "copy_context(") ||
        cn_site_text_has(m, "sync_to_async") ||
        cn_site_others_have(m, "sync_to_async"))
        cn_demote_unsafe(m, "anyio.run() refuses to start in a thread that "
                            "got the context of a running loop");
}

/* --- the coroutine -------------------------------------------------------- */

/* Why the call `f(a)` cannot be handed over as `f, a`; or NULL. */
static const char *no_function(const struct cn_match *m, cn_node call)
{
    struct cn_str name;

    if (cn_resolve(m->module, cn_child(m->tree, call, CN_F_FUNCTION), &name) ==
            CN_UNKNOWN ||
        !cn_str_starts(name, CN_STR("asyncio.")) ||
        cn_str_is(name, "asyncio.sleep"))
        return NULL;
    return "what runs is a call of asyncio itself";
}

/* The function of `call` is no `async def`: it runs inside the loop now. */
static bool runs_earlier(const struct cn_match *m, cn_node call)
{
    cn_node function = cn_child(m->tree, call, CN_F_FUNCTION);
    cn_node def = cn_definition_of(m->module, function);

    if (cn_is(m->tree, cn_bare(m->tree, function), CN_K_LAMBDA))
        return true;
    return def && cn_is(m->tree, def, CN_K_FUNCTION_DEFINITION) &&
           !cn_is_async_def(m->tree, def);
}

/* Take the parentheses off `((f(a)))`. */
static void strip(struct cn_match *m, cn_node outer, cn_node inner)
{
    const struct cn_tree *t = m->tree;

    if (outer == inner)
        return;
    cn_replace_span(m, cn_start(t, outer), cn_start(t, inner), "%s", "");
    cn_replace_span(m, cn_end(t, inner), cn_end(t, outer), "%s", "");
}

bool cn_entry_pass_call(struct cn_match *m, cn_node expression)
{
    cn_node call = cn_bare(m->tree, expression);
    const char *reason;

    if (!cn_is(m->tree, call, CN_K_CALL))
        return false;
    reason = no_function(m, call);
    strip(m, expression, call);
    if (!cn_site_split_call(m, call))
        return false;
    if (reason)
        cn_demote_manual(m, reason);
    if (runs_earlier(m, call))
        cn_demote_unsafe(m, "the function runs inside the loop now, it is no "
                            "async def");
    return true;
}

/* Any other expression: `anyio.run(lambda: coro)`. */
static void pass_lambda(struct cn_match *m, cn_node expression)
{
    const struct cn_tree *t = m->tree;
    cn_node function = cn_function(t, m->node);

    for (cn_node n = expression; n < t->at[expression].after; n++)
        if (cn_is(t, n, CN_K_NAMED_EXPRESSION) || cn_is(t, n, CN_K_AWAIT) ||
            cn_is(t, n, CN_K_YIELD))
            cn_demote_manual(m, "the expression cannot be moved into a lambda");
    if (cn_is(t, function, CN_K_CLASS_DEFINITION))
        cn_demote_manual(m, "the expression cannot be moved into a lambda");
    cn_insert(m, cn_start(t, expression), "lambda: ");
    cn_demote_unsafe(m, "the coroutine was made somewhere else");
}

/* --- CN201 run ------------------------------------------------------------ */

/* debug= and loop_factory= become backend_options. */
static void change_options(struct cn_match *m, cn_node call)
{
    const struct cn_tree *t = m->tree;
    cn_node values[2] = {cn_arg_value(t, call, -1, "debug"),
                         cn_arg_value(t, call, -1, "loop_factory")};
    const char *names[2] = {"debug", "loop_factory"};
    const char *items[2] = {"", ""};
    cn_node first = 0;

    for (int i = 0; i < 2; i++) {
        if (!values[i])
            continue;
        if (cn_is(t, values[i], CN_K_NONE)) {
            cn_drop_argument(m, call, cn_parent(t, values[i]));
            continue;
        }
        items[i] =
            cn_str_fmt(m->arena, "%s\"%s\": %s", i && *items[0] ? ", " : "",
                       names[i], cn_z(m, values[i]))
                .ptr;
        if (first)
            cn_drop_argument(m, call, cn_parent(t, values[i]));
        else
            first = cn_parent(t, values[i]);
    }
    if (!first)
        return;
    cn_replace(m, first, "backend_options={%s%s}", items[0], items[1]);
    cn_demote_unsafe(m, "these options are asyncio's: trio refuses them");
}

static bool known_arguments(const struct cn_tree *t, cn_node call)
{
    uint32_t positional = 0;
    struct cn_arg arg;

    for (uint32_t i = 0; cn_arg(t, call, i, &arg); i++) {
        if (arg.kind == CN_ARG_POSITIONAL)
            positional++;
        else if (arg.kind != CN_ARG_KEYWORD ||
                 !(cn_str_is(arg.name, "debug") ||
                   cn_str_is(arg.name, "loop_factory")))
            return false;
    }
    return positional == 1 &&
           cn_is(t, cn_child(t, call, CN_F_ARGUMENTS), CN_K_ARGUMENT_LIST);
}

/* `submit(asyncio.run, f(a))`: the function is handed to a thread. */
static enum cn_verdict run_as_value(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node list = cn_parent(t, m->node);
    cn_node next = cn_next_named(t, m->node);

    if (!cn_is(t, list, CN_K_ARGUMENT_LIST) || !next ||
        !cn_is(t, next, CN_K_CALL) || cn_next_named(t, next))
        return cn_manual(m, NULL,
                         "taken as a value: anyio.run() wants a "
                         "function where asyncio's takes a coroutine");
    cn_site_rename(m, "anyio.run");
    if (!cn_entry_pass_call(m, next))
        return cn_manual(m, NULL, "the coroutine is made by something else");
    return cn_unsafe(m, "the coroutine is now made where it runs");
}

static enum cn_verdict check_run(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node);
    cn_node main = call ? cn_arg_value(t, call, 0, NULL) : 0;

    if (cn_site_unsure(m))
        return cn_site_leave_unsure(m);
    if (cn_site_is_stored(t, m->node))
        return cn_manual(m, NULL, "asyncio itself is changed here");
    if (!call)
        return run_as_value(m);
    if (cn_in_async(t, m->node))
        return cn_manual(m,
                         "await the coroutine here, or run it in a worker "
                         "thread: to_thread.run_sync(anyio.run, f)",
                         "%s", in_async);
    if (!main || !known_arguments(t, call))
        return cn_manual(m, NULL, "the arguments cannot be seen");
    cn_site_rename(m, "anyio.run");
    change_options(m, call);
    if (!cn_entry_pass_call(m, main))
        pass_lambda(m, main);
    cn_entry_demote(m, call);
    return cn_safe(m);
}

/* --- CN202 runner --------------------------------------------------------- */

/* `with asyncio.Runner() as r:` with nothing but one `r.run(f())` in it; gives
 * the attribute `r.run`, or 0. */
static cn_node only_run(const struct cn_match *m, cn_node with)
{
    const struct cn_tree *t = m->tree;
    cn_node body = cn_child(t, with, CN_F_BODY);
    cn_node target = 0, attribute;
    const struct cn_object *o;

    for (cn_node n = with; n < body; n++)
        if (cn_is(t, n, CN_K_AS_PATTERN_TARGET))
            target = cn_named(t, n, 0);
    o = cn_is(t, target, CN_K_IDENTIFIER) ? cn_object_at(m->module, target)
                                          : NULL;
    if (!o || o->writes.len != 1 || o->reads.len != 1 ||
        cn_named_count(t, body) != 1 ||
        cn_named_count(t, cn_child_of_kind(t, with, CN_K_WITH_CLAUSE)) != 1)
        return 0;
    attribute = cn_site_attribute_of(t, o->reads.at[0]);
    if (!attribute || !cn_within(t, attribute, body) ||
        cn_function(t, attribute) != cn_function(t, with) ||
        !cn_text_is(t, cn_child(t, attribute, CN_F_ATTRIBUTE), "run"))
        return 0;
    return attribute;
}

static bool is_simple(const struct cn_tree *t, cn_node statement)
{
    return !cn_child_of_kind(t, statement, CN_K_BLOCK);
}

static const char more_than_one[] =
    "the runner is more than a with block round one run()";

static enum cn_verdict check_runner(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node);
    cn_node with = call ? cn_statement(t, call) : 0;
    cn_node attribute, run, body;

    if (cn_site_unsure(m))
        return cn_site_leave_unsure(m);
    if (!cn_is(t, with, CN_K_WITH_STATEMENT) || cn_arg_count(t, call) ||
        cn_is_async(t, with) || cn_in_async(t, m->node))
        return cn_manual(m, NULL, "%s", more_than_one);
    body = cn_child(t, with, CN_F_BODY);
    attribute = cn_within(t, call, body) ? 0 : only_run(m, with);
    run = attribute ? cn_call_of(t, attribute) : 0;
    if (!run || cn_arg_count(t, run) != 1 ||
        !is_simple(t, cn_named(t, body, 0)))
        return cn_manual(m, NULL, "%s", more_than_one);
    cn_unwrap(m, with, body);
    cn_site_claim(m, attribute);
    cn_replace(m, attribute, "%s", cn_name(m, "anyio.run"));
    if (!cn_entry_pass_call(m, cn_arg_value(t, run, 0, NULL)))
        return cn_manual(m, NULL, "the coroutine is made by something else");
    cn_entry_demote(m, call);
    return cn_unsafe(m, "the loop of the runner is gone after this one call");
}

/* --- CN203 run-until-complete --------------------------------------------- */

bool cn_entry_until_complete(struct cn_match *m, cn_node attribute)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, attribute);
    cn_node main = call ? cn_arg_value(t, call, 0, "future") : 0;

    if (!main || cn_arg_count(t, call) != 1 ||
        cn_is(t, cn_parent(t, main), CN_K_KEYWORD_ARGUMENT) ||
        !cn_is_plain_call(m, cn_bare(t, main)))
        return false;
    cn_replace(m, attribute, "%s", cn_name(m, "anyio.run"));
    cn_entry_demote(m, call);
    return cn_entry_pass_call(m, main);
}

/* On a loop that is made in place: asyncio.get_event_loop().run_until_...;
 * variables are the business of CN204, which claims these sites. */
static enum cn_verdict check_until_complete(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node made = m->use->receiver;

    if (cn_site_unsure(m))
        return cn_site_leave_unsure(m);
    if (cn_in_async(t, m->node))
        return cn_manual(m, "await the coroutine here", "%s", in_async);
    if (!cn_is(t, made, CN_K_CALL))
        return cn_manual(m, NULL,
                         "the loop does more than this one run, or is "
                         "made elsewhere");
    if (cn_resolves_to(m->module, cn_child(t, made, CN_F_FUNCTION),
                       "asyncio.get_running_loop"))
        return cn_manual(m, "await the coroutine here", "%s", in_async);
    if (!cn_entry_until_complete(m, m->node))
        return cn_manual(m, NULL, "what is waited for may belong to the loop");
    cn_site_claim(m, cn_child(t, made, CN_F_FUNCTION));
    return cn_unsafe(m, "the loop no longer lives on after the call");
}

/* --- CN205 nest-asyncio --------------------------------------------------- */

static enum cn_verdict check_nest(struct cn_match *m)
{
    cn_node function = cn_child(m->tree, m->node, CN_F_FUNCTION);

    if (!cn_resolves_to(m->module, function, "nest_asyncio.apply"))
        return cn_pass(m);
    return cn_manual(m, NULL,
                     "a loop inside a running loop exists on asyncio "
                     "only");
}

/* --- the table ------------------------------------------------------------ */

static const struct cn_rule rules[] = {
    {
        .code = "CN201",
        .name = "run",
        .summary = "asyncio.run(f(a)) becomes anyio.run(f, a)",
        .names = CN_NAMES("asyncio.run"),
        .check = check_run,
        .advice = "give anyio.run() an async function and its positional "
                  "arguments; wrap the rest in an `async def main()`",
    },
    {
        .code = "CN202",
        .name = "runner",
        .summary = "an asyncio.Runner for one call becomes anyio.run()",
        .names = CN_NAMES("asyncio.Runner"),
        .check = check_runner,
        .advice = "one async function for all calls and one anyio.run(); or "
                  "from_thread.start_blocking_portal() and portal.call(f)",
    },
    {
        .code = "CN203",
        .name = "run-until-complete",
        .summary = "loop.run_until_complete(f(a)) becomes anyio.run(f, a)",
        .names = CN_NAMES("asyncio.loop.run_until_complete"),
        .check = check_until_complete,
        .advice = "one async function for all calls and one anyio.run(); or "
                  "from_thread.start_blocking_portal() and portal.call(f)",
    },
    {
        .code = "CN204",
        .name = "event-loop",
        .summary = "a variable for the event loop goes when all its uses went",
        .names = CN_NAMES("asyncio.get_running_loop", "asyncio.get_event_loop",
                          "asyncio.new_event_loop", "asyncio.set_event_loop"),
        .check = cn_loop_check,
        .advice =
            "AnyIO has no loop object: replace what is done with it, then "
            "delete it; anyio.lowlevel.current_token() names the loop",
    },
    {
        .code = "CN205",
        .name = "nest-asyncio",
        .summary = "nest_asyncio.apply() has no counterpart",
        .kind = CN_K_CALL,
        .check = check_nest,
        .advice = "await instead of running a second loop; call back from "
                  "threads with anyio.from_thread.run()",
    },
};

CN_FAMILY(entry);
