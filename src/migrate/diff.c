/* Unified diffs: Myers' algorithm in linear space over lines that were given
 * numbers first. A cost limit keeps two long unlike texts from taking for
 * ever; what lies beyond it is shown as replaced. The invariant: patching
 * `before` with the output gives `after`, byte for byte. */
#include <stdlib.h>

#include "migrate/apply.h"

enum { CONTEXT = 3, COST_LIMIT = 3000 };

struct side {
    struct cn_str *lines; /* with their \n */
    uint32_t *ids;
    bool *changed; /* deleted here, or added */
    int count;
};

struct myers {
    struct side a, b;
    int *forward, *backward; /* furthest x on each diagonal, offset `zero` */
    int zero;
};

/* --- lines ----------------------------------------------------------------- */

static void split(struct cn_arena *arena, struct cn_str text, struct side *out)
{
    struct cn_strs lines = {0};

    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) + 1 : text.len;

        cn_vec_push(arena, &lines, cn_str_sub(text, 0, len));
        text = cn_str_sub(text, len, text.len);
    }
    out->lines = lines.at;
    out->count = (int)lines.len;
    out->ids = CN_NEW_ARRAY(arena, uint32_t, lines.len + 1);
    out->changed = CN_NEW_ARRAY(arena, bool, lines.len + 2);
}

static void number(struct cn_arena *arena, struct cn_map *known,
                   struct side *side)
{
    for (int i = 0; i < side->count; i++) {
        bool fresh;
        union cn_value *value =
            cn_map_put(arena, known, side->lines[i], &fresh);

        if (fresh)
            value->num = known->len;
        side->ids[i] = (uint32_t)value->num;
    }
}

/* --- Myers ------------------------------------------------------------------
 * A box is a[a0, a1) against b[b0, b1). */

struct box {
    int a0, a1, b0, b1;
};

static void mark(struct myers *m, struct box box)
{
    for (int i = box.a0; i < box.a1; i++)
        m->a.changed[i] = true;
    for (int j = box.b0; j < box.b1; j++)
        m->b.changed[j] = true;
}

static void trim(const struct myers *m, struct box *box)
{
    while (box->a0 < box->a1 && box->b0 < box->b1 &&
           m->a.ids[box->a0] == m->b.ids[box->b0]) {
        box->a0++;
        box->b0++;
    }
    while (box->a0 < box->a1 && box->b0 < box->b1 &&
           m->a.ids[box->a1 - 1] == m->b.ids[box->b1 - 1]) {
        box->a1--;
        box->b1--;
    }
}

/* One step of the forward search with cost d. True, and the meeting point,
 * when it meets the backward one. */
static bool step_forward(struct myers *m, const struct box *box, int d,
                         int *x_out, int *y_out)
{
    int n = box->a1 - box->a0, k_max = box->b1 - box->b0, delta = n - k_max;
    int *f = m->forward + m->zero, *g = m->backward + m->zero;

    for (int k = -d; k <= d; k += 2) {
        int x = k == -d || (k != d && f[k - 1] < f[k + 1]) ? f[k + 1]
                                                           : f[k - 1] + 1;
        int y = x - k;

        while (x < n && y < k_max && x >= 0 && y >= 0 &&
               m->a.ids[box->a0 + x] == m->b.ids[box->b0 + y]) {
            x++;
            y++;
        }
        f[k] = x;
        int back = delta - k;

        if ((delta & 1) && back >= -(d - 1) && back <= d - 1 &&
            x + g[back] >= n && x <= n && y >= 0 && y <= k_max) {
            *x_out = x;
            *y_out = y;
            return true;
        }
    }
    return false;
}

/* The same from the end; g holds distances from the end. */
static bool step_backward(struct myers *m, const struct box *box, int d,
                          int *x_out, int *y_out)
{
    int n = box->a1 - box->a0, k_max = box->b1 - box->b0, delta = n - k_max;
    int *f = m->forward + m->zero, *g = m->backward + m->zero;

    for (int k = -d; k <= d; k += 2) {
        int x = k == -d || (k != d && g[k - 1] < g[k + 1]) ? g[k + 1]
                                                           : g[k - 1] + 1;
        int y = x - k;

        while (x < n && y < k_max && x >= 0 && y >= 0 &&
               m->a.ids[box->a1 - 1 - x] == m->b.ids[box->b1 - 1 - y]) {
            x++;
            y++;
        }
        g[k] = x;
        int forth = delta - k;

        if (!(delta & 1) && forth >= -d && forth <= d && x + f[forth] >= n &&
            x <= n && y >= 0 && y <= k_max) {
            *x_out = n - x;
            *y_out = k_max - y;
            return true;
        }
    }
    return false;
}

/* A point on a shortest path; false when it costs too much to find. */
static bool middle(struct myers *m, const struct box *box, int *x, int *y)
{
    m->forward[m->zero + 1] = m->backward[m->zero + 1] = 0;
    for (int d = 0; d <= COST_LIMIT; d++)
        if (step_forward(m, box, d, x, y) || step_backward(m, box, d, x, y))
            return true;
    return false;
}

static void compare(struct myers *m, struct box box)
{
    for (;;) {
        int x, y;

        trim(m, &box);
        if (box.a0 == box.a1 || box.b0 == box.b1) {
            mark(m, box);
            return;
        }
        if (!middle(m, &box, &x, &y) || (x == 0 && y == 0) ||
            (x == box.a1 - box.a0 && y == box.b1 - box.b0)) {
            mark(m, box);
            return;
        }
        struct box first = {box.a0, box.a0 + x, box.b0, box.b0 + y};

        compare(m, first);
        box.a0 += x;
        box.b0 += y;
    }
}

/* --- output ---------------------------------------------------------------- */

struct printer {
    struct cn_buf *out;
    bool colour;
};

