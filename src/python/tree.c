/* Trees: tree-sitter's tree copied into a flat preorder array (tree.h).
 *
 * One cursor walk per parse; afterwards tree-sitter's own tree is gone. The
 * invariant: children of a node follow it directly and `after` skips a whole
 * subtree, so "inside" is a comparison of two numbers. */
#include "python/internal.h"

#include <stdlib.h>

#include <tree_sitter/api.h>

#include "python/heap.h"

const TSLanguage *tree_sitter_python(void);

struct cn_parser {
    struct cn_heap heap; /* for one parse at a time */
    uint16_t *kind_of;   /* by grammar symbol */
    uint8_t *field_of;   /* by grammar field */
    uint32_t symbol_count;
};

static const struct {
    const char *name;
    uint16_t kind;
} named_kinds[] =
    {
#define ROW(name, text) {text, CN_K_##name},
        CN_KIND_MAP(ROW)
#undef ROW
},
  token_kinds[] = {
#define ROW(name, text) {text, CN_T_##name},
      CN_TOKEN_MAP(ROW)
#undef ROW
};

static const char *const field_names[] = {[CN_F_NONE] = "",
#define ROW(name, text) [CN_F_##name] = (text),
                                          CN_FIELD_MAP(ROW)
#undef ROW
};

const char *cn_kind_name(enum cn_kind kind)
{
    for (size_t i = 0; i < CN_COUNT(named_kinds); i++)
        if (named_kinds[i].kind == kind)
            return named_kinds[i].name;
    for (size_t i = 0; i < CN_COUNT(token_kinds); i++)
        if (token_kinds[i].kind == kind)
            return token_kinds[i].name;
    return kind == CN_K_ERROR ? "ERROR" : kind ? "other" : "nothing";
}

/* --- opening a parser --------------------------------------------------- */

static uint16_t kind_of_name(const char *name, bool named)
{
    if (named) {
        for (size_t i = 0; i < CN_COUNT(named_kinds); i++)
            if (!strcmp(named_kinds[i].name, name))
                return named_kinds[i].kind;
    } else {
        for (size_t i = 0; i < CN_COUNT(token_kinds); i++)
            if (!strcmp(token_kinds[i].name, name))
                return token_kinds[i].kind;
    }
    return CN_K_OTHER;
}

static uint8_t field_of_name(const char *name)
{
    for (uint8_t i = 1; i < CN_COUNT(field_names); i++)
        if (!strcmp(field_names[i], name))
            return i;
    return CN_F_NONE;
}

static bool resolve_names(struct cn_parser *p)
{
    const TSLanguage *lang = tree_sitter_python();
    uint32_t fields = ts_language_field_count(lang) + 1;

    p->symbol_count = ts_language_symbol_count(lang);
    p->kind_of = calloc(p->symbol_count, sizeof(*p->kind_of));
    p->field_of = calloc(fields, sizeof(*p->field_of));
    if (!p->kind_of || !p->field_of)
        return false;
    for (uint32_t s = 0; s < p->symbol_count; s++) {
        TSSymbolType type = ts_language_symbol_type(lang, (TSSymbol)s);
        const char *name = ts_language_symbol_name(lang, (TSSymbol)s);

        p->kind_of[s] = kind_of_name(name, type == TSSymbolTypeRegular);
    }
    for (uint32_t f = 1; f < fields; f++)
        p->field_of[f] =
            field_of_name(ts_language_field_name_for_id(lang, (TSFieldId)f));
    return true;
}

struct cn_parser *cn_parser_open(void)
{
    struct cn_parser *p = calloc(1, sizeof(*p));

    if (!p)
        cn_out_of_memory(sizeof(*p));
    if (!resolve_names(p))
        cn_out_of_memory(0);
    cn_heap_init(&p->heap);
    return p;
}

void cn_parser_close(struct cn_parser *p)
{
    if (!p)
        return;
    cn_heap_done(&p->heap);
    free(p->kind_of);
    free(p->field_of);
    free(p);
}

/* --- copying ------------------------------------------------------------ */

struct copy {
    const struct cn_parser *parser;
    struct cn_arena *arena;
    struct cn_tree *tree;
    CN_VEC(struct cn_node_record) nodes;
};

static struct cn_node_record record_of(const struct copy *c,
                                       const TSTreeCursor *cursor,
                                       cn_node parent)
{
    TSNode node = ts_tree_cursor_current_node(cursor);
    TSSymbol symbol = ts_node_symbol(node);
    TSFieldId field = ts_tree_cursor_current_field_id(cursor);

    return (struct cn_node_record){
        .start = ts_node_start_byte(node),
        .end = ts_node_end_byte(node),
        .parent = parent,
        .kind = symbol < c->parser->symbol_count ? c->parser->kind_of[symbol]
                                                 : CN_K_ERROR,
        .field = c->parser->field_of[field],
        .named = ts_node_is_named(node),
        .missing = ts_node_is_missing(node),
    };
}

