/* scope: the part of a program that can be cancelled, or that has a deadline.
 *
 *     struct cn_scope s;
 *
 *     cn_scope_open(&s, cn_after(2 * CN_SEC), 0);
 *     rc = fetch(url);
 *     rc = cn_scope_close(&s, rc);
 *
 * Scopes nest: each belongs to the task that opened it and is closed by that
 * task, in the reverse order of opening. Cancelling one makes every
 * checkpoint inside it fail with CN_ECANCELED, in this task and in all tasks
 * of groups opened inside, again and again until the scope is closed. The
 * code just returns that error upwards; cn_scope_close() is where it stops.
 *
 * Storage is the caller's, usually a local variable; opening, cancelling and
 * closing never allocate. The one thing that may need memory is the table of
 * deadlines: if it cannot grow, the scope opens already cancelled.
 */
#ifndef CN_RUNTIME_SCOPE_H
#define CN_RUNTIME_SCOPE_H

#include "runtime/loop.h"

/* An entry in the loop's table of deadlines; storage is the owner's. */
struct cn_timer {
    void (*fire)(struct cn_timer *t); /* called by the loop, off the table */
    uint32_t index;                   /* place in the table; 0: not in it */
    uint32_t flags;                   /* the owner's */
};

/* Read through the functions only. */
struct cn_scope {
    struct cn_scope *parent; /* the scope this one was opened in */
    struct cn_scope *inner;  /* what its own task opened directly inside */
    struct cn_task *task;    /* who opened it; NULL: not open */
    cn_time deadline;
    const char *reason;
    struct cn_timer timer; /* its flags hold the state */
};

enum cn_scope_flags {
    CN_SHIELD = 1, /* cancellation of what is around does not come in */
    CN_FAIL = 2,   /* closing after the deadline has struck and was obeyed
                      returns CN_ETIMEDOUT instead of 0 */
};

/* Open a scope in the running task. A deadline that has passed cancels it at
 * once: the block runs up to its first checkpoint. Cannot fail (without a
 * running task it stops the program). */
void cn_scope_open(struct cn_scope *s, cn_time deadline, unsigned flags);

/* Close it. `rc` is the result of the block: 0 or more is success. Returns
 *   rc              as it is, unless it is CN_ECANCELED and this scope was
 *                   cancelled, and no cancelled scope outside is visible from
 *                   here (a shield hides it). Then the cancellation ends here:
 *   0               the scope "caught" it, or
 *   CN_ETIMEDOUT    under CN_FAIL, if the deadline was what cancelled it (a
 *                   scope cancelled by hand first never times out);
 *   CN_EMISNEST     the scope is not the running task's innermost one: a
 *                   mistake in the program, described in cn_error_last().
 *                   Scopes still open inside are closed with it (groups
 *                   among them are cancelled and waited for); a scope of
 *                   another task, or one that is not open, is left alone. */
int cn_scope_close(struct cn_scope *s, int rc);

/* Cancel everything inside, from any task of the loop or any callback on its
 * thread. `reason` is for the dump; it is not copied and may be NULL. Does
 * nothing the second time, and on a scope that is closed. */
void cn_scope_cancel(struct cn_scope *s, const char *reason);

/* cancel() was called or the deadline struck; stays readable after close. */
bool cn_scope_cancelled(const struct cn_scope *s);
/* After close: a cancellation stopped here. */
bool cn_scope_caught(const struct cn_scope *s);
/* What cancel() was given, "deadline", or NULL. */
const char *cn_scope_reason(const struct cn_scope *s);

/* Move the deadline of an open scope, earlier, later, into the past (cancels
 * at once) or to CN_NEVER. No effect once cancelled. */
void cn_scope_set_deadline(struct cn_scope *s, cn_time deadline);
cn_time cn_scope_deadline(const struct cn_scope *s);

/* Raise or drop the shield of an open scope. Dropping it under a cancelled
 * parent cancels the inside at once. */
void cn_scope_set_shield(struct cn_scope *s, bool on);
bool cn_scope_shield(const struct cn_scope *s);

/* The earliest deadline that counts here, through all scopes up to the first
 * shield; INT64_MIN when cancelled, CN_NEVER when none. */
cn_time cn_deadline(void);

/* A scope around one call: open with now + delta, call, close. Returns what
 * cn_scope_close() returns. */
int cn_within(cn_time delta, unsigned flags, cn_fn *fn, void *arg);

/* Put before the name of a local scope to have a forgotten close found: a
 * `return` that skips it stops the program with a message. */
#define CN_SCOPE __attribute__((cleanup(cn_scope_check_closed)))
void cn_scope_check_closed(struct cn_scope *s);

#endif
