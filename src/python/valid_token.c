/* Validity of tokens: keywords, numbers, string prefixes and escapes, Python 2,
 * and what may stand between tokens. */
#include "python/internal.h"

/* --- names ------------------------------------------------------------------ */

static bool is_keyword(struct cn_str s)
{
    static const char *const keywords[] = {
        "False",  "None",     "True",  "and",    "as",       "assert",
        "async",  "await",    "break", "class",  "continue", "def",
        "del",    "elif",     "else",  "except", "finally",  "for",
        "from",   "global",   "if",    "import", "in",       "is",
        "lambda", "nonlocal", "not",   "or",     "pass",     "raise",
        "return", "try",      "while", "with",   "yield",
    };

    if (s.len < 2 || s.len > 8)
        return false;
    for (size_t i = 0; i < CN_COUNT(keywords); i++)
        if (s.ptr[0] == keywords[i][0] && cn_str_is(s, keywords[i]))
            return true;
    return false;
}

/* --- numbers ---------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* 0777, which is octal in Python 2 and an error in Python 3. */
static bool is_old_octal(struct cn_str s)
{
    bool zero = true;

    if (s.len < 2 || s.ptr[0] != '0')
        return false;
    for (size_t i = 1; i < s.len; i++) {
        if (!is_digit(s.ptr[i]) && s.ptr[i] != '_')
            return false;
        zero &= s.ptr[i] == '0' || s.ptr[i] == '_';
    }
    return !zero;
}

static bool underscores_fine(struct cn_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '_' && (i + 1 == s.len || !is_hex(s.ptr[i + 1])))
            return false;
    return true;
}

static void check_number(struct cn_checker *c, cn_node n)
{
    struct cn_str s = cn_text(c->t, n);
    char last = s.len ? s.ptr[s.len - 1] : 0;

    if (last == 'l' || last == 'L' || is_old_octal(s))
        cn_bad(c, n, "number of Python 2");
    if (!underscores_fine(s))
        cn_bad(c, n, "invalid decimal literal");
}

/* --- strings ---------------------------------------------------------------- */

struct prefix {
    bool raw, bytes, fine;
    bool triple; /* quotes */
};

static struct prefix prefix_of(const struct cn_tree *t, cn_node string)
{
    struct cn_str s = cn_text(t, cn_first(t, string));
    struct prefix p = {.fine = true};
    char kind = 0; /* b, f, t or u */
    size_t i = 0;

    for (; i < s.len && s.ptr[i] != '"' && s.ptr[i] != '\''; i++) {
        char ch = (char)(s.ptr[i] | 0x20);

        if (ch == 'r' && !p.raw) {
            p.raw = true;
        } else {
            p.fine &= !kind;
            kind = ch;
        }
    }
    p.triple = s.len >= i + 3;
    p.bytes = kind == 'b';
    p.fine &= !(kind == 'u' && p.raw);
    return p;
}

/* How many hexadecimal digits must follow `\` and this letter. */
static size_t digits_after(char letter, bool bytes)
{
    switch (letter) {
    case 'x': return 2;
    case 'u': return bytes ? 0 : 4;
    case 'U': return bytes ? 0 : 8;
    default: return 0;
    }
}

static bool escape_fine(struct cn_str s, size_t i, bool bytes)
{
    size_t need = digits_after(s.ptr[i], bytes);
    uint64_t value = 0;

    if (s.ptr[i] == 'N' && !bytes)
        return i + 2 < s.len && s.ptr[i + 1] == '{' && s.ptr[i + 2] != '}' &&
               memchr(s.ptr + i, '}', s.len - i);
    if (i + need >= s.len)
        return false;
    for (size_t k = 1; k <= need; k++) {
        char ch = s.ptr[i + k];

        if (!is_hex(ch))
            return false;
        value = value * 16 +
                (uint64_t)(is_digit(ch) ? ch - '0' : (ch | 0x20) - 'a' + 10);
    }
    return need != 8 || value <= 0x10FFFF;
}

static bool is_newline(char ch)
{
    return ch == '\n' || ch == '\r';
}

static bool has_bare_newline(struct cn_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (is_newline(s.ptr[i]))
            return true;
        if (s.ptr[i] == '\\' && ++i + 1 < s.len && s.ptr[i] == '\r' &&
            s.ptr[i + 1] == '\n')
            i++;
    }
    return false;
}

static void check_content(struct cn_checker *c, cn_node n, struct prefix p)
{
    struct cn_str s = cn_text(c->t, n);

    if (!p.triple && has_bare_newline(s))
        cn_bad(c, n, "unterminated string literal");

    if (p.bytes)
        for (size_t i = 0; i < s.len; i++)
            if ((unsigned char)s.ptr[i] >= 0x80)
                cn_bad(c, n, "bytes can only contain ASCII literal characters");
    if (p.raw || !memchr(s.ptr, '\\', s.len))
        return;
    for (size_t i = 0; i + 1 < s.len; i++)
        if (s.ptr[i] == '\\' && !escape_fine(s, ++i, p.bytes))
            cn_bad(c, n, "cannot decode an escape sequence");
}

static void check_conversion(struct cn_checker *c, cn_node interpolation)
{
    cn_node_for (n, c->t, interpolation) {
        struct cn_str s = cn_text(c->t, n);

        if (c->t->at[n].named && s.len == 2 && s.ptr[0] == '!' &&
            !memchr("rsa", s.ptr[1], 3))
            cn_bad(c, n, "f-string: invalid conversion character");
    }
}

