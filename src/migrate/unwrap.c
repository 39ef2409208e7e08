/* Expressions on their lines: taking the text around an inner expression away,
 * dropping arguments with their commas, and rescuing the comments that edits
 * would swallow. Invariant: what is left parses as the same expression, with
 * parentheses added where precedence or line breaks need them. */
#include "migrate/engine.h"

static void cut(struct cn_match *m, uint32_t start, uint32_t end,
                struct cn_str text)
{
    if (start == end && !text.len)
        return;
    cn_fix_edit(
        m->arena, m->fix,
        (struct cn_edit){
            .start = start, .end = end, .text = text, .rank = CN_RANK_TEXT});
}

/* --- precedence --------------------------------------------------------- */

/* How tightly expressions bind; higher binds tighter. */
enum level {
    LOOSE, /* yield, :=, tuples without parentheses */
    TERNARY,
    BOOLEAN,
    COMPARISON,
    ARITHMETIC,
    AWAITED,
    PRIMARY,
};

static enum level level_of(const struct cn_tree *t, cn_node n)
{
    switch (cn_kind(t, n)) {
    case CN_K_YIELD:
    case CN_K_NAMED_EXPRESSION:
    case CN_K_EXPRESSION_LIST:
    case CN_K_LIST_SPLAT:
    case CN_K_DICTIONARY_SPLAT: return LOOSE;
    case CN_K_LAMBDA:
    case CN_K_CONDITIONAL_EXPRESSION: return TERNARY;
    case CN_K_BOOLEAN_OPERATOR:
    case CN_K_NOT_OPERATOR: return BOOLEAN;
    case CN_K_COMPARISON_OPERATOR: return COMPARISON;
    case CN_K_BINARY_OPERATOR:
    case CN_K_UNARY_OPERATOR: return ARITHMETIC;
    case CN_K_AWAIT: return AWAITED;
    default: return PRIMARY;
    }
}

/* How tightly an expression must bind to stand where `n` stands. */
static enum level level_at(const struct cn_tree *t, cn_node n)
{
    enum cn_field field = (enum cn_field)t->at[n].field;

    switch (cn_kind(t, cn_parent(t, n))) {
    case CN_K_SUBSCRIPT: return field == CN_F_SUBSCRIPT ? TERNARY : PRIMARY;
    case CN_K_BINARY_OPERATOR:
    case CN_K_UNARY_OPERATOR:
    case CN_K_LIST_SPLAT:
    case CN_K_DICTIONARY_SPLAT: return AWAITED;
    case CN_K_COMPARISON_OPERATOR: return ARITHMETIC;
    case CN_K_BOOLEAN_OPERATOR:
    case CN_K_NOT_OPERATOR: return COMPARISON;
    case CN_K_CONDITIONAL_EXPRESSION: return BOOLEAN;
    case CN_K_AWAIT:
    case CN_K_ATTRIBUTE:
    case CN_K_CALL: return PRIMARY;
    case CN_K_FOR_IN_CLAUSE:
    case CN_K_IF_CLAUSE: return BOOLEAN;
    case CN_K_AS_PATTERN:
    case CN_K_DECORATOR: return PRIMARY;
    default: return TERNARY;
    }
}

/* --- line breaks -------------------------------------------------------- */

static bool is_bracketed(enum cn_kind kind)
{
    switch (kind) {
    case CN_K_PARENTHESIZED_EXPRESSION:
    case CN_K_ARGUMENT_LIST:
    case CN_K_TUPLE:
    case CN_K_LIST:
    case CN_K_SET:
    case CN_K_DICTIONARY:
    case CN_K_LIST_COMPREHENSION:
    case CN_K_SET_COMPREHENSION:
    case CN_K_DICTIONARY_COMPREHENSION:
    case CN_K_GENERATOR_EXPRESSION:
    case CN_K_SUBSCRIPT:
    case CN_K_PARAMETERS:
    case CN_K_INTERPOLATION: return true;
    default: return false;
    }
}

static bool inside_brackets(const struct cn_tree *t, cn_node n)
{
    for (cn_node up = cn_parent(t, n); up; up = cn_parent(t, up)) {
        enum cn_kind kind = cn_kind(t, up);

        if (kind == CN_K_SUBSCRIPT ? t->at[n].field == CN_F_SUBSCRIPT
                                   : is_bracketed(kind))
            return true;
        if (kind == CN_K_BLOCK || kind == CN_K_MODULE)
            return false;
        n = up;
    }
    return false;
}

