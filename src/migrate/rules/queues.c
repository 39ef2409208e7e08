/* queues: asyncio's queues become the support module's: one object for both
 * ends, join() and task_done(), giving way only when they must wait. */
#include "migrate/rules/dropin.h"

static const struct cn_dropin_row queue = {
    .reason = "a queue has one object for both ends",
    .names =
        (const struct cn_dropin[]){
            {"asyncio.Queue", "Queue", NULL, 0},
            {"asyncio.LifoQueue", "LifoQueue", NULL, 0},
            {"asyncio.PriorityQueue", "PriorityQueue", NULL, 0},
            {0}},
};

static const struct cn_dropin_row queue_error = {
    .reason = "it belongs to a queue",
    .names =
        (const struct cn_dropin[]){
            {"asyncio.QueueEmpty", "QueueEmpty", NULL, 0},
            {"asyncio.QueueFull", "QueueFull", NULL, 0},
            {"asyncio.QueueShutDown", "QueueShutDown", NULL, 0},
            {0}},
};

static const struct cn_rule rules[] = {
    {.code = "CN611",
     .name = "queue",
     .summary = "queues are the support module's, with asyncio's interface",
     .names = CN_NAMES("asyncio.Queue", "asyncio.LifoQueue",
                       "asyncio.PriorityQueue"),
     .check = cn_dropin_check,
     .data = &queue,
     .advice = "`send, receive = anyio.create_memory_object_stream(math.inf)`: "
               "asyncio.Queue() is unbounded, a stream of size 0 waits for its "
               "receiver; close `send` instead of join() and sentinels"},
    {.code = "CN612",
     .name = "queue-error",
     .summary = "the queues' errors go with the queues",
     .names = CN_NAMES("asyncio.QueueEmpty", "asyncio.QueueFull",
                       "asyncio.QueueShutDown"),
     .check = cn_dropin_check,
     .data = &queue_error,
     .advice = "anyio.WouldBlock for QueueEmpty and QueueFull; "
               "anyio.EndOfStream or anyio.ClosedResourceError for "
               "QueueShutDown"},
};

CN_FAMILY(queues);
