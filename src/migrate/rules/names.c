/* names: asyncio names that AnyIO or the standard library has one to one:
 * sleep, the loop's clock, the coroutine questions of inspect, the current
 * task. Not here: locks and events (sync.c), and the names that have no
 * counterpart of their own (index.c). Invariant: a name is replaced only where
 * every use of its value is seen to work with the new one. */
#include "migrate/rules/loop.h"

/* --- CN101 sleep ----------------------------------------------------------- */

enum delay {
    DELAY_FINE,     /* surely 0 or more */
    DELAY_UNKNOWN,  /* a value like any other */
    DELAY_COMPUTED, /* a difference, or with a sign */
    DELAY_NEGATIVE, /* a literal below 0 */
};

static bool has_minus(const struct cn_tree *t, cn_node n)
{
    for (cn_node i = n; i < t->at[n].after; i++)
        if (cn_is(t, i, CN_T_MINUS))
            return true;
    return false;
}

static enum delay kind_of_delay(const struct cn_match *m, cn_node delay)
{
    const struct cn_tree *t = m->tree;

    if (cn_is(t, delay, CN_K_UNARY_OPERATOR) && has_minus(t, delay)) {
        cn_node number = cn_child(t, delay, CN_F_ARGUMENT);

        if (cn_is(t, number, CN_K_INTEGER) || cn_is(t, number, CN_K_FLOAT))
            return DELAY_NEGATIVE;
    }
    if (cn_surely_not_negative(m, delay))
        return DELAY_FINE;
    return has_minus(t, delay) ? DELAY_COMPUTED : DELAY_UNKNOWN;
}

/* Edits for the delay; demotes where trio may refuse it. */
static void keep_delay(struct cn_match *m, cn_node delay)
{
    const struct cn_tree *t = m->tree;

    switch (kind_of_delay(m, delay)) {
    case DELAY_FINE: break;
    case DELAY_NEGATIVE: cn_replace(m, delay, "0"); break;
    case DELAY_UNKNOWN:
        cn_demote_unsafe(m, "trio refuses a negative delay");
        break;
    case DELAY_COMPUTED:
        cn_demote_unsafe(m, "trio refuses a negative delay");
        if (!cn_site_builtin(m, delay, "max"))
            break;
        cn_insert(m, cn_start(t, delay), "max(0, ");
        cn_insert(m, cn_end(t, delay), ")");
        break;
    }
}

/* `await asyncio.sleep(d, result)`: sleep on a line of its own, put the result
 * where the await stood. False when there is no place for the line. */
static bool hoist_sleep(struct cn_match *m, cn_node await, cn_node delay,
                        cn_node result)
{
    const struct cn_tree *t = m->tree;
    cn_node whole = cn_whole_statement(m, await);
    cn_node statement = whole ? whole : cn_statement(t, await);
    bool bare = cn_site_is_atom(t, result) ||
                (whole && !cn_is(t, result, CN_K_NAMED_EXPRESSION));

    if ((!whole && !cn_hoistable(m, await)) ||
        cn_is(t, cn_parent(t, await), CN_K_AUGMENTED_ASSIGNMENT) ||
        kind_of_delay(m, delay) > DELAY_UNKNOWN)
        return false;
    if (kind_of_delay(m, delay) == DELAY_UNKNOWN)
        cn_demote_unsafe(m, "trio refuses a negative delay");
    if (!cn_site_is_constant(m, result))
        cn_demote_unsafe(m, "the result is now read after the sleep");
    cn_line_above(m, statement, "await %s(%s)", cn_name(m, "anyio.sleep"),
                  cn_z(m, delay));
    cn_replace(m, await, bare ? "%s" : "(%s)", cn_z(m, result));
    return true;
}

