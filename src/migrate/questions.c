/* Questions that many rules ask about an expression and its place. They only
 * look; cn_as_function_and_args writes a text and may demote. Invariant: when
 * in doubt the answer is the one that makes a rule do less. */
#include <stdlib.h>

#include "migrate/engine.h"

/* --- places ------------------------------------------------------------- */

/* Up through parentheses. */
static cn_node outside_parens(const struct cn_tree *t, cn_node n)
{
    while (cn_is(t, cn_parent(t, n), CN_K_PARENTHESIZED_EXPRESSION))
        n = cn_parent(t, n);
    return n;
}

cn_node cn_whole_statement(const struct cn_match *m, cn_node await_node)
{
    const struct cn_tree *t = m->tree;
    cn_node n = outside_parens(t, await_node), up = cn_parent(t, n);

    while (cn_is(t, up, CN_K_ASSIGNMENT) ||
           cn_is(t, up, CN_K_AUGMENTED_ASSIGNMENT)) {
        if (t->at[n].field != CN_F_RIGHT)
            return 0;
        n = up;
        up = cn_parent(t, n);
    }
    if (cn_is(t, up, CN_K_RETURN_STATEMENT))
        return up;
    return cn_is(t, up, CN_K_EXPRESSION_STATEMENT) && cn_named_count(t, up) == 1
               ? up
               : 0;
}

static bool is_timeout_name(const struct cn_module *module, cn_node function)
{
    static const char *const names[] = {
        "asyncio.timeout",      "asyncio.timeout_at",  "asyncio.wait_for",
        "anyio.fail_after",     "anyio.move_on_after", "anyio.fail_at",
        "anyio.move_on_at",     "trio.fail_after",     "trio.move_on_after",
        "async_timeout.timeout"};
    struct cn_str dotted;

    if (cn_resolve(module, function, &dotted) == CN_UNKNOWN)
        return false;
    for (size_t i = 0; i < CN_COUNT(names); i++)
        if (cn_str_is(dotted, names[i]))
            return true;
    return false;
}

/* Does the header of a `with` statement open a timeout? */
static bool opens_timeout(const struct cn_match *m, cn_node with)
{
    const struct cn_tree *t = m->tree;
    cn_node clause = cn_child_of_kind(t, with, CN_K_WITH_CLAUSE);

    for (cn_node n = clause; clause && n < t->at[clause].after; n++)
        if (cn_is(t, n, CN_K_CALL) &&
            is_timeout_name(m->module, cn_child(t, n, CN_F_FUNCTION)))
            return true;
    return false;
}

bool cn_under_timeout(const struct cn_match *m, cn_node n)
{
    const struct cn_tree *t = m->tree;
    cn_node stop = cn_function(t, n);

    for (cn_node up = cn_parent(t, n); up && up != stop;
         up = cn_parent(t, up)) {
        if (cn_is(t, up, CN_K_WITH_STATEMENT) && opens_timeout(m, up))
            return true;
        if (cn_is(t, up, CN_K_CALL) &&
            cn_within(t, n, cn_child(t, up, CN_F_ARGUMENTS)) &&
            is_timeout_name(m->module, cn_child(t, up, CN_F_FUNCTION)))
            return true;
    }
    return false;
}

/* --- calls -------------------------------------------------------------- */

static bool gives_future(struct cn_str name)
{
    static const char *const last[] = {"create_task",
                                       "ensure_future",
                                       "gather",
                                       "shield",
                                       "Future",
                                       "run_in_executor",
                                       "create_future",
                                       "Task",
                                       "submit",
                                       "wrap_future",
                                       "run_coroutine_threadsafe"};

    for (size_t i = 0; i < CN_COUNT(last); i++)
        if (cn_str_is(name, last[i]))
            return true;
    return false;
}

bool cn_is_plain_call(const struct cn_match *m, cn_node expression)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_bare(t, expression);
    struct cn_str name;

    if (!cn_is(t, call, CN_K_CALL))
        return false;
    cn_node function = cn_bare(t, cn_child(t, call, CN_F_FUNCTION));

    if (cn_is(t, function, CN_K_ATTRIBUTE))
        name = cn_text(t, cn_child(t, function, CN_F_ATTRIBUTE));
    else
        name = cn_text(t, function);
    if (cn_resolve(m->module, function, &name) != CN_UNKNOWN) {
        ptrdiff_t dot = cn_str_rfind(name, CN_STR("."));

        name = cn_str_sub(name, (size_t)(dot + 1), name.len);
    }
    if (gives_future(name))
        return false;
    struct cn_str type;

    return cn_type_of(m->module, call, &type) == CN_UNKNOWN ||
           !(cn_str_is(type, "asyncio.Task") ||
             cn_str_is(type, "asyncio.Future") ||
             cn_str_is(type, "concurrent.futures.Future"));
}

