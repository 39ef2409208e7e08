/* runtime: structured concurrency for C, with AnyIO's model.
 *
 * Tasks run on one loop per thread. Every task belongs to a group, every
 * group to the block of code that opened it; a block does not end before its
 * tasks have. Cancelling is a property of scopes, and so are deadlines.
 *
 *   loop.h    cn_run, the clock, checkpoints, sleeping, dumps
 *   scope.h   cancel scopes and deadlines
 *   group.h   groups, tasks, task-local values
 *   error.h   what failed, where, in words
 *   sync.h    event, lock, semaphore, condition, capacity limiter
 *   chan.h    channels between tasks
 *   select.h  the first of several
 *   thread.h  worker threads, and calls from threads
 *   op.h      operations of the kernel; readiness of file descriptors
 *   sys.h     the system's calls as checkpoints: read, accept, open, ...
 *   sim.h     the backend "sim": a world without a kernel, for tests
 *   wait.h    for extensions: how tasks wait, kinds of tasks
 *   backend.h for extensions: what carries operations out (not included here)
 *
 * Includes nothing of Canyon but base.
 */
#ifndef CN_RUNTIME_H
#define CN_RUNTIME_H

#include "runtime/chan.h"
#include "runtime/error.h"
#include "runtime/group.h"
#include "runtime/loop.h"
#include "runtime/op.h"
#include "runtime/scope.h"
#include "runtime/select.h"
#include "runtime/sim.h"
#include "runtime/sync.h"
#include "runtime/sys.h"
#include "runtime/thread.h"
#include "runtime/wait.h"

#endif