static enum cn_verdict sleep_with_result(struct cn_match *m, cn_node call,
                                         cn_node delay, cn_node result)
{
    const struct cn_tree *t = m->tree;
    cn_node await = cn_await_of(t, call);
    cn_node argument = cn_parent(t, result);

    if (await && cn_site_is_unused(t, await) &&
        cn_site_is_constant(m, result)) {
        if (!cn_is(t, argument, CN_K_KEYWORD_ARGUMENT))
            argument = result;
        cn_site_rename(m, "anyio.sleep");
        cn_drop_argument(m, call, argument);
        keep_delay(m, delay);
        return cn_safe(m);
    }
    if (!await || !hoist_sleep(m, await, delay, result))
        return cn_manual(m, "sleep on a line of its own, then use the value",
                         "anyio.sleep() has no result argument");
    return cn_safe(m);
}

/* asyncio.sleep as a value: a default, a parameter, something to patch. */
static enum cn_verdict sleep_as_value(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node up = cn_parent(t, m->node);

    if (cn_site_is_stored(t, m->node))
        return cn_manual(m, "patch anyio.sleep where the code calls it",
                         "asyncio itself is changed here");
    if (cn_is(t, up, CN_K_ARGUMENT_LIST) && cn_named_count(t, up) > 2)
        return cn_manual(m, "anyio.sleep() takes the delay only",
                         "may be called with a result argument");
    cn_site_rename(m, "anyio.sleep");
    return cn_safe(m);
}

/* Drop `loop=`; false when there is an argument that sleep does not know. */
static bool known_arguments(struct cn_match *m, cn_node call)
{
    uint32_t positional = 0;
    struct cn_arg arg;

    for (uint32_t i = 0; cn_arg(m->tree, call, i, &arg); i++) {
        if (arg.kind == CN_ARG_POSITIONAL)
            positional++;
        else if (cn_str_is(arg.name, "loop"))
            cn_drop_argument(m, call, arg.node);
        else if (!cn_str_is(arg.name, "delay") &&
                 !cn_str_is(arg.name, "result"))
            return false;
    }
    return positional <= 2;
}

static enum cn_verdict check_sleep(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node);
    cn_node delay, result;

    if (cn_site_unsure(m))
        return cn_site_leave_unsure(m);
    if (!call)
        return sleep_as_value(m);
    if (cn_site_is_unused(t, call))
        return cn_wrong(m, "write `await` in front of it, or delete it",
                        "it is never awaited: nothing sleeps here");
    if (!cn_args_plain(t, call))
        return cn_manual(m, "anyio.sleep() takes the delay only",
                         "the arguments cannot be seen");
    delay = cn_arg_value(t, call, 0, "delay");
    result = cn_arg_value(t, call, 1, "result");
    if (!delay || !known_arguments(m, call))
        return cn_manual(m, NULL, "not a call that asyncio.sleep() takes");
    if (result)
        return sleep_with_result(m, call, delay, result);
    cn_site_rename(m, "anyio.sleep");
    keep_delay(m, delay);
    return cn_safe(m);
}

/* --- CN102 sleep-forever ---------------------------------------------------- */

/* `asyncio.Event().wait()` on an event that nobody else can set. */
static enum cn_verdict wait_on_nobody(struct cn_match *m, cn_node event)
{
    cn_node wait = cn_site_method_call(m->tree, event, "wait");

    if (!wait || cn_arg_count(m->tree, wait))
        return cn_pass(m);
    cn_site_claim(m, cn_site_attribute_of(m->tree, event));
    cn_replace(m, wait, "%s()", cn_name(m, "anyio.sleep_forever"));
    return cn_safe(m);
}

/* `await asyncio.Future()`, `await loop.create_future()`. */
static enum cn_verdict check_forever(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node);

    if (cn_site_unsure(m) || !call || cn_arg_count(t, call))
        return cn_pass(m);
    if (cn_str_is(m->use->name, "asyncio.Event"))
        return wait_on_nobody(m, call);
    if (!cn_await_of(t, call))
        return cn_pass(m);
    if (cn_is(t, m->use->receiver, CN_K_CALL))
        cn_site_claim(m, cn_child(t, m->use->receiver, CN_F_FUNCTION));
    cn_replace(m, call, "%s()", cn_name(m, "anyio.sleep_forever"));
    return cn_safe(m);
}

