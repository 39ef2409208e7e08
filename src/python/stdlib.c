/* What we know by heart: the modules of asyncio, anyio and trio, the public
 * names of asyncio (the union of its __all__ from 3.8 to 3.14), and where the
 * standard library keeps what it shows elsewhere. Tables are sorted, searched
 * by halving. */
#include "python/internal.h"

/* What `from asyncio import *` brings, in one version or another; a name
 * in a submodule means this one. */
static const char *const asyncio_names[] = {
    "ALL_COMPLETED",
    "AbstractChildWatcher",
    "AbstractEventLoop",
    "AbstractEventLoopPolicy",
    "AbstractServer",
    "Barrier",
    "BaseEventLoop",
    "BaseProtocol",
    "BaseTransport",
    "BoundedSemaphore",
    "BrokenBarrierError",
    "BufferedProtocol",
    "CancelledError",
    "Condition",
    "DatagramProtocol",
    "DatagramTransport",
    "DefaultEventLoopPolicy",
    "Event",
    "EventLoop",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "FastChildWatcher",
    "FrameCallGraphEntry",
    "Future",
    "FutureCallGraph",
    "Handle",
    "IncompleteReadError",
    "InvalidStateError",
    "IocpProactor",
    "LifoQueue",
    "LimitOverrunError",
    "Lock",
    "MultiLoopChildWatcher",
    "PidfdChildWatcher",
    "PriorityQueue",
    "ProactorEventLoop",
    "Protocol",
    "Queue",
    "QueueEmpty",
    "QueueFull",
    "QueueShutDown",
    "ReadTransport",
    "Runner",
    "SafeChildWatcher",
    "SelectorEventLoop",
    "Semaphore",
    "SendfileNotAvailableError",
    "Server",
    "StreamReader",
    "StreamReaderProtocol",
    "StreamWriter",
    "SubprocessProtocol",
    "SubprocessTransport",
    "Task",
    "TaskGroup",
    "ThreadedChildWatcher",
    "Timeout",
    "TimeoutError",
    "TimerHandle",
    "Transport",
    "WindowsProactorEventLoopPolicy",
    "WindowsSelectorEventLoopPolicy",
    "WriteTransport",
    "_enter_task",
    "_get_running_loop",
    "_leave_task",
    "_register_task",
    "_set_running_loop",
    "_unregister_task",
    "all_tasks",
    "as_completed",
    "capture_call_graph",
    "coroutine",
    "create_eager_task_factory",
    "create_subprocess_exec",
    "create_subprocess_shell",
    "create_task",
    "current_task",
    "eager_task_factory",
    "ensure_future",
    "format_call_graph",
    "future_add_to_awaited_by",
    "future_discard_from_awaited_by",
    "gather",
    "get_child_watcher",
    "get_event_loop",
    "get_event_loop_policy",
    "get_running_loop",
    "iscoroutine",
    "iscoroutinefunction",
    "isfuture",
    "new_event_loop",
    "open_connection",
    "open_unix_connection",
    "print_call_graph",
    "run",
    "run_coroutine_threadsafe",
    "set_child_watcher",
    "set_event_loop",
    "set_event_loop_policy",
    "shield",
    "sleep",
    "start_server",
    "start_unix_server",
    "timeout",
    "timeout_at",
    "to_thread",
    "wait",
    "wait_for",
    "wrap_future",
};

