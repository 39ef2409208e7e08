/* Wrong recipes: code that somebody has already moved to AnyIO, wrongly. Each
 * is an error in its own right, found by what AnyIO really offers. Where the
 * repair is unmistakable it is made, as an UNSAFE fix.
 *
 * Invariant: right AnyIO code is never reported; where we cannot tell, we say
 * nothing or, for what is nearly always wrong, report MANUAL. */
#include "migrate/rules/recipes.h"

#include "migrate/rules/flow.h"

/* --- names that AnyIO does not have ------------------------------------- */

struct since {
    const char *name;
    int anyio; /* first release, as cn_target has it; 0: all of 4 */
};

/* Everything `anyio` exports, sub-modules included. */
static const struct since known[] = {
    {"AsyncContextManagerMixin", 0},
    {"AsyncFile", 0},
    {"BrokenResourceError", 0},
    {"BrokenWorkerInterpreter", 0},
    {"BrokenWorkerIntepreter", 0},
    {"BrokenWorkerProcess", 0},
    {"BusyResourceError", 0},
    {"CancelScope", 0},
    {"CapacityLimiter", 0},
    {"CapacityLimiterStatistics", 0},
    {"ClosedResourceError", 0},
    {"Condition", 0},
    {"ConditionStatistics", 0},
    {"ConnectionFailed", 0},
    {"ContextManagerMixin", 0},
    {"DelimiterNotFound", 0},
    {"EndOfStream", 0},
    {"Event", 0},
    {"EventStatistics", 0},
    {"ExceptionGroup", 0},
    {"Future", 415},
    {"FutureAlreadyFinished", 415},
    {"FutureCancelled", 415},
    {"FutureFailed", 415},
    {"FutureNotFinished", 415},
    {"IncompleteRead", 0},
    {"Lock", 0},
    {"LockStatistics", 0},
    {"NamedTemporaryFile", 0},
    {"NoEventLoopError", 0},
    {"Path", 0},
    {"ResourceGuard", 0},
    {"RunFinishedError", 0},
    {"Semaphore", 0},
    {"SemaphoreStatistics", 0},
    {"SpooledTemporaryFile", 0},
    {"TASK_STATUS_IGNORED", 0},
    {"TCPConnectable", 0},
    {"TaskCancelled", 414},
    {"TaskFailed", 414},
    {"TaskHandle", 414},
    {"TaskInfo", 0},
    {"TaskNotFinished", 414},
    {"TemporaryDirectory", 0},
    {"TemporaryFile", 0},
    {"TypedAttributeLookupError", 0},
    {"TypedAttributeProvider", 0},
    {"TypedAttributeSet", 0},
    {"UNIXConnectable", 0},
    {"WouldBlock", 0},
    {"abc", 0},
    {"aclose_forcefully", 0},
    {"amap", 415},
    {"as_completed", 415},
    {"as_connectable", 0},
    {"connect_tcp", 0},
    {"connect_unix", 0},
    {"create_connected_udp_socket", 0},
    {"create_connected_unix_datagram_socket", 0},
    {"create_memory_object_stream", 0},
    {"create_task_group", 0},
    {"create_tcp_listener", 0},
    {"create_udp_socket", 0},
    {"create_unix_datagram_socket", 0},
    {"create_unix_listener", 0},
    {"current_effective_deadline", 0},
    {"current_time", 0},
    {"fail_after", 0},
    {"fail_at", 415},
    {"from_thread", 0},
    {"functools", 0},
    {"gather", 415},
    {"get_all_backends", 0},
    {"get_available_backends", 0},
    {"get_cancelled_exc_class", 0},
    {"get_current_task", 0},
    {"get_running_tasks", 0},
    {"getaddrinfo", 0},
    {"getnameinfo", 0},
    {"gettempdir", 0},
    {"gettempdirb", 0},
    {"itertools", 0},
    {"lowlevel", 0},
    {"mkdtemp", 0},
    {"mkstemp", 0},
    {"move_on_after", 0},
    {"move_on_at", 415},
    {"notify_closing", 0},
    {"open_file", 0},
    {"open_process", 0},
    {"open_signal_receiver", 0},
    {"pytest_plugin", 0},
    {"run", 0},
    {"run_process", 0},
    {"sleep", 0},
    {"sleep_forever", 0},
    {"sleep_until", 0},
    {"streams", 0},
    {"to_interpreter", 0},
    {"to_process", 0},
    {"to_thread", 0},
    {"typed_attribute", 0},
    {"wait_all_tasks_blocked", 0},
    {"wait_readable", 0},
    {"wait_socket_readable", 0},
    {"wait_socket_writable", 0},
    {"wait_writable", 0},
    {"wrap_file", 0},
};

