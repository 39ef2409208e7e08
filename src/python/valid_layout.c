/* Validity of layout: suites that are there, deeper than their headers and at
 * one indentation; clauses and decorators under their statement. Indentation
 * is measured as CPython's tokenizer does it, with tabs as 8 and as 1 columns,
 * and must agree in both. */
#include "python/internal.h"

struct indent {
    bool first; /* first on its line; else the columns mean nothing */
    uint32_t column, alternative;
};

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\f';
}

/* Does a comment hold the byte at `at`? The nodes are sorted by their start. */
static bool in_comment(const struct cn_tree *t, uint32_t at)
{
    cn_node low = 1, high = t->count;

    while (high - low > 1) {
        cn_node middle = low + (high - low) / 2;

        if (cn_start(t, middle) <= at)
            low = middle;
        else
            high = middle;
    }
    return cn_is(t, low, CN_K_COMMENT) && at < cn_end(t, low);
}

/* The newline in front of `at` was taken back by a backslash. */
static bool is_continued(const struct cn_tree *t, uint32_t at)
{
    struct cn_str text = t->text;
    uint32_t i = at;

    if (i && text.ptr[i - 1] == '\n')
        i--;
    if (i && text.ptr[i - 1] == '\r')
        i--;
    return i && i < at && text.ptr[i - 1] == '\\' && !in_comment(t, i - 1);
}

static struct indent indent_of(const struct cn_tree *t, cn_node n)
{
    struct cn_str s = t->text;
    struct indent in = {false, 0, 0};
    uint32_t start = cn_start(t, n), from = start;

    while (from && is_blank(s.ptr[from - 1]))
        from--;
    if (from == 3 && memcmp(s.ptr, "\xEF\xBB\xBF", 3) == 0)
        ; /* a byte order mark takes no room */
    else if (from && s.ptr[from - 1] != '\n' && s.ptr[from - 1] != '\r')
        return in;
    if (is_continued(t, from))
        return in;
    for (uint32_t i = from; i < start; i++) {
        if (s.ptr[i] == '\f') {
            in.column = in.alternative = 0;
        } else {
            in.column =
                s.ptr[i] == '\t' ? (in.column / 8 + 1) * 8 : in.column + 1;
            in.alternative++;
        }
    }
    in.first = true;
    return in;
}

static bool is_same(struct indent a, struct indent b)
{
    return a.column == b.column && a.alternative == b.alternative;
}

static bool is_deeper(struct indent a, struct indent b)
{
    return a.column > b.column && a.alternative > b.alternative;
}

static bool counts(const struct cn_tree *t, cn_node n)
{
    return t->at[n].named && !cn_is(t, n, CN_K_COMMENT) &&
           !cn_is(t, n, CN_K_LINE_CONTINUATION);
}

/* Is there a `;` before `n`? The grammar does without; Python does not. */
static bool follows_semicolon(const struct cn_tree *t, cn_node n)
{
    struct cn_str s = t->text;
    uint32_t i = cn_start(t, n);

    for (;;) {
        while (i && is_blank(s.ptr[i - 1]))
            i--;
        if (!is_continued(t, i))
            return i && s.ptr[i - 1] == ';';
        while (s.ptr[i - 1] != '\\')
            i--;
        i--;
    }
}

/* All statements that start a line stand at one indentation, which is `in`
 * once it is known. False: none at all. */
static bool check_suite(struct cn_checker *c, cn_node suite, struct indent *in)
{
    bool any = false;

    cn_node_for (n, c->t, suite) {
        struct indent here;

        if (!counts(c->t, n))
            continue;
        here = indent_of(c->t, n);
        if (any && !here.first && !follows_semicolon(c->t, n))
            cn_bad(c, n, "two statements on one line");
        any = true;
        if (!here.first)
            continue;
        if (!in->first)
            *in = here;
        else if (!is_same(here, *in))
            cn_bad(c, n, "unexpected indentation");
    }
    return any;
}

static void check_block(struct cn_checker *c, cn_node block)
{
    struct indent in = {false, 0, 0}, header;

    if (!check_suite(c, block, &in)) {
        cn_bad(c, block, "expected an indented block");
        return;
    }
    header = indent_of(c->t, cn_parent(c->t, block));
    if (in.first && header.first && !is_deeper(in, header))
        cn_bad(c, block, "block is not deeper than its header");
}

/* `else`, `except` and so on. */
static void check_clause(struct cn_checker *c, cn_node clause)
{
    struct indent here = indent_of(c->t, clause);
    struct indent header = indent_of(c->t, cn_parent(c->t, clause));

    if (!here.first || (header.first && !is_same(here, header)))
        cn_bad(c, clause, "clause is not under its statement");
}

static void check_decorated(struct cn_checker *c, cn_node n)
{
    struct indent in = {false, 0, 0};

    cn_node_for (child, c->t, n)
        if (counts(c->t, child) && !indent_of(c->t, child).first)
            cn_bad(c, child, "definition is not on a line of its own");
    check_suite(c, n, &in);
}

static void check_module(struct cn_checker *c, cn_node n)
{
    struct indent in = {true, 0, 0};

    check_suite(c, n, &in);
    if (is_continued(c->t, (uint32_t)c->t->text.len))
        cn_bad(c, n, "unexpected end of file after a backslash");
}

void cn_check_layout(struct cn_checker *c, cn_node n)
{
    switch (cn_kind(c->t, n)) {
    case CN_K_MODULE: check_module(c, n); break;
    case CN_K_BLOCK: check_block(c, n); break;
    case CN_K_ELIF_CLAUSE:
    case CN_K_ELSE_CLAUSE:
    case CN_K_EXCEPT_CLAUSE:
    case CN_K_FINALLY_CLAUSE: check_clause(c, n); break;
    case CN_K_DECORATED_DEFINITION: check_decorated(c, n); break;
    default: break;
    }
}