/* --- CN103 current-time ------------------------------------------------------ */

/* Does a loop run here: in an `async def`, or by what asyncio's own call
 * demands? */
static bool is_in_loop(const struct cn_match *m, cn_node attribute)
{
    const struct cn_tree *t = m->tree;
    cn_node receiver = cn_child(t, attribute, CN_F_OBJECT);
    const struct cn_object *o = cn_object_at(m->module, receiver);

    if (cn_in_async(t, attribute))
        return true;
    if (o && o->writes.len == 1 && o->symbol &&
        cn_function(t, o->writes.at[0].name) == cn_function(t, attribute))
        receiver = o->writes.at[0].value;
    return receiver && cn_is(t, receiver, CN_K_CALL) &&
           cn_resolves_to(m->module, cn_child(t, receiver, CN_F_FUNCTION),
                          "asyncio.get_running_loop");
}

/* A lambda or function inside an `async def`. */
static bool is_near_loop(const struct cn_tree *t, cn_node n)
{
    for (cn_node f = cn_function(t, n); f; f = cn_function(t, f))
        if (cn_is(t, f, CN_K_FUNCTION_DEFINITION) && cn_is_async_def(t, f))
            return true;
    return false;
}

void cn_names_time(struct cn_match *m, cn_node attribute)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, attribute);

    if (call && cn_arg_count(t, call))
        cn_demote_manual(m, "time() takes no arguments");
    if (!is_in_loop(m, attribute) && !is_near_loop(t, attribute))
        cn_demote_manual(m, "perhaps no loop runs here");
    cn_replace(m, attribute, "%s", cn_name(m, "anyio.current_time"));
    if (!call || !is_in_loop(m, attribute))
        cn_demote_unsafe(m,
                         "anyio.current_time() works in a running loop only");
    if (cn_site_text_has(m, "monotonic("))
        cn_demote_unsafe(m, "on trio this clock has nothing to do with "
                            "time.monotonic()");
}

static enum cn_verdict check_time(struct cn_match *m)
{
    cn_node receiver = m->use->receiver;

    if (cn_site_unsure(m))
        return cn_site_leave_unsure(m);
    if (cn_is(m->tree, receiver, CN_K_CALL))
        cn_site_claim(m, cn_child(m->tree, receiver, CN_F_FUNCTION));
    cn_names_time(m, m->node);
    return cn_safe(m);
}

/* --- CN104, CN105 the questions of inspect ----------------------------------- */

/* Does anybody set asyncio's private mark? Looked for as it is written, so that
 * a test_is_coroutine() does not count. */
static bool marks_coroutines(const struct cn_match *m)
{
    static const char *const marks[] = {
        "._is_coroutine =", "._is_coroutine=", "\"_is_coroutine\", asyncio",
        "'_is_coroutine', asyncio"};

    for (size_t i = 0; i < CN_COUNT(marks); i++)
        if (cn_site_text_has(m, marks[i]) || cn_site_others_have(m, marks[i]))
            return true;
    return false;
}

static enum cn_verdict check_coroutine_function(struct cn_match *m)
{
    if (cn_site_unsure(m))
        return cn_site_leave_unsure(m);
    if (cn_site_is_stored(m->tree, m->node))
        return cn_manual(m, NULL, "asyncio itself is changed here");
    cn_site_rename(m, "inspect.iscoroutinefunction");
    if (marks_coroutines(m))
        return cn_manual(m, "mark with inspect.markcoroutinefunction()",
                         "asyncio's private mark _is_coroutine is in use");
    if (cn_site_text_has(m, "asgiref") || cn_site_others_have(m, "asgiref"))
        return cn_unsafe(m, "asgiref marks functions for asyncio's test only, "
                            "before Python 3.12");
    return cn_safe(m);
}

