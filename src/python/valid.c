/* Validity: would CPython compile this text?
 *
 * tree-sitter reads a superset of Python. These checks add what compile()
 * refuses, as far as the text of one file decides it: layout (valid_layout.c),
 * tokens (valid_token.c), the shape of expressions and statements
 * (valid_shape.c, valid_signature.c), and here what depends on the function
 * or loop around. A construct that some Python from 3.8 on takes is not
 * refused. One walk over the flat tree, no recursion. */
#include <stdio.h>

#include "python/internal.h"

enum {
    BUDGET = 20 * 1000 * 1000,
    DEEPEST = 1000, /* functions in functions: CPython's parser gives up, too */
};

void cn_bad(struct cn_checker *c, cn_node n, const char *fmt, ...)
{
    va_list ap;
    struct cn_place place = cn_place_of(c->t, cn_start(c->t, n));

    if (c->bad)
        return;
    c->bad = true;
    if (!c->note)
        return;
    va_start(ap, fmt);
    vsnprintf(c->note->message, sizeof c->note->message, fmt, ap);
    va_end(ap);
    c->note->code = CN_ESYNTAX;
    c->note->line = place.line;
    c->note->column = place.column;
}

/* --- frames --------------------------------------------------------------- */

static void announce(struct cn_checker *c, struct cn_frame frame, cn_node begin,
                     cn_node end)
{
    frame.begin = begin;
    frame.end = end;
    if (begin && begin < end)
        cn_vec_push(&c->arena, &c->coming, frame);
}

static void enter(struct cn_checker *c, cn_node n)
{
    while (c->frames.len && n >= c->frames.at[c->frames.len - 1].end)
        c->frames.len--;
    while (c->coming.len && c->coming.at[c->coming.len - 1].begin <= n) {
        struct cn_frame frame = cn_vec_pop(&c->coming);

        if (n < frame.end)
            cn_vec_push(&c->arena, &c->frames, frame);
    }
    if (c->frames.len > DEEPEST)
        cn_bad(c, n, "nested too deeply");
    c->frame = c->frames.len ? c->frames.at[c->frames.len - 1]
                             : (struct cn_frame){.kind = CN_FRAME_MODULE};
}

static void announce_body(struct cn_checker *c, cn_node n,
                          struct cn_frame frame)
{
    cn_node body = cn_child(c->t, n, CN_F_BODY);

    announce(c, frame, body, c->t->at[body].after);
}

static void open_def(struct cn_checker *c, cn_node n)
{
    cn_vec_push(&c->arena, &c->bodies, ((struct cn_body){false, false}));
    announce_body(c, n,
                  (struct cn_frame){.kind = CN_FRAME_DEF,
                                    .def = n,
                                    .async = cn_is_async_def(c->t, n),
                                    .body = (uint32_t)c->bodies.len - 1});
}

static void open_loop(struct cn_checker *c, cn_node n)
{
    struct cn_frame frame = c->frame;

    frame.loop = true;
    frame.star_break = false;
    announce_body(c, n, frame);
}

static void open_handler(struct cn_checker *c, cn_node n)
{
    struct cn_frame frame = c->frame;
    cn_node block = cn_child_of_kind(c->t, n, CN_K_BLOCK);

    if (!cn_child_of_kind(c->t, n, CN_T_STAR))
        return;
    frame.star = frame.star_break = true;
    announce(c, frame, block, c->t->at[block].after);
}

/* All but the first iterable. `await` makes a generator asynchronous, which is
 * allowed anywhere. */
static void open_comprehension(struct cn_checker *c, cn_node n)
{
    struct cn_frame frame = {.kind = CN_FRAME_COMPREHENSION,
                             .async = c->frame.async};
    cn_node clause = cn_child_of_kind(c->t, n, CN_K_FOR_IN_CLAUSE);
    cn_node iterable = cn_child(c->t, clause, CN_F_RIGHT);

    if (cn_is(c->t, n, CN_K_GENERATOR_EXPRESSION))
        frame.async = true;
    announce(c, frame, c->t->at[clause].after, c->t->at[n].after);
    announce(c, frame, n + 1, iterable);
}

