/* site: what the families of rules in this folder ask again and again. Not a
 * rule, and nothing here decides about a class: it looks at the tree and makes
 * edits. Invariant: an edit touches only the bytes it must, so that comments
 * and layout around it stay. */
#include "migrate/rules/site.h"

enum cn_verdict cn_site_leave_unsure(struct cn_match *m)
{
    return cn_manual(m, NULL, "the name may mean something else here");
}

enum cn_verdict cn_site_leave(struct cn_match *m)
{
    return cn_manual(m, NULL, "%s", (const char *)m->rule->data);
}

void cn_site_rename_use(struct cn_match *m, const struct cn_use *use,
                        const char *dotted)
{
    struct cn_str old = cn_str_sub(m->tree->text, use->start, use->end);

    if (cn_str_find(old, CN_STR("#")) >= 0) {
        cn_demote_manual(m, "a comment stands inside the name");
        return;
    }
    cn_replace_span(m, use->start, use->end, "%s", cn_name(m, dotted));
}

void cn_site_rename(struct cn_match *m, const char *dotted)
{
    cn_site_rename_use(m, m->use, dotted);
}

bool cn_site_is_annotation(const struct cn_tree *t, const struct cn_use *use)
{
    return use->in_string || cn_above(t, use->node, CN_K_TYPE);
}

const struct cn_use *cn_site_use_at(const struct cn_module *module, cn_node n)
{
    for (size_t i = 0; i < module->uses.len; i++)
        if (module->uses.at[i].node == n && !module->uses.at[i].in_string)
            return &module->uses.at[i];
    return NULL;
}

void cn_site_claim(struct cn_match *m, cn_node n)
{
    if (n && n != m->node && cn_site_use_at(m->module, n))
        cn_claim(m, n);
}

bool cn_site_text_has(const struct cn_match *m, const char *bytes)
{
    return cn_str_find(m->tree->text, cn_str_from(bytes)) >= 0;
}

bool cn_site_others_have(const struct cn_match *m, const char *bytes)
{
    const struct cn_project_facts *project = m->module->project;

    return project && project->mentioned &&
           project->mentioned(project->ctx, cn_str_from(bytes), m->module);
}

bool cn_site_is_atom(const struct cn_tree *t, cn_node n)
{
    switch (cn_kind(t, n)) {
    case CN_K_IDENTIFIER:
    case CN_K_ATTRIBUTE:
    case CN_K_SUBSCRIPT:
    case CN_K_CALL:
    case CN_K_STRING:
    case CN_K_INTEGER:
    case CN_K_FLOAT:
    case CN_K_TRUE:
    case CN_K_FALSE:
    case CN_K_NONE:
    case CN_K_LIST:
    case CN_K_DICTIONARY:
    case CN_K_SET:
    case CN_K_TUPLE:
    case CN_K_PARENTHESIZED_EXPRESSION:
    case CN_K_LIST_COMPREHENSION:
    case CN_K_DICTIONARY_COMPREHENSION:
    case CN_K_SET_COMPREHENSION: return true;
    default: return false;
    }
}

static bool is_local(const struct cn_match *m, cn_node identifier)
{
    const struct cn_symbol *s = cn_symbol_at(m->module, identifier);

    return s && s->scope->kind == CN_SCOPE_FUNCTION && !s->bound_below;
}

bool cn_site_is_constant(const struct cn_match *m, cn_node n)
{
    switch (cn_kind(m->tree, n)) {
    case CN_K_INTEGER:
    case CN_K_FLOAT:
    case CN_K_TRUE:
    case CN_K_FALSE:
    case CN_K_NONE: return true;
    case CN_K_STRING: return !cn_child_of_kind(m->tree, n, CN_K_INTERPOLATION);
    case CN_K_IDENTIFIER: return is_local(m, n);
    default: return false;
    }
}