static cn_node add_node(struct copy *c, struct cn_node_record record)
{
    cn_node n = (cn_node)c->nodes.len;

    cn_vec_push(c->arena, &c->nodes, record);
    if ((record.kind == CN_K_ERROR || record.missing) && !c->tree->broken)
        c->tree->broken = n;
    return n;
}

static void copy_nodes(struct copy *c, TSTreeCursor *cursor)
{
    cn_node parent = 0;

    add_node(c, (struct cn_node_record){0});
    for (;;) {
        cn_node n = add_node(c, record_of(c, cursor, parent));

        if (ts_tree_cursor_goto_first_child(cursor)) {
            parent = n;
            continue;
        }
        c->nodes.at[n].after = (cn_node)c->nodes.len;
        while (!ts_tree_cursor_goto_next_sibling(cursor)) {
            if (!ts_tree_cursor_goto_parent(cursor))
                return;
            c->nodes.at[parent].after = (cn_node)c->nodes.len;
            parent = c->nodes.at[parent].parent;
        }
    }
}

static bool ends_line(struct cn_str s, size_t i)
{
    return s.ptr[i] == '\n' ||
           (s.ptr[i] == '\r' && (i + 1 == s.len || s.ptr[i + 1] != '\n'));
}

static void find_lines(struct cn_tree *t, struct cn_arena *arena)
{
    CN_VEC(uint32_t) lines = {0};

    cn_vec_push(arena, &lines, 0);
    for (size_t i = 0; i < t->text.len; i++)
        if (ends_line(t->text, i))
            cn_vec_push(arena, &lines, (uint32_t)i + 1);
    t->lines = lines.at;
    t->line_count = (uint32_t)lines.len;
}

/* tree-sitter's tree of the text into ours. */
static struct cn_tree *copy_tree(const struct cn_parser *parser,
                                 struct cn_arena *arena, struct cn_str text,
                                 const TSTree *ts)
{
    struct cn_tree *tree = CN_NEW(arena, struct cn_tree);
    struct copy c = {.parser = parser, .arena = arena, .tree = tree};
    TSNode root = ts_tree_root_node(ts);
    TSTreeCursor cursor = ts_tree_cursor_new(root);

    tree->text = text;
    find_lines(tree, arena);
    c.nodes.cap = (size_t)ts_node_descendant_count(root) + 1;
    c.nodes.at =
        cn_arena_alloc(arena, c.nodes.cap * sizeof(struct cn_node_record));
    copy_nodes(&c, &cursor);
    cn_fix_precedence(c.nodes.at, (cn_node)c.nodes.len);
    ts_tree_cursor_delete(&cursor);
    tree->at = c.nodes.at;
    tree->count = (cn_node)c.nodes.len;
    return tree;
}

int cn_tree_parse(struct cn_parser *parser, struct cn_arena *arena,
                  struct cn_str text, struct cn_tree **out)
{
    if (text.len > INT32_MAX)
        return CN_ETOOBIG;
    cn_heap_enter(&parser->heap);
    TSParser *ts = ts_parser_new();

    if (!ts_parser_set_language(ts, tree_sitter_python()))
        cn_unreachable(); /* the core's ABI is checked by a test */
    TSTree *tree =
        ts_parser_parse_string(ts, NULL, text.ptr, (uint32_t)text.len);

    if (tree) {
        *out = copy_tree(parser, arena, text, tree);
        ts_tree_delete(tree);
    }
    ts_parser_delete(ts);
    cn_heap_leave(&parser->heap);
    return tree ? 0 : CN_EINTERNAL;
}

/* --- children ----------------------------------------------------------- */

static bool is_trivia(const struct cn_tree *t, cn_node n)
{
    return cn_is(t, n, CN_K_COMMENT) || cn_is(t, n, CN_K_LINE_CONTINUATION);
}

static bool is_operand(const struct cn_tree *t, cn_node n)
{
    return t->at[n].named && !is_trivia(t, n);
}

/* Kinds whose children, maybe thousands, have no roles (in a block only the
 * cases of a match have one). */
static bool is_plain_list(enum cn_kind kind, enum cn_field field)
{
    return (kind == CN_K_BLOCK && field != CN_F_ALTERNATIVE) ||
           kind == CN_K_MODULE || kind == CN_K_ARGUMENT_LIST ||
           kind == CN_K_LIST || kind == CN_K_TUPLE || kind == CN_K_SET ||
           kind == CN_K_DICTIONARY;
}