/* --- what depends on the frame -------------------------------------------- */

static bool in_function(const struct cn_checker *c)
{
    return c->frame.kind == CN_FRAME_DEF || c->frame.kind == CN_FRAME_LAMBDA;
}

static void check_generator(struct cn_checker *c, cn_node n)
{
    if (c->frame.kind == CN_FRAME_DEF && c->frame.async &&
        c->bodies.at[c->frame.body].has_yield &&
        c->bodies.at[c->frame.body].has_result)
        cn_bad(c, n, "'return' with value in async generator");
}

static void check_yield(struct cn_checker *c, cn_node n)
{
    if (c->frame.kind == CN_FRAME_COMPREHENSION)
        cn_bad(c, n, "'yield' inside a comprehension");
    else if (!in_function(c))
        cn_bad(c, n, "'yield' outside function");
    else if (c->frame.async && cn_child_of_kind(c->t, n, CN_T_FROM))
        cn_bad(c, n, "'yield from' inside async function");
    if (c->frame.kind == CN_FRAME_DEF)
        c->bodies.at[c->frame.body].has_yield = true;
    check_generator(c, n);
}

static void check_return(struct cn_checker *c, cn_node n)
{
    if (c->frame.kind != CN_FRAME_DEF) {
        cn_bad(c, n, "'return' outside function");
        return;
    }
    if (c->frame.star)
        cn_bad(c, n, "'return' cannot appear in an 'except*' block");
    if (cn_named_count(c->t, n))
        c->bodies.at[c->frame.body].has_result = true;
    check_generator(c, n);
}

static void check_jump(struct cn_checker *c, cn_node n)
{
    if (!c->frame.loop)
        cn_bad(c, n, "'break' or 'continue' outside loop");
    else if (c->frame.star_break)
        cn_bad(c, n, "'break' or 'continue' cannot leave an 'except*' block");
}

static void check_await(struct cn_checker *c, cn_node n)
{
    if (!c->frame.async)
        cn_bad(c, n, "'await' outside async function");
}

static void check_async(struct cn_checker *c, cn_node n)
{
    if (cn_is(c->t, cn_first(c->t, n), CN_T_ASYNC) && !c->frame.async)
        cn_bad(c, n, "'async' outside async function");
}

/* --- global and nonlocal --------------------------------------------------- */

static bool opens_scope(enum cn_kind kind)
{
    return kind == CN_K_LAMBDA || kind == CN_K_LIST_COMPREHENSION ||
           kind == CN_K_SET_COMPREHENSION ||
           kind == CN_K_DICTIONARY_COMPREHENSION ||
           kind == CN_K_GENERATOR_EXPRESSION;
}

static bool is_body_of_scope(const struct cn_tree *t, cn_node n)
{
    enum cn_kind kind = cn_kind(t, cn_parent(t, n));

    return t->at[n].field == CN_F_BODY &&
           (kind == CN_K_FUNCTION_DEFINITION || kind == CN_K_CLASS_DEFINITION);
}

static bool is_word_of_name(const struct cn_tree *t, cn_node n)
{
    cn_node parent = cn_parent(t, n);

    if (cn_is(t, parent, CN_K_ATTRIBUTE))
        return t->at[n].field == CN_F_ATTRIBUTE;
    if (cn_is(t, parent, CN_K_KEYWORD_ARGUMENT))
        return t->at[n].field == CN_F_NAME;
    return cn_is(t, parent, CN_K_DOTTED_NAME) ||
           cn_is(t, parent, CN_K_GLOBAL_STATEMENT) ||
           cn_is(t, parent, CN_K_NONLOCAL_STATEMENT);
}

/* Is `name` used in this scope, in the nodes [from, to)? */
static bool is_used(struct cn_checker *c, cn_node from, cn_node to,
                    struct cn_str name)
{
    const struct cn_tree *t = c->t;

    for (cn_node n = from; n < to;) {
        if (!c->budget)
            return false;
        c->budget--;
        if (opens_scope(cn_kind(t, n)) ||
            (n != from && is_body_of_scope(t, n))) {
            n = t->at[n].after;
            continue;
        }
        if (cn_is(t, n, CN_K_IDENTIFIER) && !is_word_of_name(t, n) &&
            cn_str_eq(cn_text(t, n), name))
            return true;
        n++;
    }
    return false;
}