const char *cn_as_function_and_args(struct cn_match *m, cn_node call)
{
    const struct cn_tree *t = m->tree;
    struct cn_str text;
    struct cn_arg arg;
    bool keywords = false;

    call = cn_bare(t, call);
    if (!cn_is_plain_call(m, call)) {
        cn_demote_manual(m, "not a plain call");
        return NULL;
    }
    text = cn_text(t, cn_child(t, call, CN_F_FUNCTION));
    for (uint32_t i = 0; cn_arg(t, call, i, &arg); i++) {
        keywords |= arg.kind == CN_ARG_KEYWORD || arg.kind == CN_ARG_DICT_SPLAT;
        text = cn_str_fmt(m->arena, "%.*s, %.*s", CN_STR_ARG(text),
                          CN_STR_ARG(cn_text(t, arg.node)));
    }
    if (keywords)
        text = cn_str_fmt(m->arena, "%s(%.*s)", cn_name(m, "functools.partial"),
                          CN_STR_ARG(text));
    return cn_str_dup(m->arena, text);
}

/* --- numbers ------------------------------------------------------------ */

/* What is known of a number. */
enum sign { UNKNOWN, NOT_NEGATIVE, POSITIVE };

static enum sign sign_of_literal(struct cn_str text)
{
    bool hex = text.len > 2 && (text.ptr[1] == 'x' || text.ptr[1] == 'X');

    for (size_t i = hex ? 2 : 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == 'j' || c == 'J')
            return UNKNOWN;
        if (!hex && (c == 'e' || c == 'E'))
            break;
        if ((c >= '1' && c <= '9') || (hex && c > '9' && c != '_'))
            return text.ptr[text.len - 1] == 'j' ? UNKNOWN : POSITIVE;
    }
    return NOT_NEGATIVE;
}

static enum sign sign_of(const struct cn_match *m, cn_node n, int depth);

/* A name with one unconditional value in this module. */
static enum sign sign_of_name(const struct cn_match *m, cn_node n, int depth)
{
    const struct cn_symbol *s = cn_symbol_at(m->module, n);

    if (!s || s->bindings.len != 1 || s->bound_below || s->is_parameter)
        return UNKNOWN;
    const struct cn_binding *b = &s->bindings.at[0];

    return b->kind == CN_BIND_ASSIGN && b->value && !b->conditional
               ? sign_of(m, b->value, depth + 1)
               : UNKNOWN;
}

static enum sign sign_of_call(const struct cn_match *m, cn_node n, int depth)
{
    const struct cn_tree *t = m->tree;
    cn_node function = cn_child(t, n, CN_F_FUNCTION);
    enum sign best = UNKNOWN;
    struct cn_arg arg;

    if (!cn_is(t, function, CN_K_IDENTIFIER) ||
        cn_symbol_at(m->module, function))
        return UNKNOWN;
    if (cn_text_is(t, function, "len") || cn_text_is(t, function, "abs"))
        return NOT_NEGATIVE;
    if (!cn_text_is(t, function, "max") || !cn_args_plain(t, n))
        return UNKNOWN;
    for (uint32_t i = 0; cn_arg(t, n, i, &arg); i++) {
        enum sign sign = arg.kind == CN_ARG_POSITIONAL
                             ? sign_of(m, arg.value, depth + 1)
                             : UNKNOWN;

        best = sign > best ? sign : best;
    }
    return cn_arg_count(t, n) > 1 ? best : UNKNOWN;
}

static enum sign sign_of_binary(const struct cn_match *m, cn_node n, int depth)
{
    const struct cn_tree *t = m->tree;
    cn_node operator_ = cn_child(t, n, CN_F_OPERATOR);
    enum sign a = sign_of(m, cn_child(t, n, CN_F_LEFT), depth + 1);
    enum sign b = sign_of(m, cn_child(t, n, CN_F_RIGHT), depth + 1);
    struct cn_str op = cn_text(t, operator_);

    if (cn_str_is(op, "**"))
        return a;
    if (!a || !b)
        return UNKNOWN;
    if (cn_str_is(op, "+"))
        return a > b ? a : b;
    if (cn_str_is(op, "*") || cn_str_is(op, "/"))
        return a < b ? a : b;
    return cn_str_is(op, "//") || cn_str_is(op, "%") ? NOT_NEGATIVE : UNKNOWN;
}

static enum sign sign_of(const struct cn_match *m, cn_node n, int depth)
{
    const struct cn_tree *t = m->tree;