/* What people write in the belief that AnyIO has it, and what to write. */
static const struct {
    const char *name, *advice;
} instead[] = {
    {"CancelledError", "write anyio.get_cancelled_exc_class(), where a loop "
                       "runs"},
    {"TimeoutError", "write TimeoutError, the builtin one"},
    {"Queue", "use send, receive = anyio.create_memory_object_stream("
              "math.inf)"},
    {"create_task", "start it in a task group: tg.create_task(f(x)) from "
                    "AnyIO 4.14, tg.start_soon(f, x) before"},
    {"ensure_future", "start it in a task group: tg.start_soon(f, x)"},
    {"gather", "start the calls in a task group and read the results after "
               "it; anyio.gather comes with AnyIO 4.15"},
    {"wait_for", "write with anyio.fail_after(t): x = await f()"},
    {"timeout", "write with anyio.fail_after(t):"},
    {"shield", "write with anyio.CancelScope(shield=True): await f()"},
    {"current_task", "write anyio.get_current_task()"},
    {"all_tasks", "write anyio.get_running_tasks()"},
    {"run_sync_in_worker_thread", "write await to_thread.run_sync(f, x)"},
    {"run_in_executor", "write await to_thread.run_sync(f, x)"},
    {"get_event_loop", "AnyIO has no loop object: call anyio.sleep, "
                       "anyio.current_time and so on"},
    {"get_running_loop", "AnyIO has no loop object: call anyio.sleep, "
                         "anyio.current_time and so on"},
    {"iscoroutinefunction", "write inspect.iscoroutinefunction"},
    {"iscoroutine", "write inspect.iscoroutine"},
    {"subprocess", "write subprocess.PIPE and the like"},
    {"create_subprocess_exec", "write await anyio.open_process([program, "
                               "argument])"},
    {"create_subprocess_shell", "write await anyio.open_process(command)"},
    {"BoundedSemaphore", "write anyio.Semaphore(n, max_value=n)"},
    {"TaskGroup", "write async with anyio.create_task_group() as tg:"},
    {"wait", "leave the task group: it waits for all of its tasks"},
};

static struct cn_str first_part(struct cn_str name)
{
    struct cn_str rest = cn_str_sub(name, strlen("anyio."), name.len), part;

    return cn_str_cut(&rest, '.', &part) ? part : rest;
}

/* The first AnyIO 4 release with the name, or -1. */
static int known_since(struct cn_str part)
{
    for (size_t i = 0; i < CN_COUNT(known); i++)
        if (cn_str_is(part, known[i].name))
            return known[i].anyio;
    return -1;
}

/* `if hasattr(anyio, "gather"):` knows what it does. */
static bool asks_first(const struct cn_match *m)
{
    const struct cn_tree *t = m->tree;

    for (cn_node n = m->node; n; n = cn_parent(t, n)) {
        struct cn_str test = cn_text(t, cn_child(t, n, CN_F_CONDITION));

        if (cn_is(t, n, CN_K_IF_STATEMENT) &&
            cn_str_find(test, CN_STR("hasattr(")) >= 0)
            return true;
    }
    return false;
}