static bool is_parameter(struct cn_checker *c, cn_node def, struct cn_str name)
{
    cn_node list = cn_child(c->t, def, CN_F_PARAMETERS);

    cn_node_for (n, c->t, list) {
        cn_node id = n;

        while (id < c->t->at[n].after && !cn_is(c->t, id, CN_K_IDENTIFIER))
            id++;
        if (id < c->t->at[n].after && cn_str_eq(cn_text(c->t, id), name))
            return true;
    }
    return false;
}

/* Does a def around the one in hand know the name at all? */
static bool is_known_outside(struct cn_checker *c, struct cn_str name)
{
    const struct cn_tree *t = c->t;
    cn_node seen = c->frame.def;

    if (cn_str_is(name, "__class__"))
        return true; /* every class body has it for its functions */
    for (size_t i = c->frames.len; i-- > 0;) {
        cn_node def = c->frames.at[i].def, body;

        if (!def || def == seen)
            continue;
        seen = def;
        body = cn_child(t, def, CN_F_BODY);
        if (is_parameter(c, def, name) ||
            is_used(c, body, t->at[body].after, name) || !c->budget)
            return true;
    }
    return false;
}

static void check_declaration(struct cn_checker *c, cn_node n)
{
    const struct cn_tree *t = c->t;
    cn_node body = c->frame.def ? cn_child(t, c->frame.def, CN_F_BODY) : 1;

    if (cn_is(t, n, CN_K_NONLOCAL_STATEMENT) &&
        c->frame.kind == CN_FRAME_MODULE)
        cn_bad(c, n, "nonlocal declaration not allowed at module level");
    if (c->frame.kind == CN_FRAME_CLASS)
        return;
    cn_node_for (id, t, n) {
        struct cn_str name = cn_text(t, id);

        if (!cn_is(t, id, CN_K_IDENTIFIER))
            continue;
        if (c->frame.def && is_parameter(c, c->frame.def, name))
            cn_bad(c, id, "name '%.*s' is parameter and global or nonlocal",
                   CN_STR_ARG(name));
        else if (is_used(c, body, n, name))
            cn_bad(c, id, "name '%.*s' is used prior to its declaration",
                   CN_STR_ARG(name));
        else if (cn_is(t, n, CN_K_NONLOCAL_STATEMENT) && c->frame.def &&
                 !is_known_outside(c, name))
            cn_bad(c, id, "no binding for nonlocal '%.*s' found",
                   CN_STR_ARG(name));
    }
}

/* --- imports ---------------------------------------------------------------- */

static bool is_feature(struct cn_str name)
{
    static const char *const features[] = {
        "nested_scopes",    "generators",     "division",
        "absolute_import",  "with_statement", "print_function",
        "unicode_literals", "barry_as_FLUFL", "generator_stop",
        "annotations",
    };

    for (size_t i = 0; i < CN_COUNT(features); i++)
        if (cn_str_is(name, features[i]))
            return true;
    return false;
}

static void check_future(struct cn_checker *c, cn_node n)
{
    if (!c->future_fine || !cn_is(c->t, cn_parent(c->t, n), CN_K_MODULE))
        cn_bad(c, n,
               "from __future__ imports must occur at the beginning of the "
               "file");
    cn_node_for (child, c->t, n) {
        cn_node name = cn_is(c->t, child, CN_K_ALIASED_IMPORT)
                           ? cn_child(c->t, child, CN_F_NAME)
                           : child;

        if (cn_is(c->t, name, CN_K_DOTTED_NAME) &&
            !is_feature(cn_text(c->t, name)))
            cn_bad(c, name, "future feature is not defined");
    }
}

static bool is_docstring(const struct cn_tree *t, cn_node n)
{
    cn_node only = cn_first(t, n);

    return cn_is(t, n, CN_K_EXPRESSION_STATEMENT) && !cn_prev_named(t, n) &&
           (cn_is(t, only, CN_K_STRING) ||
            cn_is(t, only, CN_K_CONCATENATED_STRING));
}