cn_node cn_child(const struct cn_tree *t, cn_node n, enum cn_field field)
{
    if (is_plain_list(cn_kind(t, n), field))
        return 0;
    cn_node_for (child, t, n)
        if (t->at[child].field == field && !is_trivia(t, child))
            return child;
    return 0;
}

cn_node cn_named(const struct cn_tree *t, cn_node n, uint32_t i)
{
    cn_node_for (child, t, n)
        if (is_operand(t, child) && i-- == 0)
            return child;
    return 0;
}

uint32_t cn_named_count(const struct cn_tree *t, cn_node n)
{
    uint32_t count = 0;

    cn_node_for (child, t, n)
        count += is_operand(t, child);
    return count;
}

cn_node cn_child_of_kind(const struct cn_tree *t, cn_node n, enum cn_kind kind)
{
    cn_node_for (child, t, n)
        if (cn_is(t, child, kind))
            return child;
    return 0;
}

cn_node cn_above(const struct cn_tree *t, cn_node n, enum cn_kind kind)
{
    for (n = cn_parent(t, n); n && !cn_is(t, n, kind);)
        n = cn_parent(t, n);
    return n;
}

cn_node cn_next_named(const struct cn_tree *t, cn_node n)
{
    do
        n = cn_next(t, n);
    while (n && !is_operand(t, n));
    return n;
}

cn_node cn_prev_named(const struct cn_tree *t, cn_node n)
{
    cn_node before = 0;

    cn_node_for (child, t, cn_parent(t, n)) {
        if (child == n)
            return before;
        if (is_operand(t, child))
            before = child;
    }
    return 0;
}

/* --- statements and functions ------------------------------------------- */

cn_node cn_statement(const struct cn_tree *t, cn_node n)
{
    for (; n; n = cn_parent(t, n)) {
        enum cn_kind above = cn_kind(t, cn_parent(t, n));

        if (above == CN_K_BLOCK || above == CN_K_MODULE)
            return n;
    }
    return 0;
}

static bool opens_function(enum cn_kind kind)
{
    return kind == CN_K_FUNCTION_DEFINITION || kind == CN_K_LAMBDA ||
           kind == CN_K_CLASS_DEFINITION;
}

cn_node cn_function(const struct cn_tree *t, cn_node n)
{
    for (cn_node child = n; (n = cn_parent(t, child)); child = n)
        if (opens_function(cn_kind(t, n)) && t->at[child].field == CN_F_BODY)
            return n;
    return 0;
}

bool cn_is_async_def(const struct cn_tree *t, cn_node def)
{
    return cn_is(t, def, CN_K_FUNCTION_DEFINITION) &&
           cn_is(t, cn_first(t, def), CN_T_ASYNC);
}

bool cn_is_async(const struct cn_tree *t, cn_node statement)
{
    return cn_is(t, cn_first(t, statement), CN_T_ASYNC);
}

/* Is `n` in a generator expression, its first iterable left out (that one is
 * evaluated outside), below the function `limit`? */
static bool in_generator(const struct cn_tree *t, cn_node n, cn_node limit)
{
    cn_node child = n;

    for (cn_node up = cn_parent(t, n); up != limit; up = cn_parent(t, up)) {
        if (cn_is(t, up, CN_K_GENERATOR_EXPRESSION)) {
            cn_node first = cn_child_of_kind(t, up, CN_K_FOR_IN_CLAUSE);

            if (child != first ||
                !cn_within(t, n, cn_child(t, first, CN_F_RIGHT)))
                return true;
        }
        child = up;
    }
    return false;
}

bool cn_in_async(const struct cn_tree *t, cn_node n)
{
    cn_node def = cn_function(t, n);

    return cn_is_async_def(t, def) && !in_generator(t, n, def);
}

/* Does a node of the kind stand in the subtree, outside of functions that are
 * nested in it? */
static bool has_own(const struct cn_tree *t, cn_node n, enum cn_kind kind)
{
    for (cn_node i = n; i < t->at[n].after;) {
        if (cn_is(t, i, kind))
            return true;
        if (i != n && t->at[i].field == CN_F_BODY &&
            opens_function(cn_kind(t, cn_parent(t, i))) &&
            cn_within(t, cn_parent(t, i), n) && cn_parent(t, i) != n)
            i = t->at[i].after;
        else
            i++;
    }
    return false;
}

bool cn_has_yield(const struct cn_tree *t, cn_node n)
{
    return n && has_own(t, n, CN_K_YIELD);
}

bool cn_has_await(const struct cn_tree *t, cn_node n)
{
    return n && has_own(t, n, CN_K_AWAIT);
}

