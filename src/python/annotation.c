/* Annotations: the names in strings that are annotations, the names that
 * __all__ lists, and the class that an annotation declares. Types are read
 * from their text by a small reader of our own, because inside a string there
 * is no tree; it takes the same text outside of strings. What it does not
 * understand declares nothing. */
#include "python/internal.h"

enum { DEEPEST = 16 };

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* --- strings ------------------------------------------------------------------ */

/* What is between the quotes of a plain string without escapes. */
static bool plain_content(const struct cn_tree *t, cn_node string,
                          uint32_t *start, uint32_t *end)
{
    cn_node content = cn_child_of_kind(t, string, CN_K_STRING_CONTENT);
    struct cn_str open = cn_text(t, cn_first(t, string));

    if (!content || cn_named_count(t, string) != 3 ||
        memchr(open.ptr, 'f', open.len) || memchr(open.ptr, 'F', open.len) ||
        memchr(open.ptr, 'b', open.len) || memchr(open.ptr, 'B', open.len))
        return false;
    *start = cn_start(t, content);
    *end = cn_end(t, content);
    return memchr(t->text.ptr + *start, '\\', *end - *start) == NULL;
}

/* Is this string an argument of Literal[...]? */
static bool is_literal(const struct cn_tree *t, cn_node n)
{
    for (; n && !cn_is(t, n, CN_K_BLOCK) && !cn_is(t, n, CN_K_MODULE);
         n = cn_parent(t, n))
        if ((cn_is(t, n, CN_K_GENERIC_TYPE) || cn_is(t, n, CN_K_SUBSCRIPT)) &&
            cn_str_ends(cn_text(t, cn_first(t, n)), CN_STR("Literal")))
            return true;
    return false;
}

/* The next dotted name in s[*at..end); its place in [*from, *at). */
static bool next_name(struct cn_str s, size_t *at, size_t *from)
{
    size_t i = *at;

    while (i < s.len &&
           !(is_word(s.ptr[i]) && !(s.ptr[i] >= '0' && s.ptr[i] <= '9')))
        i++;
    *from = i;
    while (i < s.len &&
           (is_word(s.ptr[i]) ||
            (s.ptr[i] == '.' && i + 1 < s.len && is_word(s.ptr[i + 1]))))
        i++;
    *at = i;
    return *from < i;
}

/* Could this be a type? No two words without an operator between them. */
static bool reads_like_a_type(struct cn_str s)
{
    bool after_word = false, spaced = false;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (is_word(c) || c == '.') {
            if (after_word && spaced)
                return false;
            after_word = true;
            spaced = false;
        } else if (is_space(c)) {
            spaced = true;
        } else if (strchr("[](),|'\"*-", c)) {
            after_word = spaced = false;
        } else {
            return false;
        }
    }
    return true;
}

static void add_string_use(struct cn_module *m, cn_node string,
                           struct cn_symbol *s, uint32_t start,
                           struct cn_str dotted)
{
    struct cn_use use = {.node = string,
                         .certainty = s->certainty,
                         .in_string = true,
                         .start = start,
                         .symbol = s};
    size_t len;

    use.name = cn_resolve_prefix(m, s, dotted, &len);
    use.end = start + (uint32_t)len;
    if (cn_of_interest(use.name))
        cn_add_use(m, use);
}

static void read_string(struct cn_module *m, cn_node string,
                        struct cn_scope *scope)
{
    uint32_t start, end;

    if (!plain_content(m->tree, string, &start, &end) ||
        is_literal(m->tree, string))
        return;
    struct cn_str text = cn_str_sub(m->tree->text, start, end);

    if (!reads_like_a_type(text))
        return;
    for (size_t at = 0, from; next_name(text, &at, &from);) {
        struct cn_str dotted = cn_str_sub(text, from, at), rest = dotted, root;
        struct cn_symbol *s =
            cn_str_cut(&rest, '.', &root) ? cn_scope_find(scope, root) : NULL;

        if (!s)
            continue;
        s->string_uses++;
        add_string_use(m, string, s, start + (uint32_t)from, dotted);
    }
}

/* --- __all__ ------------------------------------------------------------------ */

static void export_name(struct cn_module *m, cn_node string)
{
    uint32_t start, end;
    union cn_value *v;

    if (!plain_content(m->tree, string, &start, &end))
        return;
    v = cn_map_get(&m->scope->symbols, cn_str_sub(m->tree->text, start, end));
    if (v) {
        struct cn_symbol *s = v->ptr;

        s->string_uses++;
        s->exported = true;
    }
}

/* Every string in a statement that touches __all__: assignments, +=, append,
 * extend. */