static void check_import(struct cn_checker *c, cn_node n)
{
    const struct cn_tree *t = c->t;
    cn_node last = 0;

    cn_node_for (child, t, n)
        if (!cn_is(t, child, CN_K_COMMENT) &&
            !cn_is(t, child, CN_K_LINE_CONTINUATION))
            last = child;
    if (cn_is(t, last, CN_T_COMMA))
        cn_bad(c, n, "trailing comma not allowed without parentheses");
    if (cn_is(t, last, CN_K_WILDCARD_IMPORT) &&
        c->frame.kind != CN_FRAME_MODULE)
        cn_bad(c, n, "import * only allowed at module level");
}

/* --- the walk ----------------------------------------------------------------- */

static void visit_frame(struct cn_checker *c, cn_node n)
{
    switch (cn_kind(c->t, n)) {
    case CN_K_FUNCTION_DEFINITION: open_def(c, n); break;
    case CN_K_CLASS_DEFINITION:
        announce_body(c, n, (struct cn_frame){.kind = CN_FRAME_CLASS});
        break;
    case CN_K_LAMBDA:
        announce_body(c, n, (struct cn_frame){.kind = CN_FRAME_LAMBDA});
        break;
    case CN_K_LIST_COMPREHENSION:
    case CN_K_SET_COMPREHENSION:
    case CN_K_DICTIONARY_COMPREHENSION:
    case CN_K_GENERATOR_EXPRESSION: open_comprehension(c, n); break;
    case CN_K_FOR_STATEMENT:
        check_async(c, n);
        open_loop(c, n);
        break;
    case CN_K_WHILE_STATEMENT: open_loop(c, n); break;
    case CN_K_EXCEPT_CLAUSE: open_handler(c, n); break;
    default: break;
    }
}

static void visit_placed(struct cn_checker *c, cn_node n)
{
    switch (cn_kind(c->t, n)) {
    case CN_K_AWAIT: check_await(c, n); break;
    case CN_K_WITH_STATEMENT:
    case CN_K_FOR_IN_CLAUSE: check_async(c, n); break;
    case CN_K_YIELD: check_yield(c, n); break;
    case CN_K_RETURN_STATEMENT: check_return(c, n); break;
    case CN_K_BREAK_STATEMENT:
    case CN_K_CONTINUE_STATEMENT: check_jump(c, n); break;
    case CN_K_GLOBAL_STATEMENT:
    case CN_K_NONLOCAL_STATEMENT: check_declaration(c, n); break;
    case CN_K_FUTURE_IMPORT_STATEMENT:
        check_future(c, n);
        check_import(c, n);
        break;
    case CN_K_IMPORT_STATEMENT:
    case CN_K_IMPORT_FROM_STATEMENT: check_import(c, n); break;
    default: break;
    }
}

static void note_statement(struct cn_checker *c, cn_node n)
{
    if (c->t->at[n].named && cn_is(c->t, cn_parent(c->t, n), CN_K_MODULE) &&
        !cn_is(c->t, n, CN_K_FUTURE_IMPORT_STATEMENT) &&
        !cn_is(c->t, n, CN_K_COMMENT) && !is_docstring(c->t, n))
        c->future_fine = false;
}

static void walk(struct cn_checker *c)
{
    for (cn_node n = 1; n < c->t->count && !c->bad; n++) {
        cn_check_token(c, n);
        if (!c->t->at[n].named)
            continue;
        enter(c, n);
        visit_frame(c, n);
        visit_placed(c, n);
        cn_check_layout(c, n);
        cn_check_shape(c, n);
        cn_check_signature(c, n);
        if (c->future_fine)
            note_statement(c, n);
    }
}

int cn_valid(const struct cn_tree *tree, struct cn_note *note)
{
    struct cn_checker c = {
        .t = tree, .note = note, .budget = BUDGET, .future_fine = true};

    cn_arena_init(&c.arena);
    if (tree->broken)
        cn_bad(&c, tree->broken, "invalid syntax");
    walk(&c);
    cn_arena_done(&c.arena);
    return c.bad ? CN_ESYNTAX : 0;
}