static void check_string(struct cn_checker *c, cn_node string)
{
    struct prefix p = prefix_of(c->t, string);

    if (!p.fine)
        cn_bad(c, string, "invalid string prefix");
    cn_node_for (n, c->t, string)
        if (cn_is(c->t, n, CN_K_STRING_CONTENT))
            check_content(c, n, p);
        else if (cn_is(c->t, n, CN_K_INTERPOLATION))
            check_conversion(c, n);
}

static void check_concatenated(struct cn_checker *c, cn_node strings)
{
    size_t bytes = 0, all = 0;

    cn_node_for (n, c->t, strings)
        if (cn_is(c->t, n, CN_K_STRING)) {
            bytes += prefix_of(c->t, n).bytes;
            all++;
        }
    if (bytes && bytes < all)
        cn_bad(c, strings, "cannot mix bytes and nonbytes literals");
}

/* --- between tokens ------------------------------------------------------------ */

/* May this leaf come first on a line, outside of brackets? Only as the start of
 * a statement, a clause or a decorator. */
static bool starts_line(const struct cn_tree *t, cn_node leaf)
{
    uint32_t start = cn_start(t, leaf);

    for (cn_node n = leaf; n && cn_start(t, n) == start; n = cn_parent(t, n)) {
        enum cn_kind above = cn_kind(t, cn_parent(t, n));

        if (t->at[n].named && (above == CN_K_BLOCK || above == CN_K_MODULE ||
                               above == CN_K_DECORATED_DEFINITION))
            return true;
        switch (cn_kind(t, n)) {
        case CN_K_COMMENT:
        case CN_K_LINE_CONTINUATION:
        case CN_K_ELIF_CLAUSE:
        case CN_K_ELSE_CLAUSE:
        case CN_K_EXCEPT_CLAUSE:
        case CN_K_FINALLY_CLAUSE:
        case CN_K_BLOCK:
        case CN_K_MODULE: return true;
        default: break;
        }
    }
    return false;
}

/* Only white space that Python knows, and newlines taken back by a backslash,
 * may stand between two leaves; other newlines only between lines. Inside of
 * strings the grammar has text without nodes: they are skipped. */
static void check_gap(struct cn_checker *c, cn_node n)
{
    const char *text = c->t->text.ptr;
    uint32_t i = c->text_end, end = cn_start(c->t, n);
    bool newline = false;

    if (i == 0 && end >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3))
        i = 3;
    for (; i < end; i++) {
        if (text[i] == '\\' && i + 1 < end && is_newline(text[i + 1])) {
            i += text[i + 1] == '\r' && i + 2 < end && text[i + 2] == '\n';
            i++;
        } else if (is_newline(text[i])) {
            newline = true;
        } else if (text[i] != ' ' && text[i] != '\t' && text[i] != '\f') {
            cn_bad(c, n, "invalid character before this");
            return;
        }
    }
    if (newline && !c->brackets && !starts_line(c->t, n))
        cn_bad(c, n, "invalid syntax: the line before is not complete");
}

static void check_leaf(struct cn_checker *c, cn_node n)
{
    if (n < c->string_end)
        return;
    if (cn_is(c->t, n, CN_K_STRING))
        c->string_end = c->t->at[n].after;
    else if (c->t->at[n].after != n + 1)
        return;
    check_gap(c, n);
    if (cn_end(c->t, n) > c->text_end)
        c->text_end = cn_end(c->t, n);
}

/* --- depth --------------------------------------------------------------------- */

enum { MOST_BRACKETS = 200 }; /* CPython's limit, MAXLEVEL */

static void check_brackets(struct cn_checker *c, cn_node n)
{
    struct cn_str s = cn_text(c->t, n);

    if (s.len != 1)
        return;
    if (s.ptr[0] == '(' || s.ptr[0] == '[' || s.ptr[0] == '{')
        c->brackets++;
    else if (c->brackets &&
             (s.ptr[0] == ')' || s.ptr[0] == ']' || s.ptr[0] == '}'))
        c->brackets--;
    if (c->brackets > MOST_BRACKETS)
        cn_bad(c, n, "too many nested parentheses");
}

void cn_check_token(struct cn_checker *c, cn_node n)
{
    check_leaf(c, n);
    if (!c->t->at[n].named)
        check_brackets(c, n);
    switch (cn_kind(c->t, n)) {
    case CN_K_IDENTIFIER:
        if (is_keyword(cn_text(c->t, n)))
            cn_bad(c, n, "keyword used as a name");
        break;
    case CN_K_INTEGER:
    case CN_K_FLOAT: check_number(c, n); break;
    case CN_K_STRING: check_string(c, n); break;
    case CN_K_CONCATENATED_STRING: check_concatenated(c, n); break;
    case CN_K_EXEC_STATEMENT: cn_bad(c, n, "statement of Python 2"); break;
    case CN_K_PRINT_STATEMENT: /* `print >>f, x` is an expression, too */
        if (!cn_child_of_kind(c->t, n, CN_K_CHEVRON))
            cn_bad(c, n, "statement of Python 2");
        break;
    case CN_K_OTHER:
        if (c->t->at[n].field == CN_F_OPERATORS && cn_text_is(c->t, n, "<>"))
            cn_bad(c, n, "operator of Python 2");
        break;
    default: break;
    }
}