/* Is there a line break in `n` that only brackets around it allow? */
static bool breaks_line(const struct cn_tree *t, cn_node n)
{
    uint32_t pos = cn_start(t, n);
    int depth = 0;

    if (cn_line_of(t, pos) == cn_line_of(t, cn_end(t, n)))
        return false;
    for (cn_node leaf = n; leaf < t->at[n].after; leaf++) {
        bool string = cn_is(t, leaf, CN_K_STRING);

        if (cn_first(t, leaf) && !string)
            continue;
        if (depth == 0 &&
            cn_line_of(t, pos) != cn_line_of(t, cn_start(t, leaf)) &&
            !cn_is(t, leaf, CN_K_LINE_CONTINUATION))
            return true;
        struct cn_str text = cn_text(t, leaf);

        if (text.len == 1 && strchr("([{", text.ptr[0]))
            depth++;
        else if (text.len == 1 && strchr(")]}", text.ptr[0]))
            depth--;
        pos = cn_end(t, leaf);
        if (string)
            leaf = t->at[leaf].after - 1;
    }
    return false;
}

/* --- unwrapping --------------------------------------------------------- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80 ||
           c == '"' || c == '\'';
}

/* Would two words run into each other if nothing stood between `a` and `b`? */
static bool would_touch(const struct cn_tree *t, uint32_t a, uint32_t b)
{
    return a > 0 && b < t->text.len && is_word(t->text.ptr[a - 1]) &&
           is_word(t->text.ptr[b]);
}

/* What stands in [start, end) moves up to the line of the outer one: take as
 * much indentation from its further lines as its first line loses. */
static void dedent(struct cn_match *m, cn_node outer, uint32_t start,
                   uint32_t end)
{
    const struct cn_tree *t = m->tree;
    struct cn_str out = cn_indent_at(t, cn_start(t, outer));
    struct cn_str in = cn_indent_at(t, start);

    if (start != cn_line_start(t, start) + in.len || in.len <= out.len ||
        !cn_str_starts(in, out) || inside_brackets(t, outer))
        return;
    for (uint32_t at = cn_line_next(t, start); at < end;
         at = cn_line_next(t, at)) {
        uint32_t from = at + (uint32_t)out.len, to = at + (uint32_t)in.len;

        if (cn_str_starts(cn_str_sub(t->text, at, t->text.len), in) &&
            !cn_in_string(t, outer, at))
            cn_fix_edit(
                m->arena, m->fix,
                (struct cn_edit){.start = from, .end = to, .soft = true});
    }
}

void cn_unwrap(struct cn_match *m, cn_node outer, cn_node inner)
{
    const struct cn_tree *t = m->tree;
    uint32_t start = cn_start(t, inner), end = cn_end(t, inner);
    bool parens = !cn_is(t, inner, CN_K_BLOCK) &&
                  (level_of(t, inner) < level_at(t, outer) ||
                   (!inside_brackets(t, outer) && breaks_line(t, inner)));
    bool space_before = !parens && would_touch(t, cn_start(t, outer), start);
    bool space_after = !parens && would_touch(t, end, cn_end(t, outer));

    cn_assert(cn_within(t, inner, outer));
    cut(m, cn_start(t, outer), start,
        parens         ? CN_STR("(")
        : space_before ? CN_STR(" ")
                       : CN_STR(""));
    dedent(m, outer, start, end);
    cut(m, end, cn_end(t, outer),
        parens        ? CN_STR(")")
        : space_after ? CN_STR(" ")
                      : CN_STR(""));
}

void cn_unwrap_lines(struct cn_match *m, cn_node outer, uint32_t start,
                     uint32_t end)
{
    cn_assert(cn_start(m->tree, outer) <= start && start <= end &&
              end <= cn_end(m->tree, outer));
    cut(m, cn_start(m->tree, outer), start, CN_STR(""));
    dedent(m, outer, start, end);
    cut(m, end, cn_end(m->tree, outer), CN_STR(""));
}

/* --- arguments ---------------------------------------------------------- */

static bool is_dropped(const struct cn_fix *fix, cn_node argument)
{
    for (size_t i = 0; i < fix->arguments.len; i++)
        if (fix->arguments.at[i] == argument)
            return true;
    return false;
}

static void forget_cuts(struct cn_fix *fix, cn_node call)
{
    size_t kept = 0;

    for (size_t i = 0; i < fix->edits.len; i++)
        if (fix->edits.at[i].call != call)
            fix->edits.at[kept++] = fix->edits.at[i];
    fix->edits.len = kept;
}

