/* Lines of a tree: where they start and end, what they are indented by. Knows
 * byte order marks, form feeds, backslashes and all three line ends. It only
 * looks. */
#include "migrate/engine.h"

uint32_t cn_line_of(const struct cn_tree *t, uint32_t offset)
{
    uint32_t low = 0, high = t->line_count;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (t->lines[mid] <= offset)
            low = mid;
        else
            high = mid;
    }
    return low;
}

uint32_t cn_line_start(const struct cn_tree *t, uint32_t offset)
{
    return t->line_count ? t->lines[cn_line_of(t, offset)] : 0;
}

uint32_t cn_line_next(const struct cn_tree *t, uint32_t offset)
{
    uint32_t line = cn_line_of(t, offset) + 1;

    return line < t->line_count ? t->lines[line] : (uint32_t)t->text.len;
}

uint32_t cn_line_end(const struct cn_tree *t, uint32_t offset)
{
    uint32_t start = cn_line_start(t, offset), end = cn_line_next(t, offset);
    const char *z = t->text.ptr;

    if (end > start && z[end - 1] == '\n')
        end--;
    if (end > start && z[end - 1] == '\r')
        end--;
    return end;
}

struct cn_str cn_newline_at(const struct cn_tree *t, uint32_t offset)
{
    uint32_t end = cn_line_end(t, offset), next = cn_line_next(t, offset);

    if (end == next) { /* the last line: as the first one */
        end = cn_line_end(t, 0);
        next = cn_line_next(t, 0);
    }
    return end < next ? cn_str_sub(t->text, end, next) : CN_STR("\n");
}

bool cn_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

uint32_t cn_code_start(const struct cn_tree *t, uint32_t line_start)
{
    bool mark = cn_str_starts(t->text, CN_STR("\xef\xbb\xbf"));

    return line_start == 0 && mark ? 3 : line_start;
}

/* Where the indentation of a line begins: behind the last form feed, where
 * Python starts to count again. */
uint32_t cn_indent_start(const struct cn_tree *t, uint32_t line_start)
{
    const char *z = t->text.ptr;
    uint32_t at = cn_code_start(t, line_start), end = (uint32_t)t->text.len;
    uint32_t from = at;

    for (; at < end && cn_is_blank(z[at]); at++)
        if (z[at] == '\f')
            from = at + 1;
    return from;
}

/* The indentation of the line that holds `offset`. */
struct cn_str cn_indent_of(const struct cn_tree *t, uint32_t offset)
{
    uint32_t from = cn_indent_start(t, cn_line_start(t, offset)), to = from;

    while (to < t->text.len &&
           (t->text.ptr[to] == ' ' || t->text.ptr[to] == '\t'))
        to++;
    return cn_str_sub(t->text, from, to);
}

/* Does the line before end in a backslash that joins the two? */
static bool continues(const struct cn_tree *t, uint32_t line_start)
{
    if (!line_start)
        return false;
    uint32_t end = cn_line_end(t, line_start - 1);

    if (!end || t->text.ptr[end - 1] != '\\')
        return false;
    cn_node n = cn_node_from(t, end - 1);

    return n < t->count && cn_is(t, n, CN_K_LINE_CONTINUATION);
}

bool cn_starts_line(const struct cn_tree *t, cn_node n)
{
    uint32_t start = cn_line_start(t, cn_start(t, n));
    uint32_t at = cn_indent_start(t, start);

    while (at < cn_start(t, n) && cn_is_blank(t->text.ptr[at]))
        at++;
    return at == cn_start(t, n) && !continues(t, start);
}
