/* Slices and buffers.
 *
 * cn_str is a pointer and a length into somebody else's bytes: it owns
 * nothing, need not end in NUL, and may hold NULs. cn_buf is a growing
 * buffer that is born with a maximum; passing it sets a sticky error instead
 * of growing for ever, so that a row of appends needs one check at the end.
 */
#ifndef CN_BASE_STR_H
#define CN_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cn_arena;

struct cn_str {
    const char *ptr;
    size_t len;
};

/* A slice of a string literal, and of a NUL-terminated string. */
#define CN_STR(literal) ((struct cn_str){"" literal, sizeof(literal) - 1})
static inline struct cn_str cn_str_from(const char *z)
{
    return (struct cn_str){z, z ? strlen(z) : 0};
}

/* For printf: printf("%.*s", CN_STR_ARG(s)). */
#define CN_STR_ARG(s) (int)(s).len, (s).ptr

static inline bool cn_str_eq(struct cn_str a, struct cn_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
static inline bool cn_str_is(struct cn_str a, const char *z)
{
    return cn_str_eq(a, cn_str_from(z));
}

/* Bytewise order, shorter first when one is a prefix: below, equal, above 0. */
int cn_str_cmp(struct cn_str a, struct cn_str b);

bool cn_str_starts(struct cn_str s, struct cn_str prefix);
bool cn_str_ends(struct cn_str s, struct cn_str suffix);

/* Bytes [from, to) of `s`; both are clamped to its length. */
struct cn_str cn_str_sub(struct cn_str s, size_t from, size_t to);

/* Where `needle` first (last) stands in `s`, or -1. */
ptrdiff_t cn_str_find(struct cn_str s, struct cn_str needle);
ptrdiff_t cn_str_rfind(struct cn_str s, struct cn_str needle);

/* Without ASCII white space at both ends. */
struct cn_str cn_str_trim(struct cn_str s);

/* Cut the text before the first `sep` off the front of `*s` and return it;
 * without a `sep` the whole of it. False when nothing was left. */
bool cn_str_cut(struct cn_str *s, char sep, struct cn_str *out);

/* A NUL-terminated copy in the arena. */
char *cn_str_dup(struct cn_arena *arena, struct cn_str s);

/* printf into the arena, as a slice that is also NUL-terminated. */
struct cn_str cn_str_fmt(struct cn_arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct cn_str cn_str_vfmt(struct cn_arena *arena, const char *fmt, va_list ap);

/* --- buffers ------------------------------------------------------------ */

struct cn_buf {
    char *ptr; /* always NUL-terminated once something was added */
    size_t len, cap, max;
    int err; /* 0, CN_ETOOBIG or CN_ENOMEM; sticky, appends do nothing then */
};

/* An empty buffer that may grow to `max` bytes. Cannot fail. */
void cn_buf_init(struct cn_buf *b, size_t max);
/* Free the bytes; the buffer is empty and usable again. */
void cn_buf_done(struct cn_buf *b);
/* Forget the content and the error, keep the memory. */
void cn_buf_clear(struct cn_buf *b);
void cn_buf_add(struct cn_buf *b, const void *bytes, size_t len);
void cn_buf_add_str(struct cn_buf *b, struct cn_str s);
void cn_buf_add_z(struct cn_buf *b, const char *z);
void cn_buf_add_char(struct cn_buf *b, char c);
void cn_buf_fmt(struct cn_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static inline struct cn_str cn_buf_str(const struct cn_buf *b)
{
    return (struct cn_str){b->ptr ? b->ptr : "", b->len};
}

#endif