/* Is it the call of an `async def` of this module? */
static bool is_own_coroutine(const struct cn_match *m, cn_node expression)
{
    const struct cn_tree *t = m->tree;
    cn_node def;

    if (cn_is(t, expression, CN_K_NAMED_EXPRESSION))
        expression = cn_child(t, expression, CN_F_VALUE);
    if (!cn_is(t, expression, CN_K_CALL))
        return false;
    def = cn_definition_of(m->module, cn_child(t, expression, CN_F_FUNCTION));
    return def && cn_is_async_def(t, def) && !cn_has_yield(t, def) &&
           !cn_is(t, cn_parent(t, def), CN_K_DECORATED_DEFINITION);
}

static enum cn_verdict check_coroutine(struct cn_match *m)
{
    cn_node call = cn_call_of(m->tree, m->node);
    cn_node value = call ? cn_arg_value(m->tree, call, 0, "obj") : 0;

    if (cn_site_unsure(m))
        return cn_site_leave_unsure(m);
    if (cn_site_is_stored(m->tree, m->node))
        return cn_manual(m, NULL, "asyncio itself is changed here");
    cn_site_rename(m, "inspect.iscoroutine");
    if (value && is_own_coroutine(m, value))
        return cn_safe(m);
    return cn_unsafe(m, "objects that only behave like coroutines (aiohttp's, "
                        "Cython's) no longer count");
}

/* --- CN106 current-task ------------------------------------------------------ */

/* Edits for `<receiver>.get_name()`, where the receiver is now a TaskInfo. */
static bool read_task_name(struct cn_match *m, cn_node receiver)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_site_method_call(t, receiver, "get_name");

    if (!call || cn_arg_count(t, call))
        return false;
    cn_site_claim(m, cn_site_attribute_of(t, receiver));
    cn_replace_span(m, cn_end(t, receiver), cn_end(t, call), ".name");
    return true;
}

/* `task = asyncio.current_task()` and nothing but names read from it. */
static bool task_variable(struct cn_match *m, cn_node call)
{
    const struct cn_tree *t = m->tree;
    cn_node up = cn_parent(t, call);
    const struct cn_object *o;

    if (!cn_is(t, up, CN_K_ASSIGNMENT) || cn_child(t, up, CN_F_RIGHT) != call ||
        !cn_is(t, cn_child(t, up, CN_F_LEFT), CN_K_IDENTIFIER))
        return false;
    o = cn_object_at(m->module, cn_child(t, up, CN_F_LEFT));
    if (!o || o->writes.len != 1 || !o->reads.len || !o->symbol ||
        o->symbol->scope->kind != CN_SCOPE_FUNCTION ||
        cn_child(t, up, CN_F_TYPE))
        return false;
    for (size_t i = 0; i < o->reads.len; i++)
        if (!read_task_name(m, o->reads.at[i]))
            return false;
    return true;
}

static enum cn_verdict check_current_task(struct cn_match *m)
{
    cn_node call = cn_call_of(m->tree, m->node);

    if (cn_site_unsure(m))
        return cn_site_leave_unsure(m);
    if (!call || cn_arg_count(m->tree, call))
        return cn_manual(m, NULL, "not a plain call of current_task()");
    if (!read_task_name(m, call) && !task_variable(m, call))
        return cn_manual(m, NULL, "the task is used for more than its name");
    cn_site_rename(m, "anyio.get_current_task");
    if (!cn_in_async(m->tree, m->node))
        return cn_unsafe(m, "outside a task asyncio gives None, AnyIO raises");
    return cn_safe(m);
}

/* --- CN107 patch-target ---------------------------------------------------- */

