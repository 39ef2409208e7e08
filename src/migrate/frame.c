/* Code frames: the lines around a finding with carets under it. Source text is
 * foreign: control characters and broken UTF-8 are replaced before they reach
 * a terminal, and of very long lines only the part around the finding is
 * shown. */
#include "migrate/frame.h"

enum { WIDEST = 110, LEAD = 40, TAB = 4 };

struct frame {
    struct cn_buf *out;
    struct cn_str text;
    bool colour;
    int gutter; /* digits of the largest line number */
};

static void paint(const struct frame *f, const char *code)
{
    if (f->colour)
        cn_buf_fmt(f->out, "\033[%sm", code);
}

static bool ends_line(char c)
{
    return c == '\n' || c == '\r';
}

/* The line that holds `offset`, without its end. */
static struct cn_str line_at(struct cn_str text, size_t offset)
{
    size_t start = offset, end = offset;

    while (start > 0 && !ends_line(text.ptr[start - 1]))
        start--;
    while (end < text.len && !ends_line(text.ptr[end]))
        end++;
    return cn_str_sub(text, start, end);
}

static bool is_blank(struct cn_str line)
{
    return cn_str_trim(line).len == 0;
}

/* The line before (or after) one; false at the edge of the text. */
static bool line_before(struct cn_str text, struct cn_str line,
                        struct cn_str *out)
{
    size_t at = (size_t)(line.ptr - text.ptr);

    if (!at)
        return false;
    at--;
    if (at && text.ptr[at] == '\n' && text.ptr[at - 1] == '\r')
        at--;
    *out = line_at(text, at);
    return true;
}

static bool line_after(struct cn_str text, struct cn_str line,
                       struct cn_str *out)
{
    size_t at = (size_t)(line.ptr - text.ptr) + line.len;

    if (at >= text.len)
        return false;
    at += text.ptr[at] == '\r' && at + 1 < text.len && text.ptr[at + 1] == '\n'
              ? 2
              : 1;
    if (at >= text.len)
        return false;
    *out = line_at(text, at);
    return true;
}

/* --- characters ------------------------------------------------------------ */

/* One character at s.ptr[*i] for the terminal; returns its columns. */
static int take_char(struct cn_str s, size_t *i, const char **bytes,
                     size_t *len)
{
    static const struct {
        uint32_t low, high;
    } wide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},
                {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
                {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
                {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    unsigned char c = (unsigned char)s.ptr[*i];
    size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    uint32_t code = n > 1 ? c & (0x7fu >> n) : c;

    for (size_t k = 1; k < n; k++) {
        if (*i + k >= s.len || ((unsigned char)s.ptr[*i + k] & 0xc0) != 0x80) {
            n = 0;
            break;
        }
        code = code << 6 | ((unsigned char)s.ptr[*i + k] & 0x3f);
    }
    *bytes = s.ptr + *i;
    *len = n;
    *i += n ? n : 1;
    if (!n || code < 0x20 || (code >= 0x7f && code < 0xa0) ||
        (code >= 0x202a && code <= 0x202e) ||
        (code >= 0x2066 && code <= 0x2069)) {
        *bytes = "\xef\xbf\xbd"; /* also for what turns text around */
        *len = 3;
        return 1;
    }
    for (size_t k = 0; k < CN_COUNT(wide); k++)
        if (code >= wide[k].low && code <= wide[k].high)
            return 2;
    return 1;
}

/* Print s (or only measure it), tabs as blanks; returns the columns. */
static int print(const struct frame *f, struct cn_str s, bool silent)
{
    int columns = 0;

    for (size_t i = 0; i < s.len;) {
        const char *bytes;
        size_t len;

        if (s.ptr[i] == '\t') {
            if (!silent)
                cn_buf_add(f->out, "    ", TAB);
            columns += TAB;
            i++;
            continue;
        }
        columns += take_char(s, &i, &bytes, &len);
        if (!silent)
            cn_buf_add(f->out, bytes, len);
    }
    return columns;
}

/* --- lines ----------------------------------------------------------------- */

static void gutter(const struct frame *f, uint32_t line)
{
    paint(f, "1;34");
    if (line)
        cn_buf_fmt(f->out, "%*u |", f->gutter, line);
    else
        cn_buf_fmt(f->out, "%*s |", f->gutter, "");
    paint(f, "0");
}

static struct cn_str shortened(struct cn_str line, bool *cut)
{
    *cut = line.len > WIDEST;
    return cn_str_sub(line, 0, WIDEST);
}

static void plain_line(const struct frame *f, uint32_t number,
                       struct cn_str line)
{
    bool cut;

    gutter(f, number);
    line = shortened(line, &cut);
    if (line.len) {
        cn_buf_add_char(f->out, ' ');
        print(f, line, false);
        cn_buf_add_z(f->out, cut ? "..." : "");
    }
    cn_buf_add_char(f->out, '\n');
}

/* Is the byte at `i` inside of a UTF-8 sequence? */
static bool in_sequence(struct cn_str s, size_t i)
{
    return ((unsigned char)s.ptr[i] & 0xc0) == 0x80;
}

/* The line of the finding and the carets; [from, to) is within the line. */
static void marked_line(const struct frame *f, uint32_t number,
                        struct cn_str line, size_t from, size_t to,
                        const char *caret_colour)
{
    size_t start = from > WIDEST - LEAD ? from - LEAD : 0;
    size_t end = start + WIDEST < line.len ? start + WIDEST : line.len;

    while (start && in_sequence(line, start))
        start--;
    while (end < line.len && in_sequence(line, end))
        end++;
    if (to > end)
        to = end;
    gutter(f, number);
    cn_buf_add_z(f->out, start ? " ..." : " ");
    print(f, cn_str_sub(line, start, end), false);
    cn_buf_add_z(f->out, end < line.len ? "...\n" : "\n");
    gutter(f, 0);
    int lead = print(f, cn_str_sub(line, start, from), true) + (start ? 3 : 0);
    int carets = print(f, cn_str_sub(line, from, to), true);

    cn_buf_fmt(f->out, " %*s", lead, "");
    paint(f, caret_colour);
    for (int i = 0; i < (carets ? carets : 1); i++)
        cn_buf_add_char(f->out, '^');
    paint(f, "0");
    cn_buf_add_char(f->out, '\n');
}

static int digits(uint32_t n)
{
    int count = 1;

    while (n >= 10) {
        n /= 10;
        count++;
    }
    return count;
}

int cn_frame(struct cn_buf *out, struct cn_str text, uint32_t start,
             uint32_t end, uint32_t line_number, const char *caret_colour,
             bool colour)
{
    struct frame f = {out, text, colour, digits(line_number + 1)};
    struct cn_str line = line_at(text, start < text.len ? start : text.len);
    struct cn_str other;
    size_t from = start - (size_t)(line.ptr - text.ptr),
           to = end - start + from;

    if (to > line.len)
        to = line.len;
    while (to > from && line.ptr[to - 1] == ' ')
        to--;
    gutter(&f, 0);
    cn_buf_add_char(out, '\n');
    if (line_before(text, line, &other) && !is_blank(other))
        plain_line(&f, line_number - 1, other);
    marked_line(&f, line_number, line, from, to, caret_colour);
    if (line_after(text, line, &other) && !is_blank(other))
        plain_line(&f, line_number + 1, other);
    gutter(&f, 0);
    cn_buf_add_char(out, '\n');
    return f.gutter;
}
