/* Errors: one idiom in all layers.
 *
 * A call that can fail returns int (or ssize_t): zero or more is success,
 * below zero is the error itself, never errno. System errors are negative
 * errno values (-ENOENT); Canyon's own are the CN_E* codes below, in a range
 * that no errno uses. Outputs are untouched on failure. Calls that have more
 * to tell take a `struct cn_note *` as their last argument; NULL is allowed.
 *
 * To add a code: one row in CN_ERROR_MAP.
 */
#ifndef CN_BASE_ERR_H
#define CN_BASE_ERR_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

/* name, number, text. Texts are lower case, without a full stop. */
#define CN_ERROR_MAP(X)                                                        \
    X(CN_EEND, -4097, "end of stream")                                         \
    X(CN_ECLOSED, -4098, "closed at this end")                                 \
    X(CN_EBROKEN, -4099, "broken by the other end")                            \
    X(CN_EGROUP, -4100, "several tasks failed")                                \
    X(CN_ENOSTART, -4101, "task ended without reporting that it started")      \
    X(CN_EMISNEST, -4102, "scopes or groups closed out of order")              \
    X(CN_EDEADLOCK, -4103, "no task can ever run again")                       \
    X(CN_ENOTASK, -4104, "called where no task is running")                    \
    X(CN_ESYNTAX, -4105, "syntax error")                                       \
    X(CN_EENCODING, -4106, "text does not decode")                             \
    X(CN_ETOOBIG, -4107, "larger than the limit")                              \
    X(CN_ECHANGED, -4108, "changed since it was read")                         \
    X(CN_ECONFLICT, -4109, "in conflict with another change")                  \
    X(CN_ECONFIG, -4110, "bad configuration")                                  \
    X(CN_EUSAGE, -4111, "bad usage")                                           \
    X(CN_EINTERNAL, -4112, "internal error, please report it")

enum {
#define CN_ERROR_ENUM(name, number, text) name = (number),
    CN_ERROR_MAP(CN_ERROR_ENUM)
#undef CN_ERROR_ENUM
        CN_ENOMEM = -ENOMEM,
    CN_ECANCELED = -ECANCELED,
    CN_ETIMEDOUT = -ETIMEDOUT,
    CN_EBUSY = -EBUSY,
    CN_EAGAIN = -EAGAIN,
    CN_EINVAL = -EINVAL,
};

/* The text of a code, ours or the system's; never NULL, never freed. Any
 * thread may call it. */
const char *cn_strerror(int code);

/* The name of a code ("CN_EEND", "ENOENT"), or "?" when unknown. */
const char *cn_errname(int code);

/* What went wrong, in words, beside the code. Caller's memory; a zeroed note
 * is empty. */
struct cn_note {
    int code;
    uint32_t line; /* 1-based place in the text at fault; 0: none */
    uint32_t column;
    char message[232];
};

/* Fill a note and return `code`, so that `return cn_note_set(...)` is the
 * failing line. A NULL note is allowed. Messages too long are cut. */
int cn_note_set(struct cn_note *note, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
