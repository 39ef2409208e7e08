/* index: advice for every name of asyncio that no rule changes yet. Rows only:
 * a rule that learns to change one of these names takes the name out of its
 * row here, into a family of its own. check-length: table */
#include "migrate/rule.h"

#define ROW(number, words, what, why, todo, ...)                               \
    {                                                                          \
        .code = number, .name = words, .summary = what,                        \
        .names = CN_NAMES(__VA_ARGS__), .data = why, .advice = todo,           \
    }

static const struct cn_rule rules[] = {
    /* --- tasks ------------------------------------------------------------ */
    ROW("CN603", "task-group", "asyncio.TaskGroup has another shape in AnyIO",
        "results and handles differ",
        "`async with anyio.create_task_group() as tg`; tg.create_task() gives "
        "a TaskHandle from AnyIO 4.14 on (return_value, not result()), before "
        "that tg.start_soon(f, x) gives nothing",
        "asyncio.TaskGroup", "asyncio.TaskGroup.*"),
    ROW("CN607", "all-tasks", "tasks cannot be found and cancelled by listing",
        "AnyIO lists TaskInfo objects, which cannot be cancelled",
        "cancel the outermost CancelScope; for a report "
        "anyio.get_running_tasks()",
        "asyncio.all_tasks"),
    ROW("CN608", "task-factory", "AnyIO has no task factories",
        "AnyIO's groups always start tasks themselves", "delete it",
        "asyncio.create_eager_task_factory", "asyncio.eager_task_factory",
        "asyncio.loop.set_task_factory", "asyncio.loop.get_task_factory"),
    /* --- queues, futures -------------------------------------------------- */
    ROW("CN614", "wrap-future", "a thread's future is waited for in a thread",
        "AnyIO does not await concurrent.futures.Future",
        "await to_thread.run_sync(future.result, abandon_on_cancel=True), or "
        "start the work with to_thread.run_sync() in the first place",
        "asyncio.wrap_future"),
    /* --- threads ---------------------------------------------------------- */
    ROW("CN621", "call-from-thread", "threads call in through AnyIO's own door",
        "it needs the loop object",
        "in a thread of to_thread.run_sync(): from_thread.run(f, x) or "
        "from_thread.run_sync(f, x); in other threads a "
        "from_thread.BlockingPortal: portal.call(f, x), "
        "portal.start_task_soon(f, x)",
        "asyncio.run_coroutine_threadsafe",
        "asyncio.loop.call_soon_threadsafe"),
    ROW("CN622", "default-executor", "the number of threads is a limiter's",
        "AnyIO's worker threads are no executor",
        "to_thread.current_default_thread_limiter().total_tokens = n, in the "
        "loop",
        "asyncio.loop.set_default_executor"),
    /* --- the loop --------------------------------------------------------- */
    ROW("CN631", "loop-callback", "AnyIO has no callbacks on the loop",
        "a plain function is called later, with nobody waiting",
        "a task that sleeps first: `async def later(): await anyio.sleep(d); "
        "f()`, started in a task group; cancel its scope for handle.cancel()",
        "asyncio.loop.call_soon", "asyncio.loop.call_later",
        "asyncio.loop.call_at", "asyncio.Handle", "asyncio.Handle.*",
        "asyncio.TimerHandle", "asyncio.TimerHandle.*"),
    ROW("CN632", "loop-control", "AnyIO has no loop to start and stop",
        "the loop is started, stopped or asked whether it runs",
        "anyio.run() a main function that awaits anyio.sleep_forever(); cancel "
        "its task group's cancel_scope instead of loop.stop()",
        "asyncio.loop.run_forever", "asyncio.loop.stop", "asyncio.loop.close",
        "asyncio.loop.is_running", "asyncio.loop.is_closed",
        "asyncio.loop.shutdown_asyncgens",
        "asyncio.loop.shutdown_default_executor"),
    ROW("CN633", "loop-hook", "AnyIO has no hooks of the loop",
        "AnyIO has no such hook",
        "errors reach the task group: catch them there; debug mode: "
        "anyio.run(main, backend_options={\"debug\": True}) on asyncio",
        "asyncio.loop.set_exception_handler",
        "asyncio.loop.get_exception_handler",
        "asyncio.loop.default_exception_handler",
        "asyncio.loop.call_exception_handler", "asyncio.loop.set_debug",
        "asyncio.loop.get_debug", "asyncio.loop.slow_callback_duration"),
    ROW("CN634", "loop-type", "loop classes have no counterpart",
        "a loop is an implementation detail in AnyIO",
        "delete the annotation or parameter once nothing needs the loop; "
        "anyio.lowlevel.EventLoopToken stands for a running loop",
        "asyncio.AbstractEventLoop", "asyncio.BaseEventLoop",
        "asyncio.EventLoop", "asyncio.SelectorEventLoop",
        "asyncio.ProactorEventLoop", "asyncio.IocpProactor",
        "asyncio.base_events.*", "asyncio.selector_events.*",
        "asyncio.proactor_events.*", "asyncio.unix_events.*",
        "asyncio.windows_events.*"),
    ROW("CN635", "loop-policy", "policies become an option of anyio.run()",
        "AnyIO has no event loop policies",
        "anyio.run(main, backend_options={\"use_uvloop\": True}) for uvloop, "
        "{\"loop_factory\": ...} for another loop; child watchers: delete",
        "asyncio.AbstractEventLoopPolicy", "asyncio.DefaultEventLoopPolicy",
        "asyncio.WindowsSelectorEventLoopPolicy",
        "asyncio.WindowsProactorEventLoopPolicy",
        "asyncio.get_event_loop_policy", "asyncio.set_event_loop_policy",
        "asyncio.AbstractChildWatcher", "asyncio.FastChildWatcher",
        "asyncio.MultiLoopChildWatcher", "asyncio.PidfdChildWatcher",
        "asyncio.SafeChildWatcher", "asyncio.ThreadedChildWatcher",
        "asyncio.get_child_watcher", "asyncio.set_child_watcher"),
    ROW("CN636", "signal-handler", "signals are received in a task",
        "handlers become a loop over signals",
        "`with anyio.open_signal_receiver(signal.SIGTERM) as signals: async "
        "for signum in signals: ...`, in a task of its own",
        "asyncio.loop.add_signal_handler",
        "asyncio.loop.remove_signal_handler"),
    ROW("CN637", "fd-callback", "file descriptors are waited for in a task",
        "callbacks become a loop",
        "`while True: await anyio.wait_readable(fd); f()` in a task (AnyIO "
        "4.7); cancel the task to stop",
        "asyncio.loop.add_reader", "asyncio.loop.add_writer",
        "asyncio.loop.remove_reader", "asyncio.loop.remove_writer"),
    ROW("CN638", "sock-method", "raw sockets are wrapped or waited for",
        "the loop's socket methods are asyncio's own",
        "anyio.abc.SocketStream.from_socket(sock) (AnyIO 4.10), or a "
        "non-blocking call after anyio.wait_readable(sock)",
        "asyncio.loop.sock_connect", "asyncio.loop.sock_accept",
        "asyncio.loop.sock_recv", "asyncio.loop.sock_recv_into",
        "asyncio.loop.sock_recvfrom", "asyncio.loop.sock_recvfrom_into",
        "asyncio.loop.sock_sendall", "asyncio.loop.sock_sendto",
        "asyncio.loop.sock_sendfile"),
    ROW("CN639", "name-lookup", "AnyIO looks up names without a loop object",
        "IPv6 addresses come as (host, port) from AnyIO",
        "await anyio.getaddrinfo(...), await anyio.getnameinfo(...)",
        "asyncio.loop.getaddrinfo", "asyncio.loop.getnameinfo"),
    ROW("CN640", "loop-method", "a method of the loop without a counterpart",
        "it is a method of the event loop",
        "AnyIO has no loop object; look for a function in anyio's top level",
        "asyncio.loop.*"),
    /* --- streams and processes -------------------------------------------- */
    ROW("CN655", "protocol", "callbacks of protocols become loops over streams",
        "transports and protocols exist on asyncio only",
        "rewrite on anyio.connect_tcp(), create_tcp_listener(), "
        "create_udp_socket(), TLSStream.wrap()",
        "asyncio.BaseProtocol", "asyncio.Protocol", "asyncio.BufferedProtocol",
        "asyncio.DatagramProtocol", "asyncio.SubprocessProtocol",
        "asyncio.StreamReaderProtocol", "asyncio.BaseTransport",
        "asyncio.Transport", "asyncio.ReadTransport", "asyncio.WriteTransport",
        "asyncio.DatagramTransport", "asyncio.SubprocessTransport",
        "asyncio.loop.create_connection", "asyncio.loop.create_server",
        "asyncio.loop.create_unix_connection",
        "asyncio.loop.create_unix_server",
        "asyncio.loop.create_datagram_endpoint",
        "asyncio.loop.connect_accepted_socket",
        "asyncio.loop.connect_read_pipe", "asyncio.loop.connect_write_pipe",
        "asyncio.loop.start_tls", "asyncio.loop.sendfile",
        "asyncio.loop.subprocess_exec", "asyncio.loop.subprocess_shell"),
    ROW("CN664", "subprocess-module", "asyncio.subprocess is a value here",
        "the module is used as a value",
        "import subprocess for its constants; processes are "
        "anyio.open_process()'s",
        "asyncio.subprocess", "asyncio.SendfileNotAvailableError"),
    /* --- the rest --------------------------------------------------------- */
    ROW("CN672", "call-graph", "asyncio's debugging helpers stay asyncio's",
        "it shows asyncio's own tasks", "keep it on asyncio, or delete it",
        "asyncio.FrameCallGraphEntry", "asyncio.FutureCallGraph",
        "asyncio.capture_call_graph", "asyncio.format_call_graph",
        "asyncio.print_call_graph", "asyncio.future_add_to_awaited_by",
        "asyncio.future_discard_from_awaited_by"),
    ROW("CN673", "asyncio-internal",
        "asyncio's inner parts have no counterpart",
        "it is an inner part of asyncio",
        "find out what it is needed for; AnyIO has nothing of the kind",
        "asyncio._get_running_loop", "asyncio._set_running_loop",
        "asyncio._enter_task", "asyncio._leave_task", "asyncio._register_task",
        "asyncio._unregister_task", "asyncio.coroutine", "asyncio.log",
        "asyncio.log.*", "asyncio.constants", "asyncio.constants.*",
        "asyncio.sslproto.*", "asyncio.trsock.*", "asyncio.base_futures.*",
        "asyncio.base_tasks.*", "asyncio.format_helpers.*",
        "asyncio.staggered.*", "asyncio.coroutines.*", "asyncio.tasks.*",
        "asyncio.futures.*", "asyncio.events.*", "asyncio.locks.*",
        "asyncio.queues.*", "asyncio.streams.*", "asyncio.runners.*",
        "asyncio.transports.*", "asyncio.protocols.*"),
    ROW("CN674", "asyncio-module", "the module asyncio itself is a value here",
        "the module itself is used as a value",
        "patch or look up the AnyIO name instead", "asyncio", "asyncio.tasks",
        "asyncio.events", "asyncio.futures", "asyncio.locks", "asyncio.queues",
        "asyncio.streams", "asyncio.coroutines", "asyncio.runners",
        "asyncio.transports", "asyncio.protocols", "asyncio.exceptions",
        "asyncio.timeouts", "asyncio.taskgroups", "asyncio.threads",
        "asyncio.base_events"),
};

CN_FAMILY(index);
