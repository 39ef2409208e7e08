/* error: what failed, where, in which task, in words.
 *
 * A task returns a code; words and place go beside it with cn_fail(). The
 * record belongs to the task that made it. When the task ends with that very
 * code, its group takes the record over; when the group's block fails because
 * of it, the record belongs to the task that closed the group. So an error
 * climbs the tree of tasks together with its record, and the errors of a
 * nested group stay nested.
 *
 * A record lives until its task records another error, calls
 * cn_error_clear(), or ends.
 */
#ifndef CN_RUNTIME_ERROR_H
#define CN_RUNTIME_ERROR_H

#include "base/base.h"

#include <stdio.h>

struct cn_error {
    int code;
    const char *where;               /* "src/x.c:120"; "" when unknown */
    const struct cn_error *children; /* of CN_EGROUP: the tasks' errors, first
                                        failure first; else NULL */
    const struct cn_error *next;     /* the next child of the same group */
    char task[32];                   /* the name of the task that failed */
    char message[104];               /* "" when nobody said anything */
};

#define CN_STRINGIFY_(x) #x
#define CN_STRINGIFY(x)  CN_STRINGIFY_(x)
#define CN_HERE          __FILE__ ":" CN_STRINGIFY(__LINE__)

/* Attach words and this place to `code` (below zero), as the running task's
 * latest error, and return `code`: `return cn_fail(-EIO, "page %d", n);`.
 * Without a running task, or without memory, only the code is returned. */
#define cn_fail(code, ...) cn_error_set((code), CN_HERE, __VA_ARGS__)
int cn_error_set(int code, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The running task's latest error, or NULL. After cn_group_close() returned
 * an error, this is that error, with its children. */
const struct cn_error *cn_error_last(void);
void cn_error_clear(void);

/* An indented line per error. `e` may be NULL. */
void cn_error_print(const struct cn_error *e, FILE *f);

/* Free a record that cn_run() handed out. NULL is allowed. */
void cn_error_free(const struct cn_error *e);

#endif