/* Is the string the first argument of `patch(...)` or `setattr(...)`? */
static bool is_patch_target(const struct cn_tree *t, cn_node string)
{
    cn_node list = cn_parent(t, string);
    cn_node call = cn_is(t, list, CN_K_ARGUMENT_LIST) ? cn_parent(t, list) : 0;
    cn_node name = call ? cn_child(t, call, CN_F_FUNCTION) : 0;

    if (!cn_is(t, call, CN_K_CALL) || cn_named(t, list, 0) != string)
        return false;
    if (cn_is(t, name, CN_K_ATTRIBUTE))
        name = cn_child(t, name, CN_F_ATTRIBUTE);
    return cn_text_is(t, name, "patch") || cn_text_is(t, name, "setattr");
}

/* mock.patch("asyncio.sleep"), monkeypatch.setattr("mod.asyncio.sleep", f). */
static enum cn_verdict check_patch(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node content = cn_child_of_kind(t, m->node, CN_K_STRING_CONTENT);
    struct cn_str text = cn_text(t, content);
    ptrdiff_t at = cn_str_rfind(text, CN_STR("asyncio."));
    uint32_t start = cn_start(t, content) + (uint32_t)(at > 0 ? at : 0);

    if (at < 0 || !is_patch_target(t, m->node) ||
        (at > 0 && text.ptr[at - 1] != '.'))
        return cn_pass(m);
    if (!cn_str_ends(text, CN_STR("asyncio.sleep")) &&
        !cn_str_ends(text, CN_STR("asyncio.run")))
        return cn_manual(m, NULL,
                         "what it patches is called otherwise after "
                         "the migration");
    cn_replace_span(m, start, start + (uint32_t)strlen("asyncio"), "anyio");
    return cn_unsafe(m, "right only when the patched code calls AnyIO by now");
}

/* --- the table --------------------------------------------------------------- */

static const struct cn_rule rules[] = {
    {
        .code = "CN101",
        .name = "sleep",
        .summary = "asyncio.sleep() becomes anyio.sleep()",
        .names = CN_NAMES("asyncio.sleep"),
        .check = check_sleep,
        .advice = "call anyio.sleep(delay)",
    },
    {
        .code = "CN102",
        .name = "sleep-forever",
        .summary = "waiting for what can never come becomes "
                   "anyio.sleep_forever()",
        .names = CN_NAMES("asyncio.Event", "asyncio.Future",
                          "asyncio.loop.create_future"),
        .check = check_forever,
        .advice = "call anyio.sleep_forever()",
    },
    {
        .code = "CN103",
        .name = "current-time",
        .summary = "the loop's time() becomes anyio.current_time()",
        .names = CN_NAMES("asyncio.loop.time"),
        .check = check_time,
        .advice = "anyio.current_time() where a loop runs, time.monotonic() "
                  "elsewhere; do not mix the two",
    },
    {
        .code = "CN104",
        .name = "iscoroutinefunction",
        .summary = "asyncio.iscoroutinefunction() becomes inspect's",
        .names = CN_NAMES("asyncio.iscoroutinefunction"),
        .check = check_coroutine_function,
        .advice = "ask inspect.iscoroutinefunction()",
    },
    {
        .code = "CN105",
        .name = "iscoroutine",
        .summary = "asyncio.iscoroutine() becomes inspect's",
        .names = CN_NAMES("asyncio.iscoroutine"),
        .check = check_coroutine,
        .advice = "ask inspect.iscoroutine()",
    },
    {
        .code = "CN106",
        .name = "current-task",
        .summary = "the name of the current task comes from "
                   "anyio.get_current_task()",
        .names = CN_NAMES("asyncio.current_task"),
        .check = check_current_task,
        .advice = "anyio.get_current_task() gives a TaskInfo (id, name, "
                  "parent_id) that cannot be cancelled or renamed: cancel a "
                  "CancelScope instead",
    },
    {
        .code = "CN107",
        .name = "patch-target",
        .summary = "patching asyncio.sleep or run becomes patching AnyIO's",
        .kind = CN_K_STRING,
        .check = check_patch,
        .advice = "patch the name that the tested code uses after its own "
                  "migration",
    },
};

CN_FAMILY(names);
