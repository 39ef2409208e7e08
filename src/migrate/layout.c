/* Layout: what statements look like on their lines. Turns "wrap this", "drop
 * this", "a line above" into edits; only line starts of moved statements are
 * touched, never the inside of a string. Where the lines are too strange the
 * match is demoted to MANUAL. Invariant: what is edited here keeps the line
 * ends, tabs and last line of the text. */
#include "migrate/engine.h"

/* --- suites -----------------------------------------------------------------
 */

static bool is_statement(const struct cn_tree *t, cn_node n)
{
    return t->at[n].named && !cn_is(t, n, CN_K_COMMENT) &&
           !cn_is(t, n, CN_K_LINE_CONTINUATION);
}

uint32_t cn_statement_count(const struct cn_tree *t, cn_node block)
{
    uint32_t count = 0;

    cn_node_for (n, t, block)
        count += is_statement(t, n);
    return count;
}

static cn_node first_statement(const struct cn_tree *t, cn_node block)
{
    cn_node_for (n, t, block)
        if (is_statement(t, n))
            return n;
    return 0;
}

/* Does the suite stand on the line of its header, `if x: y()`? */
static bool is_one_line(const struct cn_tree *t, cn_node block)
{
    cn_node first = first_statement(t, block);

    return cn_is(t, block, CN_K_BLOCK) && first && !cn_starts_line(t, first);
}

/* The statement before `n` on the same line, behind a `;`; or 0. */
cn_node cn_joined_before(const struct cn_tree *t, cn_node statement)
{
    cn_node before = 0;
    bool joined = false;

    cn_node_for (n, t, cn_parent(t, statement)) {
        if (n == statement)
            return joined ? before : 0;
        if (cn_is(t, n, CN_T_SEMICOLON))
            joined = true;
        else if (is_statement(t, n)) {
            before = n;
            joined = false;
        }
    }
    return 0;
}

static bool same_line(const struct cn_tree *t, cn_node a, cn_node b)
{
    return cn_line_of(t, cn_end(t, a)) == cn_line_of(t, cn_start(t, b));
}

cn_node cn_joined_after(const struct cn_tree *t, cn_node statement)
{
    bool joined = false, continued = false;

    for (cn_node n = cn_next(t, statement); n; n = cn_next(t, n)) {
        if (cn_is(t, n, CN_T_SEMICOLON))
            joined = true;
        else if (cn_is(t, n, CN_K_LINE_CONTINUATION))
            continued = true;
        else if (is_statement(t, n))
            return joined && (continued || same_line(t, statement, n)) ? n : 0;
        else
            return 0;
    }
    return 0;
}

/* Where `block` is indented further than its header: by what. */
static struct cn_str unit_of_block(const struct cn_tree *t, cn_node block)
{
    cn_node first = first_statement(t, block);

    if (!first || !cn_starts_line(t, first))
        return (struct cn_str){0};
    struct cn_str in = cn_indent_of(t, cn_start(t, first));
    struct cn_str out = cn_indent_of(t, cn_start(t, cn_parent(t, block)));

    if (in.len <= out.len || !cn_str_starts(in, out))
        return (struct cn_str){0};
    return cn_str_sub(in, out.len, in.len);
}

struct cn_str cn_indent_unit(const struct cn_tree *t, cn_node n)
{
    struct cn_str unit = {0};

    for (cn_node up = cn_parent(t, n); up && !unit.len; up = cn_parent(t, up))
        if (cn_is(t, up, CN_K_BLOCK))
            unit = unit_of_block(t, up);
    for (cn_node any = 1; any < t->count && !unit.len; any++)
        if (cn_is(t, any, CN_K_BLOCK))
            unit = unit_of_block(t, any);
    return unit.len ? unit : CN_STR("    ");
}

/* --- statements on lines of their own ---------------------------------------
 */

/* `a; b`: put b on a line of its own. False when more than `;` and blanks
 * stand between them. */
static bool split(struct cn_match *m, cn_node before, cn_node after,
                  struct cn_str indent)
{
    const struct cn_tree *t = m->tree;
    uint32_t from = cn_end(t, before), to = cn_start(t, after);
    struct cn_str gap = cn_str_sub(t->text, from, to);