static void read_all(struct cn_module *m)
{
    union cn_value *v = cn_map_get(&m->scope->symbols, CN_STR("__all__"));
    const struct cn_tree *t = m->tree;
    struct cn_symbol *s = v ? v->ptr : NULL;
    cn_node done = 0;

    if (!s)
        return;
    cn_vec_for (b, &s->bindings)
        for (cn_node n = b->statement; n < t->at[b->statement].after; n++)
            if (cn_is(t, n, CN_K_STRING))
                export_name(m, n);
    cn_vec_for (use, &s->uses) {
        cn_node call = cn_parent(t, cn_parent(t, *use));

        if (!cn_is(t, call, CN_K_CALL) || call == done)
            continue;
        done = call;
        for (cn_node n = call; n < t->at[call].after; n++)
            if (cn_is(t, n, CN_K_STRING))
                export_name(m, n);
    }
}

void cn_read_strings(struct cn_module *m)
{
    cn_vec_for (it, &m->findings->strings)
        read_string(m, it->node, it->scope);
    read_all(m);
}

/* --- declared types ----------------------------------------------------------- */

struct reader {
    const struct cn_module *m;
    struct cn_scope *scope;
    int depth;
};

/* Cut the text before the first `sep` outside of brackets and quotes. */
static bool cut_top(struct cn_str *s, char sep, struct cn_str *out)
{
    int depth = 0;
    char quote = 0;
    size_t i = 0;

    if (!s->len)
        return false;
    for (; i < s->len; i++) {
        char c = s->ptr[i];

        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '\'' || c == '"')
            quote = c;
        else if (c == '[' || c == '(')
            depth++;
        else if (c == ']' || c == ')')
            depth--;
        else if (c == sep && depth == 0)
            break;
    }
    *out = cn_str_trim(cn_str_sub(*s, 0, i));
    *s = cn_str_sub(*s, i + 1, s->len);
    return true;
}

static enum cn_certainty declared(struct reader r, struct cn_str text,
                                  struct cn_str *type);

/* All alternatives but None must agree. */
static enum cn_certainty declared_by_all(struct reader r, struct cn_str text,
                                         char sep, struct cn_str *type)
{
    enum cn_certainty all = CN_UNKNOWN;
    struct cn_str part, one, agreed = {"", 0};

    while (cut_top(&text, sep, &part)) {
        enum cn_certainty c;

        if (!part.len || cn_str_is(part, "None"))
            continue;
        c = declared(r, part, &one);
        if (c == CN_UNKNOWN || (agreed.len && !cn_str_eq(one, agreed)))
            return CN_UNKNOWN;
        agreed = one;
        all = all == CN_UNKNOWN || c < all ? c : all;
    }
    if (agreed.len)
        *type = agreed;
    return agreed.len ? all : CN_UNKNOWN;
}

static struct cn_str last_part(struct cn_str dotted)
{
    ptrdiff_t dot = cn_str_rfind(dotted, CN_STR("."));

    return cn_str_sub(dotted, (size_t)(dot + 1), dotted.len);
}

/* `Optional[X]`, and other words that say no more about the class. */
static bool is_wrapper(struct cn_str head)
{
    static const char *const words[] = {"Optional",   "Union",    "Annotated",
                                        "Final",      "ClassVar", "Required",
                                        "NotRequired"};

    for (size_t i = 0; i < CN_COUNT(words); i++)
        if (cn_str_is(last_part(head), words[i]))
            return true;
    return false;
}

static enum cn_certainty declared_by_name(struct reader r, struct cn_str head,
                                          struct cn_str *type)
{
    struct cn_str found;
    enum cn_certainty c = cn_resolve_text(r.m, r.scope, head, &found);

    if (c != CN_UNKNOWN)
        *type = cn_canonical_type(found);
    return c;
}

/* Without the quotes around all of it. */
static struct cn_str unquoted(struct cn_str s)
{
    while (s.len >= 2 && (s.ptr[0] == '"' || s.ptr[0] == '\'') &&
           s.ptr[s.len - 1] == s.ptr[0])
        s = cn_str_trim(cn_str_sub(s, 1, s.len - 1));
    return s;
}

static enum cn_certainty declared(struct reader r, struct cn_str text,
                                  struct cn_str *type)
{
    struct cn_str head, inner, first;
    size_t n = 0;

    if (r.depth++ > DEEPEST)
        return CN_UNKNOWN;
    text = unquoted(cn_str_trim(text));
    inner = text;
    if (cut_top(&inner, '|', &first) && first.len < text.len)
        return declared_by_all(r, text, '|', type);
    while (n < text.len && (is_word(text.ptr[n]) || text.ptr[n] == '.'))
        n++;
    head = cn_str_sub(text, 0, n);
    if (!n ||
        (n < text.len && (text.ptr[n] != '[' || text.ptr[text.len - 1] != ']')))
        return CN_UNKNOWN;
    if (!is_wrapper(head))
        return declared_by_name(r, head, type);
    inner = cn_str_sub(text, n + 1, text.len ? text.len - 1 : 0);
    if (cn_str_is(last_part(head), "Annotated") && cut_top(&inner, ',', &first))
        inner = first;
    return declared_by_all(r, inner, ',', type);
}

enum cn_certainty cn_declared_type(const struct cn_module *m,
                                   struct cn_scope *scope, struct cn_str text,
                                   struct cn_str *type)
{
    return declared((struct reader){m, scope, 0}, text, type);
}