cn_node cn_site_attribute_of(const struct cn_tree *t, cn_node n)
{
    cn_node up = cn_parent(t, n);

    return cn_is(t, up, CN_K_ATTRIBUTE) && cn_child(t, up, CN_F_OBJECT) == n
               ? up
               : 0;
}

cn_node cn_site_method_call(const struct cn_tree *t, cn_node receiver,
                            const char *name)
{
    cn_node attribute = cn_site_attribute_of(t, receiver);

    if (!attribute ||
        !cn_text_is(t, cn_child(t, attribute, CN_F_ATTRIBUTE), name))
        return 0;
    return cn_call_of(t, attribute);
}

bool cn_site_is_unused(const struct cn_tree *t, cn_node expression)
{
    cn_node up = cn_parent(t, expression);

    while (cn_is(t, up, CN_K_PARENTHESIZED_EXPRESSION))
        up = cn_parent(t, up);
    return cn_is(t, up, CN_K_EXPRESSION_STATEMENT);
}

bool cn_site_is_stored(const struct cn_tree *t, cn_node n)
{
    cn_node up = cn_parent(t, n);

    while (
        cn_is(t, up, CN_K_PATTERN_LIST) || cn_is(t, up, CN_K_TUPLE_PATTERN) ||
        cn_is(t, up, CN_K_LIST_PATTERN) || cn_is(t, up, CN_K_EXPRESSION_LIST)) {
        n = up;
        up = cn_parent(t, n);
    }
    if (cn_is(t, up, CN_K_DELETE_STATEMENT))
        return true;
    return (cn_is(t, up, CN_K_ASSIGNMENT) ||
            cn_is(t, up, CN_K_AUGMENTED_ASSIGNMENT)) &&
           cn_child(t, up, CN_F_LEFT) == n;
}