    for (size_t i = 0; i < gap.len; i++)
        if (gap.ptr[i] != ' ' && gap.ptr[i] != '\t' && gap.ptr[i] != ';')
            return false;
    struct cn_str nl = cn_newline_at(t, from);

    cn_fix_edit(
        m->arena, m->fix,
        (struct cn_edit){.start = from,
                         .end = to,
                         .text = cn_str_fmt(m->arena, "%.*s%.*s",
                                            CN_STR_ARG(nl), CN_STR_ARG(indent)),
                         .rank = CN_RANK_SPLIT});
    return true;
}

static bool has_split_at(const struct cn_fix *fix, uint32_t end)
{
    for (size_t i = 0; i < fix->edits.len; i++)
        if (fix->edits.at[i].rank == CN_RANK_SPLIT && !fix->edits.at[i].soft &&
            fix->edits.at[i].end == end)
            return true;
    return false;
}

/* The `:` that opens a suite. */
static cn_node colon_of(const struct cn_tree *t, cn_node block)
{
    cn_node colon = 0;

    cn_node_for (n, t, cn_parent(t, block)) {
        if (n == block)
            break;
        if (cn_is(t, n, CN_T_COLON))
            colon = n;
    }
    return colon;
}

/* `if x: a; b` becomes three lines. */
static bool expand(struct cn_match *m, cn_node block, struct cn_str indent)
{
    const struct cn_tree *t = m->tree;
    cn_node before = 0;

    cn_node_for (n, t, block) {
        if (!is_statement(t, n))
            continue;
        if (before ? !split(m, before, n, indent)
                   : !split(m, colon_of(t, block), n, indent))
            return false;
        before = n;
    }
    return true;
}

/* Make edits after which `statement` starts a line; gives its indentation.
 * False (and demoted) when its lines are too strange. */
static bool on_own_line(struct cn_match *m, cn_node statement,
                        struct cn_str *indent)
{
    const struct cn_tree *t = m->tree;
    cn_node block = cn_parent(t, statement);
    cn_node before;
    bool done = has_split_at(m->fix, cn_start(t, statement));

    if (is_one_line(t, block)) {
        cn_node header = cn_parent(t, block);
        struct cn_str out = cn_indent_of(t, cn_start(t, header));

        *indent = cn_str_fmt(m->arena, "%.*s%.*s", CN_STR_ARG(out),
                             CN_STR_ARG(cn_indent_unit(t, statement)));
        if (done || (cn_starts_line(t, header) && expand(m, block, *indent)))
            return true;
    } else if (cn_starts_line(t, statement)) {
        *indent = cn_indent_of(t, cn_start(t, statement));
        return true;
    } else if ((before = cn_joined_before(t, statement))) {
        *indent = cn_indent_of(t, cn_start(t, first_statement(t, block)));
        if (done || split(m, before, statement, *indent))
            return true;
    }
    cn_demote_manual(m, "the statement shares its line with others");
    return false;
}

/* The same for what follows the statement on its line. */
static bool alone_at_end(struct cn_match *m, cn_node statement,
                         struct cn_str indent)
{
    cn_node after = cn_joined_after(m->tree, statement);

    if (!after || has_split_at(m->fix, cn_start(m->tree, after)) ||
        split(m, statement, after, indent))
        return true;
    cn_demote_manual(m, "the statement shares its line with others");
    return false;
}

/* --- wrapping ---------------------------------------------------------------
 */

