/* tasks: tasks that outlive the call, gather and its kin, futures. They become
 * the support module's, whose names and meaning are asyncio's. Not here:
 * cancellation handlers (cancel.c), and the methods of the objects, which stay
 * as they are. */
#include "migrate/rules/dropin.h"

static const char detached[] =
    "as before it belongs to nobody; on trio cancel() is repeated at every "
    "checkpoint";
static const char own_kind[] =
    "only code that was migrated knows this kind of future";

static const char *const task_extras[] = {".get_stack(", ".print_stack(",
                                          ".get_loop(", NULL};

static const struct cn_dropin_row create_task = {
    .reason = "who waits for the task, and who gets its error, is not said "
              "here",
    .names =
        (const struct cn_dropin[]){
            {"asyncio.create_task", "create_task", detached, 0},
            {"asyncio.loop.create_task", "create_task", detached, 0},
            {"asyncio.ensure_future", "ensure_future", detached,
             CN_DROPIN_IN_LOOP},
            {0}},
    .not_beside = task_extras,
};

static const struct cn_dropin_row task_object = {
    .reason = "a task object is cancelled, awaited or asked for its state",
    .names =
        (const struct cn_dropin[]){{"asyncio.Task", "Task", own_kind, 0}, {0}},
    .not_beside = task_extras,
};

static const struct cn_dropin_row gather = {
    .reason = "errors come as an exception group and cancel the siblings",
    .names =
        (const struct cn_dropin[]){
            {"asyncio.gather", "gather", NULL, CN_DROPIN_IN_LOOP}, {0}},
};

static const struct cn_dropin_row as_completed = {
    .reason = "an error ends the whole loop, as an exception group",
    .names = (const struct cn_dropin[]){{"asyncio.as_completed", "as_completed",
                                         NULL, CN_DROPIN_IN_LOOP},
                                        {0}},
};

static const struct cn_dropin_row wait = {
    .reason = "it hands out sets of tasks",
    .names =
        (const struct cn_dropin[]){
            {"asyncio.wait", "wait", NULL, 0},
            {"asyncio.ALL_COMPLETED", "ALL_COMPLETED", NULL, 0},
            {"asyncio.FIRST_COMPLETED", "FIRST_COMPLETED", NULL, 0},
            {"asyncio.FIRST_EXCEPTION", "FIRST_EXCEPTION", NULL, 0},
            {0}},
};

static const struct cn_dropin_row future = {
    .reason = "a future is awaited in one place and set in another",
    .names =
        (const struct cn_dropin[]){
            {"asyncio.Future", "Future", own_kind, 0},
            {"asyncio.loop.create_future", "Future", own_kind, 0},
            {"asyncio.isfuture", "isfuture", own_kind, 0},
            {"asyncio.InvalidStateError", "InvalidStateError", NULL, 0},
            {0}},
    .not_beside = task_extras,
};

static const struct cn_dropin_row barrier = {
    .reason = "AnyIO has no barrier",
    .names = (const struct cn_dropin[]){{"asyncio.Barrier", "Barrier", NULL, 0},
                                        {"asyncio.BrokenBarrierError",
                                         "BrokenBarrierError", NULL, 0},
                                        {0}},
};

static const struct cn_rule rules[] = {
    {.code = "CN601",
     .name = "create-task",
     .summary = "a task that outlives the call is the support module's",
     .names = CN_NAMES("asyncio.create_task", "asyncio.ensure_future",
                       "asyncio.loop.create_task"),
     .check = cn_dropin_check,
     .data = &create_task,
     .advice = "start it in a task group that ends with its owner: `async with "
               "anyio.create_task_group() as tg: tg.start_soon(f, x)`; hand tg "
               "to functions that start tasks"},
    {.code = "CN602",
     .name = "task-object",
     .summary = "asyncio.Task is the support module's Task",
     .names = CN_NAMES("asyncio.Task"),
     .check = cn_dropin_check,
     .data = &task_object,
     .advice = "cancel the CancelScope around the work instead of the task; "
               "wait by leaving the task group; results: "
               "TaskHandle.return_value (AnyIO 4.14)"},
    {.code = "CN604",
     .name = "gather",
     .summary = "gather keeps its order, its errors and its siblings",
     .names = CN_NAMES("asyncio.gather"),
     .check = cn_dropin_check,
     .data = &gather,
     .advice = "start the calls in a task group and keep their handles (AnyIO "
               "4.14), or anyio.gather() from 4.15 on; for "
               "return_exceptions=True catch inside each child"},
    {.code = "CN605",
     .name = "as-completed",
     .summary = "as_completed gives awaitables in the order of readiness",
     .names = CN_NAMES("asyncio.as_completed"),
     .check = cn_dropin_check,
     .data = &as_completed,
     .advice = "anyio.as_completed() from AnyIO 4.15 on; before, children send "
               "their results into a memory object stream"},
    {.code = "CN606",
     .name = "wait",
     .summary = "wait gives the sets of tasks that are done and pending",
     .names = CN_NAMES("asyncio.wait", "asyncio.ALL_COMPLETED",
                       "asyncio.FIRST_COMPLETED", "asyncio.FIRST_EXCEPTION"),
     .check = cn_dropin_check,
     .data = &wait,
     .advice = "first result wins: children set a result and cancel the "
               "group's cancel_scope; all done: leave the group; with a "
               "timeout: anyio.move_on_after()"},
    {.code = "CN613",
     .name = "future",
     .summary = "futures are the support module's Future",
     .names = CN_NAMES("asyncio.Future", "asyncio.loop.create_future",
                       "asyncio.isfuture", "asyncio.InvalidStateError"),
     .check = cn_dropin_check,
     .data = &future,
     .advice = "anyio.Future() from 4.15 on (return_value, exception), before "
               "an anyio.Event and an attribute for the value"},
    {.code = "CN671",
     .name = "barrier",
     .summary = "barriers are the support module's Barrier",
     .names = CN_NAMES("asyncio.Barrier", "asyncio.BrokenBarrierError"),
     .check = cn_dropin_check,
     .data = &barrier,
     .advice = "an anyio.Condition with a counter, or a task group per phase"},
};

CN_FAMILY(tasks);
