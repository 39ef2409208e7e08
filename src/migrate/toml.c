/* TOML, as much of it as a configuration needs: every `key = value` with the
 * names of its tables, in the order of the text. Dates, nested arrays and
 * tables inside arrays are seen but not read. The grammar does the parsing;
 * a document with a syntax error gives nothing but the error. */
#include <stdio.h>
#include <stdlib.h>

#include <tree_sitter/api.h>

#include "migrate/project.h"

const TSLanguage *tree_sitter_toml(void);

struct reader {
    struct cn_arena *arena;
    struct cn_str text;
    struct cn_toml *out;
};

static struct cn_str node_text(const struct reader *r, TSNode node)
{
    return cn_str_sub(r->text, ts_node_start_byte(node),
                      ts_node_end_byte(node));
}

static bool is_type(TSNode node, const char *type)
{
    return strcmp(ts_node_type(node), type) == 0;
}

/* --- strings ---------------------------------------------------------------
 */

static void add_utf8(struct cn_buf *b, unsigned code)
{
    if (code < 0x80) {
        cn_buf_add_char(b, (char)code);
    } else if (code < 0x800) {
        cn_buf_add_char(b, (char)(0xc0 | code >> 6));
        cn_buf_add_char(b, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        cn_buf_add_char(b, (char)(0xe0 | code >> 12));
        cn_buf_add_char(b, (char)(0x80 | (code >> 6 & 0x3f)));
        cn_buf_add_char(b, (char)(0x80 | (code & 0x3f)));
    } else {
        cn_buf_add_char(b, (char)(0xf0 | (code >> 18 & 7)));
        cn_buf_add_char(b, (char)(0x80 | (code >> 12 & 0x3f)));
        cn_buf_add_char(b, (char)(0x80 | (code >> 6 & 0x3f)));
        cn_buf_add_char(b, (char)(0x80 | (code & 0x3f)));
    }
}

/* The escape at s.ptr[i] == '\\'; returns the index behind it. */
static size_t add_escape(struct cn_buf *b, struct cn_str s, size_t i)
{
    static const char from[] = "btnfr\"\\e", to[] = "\b\t\n\f\r\"\\\033";
    char c = i + 1 < s.len ? s.ptr[i + 1] : '\\';
    const char *at = strchr(from, c);

    if (c == 'u' || c == 'U') {
        char digits[9] = {0};
        size_t n = c == 'u' ? 4 : 8;

        memcpy(digits, s.ptr + i + 2, i + 2 + n <= s.len ? n : 0);
        add_utf8(b, (unsigned)strtoul(digits, NULL, 16));
        return i + 2 + n;
    }
    if (c && at) {
        cn_buf_add_char(b, to[at - from]);
        return i + 2;
    }
    /* A backslash before a line end swallows the white space behind it. */
    i++;
    while (i < s.len && strchr(" \t\r\n", s.ptr[i]))
        i++;
    return i;
}

static struct cn_str unescaped(struct cn_arena *arena, struct cn_str s)
{
    struct cn_buf b;

    cn_buf_init(&b, SIZE_MAX);
    for (size_t i = 0; i < s.len;) {
        if (s.ptr[i] == '\\')
            i = add_escape(&b, s, i);
        else
            cn_buf_add_char(&b, s.ptr[i++]);
    }
    struct cn_str copy = {cn_str_dup(arena, cn_buf_str(&b)), b.len};

    cn_buf_done(&b);
    return copy;
}

/* A string or quoted key, with its quotes, as the text that it means. */
static struct cn_str string_value(const struct reader *r, struct cn_str s)
{
    bool literal = cn_str_starts(s, CN_STR("'"));

    if (cn_str_starts(s, CN_STR("\"\"\"")) || cn_str_starts(s, CN_STR("'''"))) {
        s = cn_str_sub(s, 3, s.len - 3);
        if (cn_str_starts(s, CN_STR("\n")))
            s = cn_str_sub(s, 1, s.len);
    } else {
        s = cn_str_sub(s, 1, s.len - 1);
    }
    return literal ? s : unescaped(r->arena, s);
}

/* --- keys and values ------------------------------------------------------- */

static struct cn_str joined(const struct reader *r, struct cn_str a,
                            struct cn_str b)
{
    if (!a.len)
        return b;
    return cn_str_fmt(r->arena, "%.*s.%.*s", CN_STR_ARG(a), CN_STR_ARG(b));
}

static struct cn_str key_of(const struct reader *r, TSNode node)
{
    struct cn_str key = {"", 0};

    if (is_type(node, "quoted_key"))
        return string_value(r, node_text(r, node));
    if (!is_type(node, "dotted_key"))
        return node_text(r, node);
    for (uint32_t i = 0; i < ts_node_named_child_count(node); i++) {
        TSNode part = ts_node_named_child(node, i);

        key = joined(r, key, key_of(r, part));
    }
    return key;
}

static void read_array(const struct reader *r, TSNode node,
                       struct cn_toml_pair *pair)
{
    pair->kind = CN_TOML_STRINGS;
    for (uint32_t i = 0; i < ts_node_named_child_count(node); i++) {
        TSNode item = ts_node_named_child(node, i);

        if (is_type(item, "comment"))
            continue;
        if (!is_type(item, "string")) {
            pair->kind = CN_TOML_OTHER;
            return;
        }
        cn_vec_push(r->arena, &pair->strs, string_value(r, node_text(r, item)));
    }
}

static void read_pairs(const struct reader *r, TSNode table,
                       struct cn_str prefix);

static void read_value(const struct reader *r, TSNode value,
                       struct cn_toml_pair *pair)
{
    pair->str = node_text(r, value);
    if (is_type(value, "string")) {
        pair->kind = CN_TOML_STRING;
        pair->str = string_value(r, pair->str);
    } else if (is_type(value, "boolean")) {
        pair->kind = CN_TOML_BOOL;
        pair->flag = cn_str_is(pair->str, "true");
    } else if (is_type(value, "integer") || is_type(value, "float")) {
        pair->kind = CN_TOML_NUMBER;
    } else if (is_type(value, "array")) {
        read_array(r, value, pair);
    } else {
        pair->kind = CN_TOML_OTHER;
    }
}

static void read_pair(const struct reader *r, TSNode node, struct cn_str prefix)
{
    struct cn_toml_pair pair = {
        .line = ts_node_start_point(node).row + 1,
        .key = joined(r, prefix, key_of(r, ts_node_named_child(node, 0))),
    };
    uint32_t count = ts_node_named_child_count(node);

    while (count > 1 &&
           is_type(ts_node_named_child(node, count - 1), "comment"))
        count--; /* a comment behind the value belongs to the pair */
    if (count < 2)
        return;
    TSNode value = ts_node_named_child(node, count - 1);

    if (is_type(value, "inline_table")) {
        read_pairs(r, value, pair.key);
        return;
    }
    read_value(r, value, &pair);
    cn_vec_push(r->arena, r->out, pair);
}

/* The pairs that stand directly below a document, table or inline table. */
static void read_pairs(const struct reader *r, TSNode table,
                       struct cn_str prefix)
{
    for (uint32_t i = 0; i < ts_node_named_child_count(table); i++) {
        TSNode child = ts_node_named_child(table, i);

        if (is_type(child, "pair"))
            read_pair(r, child, prefix);
    }
}

static void read_document(const struct reader *r, TSNode root)
{
    read_pairs(r, root, CN_STR(""));
    for (uint32_t i = 0; i < ts_node_named_child_count(root); i++) {
        TSNode table = ts_node_named_child(root, i);

        if (!is_type(table, "table") && !is_type(table, "table_array_element"))
            continue;
        read_pairs(r, table, key_of(r, ts_node_named_child(table, 0)));
    }
}

/* --- errors ---------------------------------------------------------------- */

/* The line of the first error; the grammar may put a whole table into one
 * ERROR node, so the deepest one tells most. */
static uint32_t error_line(TSNode node)
{
    for (uint32_t i = 0; i < ts_node_child_count(node); i++) {
        TSNode child = ts_node_child(node, i);

        if (ts_node_is_missing(child) || ts_node_is_error(child))
            return ts_node_start_point(child).row + 1;
        if (ts_node_has_error(child))
            return error_line(child);
    }
    return ts_node_start_point(node).row + 1;
}

int cn_toml_read(struct cn_arena *arena, struct cn_str text,
                 struct cn_toml *out, struct cn_note *note)
{
    struct reader r = {arena, text, out};
    int err = 0;

    if (text.len > INT32_MAX)
        return cn_note_set(note, CN_ECONFIG, "too large");
    if (cn_str_starts(text, CN_STR("\xef\xbb\xbf")))
        r.text = cn_str_sub(text, 3, text.len);
    TSParser *parser = ts_parser_new();

    if (!parser || !ts_parser_set_language(parser, tree_sitter_toml()))
        cn_out_of_memory(0);
    TSTree *tree =
        ts_parser_parse_string(parser, NULL, r.text.ptr, (uint32_t)r.text.len);

    if (!tree)
        cn_out_of_memory(r.text.len);
    TSNode root = ts_tree_root_node(tree);

    if (ts_node_has_error(root)) {
        err = cn_note_set(note, CN_ECONFIG, "this is not valid TOML");
        if (note)
            note->line = error_line(root);
    } else {
        read_document(&r, root);
    }
    ts_tree_delete(tree);
    ts_parser_delete(parser);
    return err;
}
