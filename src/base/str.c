/* Slices and buffers: see str.h. A buffer's invariant: ptr is NULL or holds
 * cap bytes of which len are used and followed by a NUL; len <= max. */
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/err.h"

int cn_str_cmp(struct cn_str a, struct cn_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

    if (order)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool cn_str_starts(struct cn_str s, struct cn_str prefix)
{
    return s.len >= prefix.len &&
           cn_str_eq(cn_str_sub(s, 0, prefix.len), prefix);
}

bool cn_str_ends(struct cn_str s, struct cn_str suffix)
{
    return s.len >= suffix.len &&
           cn_str_eq(cn_str_sub(s, s.len - suffix.len, s.len), suffix);
}

struct cn_str cn_str_sub(struct cn_str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (struct cn_str){s.ptr + from, to - from};
}

ptrdiff_t cn_str_find(struct cn_str s, struct cn_str needle)
{
    if (!needle.len)
        return 0;
    const char *at =
        s.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;

    return at ? at - s.ptr : -1;
}

ptrdiff_t cn_str_rfind(struct cn_str s, struct cn_str needle)
{
    if (needle.len > s.len)
        return -1;
    for (size_t i = s.len - needle.len + 1; i-- > 0;)
        if (cn_str_eq(cn_str_sub(s, i, i + needle.len), needle))
            return (ptrdiff_t)i;
    return -1;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct cn_str cn_str_trim(struct cn_str s)
{
    while (s.len && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool cn_str_cut(struct cn_str *s, char sep, struct cn_str *out)
{
    if (!s->ptr)
        return false;
    const char *at = s->len ? memchr(s->ptr, sep, s->len) : NULL;

    if (!at) {
        *out = *s;
        *s = (struct cn_str){NULL, 0};
        return true;
    }
    size_t len = (size_t)(at - s->ptr);

    *out = (struct cn_str){s->ptr, len};
    *s = (struct cn_str){at + 1, s->len - len - 1};
    return true;
}

char *cn_str_dup(struct cn_arena *arena, struct cn_str s)
{
    char *z = cn_arena_alloc(arena, s.len + 1);

    if (s.len)
        memcpy(z, s.ptr, s.len);
    z[s.len] = '\0';
    return z;
}

struct cn_str cn_str_vfmt(struct cn_arena *arena, const char *fmt, va_list ap)
{
    va_list again;

    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);

    cn_assert(len >= 0);
    char *z = cn_arena_alloc(arena, (size_t)len + 1);

    vsnprintf(z, (size_t)len + 1, fmt, again);
    va_end(again);
    return (struct cn_str){z, (size_t)len};
}

struct cn_str cn_str_fmt(struct cn_arena *arena, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    struct cn_str s = cn_str_vfmt(arena, fmt, ap);

    va_end(ap);
    return s;
}

/* --- buffers ------------------------------------------------------------ */

void cn_buf_init(struct cn_buf *b, size_t max)
{
    *b = (struct cn_buf){.max = max};
}

void cn_buf_done(struct cn_buf *b)
{
    free(b->ptr);
    cn_buf_init(b, b->max);
}

void cn_buf_clear(struct cn_buf *b)
{
    b->len = 0;
    b->err = 0;
    if (b->ptr)
        b->ptr[0] = '\0';
}

/* Room for `more` bytes and a NUL, or a sticky error and false. */
static bool reserve(struct cn_buf *b, size_t more)
{
    if (b->err)
        return false;
    if (more > b->max - b->len) {
        b->err = CN_ETOOBIG;
        return false;
    }
    size_t want = b->len + more + 1;

    if (want <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap * 2 : 64;

    while (cap < want)
        cap *= 2;
    char *ptr = realloc(b->ptr, cap);

    if (!ptr) {
        b->err = CN_ENOMEM;
        return false;
    }
    b->ptr = ptr;
    b->cap = cap;
    return true;
}

void cn_buf_add(struct cn_buf *b, const void *bytes, size_t len)
{
    if (!reserve(b, len))
        return;
    if (len)
        memcpy(b->ptr + b->len, bytes, len);
    b->len += len;
    b->ptr[b->len] = '\0';
}

void cn_buf_add_str(struct cn_buf *b, struct cn_str s)
{
    cn_buf_add(b, s.ptr, s.len);
}

void cn_buf_add_z(struct cn_buf *b, const char *z)
{
    cn_buf_add(b, z, strlen(z));
}

void cn_buf_add_char(struct cn_buf *b, char c)
{
    cn_buf_add(b, &c, 1);
}

void cn_buf_fmt(struct cn_buf *b, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);

    va_end(ap);
    cn_assert(len >= 0);
    if (reserve(b, (size_t)len)) {
        vsnprintf(b->ptr + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
}
