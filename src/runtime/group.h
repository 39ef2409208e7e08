/* group: tasks with one lifetime.
 *
 *     struct cn_group g;
 *
 *     cn_group_open(&g);
 *     cn_spawn(&g, serve, &a);
 *     cn_spawn(&g, serve, &b);
 *     rc = cn_group_close(&g, 0);
 *
 * cn_group_close() returns only when every task of the group has ended, so
 * nothing started inside outlives it, and `&local` is a sound argument for a
 * task. A group is a scope too (cn_group_scope()): what it contains can be
 * cancelled, shielded, or given a deadline.
 *
 * What happens when:
 *   a task fails             the group is cancelled: its other tasks and the
 *                            block that opened it; the error is kept
 *   the block fails          the same, with the block's error
 *   several fail             all errors are kept, in the order they ended
 *   a task returns           not a failure. So it is nothing when a task
 *   CN_ECANCELED             ends by cancellation, whoever cancelled it
 *   a task fails while the   its error is kept like any other
 *   group is cancelled
 *   the group is empty       close is still a checkpoint, a shielded one
 *   close is cancelled from  the tasks are inside, so they are cancelled as
 *   outside                  well; close waits for them, then says
 *                            CN_ECANCELED unless there are errors to report
 *   a task is spawned while  it belongs to the group; close waits for it too
 *   the group closes
 *   a task is spawned in a   it runs up to its first checkpoint
 *   cancelled group
 */
#ifndef CN_RUNTIME_GROUP_H
#define CN_RUNTIME_GROUP_H

#include "runtime/scope.h"

struct cn_task;
struct cn_task_kind;
struct cn_wait;

/* Read through the functions only. */
struct cn_group {
    struct cn_scope scope;
    struct cn_link tasks; /* all that have not ended */
    struct cn_link kept;  /* ended, handle still held */
    struct cn_wait *closer;
    const struct cn_error *errors, **errors_end;
    uint32_t task_count, error_count;
    int first_code; /* of the first failure: known even without memory */
    int block_code; /* what close was given */
    const char *name;
};

/* Open a group, and its scope, in the running task. Cannot fail. */
void cn_group_open(struct cn_group *g);

/* [cp] Close it; `rc` is the result of the block that opened it. Waits for
 * all tasks. Returns
 *   0             all is well, or a cancellation of this very group was
 *                 obeyed;
 *   a code        the one error there was (or rc itself if above zero);
 *   CN_EGROUP     several errors;
 *   CN_ECANCELED  a scope outside is cancelled, and there are no errors;
 *   CN_EMISNEST   as cn_scope_close().
 * On an error cn_error_last() tells where and in which task. */
int cn_group_close(struct cn_group *g, int rc);
int cn_group_close_begin(struct cn_group *g, int rc, struct cn_pending *p);

struct cn_scope *cn_group_scope(struct cn_group *g);
/* For the dump; not copied. */
void cn_group_set_name(struct cn_group *g, const char *name);
/* Tasks that have not ended. */
size_t cn_group_task_count(const struct cn_group *g);
/* The errors so far (or, after close, those that close reported; they live
 * as long as cn_error_last() there). First failure first; NULL if none. */
const struct cn_error *cn_group_errors(const struct cn_group *g);

/* Start fn(arg) as a task of `g`, from any task of the loop. It is queued and
 * runs when the others give way. `arg` must stay valid until the task ends,
 * which the group guarantees for anything that outlives the group.
 * Returns 0, CN_ENOMEM, or CN_ECLOSED if the group is not open. */
int cn_spawn(struct cn_group *g, cn_fn *fn, void *arg);

struct cn_task_options {
    const char *name;  /* for dumps and errors; copied, cut at 31 bytes */
    size_t stack_size; /* 0: the loop's. Rounded up to a power of two */
    const void *copy;  /* fn gets the address of a copy of these copy_len */
    size_t copy_len;   /* bytes instead of arg, aligned for any type: the */
                       /* idiom for tasks spawned in a loop */
    const struct cn_task_kind *kind; /* NULL: a task with a stack */
};

/* As cn_spawn(), with options (NULL allowed), and a handle in *out (NULL:
 * none wanted). A handle is valid until its group has closed or it is given
 * back with cn_task_release(), whichever comes first. */
int cn_spawn_opt(struct cn_group *g, cn_fn *fn, void *arg,
                 const struct cn_task_options *o, struct cn_task **out);

/* [cp] Start fn(arg) in `g` and wait until it calls cn_started(), whose value
 * (at most len bytes) is copied to *value. Until then the child is in the
 * caller's scope, so the caller's deadline bounds the start; from then on it
 * is in the group's. `g` cannot close meanwhile.
 * Returns 0, or
 *   CN_ENOSTART   the child ended with success without cn_started();
 *   a code        the child's own, if it failed before it had started; then
 *                 the group knows nothing of it;
 *   CN_ECANCELED  the caller was cancelled; the child was too, and has ended;
 *   CN_ENOMEM, CN_ECLOSED as cn_spawn(). */
int cn_start(struct cn_group *g, cn_fn *fn, void *arg, void *value, size_t len);
int cn_start_begin(struct cn_group *g, cn_fn *fn, void *arg, void *value,
                   size_t len, const struct cn_task_options *o,
                   struct cn_pending *p);

/* In the child: report that it has started. The bytes are copied before this
 * returns. CN_EINVAL: not started by cn_start(), or reported already, or the
 * value is longer than the caller's buffer. */
int cn_started(const void *value, size_t len);

/* --- tasks ------------------------------------------------------------------
 */

/* The running task, or NULL. A task spawned without a handle may be compared
 * and named, not waited for. */
struct cn_task *cn_self(void);
/* Never NULL. A task without a name is called after its function. */
const char *cn_task_name(const struct cn_task *t);

enum cn_task_status {
    CN_TASK_PENDING,    /* has not ended */
    CN_TASK_CANCELLING, /* cn_task_cancel() was called, has not ended */
    CN_TASK_FINISHED,   /* ended with 0 or more */
    CN_TASK_CANCELLED,  /* ended with CN_ECANCELED */
    CN_TASK_FAILED,     /* ended with another code */
};

/* The four below need a handle from cn_spawn_opt(). */
enum cn_task_status cn_task_status(const struct cn_task *t);
/* What its function returned; CN_EBUSY while it has not ended. */
int cn_task_result(const struct cn_task *t);
/* [cp] Wait for its end, however it ends; *rc (NULL allowed) is its result.
 * Its failure is not this call's failure. */
int cn_task_wait(struct cn_task *t, int *rc);
int cn_task_wait_begin(struct cn_task *t, int *rc, struct cn_pending *p);
/* Cancel this task and all under it. No effect on one that has ended. */
void cn_task_cancel(struct cn_task *t, const char *reason);
/* Give the handle back before the group closes: servers that run for ever
 * and take handles should. The task itself runs on. */
void cn_task_release(struct cn_task *t);

/* Task-local values, by the address of a key. A child inherits the values of
 * the task that spawned it as they were then; setting one later is not seen
 * by the other. set: CN_ENOMEM, nothing changed. */
void *cn_local_get(const void *key);
int cn_local_set(const void *key, void *value);

#endif