cn_node cn_bare(const struct cn_tree *t, cn_node expression)
{
    while (cn_is(t, expression, CN_K_PARENTHESIZED_EXPRESSION))
        expression = cn_named(t, expression, 0);
    return expression;
}

/* --- calls -------------------------------------------------------------- */

cn_node cn_call_of(const struct cn_tree *t, cn_node n)
{
    cn_node call = cn_parent(t, n);

    if (!cn_is(t, call, CN_K_CALL) || t->at[n].field != CN_F_FUNCTION)
        return 0;
    return call;
}

cn_node cn_await_of(const struct cn_tree *t, cn_node n)
{
    cn_node outer = cn_parent(t, n);

    while (cn_is(t, outer, CN_K_PARENTHESIZED_EXPRESSION))
        outer = cn_parent(t, outer);
    return cn_is(t, outer, CN_K_AWAIT) ? outer : 0;
}

static struct cn_arg arg_of(const struct cn_tree *t, cn_node n)
{
    switch (cn_kind(t, n)) {
    case CN_K_KEYWORD_ARGUMENT:
        return (struct cn_arg){CN_ARG_KEYWORD, n, cn_child(t, n, CN_F_VALUE),
                               cn_text(t, cn_child(t, n, CN_F_NAME))};
    case CN_K_LIST_SPLAT:
        return (struct cn_arg){CN_ARG_SPLAT, n, cn_named(t, n, 0), {NULL, 0}};
    case CN_K_DICTIONARY_SPLAT:
        return (struct cn_arg){
            CN_ARG_DICT_SPLAT, n, cn_named(t, n, 0), {NULL, 0}};
    default: return (struct cn_arg){CN_ARG_POSITIONAL, n, n, {NULL, 0}};
    }
}

bool cn_arg(const struct cn_tree *t, cn_node call, uint32_t i,
            struct cn_arg *out)
{
    cn_node args = cn_child(t, call, CN_F_ARGUMENTS), n;

    if (cn_is(t, args, CN_K_GENERATOR_EXPRESSION))
        n = i == 0 ? args : 0;
    else
        n = cn_named(t, args, i);
    if (!n)
        return false;
    *out = arg_of(t, n);
    return true;
}

uint32_t cn_arg_count(const struct cn_tree *t, cn_node call)
{
    cn_node args = cn_child(t, call, CN_F_ARGUMENTS);

    if (cn_is(t, args, CN_K_GENERATOR_EXPRESSION))
        return 1;
    return cn_named_count(t, args);
}

cn_node cn_arg_value(const struct cn_tree *t, cn_node call, int index,
                     const char *name)
{
    struct cn_arg a;
    int position = 0;

    for (uint32_t i = 0; cn_arg(t, call, i, &a); i++) {
        if (a.kind == CN_ARG_SPLAT)
            position = -1; /* positions are unknown from here on */
        else if (a.kind == CN_ARG_KEYWORD && name && cn_str_is(a.name, name))
            return a.value;
        else if (a.kind == CN_ARG_POSITIONAL && position >= 0 &&
                 position++ == index)
            return a.value;
    }
    return 0;
}

bool cn_args_plain(const struct cn_tree *t, cn_node call)
{
    struct cn_arg a;

    for (uint32_t i = 0; cn_arg(t, call, i, &a); i++)
        if (a.kind == CN_ARG_SPLAT || a.kind == CN_ARG_DICT_SPLAT)
            return false;
    return true;
}

/* --- places ------------------------------------------------------------- */

static uint32_t line_of(const struct cn_tree *t, uint32_t offset)
{
    uint32_t low = 0, high = t->line_count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (t->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

struct cn_place cn_place_of(const struct cn_tree *t, uint32_t offset)
{
    uint32_t line = line_of(t, offset), column = 1;

    for (uint32_t i = t->lines[line]; i < offset && i < t->text.len; i++)
        column += ((unsigned char)t->text.ptr[i] & 0xC0) != 0x80;
    return (struct cn_place){line + 1, column};
}

struct cn_str cn_line(const struct cn_tree *t, uint32_t line)
{
    if (line >= t->line_count)
        return (struct cn_str){"", 0};
    size_t end = line + 1 < t->line_count ? t->lines[line + 1] : t->text.len;
    struct cn_str s = cn_str_sub(t->text, t->lines[line], end);

    while (s.len && (s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r'))
        s.len--;
    return s;
}

struct cn_str cn_indent_at(const struct cn_tree *t, uint32_t offset)
{
    struct cn_str s = cn_line(t, line_of(t, offset));
    size_t n = 0;

    while (n < s.len &&
           (s.ptr[n] == ' ' || s.ptr[n] == '\t' || s.ptr[n] == '\f'))
        n++;
    return cn_str_sub(s, 0, n);
}