static void cut_argument(struct cn_match *m, cn_node call, uint32_t start,
                         uint32_t end)
{
    cn_fix_edit(m->arena, m->fix,
                (struct cn_edit){.start = start,
                                 .end = end,
                                 .text = CN_STR(""),
                                 .rank = CN_RANK_TEXT,
                                 .call = call});
}

/* All arguments go: everything between the parentheses, or just up to the
 * last comma when a comment stands there. */
static void cut_all(struct cn_match *m, cn_node call, cn_node arguments)
{
    cut_argument(m, call, cn_start(m->tree, arguments) + 1,
                 cn_end(m->tree, arguments) - 1);
}

/* Runs of dropped arguments, each cut up to the next one that stays, or, at
 * the end, from the last one that stays. */
static void cut_runs(struct cn_match *m, cn_node call, cn_node arguments)
{
    const struct cn_tree *t = m->tree;
    uint32_t kept_end = 0, run_start = 0, run_end = 0;
    struct cn_arg arg;

    for (uint32_t i = 0; cn_arg(t, call, i, &arg); i++) {
        if (is_dropped(m->fix, arg.node)) {
            run_start = run_end ? run_start : cn_start(t, arg.node);
            run_end = cn_end(t, arg.node);
            continue;
        }
        if (run_end)
            cut_argument(m, call, run_start, cn_start(t, arg.node));
        run_end = 0;
        kept_end = cn_end(t, arg.node);
    }
    if (run_end && kept_end)
        cut_argument(m, call, kept_end, run_end);
    else if (run_end)
        cut_all(m, call, arguments);
}

void cn_drop_argument(struct cn_match *m, cn_node call, cn_node argument)
{
    cn_node arguments = cn_child(m->tree, call, CN_F_ARGUMENTS);

    if (!cn_is(m->tree, arguments, CN_K_ARGUMENT_LIST)) {
        cn_demote_manual(m, "the argument cannot be taken out");
        return;
    }
    cn_vec_push(m->arena, &m->fix->arguments, argument);
    forget_cuts(m->fix, call);
    cut_runs(m, call, arguments);
}

/* --- comments ----------------------------------------------------------- */

bool cn_is_directive(struct cn_str comment)
{
    static const char *const marks[] = {
        "noqa", "type:", "pylint:", "pragma:",  "isort:",
        "fmt:", "mypy:", "ruff:",   "pyright:", "pragma no"};
    struct cn_str text = cn_str_trim(cn_str_sub(comment, 1, comment.len));

    for (size_t i = 0; i < CN_COUNT(marks); i++)
        if (cn_str_starts(text, cn_str_from(marks[i])))
            return true;
    return false;
}

static bool written_again(const struct cn_fix *fix, struct cn_str comment)
{
    for (size_t i = 0; i < fix->edits.len; i++)
        if (cn_str_find(fix->edits.at[i].text, comment) >= 0)
            return true;
    return false;
}

static bool swallows(const struct cn_fix *fix, uint32_t at)
{
    for (size_t i = 0; i < fix->edits.len; i++)
        if (!fix->edits.at[i].soft && fix->edits.at[i].start < at &&
            at < fix->edits.at[i].end)
            return true;
    return false;
}

static void keep_comment(struct cn_match *m, struct cn_str comment)
{
    cn_node statement = cn_statement(m->tree, m->node);

    if (cn_is_directive(comment) || written_again(m->fix, comment))
        return;
    if (swallows(m->fix, cn_start(m->tree, statement)))
        cn_demote_manual(m, "a comment would be lost");
    else
        cn_line_above(m, statement, "%.*s", CN_STR_ARG(cn_str_trim(comment)));
}

void cn_forget_comments(struct cn_match *m)
{
    m->fix->forgets_comments = true;
}

void cn_layout_keep_comments(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    size_t count = m->fix->forgets_comments ? 0 : m->fix->edits.len;

    for (size_t i = 0; i < count && i < m->fix->edits.len; i++) {
        struct cn_edit e = m->fix->edits.at[i];

        if (e.soft || e.start == e.end)
            continue;
        for (cn_node n = cn_node_from(t, e.start);
             n < t->count && cn_start(t, n) < e.end; n++)
            if (cn_is(t, n,
                      CN_K_COMMENT)) /* a \r of its line end may belong to it */
                keep_comment(m, cn_str_trim(cn_text(t, n)));
    }
}
