/* Returns: what calls of the library give, by heart. Classes are their own
 * constructors and need no row. */
#include "python/internal.h"

struct row {
    const char *callee, *type;
};

static const struct row called[] = {
    {"anyio.create_task_group", "anyio.abc.TaskGroup"},
    {"anyio.fail_after", "anyio.CancelScope"},
    {"anyio.move_on_after", "anyio.CancelScope"},
    {"asyncio.AbstractEventLoopPolicy.get_event_loop", "asyncio.loop"},
    {"asyncio.AbstractEventLoopPolicy.new_event_loop", "asyncio.loop"},
    {"asyncio.Future.get_loop", "asyncio.loop"},
    {"asyncio.Runner.get_loop", "asyncio.loop"},
    {"asyncio.Server.get_loop", "asyncio.loop"},
    {"asyncio.Task.get_loop", "asyncio.loop"},
    {"asyncio.TaskGroup.create_task", "asyncio.Task"},
    {"asyncio._get_running_loop", "asyncio.loop"},
    {"asyncio.create_task", "asyncio.Task"},
    {"asyncio.current_task", "asyncio.Task"},
    {"asyncio.ensure_future", "asyncio.Task"},
    {"asyncio.gather", "asyncio.Future"},
    {"asyncio.get_event_loop", "asyncio.loop"},
    {"asyncio.get_event_loop_policy", "asyncio.AbstractEventLoopPolicy"},
    {"asyncio.get_running_loop", "asyncio.loop"},
    {"asyncio.loop.call_at", "asyncio.TimerHandle"},
    {"asyncio.loop.call_later", "asyncio.TimerHandle"},
    {"asyncio.loop.call_soon", "asyncio.Handle"},
    {"asyncio.loop.call_soon_threadsafe", "asyncio.Handle"},
    {"asyncio.loop.create_future", "asyncio.Future"},
    {"asyncio.loop.create_task", "asyncio.Task"},
    {"asyncio.loop.run_in_executor", "asyncio.Future"},
    {"asyncio.new_event_loop", "asyncio.loop"},
    {"asyncio.run_coroutine_threadsafe", "concurrent.futures.Future"},
    {"asyncio.shield", "asyncio.Future"},
    {"asyncio.timeout", "asyncio.Timeout"},
    {"asyncio.timeout_at", "asyncio.Timeout"},
    {"asyncio.wrap_future", "asyncio.Future"},
    {"concurrent.futures.ProcessPoolExecutor.submit",
     "concurrent.futures.Future"},
    {"concurrent.futures.ThreadPoolExecutor.submit",
     "concurrent.futures.Future"},
    {"trio.open_nursery", "trio.Nursery"},
    {"uvloop.new_event_loop", "asyncio.loop"},
};

static const struct row awaited_rows[] = {
    {"anyio.open_process", "anyio.abc.Process"},
    {"asyncio.create_subprocess_exec", "asyncio.subprocess.Process"},
    {"asyncio.create_subprocess_shell", "asyncio.subprocess.Process"},
    {"asyncio.loop.create_server", "asyncio.Server"},
    {"asyncio.loop.create_unix_server", "asyncio.Server"},
    {"asyncio.start_server", "asyncio.Server"},
    {"asyncio.start_unix_server", "asyncio.Server"},
};

/* `with x() as y` makes y the x. */
static const char *const enter_themselves[] = {
    "anyio.CancelScope",
    "anyio.abc.TaskGroup",
    "asyncio.Runner",
    "asyncio.Server",
    "asyncio.TaskGroup",
    "asyncio.Timeout",
    "concurrent.futures.ProcessPoolExecutor",
    "concurrent.futures.ThreadPoolExecutor",
    "trio.Nursery",
};

static const char *const loops[] = {
    "asyncio.AbstractEventLoop", "asyncio.BaseEventLoop",
    "asyncio.EventLoop",         "asyncio.ProactorEventLoop",
    "asyncio.SelectorEventLoop", "uvloop.Loop",
};

struct cn_str cn_canonical_type(struct cn_str dotted)
{
    for (size_t i = 0; i < CN_COUNT(loops); i++)
        if (cn_str_is(dotted, loops[i]))
            return CN_STR("asyncio.loop");
    return dotted;
}

bool cn_enters_itself(struct cn_str type)
{
    for (size_t i = 0; i < CN_COUNT(enter_themselves); i++)
        if (cn_str_is(type, enter_themselves[i]))
            return true;
    return false;
}

static struct cn_str look_up(const struct row *rows, size_t count,
                             struct cn_str callee)
{
    for (size_t i = 0; i < count; i++)
        if (cn_str_is(callee, rows[i].callee))
            return cn_str_from(rows[i].type);
    return (struct cn_str){"", 0};
}

/* CapWords, not CONSTANTS: what the library and most people call classes. */
static bool looks_like_a_class(struct cn_str dotted)
{
    struct cn_str name = cn_str_sub(
        dotted, (size_t)(cn_str_rfind(dotted, CN_STR(".")) + 1), dotted.len);
    size_t i = 0;

    while (i < name.len && name.ptr[i] == '_')
        i++;
    return i + 1 < name.len && name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' &&
           !(name.ptr[i + 1] >= 'A' && name.ptr[i + 1] <= 'Z');
}

struct cn_str cn_returned_type(struct cn_str dotted, bool awaited)
{
    struct cn_str type;

    if (awaited)
        return look_up(awaited_rows, CN_COUNT(awaited_rows), dotted);
    type = look_up(called, CN_COUNT(called), dotted);
    if (!type.len && looks_like_a_class(dotted))
        type = cn_canonical_type(dotted);
    return type;
}