static void paint(const struct printer *p, const char *code)
{
    if (p->colour)
        cn_buf_fmt(p->out, "\033[%sm", code);
}

static void print_line(const struct printer *p, char sign, struct cn_str line)
{
    bool whole = cn_str_ends(line, CN_STR("\n"));

    if (sign != ' ')
        paint(p, sign == '+' ? "32" : "31");
    cn_buf_add_char(p->out, sign);
    cn_buf_add(p->out, line.ptr, whole ? line.len - 1 : line.len);
    if (sign != ' ')
        paint(p, "0");
    cn_buf_add_char(p->out, '\n');
    if (!whole)
        cn_buf_add_z(p->out, "\\ No newline at end of file\n");
}

/* git's spelling: quoted when the name has odd bytes, and a tab behind names
 * with spaces, so that patch does not stop reading there. */
static void print_name(const struct printer *p, const char *prefix,
                       struct cn_str path)
{
    bool odd = false, spaced = cn_str_find(path, CN_STR(" ")) >= 0;

    while (cn_str_starts(path, CN_STR("/")))
        path = cn_str_sub(path, 1, path.len);
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];

        odd |= c < 0x20 || c == '"' || c == '\\' || c >= 0x7f;
    }
    if (!odd) {
        cn_buf_fmt(p->out, "%s%.*s%s", prefix, CN_STR_ARG(path),
                   spaced ? "\t" : "");
        return;
    }
    cn_buf_fmt(p->out, "\"%s", prefix);
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];

        if (c == '"' || c == '\\')
            cn_buf_fmt(p->out, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            cn_buf_fmt(p->out, "\\%03o", c);
        else
            cn_buf_add_char(p->out, (char)c);
    }
    cn_buf_add_char(p->out, '"');
}

static void print_header(const struct printer *p, struct cn_str path, bool made)
{
    paint(p, "1");
    cn_buf_add_z(p->out, "--- ");
    if (made)
        cn_buf_add_z(p->out, "/dev/null");
    else
        print_name(p, "a/", path);
    cn_buf_add_z(p->out, "\n+++ ");
    print_name(p, "b/", path);
    paint(p, "0");
    cn_buf_add_char(p->out, '\n');
}

static void print_range(const struct printer *p, char sign, int start,
                        int count)
{
    /* An empty range names the line before it. */
    cn_buf_fmt(p->out, "%c%d", sign, count ? start + 1 : start);
    if (count != 1)
        cn_buf_fmt(p->out, ",%d", count);
}

static void print_hunk(const struct printer *p, const struct myers *m,
                       struct box box)
{
    paint(p, "36");
    cn_buf_add_z(p->out, "@@ ");
    print_range(p, '-', box.a0, box.a1 - box.a0);
    cn_buf_add_char(p->out, ' ');
    print_range(p, '+', box.b0, box.b1 - box.b0);
    cn_buf_add_z(p->out, " @@");
    paint(p, "0");
    cn_buf_add_char(p->out, '\n');
    for (int i = box.a0, j = box.b0; i < box.a1 || j < box.b1;) {
        if (i < box.a1 && m->a.changed[i])
            print_line(p, '-', m->a.lines[i++]);
        else if (j < box.b1 && m->b.changed[j])
            print_line(p, '+', m->b.lines[j++]);
        else {
            print_line(p, ' ', m->a.lines[i++]);
            j++;
        }
    }
}

/* The next run of changes at or after (i, j); false at the end. */
static bool next_change(const struct myers *m, int i, int j, struct box *out)
{
    while (i < m->a.count && j < m->b.count && !m->a.changed[i] &&
           !m->b.changed[j]) {
        i++;
        j++;
    }
    *out = (struct box){i, i, j, j};
    while (out->a1 < m->a.count && m->a.changed[out->a1])
        out->a1++;
    while (out->b1 < m->b.count && m->b.changed[out->b1])
        out->b1++;
    return out->a0 < out->a1 || out->b0 < out->b1;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static void print_hunks(const struct printer *p, const struct myers *m)
{
    struct box change, next;
    bool more = next_change(m, 0, 0, &change);

    while (more) {
        int lead = least(CONTEXT, least(change.a0, change.b0));
        struct box hunk = {change.a0 - lead, change.a1, change.b0 - lead,
                           change.b1};

        while ((more = next_change(m, hunk.a1, hunk.b1, &next)) &&
               next.a0 - hunk.a1 <= 2 * CONTEXT) {
            hunk.a1 = next.a1;
            hunk.b1 = next.b1;
        }
        int tail =
            least(CONTEXT, least(m->a.count - hunk.a1, m->b.count - hunk.b1));

        hunk.a1 += tail;
        hunk.b1 += tail;
        print_hunk(p, m, hunk);
        change = next;
    }
}

void cn_diff(struct cn_buf *out, struct cn_str path, struct cn_str before,
             struct cn_str after, bool colour)
{
    struct printer p = {out, colour};
    struct cn_arena arena;
    struct myers m = {0};
    struct cn_map known = {0};

    if (cn_str_eq(before, after))
        return;
    cn_arena_init(&arena);
    split(&arena, before, &m.a);
    split(&arena, after, &m.b);
    number(&arena, &known, &m.a);
    number(&arena, &known, &m.b);
    int most = least(m.a.count + m.b.count, COST_LIMIT) + 2;

    m.zero = most;
    m.forward = CN_NEW_ARRAY(&arena, int, 2 * (size_t)most + 1);
    m.backward = CN_NEW_ARRAY(&arena, int, 2 * (size_t)most + 1);
    compare(&m, (struct box){0, m.a.count, 0, m.b.count});
    print_header(&p, path, !before.ptr);
    print_hunks(&p, &m);
    cn_arena_done(&arena);
}