static const char *advice_for(struct cn_str part)
{
    for (size_t i = 0; i < CN_COUNT(instead); i++)
        if (cn_str_is(part, instead[i].name))
            return instead[i].advice;
    return NULL;
}

static enum cn_verdict no_such_name(struct cn_match *m)
{
    struct cn_str part = first_part(m->use->name);
    int since = known_since(part);

    if (m->use->unbound || m->use->method || m->use->certainty != CN_SURE ||
        asks_first(m) || (part.len && part.ptr[0] == '_') ||
        m->tree->at[m->node].field == CN_F_LEFT) /* set by the code itself */
        return cn_pass(m);
    if (since < 0)
        return cn_wrong(m, advice_for(part), "AnyIO has no %.*s",
                        CN_STR_ARG(part));
    if (since > m->target->anyio)
        return cn_wrong(m, advice_for(part),
                        "AnyIO has %.*s only from release 4.%d on",
                        CN_STR_ARG(part), since % 100);
    return cn_pass(m);
}

/* --- sub-modules -------------------------------------------------------- */

/* Does any import of the file load the sub-module? */
static bool loads(const struct cn_match *m, struct cn_str part)
{
    const struct cn_tree *t = m->tree;
    struct cn_str dotted = cn_str_fmt(m->arena, "anyio.%.*s", CN_STR_ARG(part));

    for (cn_node n = 1; n < t->count; n++) {
        bool from = cn_is(t, n, CN_K_IMPORT_FROM_STATEMENT);
        struct cn_str text = cn_text(t, n);

        if (!from && !cn_is(t, n, CN_K_IMPORT_STATEMENT))
            continue;
        if (cn_str_find(text, dotted) >= 0)
            return true;
        if (from && cn_text_is(t, cn_child(t, n, CN_F_MODULE_NAME), "anyio") &&
            cn_str_find(text, part) >= 0)
            return true;
    }
    return false;
}

static enum cn_verdict sub_module(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    struct cn_str part = first_part(m->use->name);

    if (m->use->certainty != CN_SURE || m->use->in_string ||
        !cn_is(t, m->node, CN_K_ATTRIBUTE) || loads(m, part) ||
        cn_str_find(cn_text(t, m->node), part) < 0)
        return cn_pass(m);
    if (cn_str_is(part, "from_thread") && cn_call_of(t, m->node) &&
        cn_in_async(t, m->node))
        return cn_wrong(m,
                        "call it here, or start it in a task group; "
                        "from_thread is for the functions that to_thread runs",
                        "from_thread is called in the loop itself, where it "
                        "raises");
    cn_replace(m, m->node, "%s",
               cn_name(m, cn_str_dup(m->arena, m->use->name)));
    return cn_unsafe(m,
                     "import anyio does not load anyio.%.*s: this was an "
                     "AttributeError",
                     CN_STR_ARG(part));
}

/* --- the class of cancellations ----------------------------------------- */

static bool wants_class(const struct cn_match *m, cn_node n)
{
    const struct cn_tree *t = m->tree;
    cn_node up = cn_around(t, n), call = cn_parent(t, up);
    cn_node function = cn_child(t, call, CN_F_FUNCTION);

    if (cn_is(t, up, CN_K_EXCEPT_CLAUSE))
        return true;
    return cn_is(t, up, CN_K_ARGUMENT_LIST) && cn_is(t, call, CN_K_CALL) &&
           (cn_text_is(t, function, "isinstance") ||
            cn_text_is(t, function, "issubclass") ||
            cn_resolves_to(m->module, function, "contextlib.suppress"));
}

static enum cn_verdict cancelled_class(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node);
    cn_node again = call ? cn_call_of(t, call) : 0;

    if (!call && wants_class(m, m->node)) {
        cn_insert(m, cn_end(t, m->node), "()");
        return cn_unsafe(m, "the function itself is no exception class: this "
                            "was a TypeError as soon as one came");
    }
    if (!again)
        return cn_pass(m);
    if (!wants_class(m, again))
        return cn_wrong(m, "cancel a scope instead: scope.cancel()",
                        "a cancellation cannot be made by hand: trio's has no "
                        "public constructor");
    cn_unwrap(m, again, call);
    return cn_unsafe(m, "an instance is no exception class: this was a "
                        "TypeError as soon as one came");
}