cn_node cn_node_from(const struct cn_tree *t, uint32_t offset)
{
    cn_node low = 1, high = t->count;

    while (low < high) {
        cn_node mid = low + (high - low) / 2;

        if (cn_start(t, mid) < offset)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool cn_in_string(const struct cn_tree *t, cn_node outer, uint32_t at)
{
    cn_node n = outer;

    for (cn_node c = cn_first(t, n); c;) {
        if (cn_start(t, c) < at && at < cn_end(t, c)) {
            if (cn_is(t, c, CN_K_STRING))
                return true;
            c = cn_first(t, c);
        } else if (cn_start(t, c) >= at) {
            return false;
        } else {
            c = cn_next(t, c);
        }
    }
    return false;
}

/* Where to put one more level on the line that starts at `line_start`: behind
 * the indentation that the moved statements share. */
static uint32_t shift_point(const struct cn_tree *t, uint32_t line_start,
                            struct cn_str base)
{
    uint32_t at = cn_indent_start(t, line_start);

    if (cn_str_starts(cn_str_sub(t->text, at, t->text.len), base))
        at += (uint32_t)base.len;
    return at;
}

void cn_layout_shift(struct cn_arena *a, const struct cn_tree *t,
                     struct cn_fix *fix, struct cn_span span, cn_node parent,
                     struct cn_str base, struct cn_str unit)
{
    for (uint32_t at = cn_line_next(t, span.start); at < span.end;
         at = cn_line_next(t, at)) {
        uint32_t code = cn_indent_start(t, at);

        while (code < span.end && cn_is_blank(t->text.ptr[code]))
            code++;
        if (code >= cn_line_end(t, at) || cn_in_string(t, parent, at))
            continue;
        uint32_t point = shift_point(t, at, base);

        cn_fix_edit(
            a, fix,
            (struct cn_edit){
                .start = point, .end = point, .text = unit, .soft = true});
    }
}

/* How many wraps of this fix are around the statement already. */
static uint32_t wrap_depth(const struct cn_fix *fix, uint32_t start)
{
    uint32_t depth = 0;

    for (size_t i = 0; i < fix->moved.len; i++)
        depth +=
            fix->moved.at[i].start <= start && start < fix->moved.at[i].end;
    return depth;
}

static void wrap(struct cn_match *m, cn_node first, cn_node last,
                 struct cn_str header)
{
    const struct cn_tree *t = m->tree;
    struct cn_str indent, unit = cn_indent_unit(t, first);

    if (cn_parent(t, first) != cn_parent(t, last) || first > last) {
        cn_demote_manual(m, "the statements are not in one block");
        return;
    }
    if (!on_own_line(m, first, &indent) || !alone_at_end(m, last, indent))
        return;
    struct cn_span span = {cn_start(t, first), cn_end(t, last)};
    struct cn_str nl = cn_newline_at(t, span.start);
    struct cn_buf text;

    cn_buf_init(&text, CN_MIB);
    cn_buf_add_str(&text, header);
    cn_buf_add_str(&text, nl);
    cn_buf_add_str(&text, indent);
    for (uint32_t i = wrap_depth(m->fix, span.start) + 1; i-- > 0;)
        cn_buf_add_str(&text, unit);
    struct cn_str made = cn_buf_str(&text);
    struct cn_edit edit = {.start = span.start,
                           .end = span.start,
                           .text = {cn_str_dup(m->arena, made), made.len},
                           .rank = CN_RANK_WRAP};

    cn_buf_done(&text);
    cn_fix_edit(m->arena, m->fix, edit);
    cn_layout_shift(m->arena, t, m->fix, span, cn_parent(t, first), indent,
                    unit);
    cn_vec_push(m->arena, &m->fix->moved, span);
}

void cn_wrap_statements(struct cn_match *m, cn_node first, cn_node last,
                        const char *header_fmt, ...)
{
    va_list ap;

    va_start(ap, header_fmt);
    struct cn_str header = cn_str_vfmt(m->arena, header_fmt, ap);
    va_end(ap);
    wrap(m, first, last, header);
}

void cn_wrap_statement(struct cn_match *m, cn_node statement,
                       const char *header_fmt, ...)
{
    va_list ap;

    va_start(ap, header_fmt);
    struct cn_str header = cn_str_vfmt(m->arena, header_fmt, ap);
    va_end(ap);
    wrap(m, statement, statement, header);
}

/* --- lines above and below --------------------------------------------------
 */

void cn_line_above(struct cn_match *m, cn_node statement, const char *fmt, ...)
{
    struct cn_str indent, line;
    uint32_t at = cn_start(m->tree, statement);
    va_list ap;

    va_start(ap, fmt);
    line = cn_str_vfmt(m->arena, fmt, ap);
    va_end(ap);
    if (!on_own_line(m, statement, &indent))
        return;
    struct cn_str nl = cn_newline_at(m->tree, at);

    cn_fix_edit(m->arena, m->fix,
                (struct cn_edit){.start = at,
                                 .end = at,
                                 .text = cn_str_fmt(
                                     m->arena, "%.*s%.*s%.*s", CN_STR_ARG(line),
                                     CN_STR_ARG(nl), CN_STR_ARG(indent)),
                                 .rank = CN_RANK_ABOVE});
}

void cn_line_below(struct cn_match *m, cn_node statement, const char *fmt, ...)
{
    struct cn_str indent, line;
    uint32_t at = cn_end(m->tree, statement);
    va_list ap;

    va_start(ap, fmt);
    line = cn_str_vfmt(m->arena, fmt, ap);
    va_end(ap);
    if (!on_own_line(m, statement, &indent) ||
        !alone_at_end(m, statement, indent))
        return;
    struct cn_str nl = cn_newline_at(m->tree, at);

    if (!cn_joined_after(m->tree, statement))
        at = cn_line_end(m->tree, at);
    cn_fix_edit(m->arena, m->fix,
                (struct cn_edit){
                    .start = at,
                    .end = at,
                    .text = cn_str_fmt(m->arena, "%.*s%.*s%.*s", CN_STR_ARG(nl),
                                       CN_STR_ARG(indent), CN_STR_ARG(line)),
                    .rank = CN_RANK_BELOW});
}

/* --- dropping ---------------------------------------------------------------
 */

/* The comment behind a statement on its line, or 0. */
static cn_node comment_behind(const struct cn_tree *t, cn_node statement)
{
    uint32_t end = cn_end(t, statement);

    for (cn_node n = cn_node_from(t, end); n < t->count; n++) {
        if (cn_start(t, n) >= cn_line_end(t, end))
            return 0;
        if (cn_is(t, n, CN_K_COMMENT))
            return n;
    }
    return 0;
}

/* The span that goes with a statement which starts and ends its line. */
static struct cn_span whole_lines(const struct cn_tree *t, cn_node statement,
                                  bool with_comment)
{
    uint32_t start = cn_line_start(t, cn_start(t, statement));
    uint32_t end = cn_line_next(t, cn_end(t, statement));
    cn_node comment = comment_behind(t, statement);

    if (comment && !with_comment && !cn_is_directive(cn_text(t, comment)))
        return (struct cn_span){cn_start(t, statement), cn_start(t, comment)};
    start = cn_indent_start(t, start);
    if (end == t->text.len && cn_line_end(t, cn_end(t, statement)) == end &&
        cn_line_of(t, start) > 0) /* no line end at the end of the text */
        start = cn_line_end(t, cn_line_start(t, start) - 1);
    return (struct cn_span){start, end};
}

static struct cn_span drop_span(const struct cn_tree *t, cn_node statement,
                                bool with_comment)
{
    cn_node after = cn_joined_after(t, statement);
    cn_node before = cn_joined_before(t, statement);

    if (after)
        return (struct cn_span){cn_start(t, statement), cn_start(t, after)};
    if (before)
        return (struct cn_span){cn_end(t, before), cn_end(t, statement)};
    return whole_lines(t, statement, with_comment);
}

/* Counts the drop; true when it takes the last statement of the suite. */
static bool count_drop(struct cn_arena *a, const struct cn_tree *t,
                       struct cn_fix *fix, cn_node block)
{
    cn_vec_for (d, &fix->drops) {
        if (d->block == block)
            return ++d->count >= d->total;
    }
    struct cn_drop drop = {block, 1, cn_statement_count(t, block)};

    cn_vec_push(a, &fix->drops, drop);
    return drop.total == 1;
}

void cn_layout_drop(struct cn_arena *a, const struct cn_tree *t,
                    struct cn_fix *fix, cn_node statement, bool with_comment)
{
    cn_node block = cn_parent(t, statement);
    struct cn_span span = {cn_start(t, statement), cn_end(t, statement)};
    bool last = count_drop(a, t, fix, block) && !cn_is(t, block, CN_K_MODULE);

    if (!last)
        span = drop_span(t, statement, with_comment);
    cn_fix_edit(a, fix,
                (struct cn_edit){.start = span.start,
                                 .end = span.end,
                                 .text = last ? CN_STR("pass") : CN_STR(""),
                                 .rank = CN_RANK_TEXT});
}

void cn_drop_statement(struct cn_match *m, cn_node statement)
{
    cn_layout_drop(m->arena, m->tree, m->fix, statement, false);
}