static bool has_keywords(const struct cn_tree *t, cn_node call)
{
    struct cn_arg arg;

    for (uint32_t i = 0; cn_arg(t, call, i, &arg); i++)
        if (arg.kind == CN_ARG_KEYWORD || arg.kind == CN_ARG_DICT_SPLAT)
            return true;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_newline(char c)
{
    return c == '\n' || c == '\r';
}

/* `(` becomes `, ` (or `,` before white space), or nothing when it is empty. */
static void open_arguments(struct cn_match *m, uint32_t at, bool empty)
{
    char next = m->tree->text.ptr[at + 1];
    bool space = is_blank(next) || is_newline(next);

    cn_replace_span(m, at, at + 1, "%s", empty ? "" : space ? "," : ", ");
}

/* Where the line break in front of `at` begins, when only blanks stand
 * between; else `at`. */
static uint32_t line_break_before(const struct cn_tree *t, uint32_t at)
{
    const char *z = t->text.ptr;
    uint32_t from = at;

    while (is_blank(z[from - 1]))
        from--;
    if (!is_newline(z[from - 1]))
        return at;
    return from - 1 - (z[from - 1] == '\n' && z[from - 2] == '\r');
}

static uint32_t skip_blanks(const struct cn_tree *t, uint32_t at)
{
    while (is_blank(t->text.ptr[at]))
        at++;
    return at;
}

/* `)` goes: with the line that it has for itself, and with a comma behind it
 * when there is one before it already. */
static void close_arguments(struct cn_match *m, cn_node arguments)
{
    const struct cn_tree *t = m->tree;
    uint32_t to = cn_end(t, arguments), from = to - 1;
    uint32_t next = skip_blanks(t, to);
    cn_node token = t->at[arguments].after - 2; /* before the `)` */
    bool comment = cn_is(t, token, CN_K_COMMENT);

    while (cn_is(t, token, CN_K_COMMENT))
        token--;
    if (t->text.ptr[next] == ',' && comment && !cn_is(t, token, CN_T_COMMA))
        cn_insert(m, cn_end(t, token), ","); /* instead of the outer one */
    if (t->text.ptr[next] == ',' && (comment || cn_is(t, token, CN_T_COMMA)))
        to = next + 1;
    next = skip_blanks(t, to);
    if (is_newline(t->text.ptr[next]) || (!comment && t->text.ptr[next] == ','))
        from = line_break_before(t, from);
    cn_replace_span(m, from, to, "%s", "");
}

bool cn_site_in_string(const struct cn_tree *t, cn_node outer, uint32_t at)
{
    for (cn_node n = outer; n < t->at[outer].after; n++)
        if (cn_is(t, n, CN_K_STRING) && cn_start(t, n) < at &&
            at < cn_end(t, n))
            return true;
    return false;
}

/* `f(` alone on its line: the arguments below move up to f's indentation. */
static void dedent_arguments(struct cn_match *m, cn_node function,
                             cn_node arguments)
{
    const struct cn_tree *t = m->tree;
    cn_node first = cn_named(t, arguments, 0);
    struct cn_str out = cn_indent_at(t, cn_start(t, function));
    struct cn_str in = first ? cn_indent_at(t, cn_start(t, first)) : out;

    if (in.len <= out.len || !cn_str_starts(in, out) ||
        cn_place_of(t, cn_start(t, function)).column != out.len + 1)
        return;
    for (uint32_t i = cn_place_of(t, cn_start(t, arguments)).line;
         i < t->line_count && t->lines[i] < cn_end(t, arguments); i++) {
        uint32_t at = t->lines[i];

        if (cn_str_starts(cn_str_sub(t->text, at, t->text.len), in) &&
            !cn_site_in_string(t, arguments, at))
            cn_replace_span(m, at + (uint32_t)out.len, at + (uint32_t)in.len,
                            "%s", "");
    }
}

const char *cn_site_newline(const struct cn_tree *t)
{
    uint32_t end = t->line_count > 1 ? t->lines[1] : 0;

    if (end && t->text.ptr[end - 1] == '\r')
        return "\r";
    return end > 1 && t->text.ptr[end - 2] == '\r' ? "\r\n" : "\n";
}

/* `functools.partial(` in front of f; on a line of its own, with f below it,
 * where the arguments have lines of their own. */
static void wrap_partial(struct cn_match *m, cn_node function,
                         cn_node arguments)
{
    const struct cn_tree *t = m->tree;
    cn_node first = cn_named(t, arguments, 0);
    uint32_t start = cn_start(t, first);
    struct cn_str in = cn_indent_at(t, start);
    const char *partial = cn_name(m, "functools.partial");

    if (cn_place_of(t, start).column == in.len + 1)
        cn_insert(m, cn_start(t, function), "%s(%s%.*s", partial,
                  cn_site_newline(t), CN_STR_ARG(in));
    else
        cn_insert(m, cn_start(t, function), "%s(", partial);
    open_arguments(m, cn_start(t, arguments), false);
}

bool cn_site_split_call(struct cn_match *m, cn_node call)
{
    const struct cn_tree *t = m->tree;
    cn_node function = cn_child(t, call, CN_F_FUNCTION);
    cn_node arguments = cn_child(t, call, CN_F_ARGUMENTS);
    bool empty = !cn_arg_count(t, call);

    if (!cn_is(t, call, CN_K_CALL) || !function || !arguments)
        return false;
    if (cn_is(t, arguments, CN_K_GENERATOR_EXPRESSION)) {
        cn_insert(m, cn_start(t, arguments), ", "); /* f(x for x in y) */
        return true;
    }
    if (cn_is(t, function, CN_K_LAMBDA))
        return false;
    if (has_keywords(t, call)) {
        wrap_partial(m, function, arguments);
        return true;
    }
    open_arguments(m, cn_start(t, arguments), empty);
    close_arguments(m, arguments);
    dedent_arguments(m, function, arguments);
    return true;
}

bool cn_site_builtin(const struct cn_match *m, cn_node n, const char *name)
{
    for (const struct cn_scope *s = cn_scope_at(m->module, n); s; s = s->parent)
        if (s->star_import)
            return false;
    return !cn_lookup(m->module, n, cn_str_from(name));
}