/* --- names that nobody imports ------------------------------------------ */

static enum cn_verdict unbound(struct cn_match *m)
{
    struct cn_str name = m->use->name, module;

    if (!cn_str_cut(&name, '.', &module))
        module = m->use->name;
    return cn_wrong(m, NULL, "%.*s is used and never imported: a NameError",
                    CN_STR_ARG(module));
}

/* --- methods that AnyIO's objects do not have --------------------------- */

static enum cn_verdict no_such_method(struct cn_match *m)
{
    if (m->use->certainty != CN_SURE)
        return cn_pass(m);
    return cn_wrong(m, NULL, "AnyIO's class has no such method");
}

/* --- the table ---------------------------------------------------------- */

static const char *const n_any[] = {"anyio.*", NULL};
static const char *const n_sub[] = {"anyio.from_thread.*",
                                    "anyio.to_process.*",
                                    "anyio.to_interpreter.*",
                                    "anyio.pytest_plugin.*",
                                    "anyio.itertools.*",
                                    "anyio.functools.*",
                                    NULL};
static const char *const n_run[] = {"anyio.run", NULL};
static const char *const n_class[] = {"anyio.get_cancelled_exc_class", NULL};
static const char *const n_thread[] = {"anyio.to_thread",
                                       "anyio.to_thread.run_sync",
                                       "anyio.to_process.run_sync", NULL};
static const char *const n_process[] = {"anyio.open_process",
                                        "anyio.run_process", NULL};
static const char *const n_file[] = {"anyio.open_file", NULL};
static const char *const n_awaited[] = {"anyio.CancelScope.cancel",
                                        "anyio.Event.set",
                                        "anyio.Event.is_set",
                                        "anyio.Lock.release",
                                        "anyio.Semaphore.release",
                                        "anyio.Condition.release",
                                        "anyio.Condition.notify",
                                        "anyio.Condition.notify_all",
                                        "anyio.current_time",
                                        "anyio.create_memory_object_stream",
                                        "anyio.get_current_task",
                                        "anyio.CapacityLimiter.release",
                                        NULL};
static const char *const n_clear[] = {"anyio.Event.clear", NULL};
static const char *const n_locked[] = {"anyio.Semaphore.locked",
                                       "anyio.Semaphore._value", NULL};
static const char *const n_path[] = {
    "anyio.Path.exists",     "anyio.Path.is_dir",   "anyio.Path.is_file",
    "anyio.Path.is_symlink", "anyio.Path.is_mount", "anyio.Path.is_fifo",
    "anyio.Path.is_socket",  "anyio.Path.samefile", NULL};
static const char *const n_by_hand[] = {
    "anyio.abc.TaskGroup.__aenter__", "anyio.abc.TaskGroup.__aexit__",
    "anyio.CancelScope.__enter__", "anyio.CancelScope.__exit__", NULL};
static const char *const n_stream[] = {"anyio.create_memory_object_stream",
                                       NULL};