static const char *const modules[] = {
    "anyio",
    "anyio.abc",
    "anyio.from_thread",
    "anyio.functools",
    "anyio.itertools",
    "anyio.lowlevel",
    "anyio.pytest_plugin",
    "anyio.streams",
    "anyio.streams.buffered",
    "anyio.streams.file",
    "anyio.streams.memory",
    "anyio.streams.stapled",
    "anyio.streams.text",
    "anyio.streams.tls",
    "anyio.to_interpreter",
    "anyio.to_process",
    "anyio.to_thread",
    "asyncio",
    "asyncio.base_events",
    "asyncio.base_futures",
    "asyncio.base_subprocess",
    "asyncio.base_tasks",
    "asyncio.constants",
    "asyncio.coroutines",
    "asyncio.events",
    "asyncio.exceptions",
    "asyncio.format_helpers",
    "asyncio.futures",
    "asyncio.graph",
    "asyncio.locks",
    "asyncio.log",
    "asyncio.mixins",
    "asyncio.proactor_events",
    "asyncio.protocols",
    "asyncio.queues",
    "asyncio.runners",
    "asyncio.selector_events",
    "asyncio.sslproto",
    "asyncio.staggered",
    "asyncio.streams",
    "asyncio.subprocess",
    "asyncio.taskgroups",
    "asyncio.tasks",
    "asyncio.threads",
    "asyncio.timeouts",
    "asyncio.tools",
    "asyncio.transports",
    "asyncio.trsock",
    "asyncio.unix_events",
    "asyncio.windows_events",
    "asyncio.windows_utils",
    "concurrent",
    "concurrent.futures",
    "concurrent.futures._base",
    "concurrent.futures.process",
    "concurrent.futures.thread",
    "trio",
    "trio.abc",
    "trio.from_thread",
    "trio.lowlevel",
    "trio.socket",
    "trio.testing",
    "trio.to_thread",
};

static bool find(const char *const *table, size_t count, struct cn_str name)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = cn_str_cmp(name, cn_str_from(table[middle]));

        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

bool cn_asyncio_exports(struct cn_str name)
{
    return find(asyncio_names, CN_COUNT(asyncio_names), name);
}

bool cn_known_module(struct cn_str dotted)
{
    return find(modules, CN_COUNT(modules), dotted);
}

static struct cn_str first_part(struct cn_str dotted)
{
    const char *dot = dotted.len ? memchr(dotted.ptr, '.', dotted.len) : NULL;

    return dot ? (struct cn_str){dotted.ptr, (size_t)(dot - dotted.ptr)}
               : dotted;
}

bool cn_of_interest(struct cn_str dotted)
{
    if (dotted.len < 4 || (dotted.ptr[0] != 'a' && dotted.ptr[0] != 't'))
        return false;
    struct cn_str root = first_part(dotted);

    return cn_str_is(root, "asyncio") || cn_str_is(root, "anyio") ||
           cn_str_is(root, "trio");
}

/* After `prefix` and a dot: the rest, or false. */
static bool after(struct cn_str s, const char *prefix, struct cn_str *rest)
{
    size_t n = strlen(prefix);

    if (s.len <= n + 1 || memcmp(s.ptr, prefix, n) != 0 || s.ptr[n] != '.')
        return false;
    *rest = cn_str_sub(s, n + 1, s.len);
    return true;
}

/* asyncio.tasks.gather[.more] */
static bool is_asyncio_inner(struct cn_str rest, struct cn_str *shown)
{
    struct cn_str sub = first_part(rest);

    if (sub.len == rest.len)
        return false;
    *shown = cn_str_sub(rest, sub.len + 1, rest.len);
    return cn_asyncio_exports(first_part(*shown));
}

struct cn_str cn_canonical_stdlib(struct cn_arena *arena, struct cn_str dotted)
{
    static const char *const futures[] = {
        "concurrent.futures._base",
        "concurrent.futures.process",
        "concurrent.futures.thread",
    };
    struct cn_str rest, shown;

    if (after(dotted, "asyncio", &rest) && is_asyncio_inner(rest, &shown) &&
        cn_known_module(
            cn_str_sub(dotted, 0, (size_t)(shown.ptr - dotted.ptr) - 1)))
        return cn_join(arena, CN_STR("asyncio"), shown);
    if (after(dotted, "_asyncio", &rest))
        return cn_join(arena, CN_STR("asyncio"), rest);
    for (size_t i = 0; i < CN_COUNT(futures); i++)
        if (after(dotted, futures[i], &rest) && rest.ptr[0] != '_')
            return cn_join(arena, CN_STR("concurrent.futures"), rest);
    return dotted;
}