    n = cn_bare(t, n);
    if (depth > 8)
        return UNKNOWN;
    switch (cn_kind(t, n)) {
    case CN_K_INTEGER:
    case CN_K_FLOAT: return sign_of_literal(cn_text(t, n));
    case CN_K_IDENTIFIER: return sign_of_name(m, n, depth);
    case CN_K_CALL: return sign_of_call(m, n, depth);
    case CN_K_BINARY_OPERATOR: return sign_of_binary(m, n, depth);
    default: return UNKNOWN;
    }
}

bool cn_surely_positive(const struct cn_match *m, cn_node expression)
{
    return sign_of(m, expression, 0) == POSITIVE;
}

bool cn_surely_not_negative(const struct cn_match *m, cn_node expression)
{
    return sign_of(m, expression, 0) >= NOT_NEGATIVE;
}

/* --- order of evaluation ------------------------------------------------ */

/* Reading it does nothing and depends on no call. */
static bool is_quiet(const struct cn_tree *t, cn_node n)
{
    switch (cn_kind(t, n)) {
    case CN_K_IDENTIFIER:
    case CN_K_INTEGER:
    case CN_K_FLOAT:
    case CN_K_TRUE:
    case CN_K_FALSE:
    case CN_K_NONE:
    case CN_K_ELLIPSIS:
    case CN_K_LAMBDA:
    case CN_K_COMMENT:
    case CN_K_LINE_CONTINUATION:
    case CN_K_TYPE:
    case CN_K_STRING_START:
    case CN_K_STRING_CONTENT:
    case CN_K_STRING_END: return true;
    case CN_K_ATTRIBUTE: return is_quiet(t, cn_child(t, n, CN_F_OBJECT));
    case CN_K_KEYWORD_ARGUMENT:
    case CN_K_PARENTHESIZED_EXPRESSION:
    case CN_K_TUPLE:
    case CN_K_LIST:
    case CN_K_EXPRESSION_LIST:
    case CN_K_PATTERN_LIST:
    case CN_K_ARGUMENT_LIST:
    case CN_K_PAIR:
    case CN_K_STRING:
    case CN_K_INTERPOLATION:
    case CN_K_CONCATENATED_STRING: break;
    default: return !t->at[n].named;
    }
    cn_node_for (child, t, n)
        if (!is_quiet(t, child))
            return false;
    return true;
}

static bool quiet_before(const struct cn_tree *t, cn_node parent, cn_node child)
{
    cn_node_for (n, t, parent) {
        if (n == child)
            return true;
        if (!is_quiet(t, n))
            return false;
    }
    return true;
}

static uint32_t named_index(const struct cn_tree *t, cn_node parent, cn_node n)
{
    uint32_t i = 0;

    while (cn_named(t, parent, i) && cn_named(t, parent, i) != n)
        i++;
    return i;
}

/* Is `child` evaluated first, or after quiet things only, and always, when
 * `parent` is? */
static bool is_first(const struct cn_tree *t, cn_node parent, cn_node child)
{
    enum cn_field field = (enum cn_field)t->at[child].field;

    switch (cn_kind(t, parent)) {
    case CN_K_LAMBDA:
    case CN_K_LIST_COMPREHENSION:
    case CN_K_SET_COMPREHENSION:
    case CN_K_DICTIONARY_COMPREHENSION:
    case CN_K_GENERATOR_EXPRESSION:
    case CN_K_WHILE_STATEMENT:
    case CN_K_ELIF_CLAUSE:
    case CN_K_EXCEPT_CLAUSE:
    case CN_K_CASE_CLAUSE:
    case CN_K_ASSERT_STATEMENT:
    case CN_K_FUNCTION_DEFINITION:
    case CN_K_CLASS_DEFINITION:
    case CN_K_DECORATOR:
    case CN_K_TYPE_ALIAS_STATEMENT: return false;
    case CN_K_BOOLEAN_OPERATOR: return field == CN_F_LEFT;
    case CN_K_CONDITIONAL_EXPRESSION: return named_index(t, parent, child) == 1;
    case CN_K_COMPARISON_OPERATOR:
        return named_index(t, parent, child) < 2 &&
               quiet_before(t, parent, child);
    case CN_K_ASSIGNMENT:
        return field == CN_F_RIGHT ||
               is_quiet(t, cn_child(t, parent, CN_F_RIGHT));
    case CN_K_FOR_STATEMENT: return field == CN_F_RIGHT;
    default: return quiet_before(t, parent, child);
    }
}

bool cn_hoistable(const struct cn_match *m, cn_node expression)
{
    const struct cn_tree *t = m->tree;
    cn_node n = expression;

    for (cn_node up; (up = cn_parent(t, n)); n = up) {
        if (cn_is(t, up, CN_K_BLOCK) || cn_is(t, up, CN_K_MODULE))
            return true;
        if (!is_first(t, up, n))
            return false;
    }
    return false;
}