static const struct cn_rule rules[] = {
    {.code = "CN901",
     .name = "no-such-name",
     .summary = "a name that AnyIO does not have, or not yet",
     .names = n_any,
     .check = no_such_name,
     .advice = "look the name up in AnyIO's documentation"},
    {.code = "CN902",
     .name = "run-coroutine",
     .summary = "anyio.run is given a coroutine or a wrong keyword",
     .names = n_run,
     .check = cn_recipe_run,
     .advice = "pass the function and its arguments: anyio.run(main, a); "
               "keywords go through functools.partial"},
    {.code = "CN903",
     .name = "cancelled-class",
     .summary = "get_cancelled_exc_class is called twice, or not at all",
     .names = n_class,
     .check = cancelled_class,
     .advice = "call it once: except anyio.get_cancelled_exc_class():"},
    {.code = "CN904",
     .name = "start-soon-call",
     .summary = "start_soon is given a coroutine or keywords",
     .kind = CN_K_CALL,
     .check = cn_recipe_start_soon,
     .advice = "pass the function and its arguments: tg.start_soon(f, x); "
               "keywords go through functools.partial"},
    {.code = "CN905",
     .name = "scope-async",
     .summary = "async with on a cancel scope, or with on a task group",
     .kind = CN_K_WITH_STATEMENT,
     .check = cn_recipe_with,
     .advice = "cancel scopes take with, task groups async with"},
    {.code = "CN906",
     .name = "await-sync",
     .summary = "await on a method of AnyIO that is not async",
     .names = n_awaited,
     .check = cn_recipe_awaited,
     .advice = "drop the await"},
    {.code = "CN907",
     .name = "event-clear",
     .summary = "AnyIO's events cannot be cleared",
     .names = n_clear,
     .check = no_such_method,
     .advice = "put a new event in its place: if e.is_set(): e = "
               "anyio.Event()"},
    {.code = "CN908",
     .name = "semaphore-value",
     .summary = "AnyIO's semaphores have value, not locked()",
     .names = n_locked,
     .check = no_such_method,
     .advice = "write sem.value == 0, or sem.value"},
    {.code = "CN909",
     .name = "thread-call",
     .summary = "to_thread is called itself, or given a coroutine",
     .names = n_thread,
     .check = cn_recipe_thread,
     .advice = "pass the function and its arguments: await "
               "to_thread.run_sync(f, x); keywords go through "
               "functools.partial"},
    {.code = "CN910",
     .name = "sub-module",
     .summary = "a sub-module of AnyIO is used without its import",
     .names = n_sub,
     .check = sub_module,
     .advice = "import it: from anyio import from_thread"},
    {.code = "CN911",
     .name = "process-arguments",
     .summary = "open_process and run_process take one command",
     .names = n_process,
     .check = cn_recipe_process,
     .advice = "pass one list: await anyio.open_process([program, argument])"},
    {.code = "CN912",
     .name = "open-file-await",
     .summary = "async with anyio.open_file lacks its await",
     .names = n_file,
     .check = cn_recipe_open_file,
     .advice = "write async with await anyio.open_file(path) as f:"},
    {.code = "CN913",
     .name = "unbound-name",
     .summary = "asyncio or anyio is used and never imported",
     .unbound = true,
     .check = unbound,
     .advice = "add the import"},
    {.code = "CN914",
     .name = "scope-across-yield",
     .summary = "a scope or task group spans the yield of an async generator",
     .kind = CN_K_WITH_STATEMENT,
     .check = cn_recipe_yield,
     .advice = "make it an @asynccontextmanager, or send the items through a "
               "memory object stream"},
    {.code = "CN915",
     .name = "scope-by-hand",
     .summary = "a scope or task group is entered and left by hand",
     .names = n_by_hand,
     .check = cn_recipe_by_hand,
     .advice = "use async with; to keep it open between two calls, make the "
               "class an async context manager"},
    {.code = "CN916",
     .name = "path-await",
     .summary = "a question to anyio.Path lacks its await",
     .names = n_path,
     .check = cn_recipe_path,
     .advice = "await it: if await path.exists():"},
    {.code = "CN917",
     .name = "stream-as-queue",
     .summary = "a memory object stream is made or used like a queue",
     .names = n_stream,
     .check = cn_recipe_stream,
     .advice = "send, receive = anyio.create_memory_object_stream(math.inf) "
               "is what Queue() was"},
    {.code = "CN918",
     .name = "stream-method",
     .summary = "put and get on the ends of a memory object stream",
     .kind = CN_K_CALL,
     .check = cn_recipe_stream_method,
     .advice = "put is send, get is receive, put_nowait is send_nowait, "
               "get_nowait is receive_nowait"},
};

CN_FAMILY(recipes);
