/* Inference: which class an expression is an instance of, as far as one module
 * tells: constructors, calls we know by heart, annotations, `with ... as`.
 *
 * Flow-insensitive: an object is what all its writes agree on; None, and the
 * object's own value on the way (`loop = loop or ...`), agree with everything.
 * One write that says something else, or nothing, makes it a MAYBE. */
#include "python/internal.h"

enum { DEEPEST = 40 };

struct asking {
    const struct cn_module *m;
    int depth;
};

/* What one expression tells. */
struct told {
    enum { TELLS_NOTHING, AGREES_WITH_ALL, TELLS_TYPE } kind;
    enum cn_certainty certainty;
    struct cn_str type;
};

static const struct told nothing = {TELLS_NOTHING, CN_UNKNOWN, {"", 0}};
static const struct told agrees = {AGREES_WITH_ALL, CN_UNKNOWN, {"", 0}};

static struct told tells(enum cn_certainty certainty, struct cn_str type)
{
    if (certainty == CN_UNKNOWN || !type.len)
        return nothing;
    return (struct told){TELLS_TYPE, certainty, type};
}

/* Two that may both be: a MAYBE for the one that interests more. */
static struct told either(struct told a, struct told b)
{
    if (a.kind == AGREES_WITH_ALL)
        return b;
    if (b.kind == AGREES_WITH_ALL)
        return a;
    if (a.kind == TELLS_NOTHING && b.kind == TELLS_NOTHING)
        return nothing;
    if (a.kind == b.kind && cn_str_eq(a.type, b.type)) {
        a.certainty = a.certainty < b.certainty ? a.certainty : b.certainty;
        return a;
    }
    if (a.kind == TELLS_NOTHING ||
        (b.kind == TELLS_TYPE && !cn_of_interest(a.type)))
        a = b;
    a.certainty = CN_MAYBE;
    return a;
}

static struct told tell(struct asking a, cn_node expression);
static struct told tell_object(struct asking a, const struct cn_object *o);

/* --- calls -------------------------------------------------------------------- */

static struct told tell_annotation(const struct cn_module *m, cn_node type)
{
    struct cn_str name = {"", 0};
    enum cn_certainty certainty = cn_declared_type(
        m, cn_scope_at(m, type), cn_text(m->tree, type), &name);

    return tells(certainty, name);
}

/* Which decorators leave the result of a call what the def returns? */
static bool returns_plainly(const struct cn_tree *t, cn_node def)
{
    return !cn_is_decorated(t, def, NULL) ||
           cn_is_decorated(t, def, "staticmethod") ||
           cn_is_decorated(t, def, "classmethod") ||
           cn_is_decorated(t, def, "property");
}

static bool is_nested(const struct cn_tree *t, cn_node n)
{
    enum cn_kind kind = cn_kind(t, n);

    return kind == CN_K_FUNCTION_DEFINITION || kind == CN_K_CLASS_DEFINITION ||
           kind == CN_K_LAMBDA;
}

/* What all its return statements agree on. */
static struct told tell_returns(struct asking a, cn_node def)
{
    const struct cn_tree *t = a.m->tree;
    cn_node body = cn_child(t, def, CN_F_BODY);
    struct told all = agrees;

    for (cn_node n = body; n < t->at[body].after;) {
        if (cn_is(t, n, CN_K_YIELD))
            return nothing;
        if (cn_is(t, n, CN_K_RETURN_STATEMENT) && cn_named(t, n, 0))
            all = either(all, tell(a, cn_named(t, n, 0)));
        n = is_nested(t, n) ? t->at[n].after : n + 1;
    }
    return all.kind == TELLS_TYPE ? all : nothing;
}

static struct told remembered(const struct cn_inferred *known)
{
    return known->state == CN_INFERRING ? agrees
                                        : tells(known->certainty, known->type);
}

static struct told remember(struct cn_inferred *known, struct told told)
{
    known->state = CN_INFERRED;
    known->certainty = told.kind == TELLS_TYPE ? told.certainty : CN_UNKNOWN;
    known->type = told.type;
    return remembered(known);
}

/* A function of this module says what it returns, or shows it. */
static struct told tell_definition(struct asking a, cn_node def, bool awaited)
{
    const struct cn_module *m = a.m;
    cn_node type = cn_child(m->tree, def, CN_F_RETURN_TYPE);
    struct cn_inferred *known;

    if (cn_is_async_def(m->tree, def) != awaited ||
        !returns_plainly(m->tree, def))
        return nothing;
    if (type)
        return tell_annotation(m, type);
    if (!m->findings->returned)
        m->findings->returned =
            CN_NEW_ARRAY(m->arena, struct cn_inferred, m->scopes.len);
    known = &m->findings->returned[cn_scope_of(m, def)->index];
    if (known->state != CN_NOT_INFERRED)
        return remembered(known);
    known->state = CN_INFERRING;
    return remember(known, tell_returns(a, def));
}

/* An instance of a class that stands in this module: not one of interest, but
 * something else for sure. */
static struct told tell_local_class(const struct cn_module *m, cn_node function)
{
    struct cn_symbol *s = cn_is(m->tree, function, CN_K_IDENTIFIER)
                              ? m->symbol_of[function]
                              : NULL;

    if (!s || s->bindings.len != 1 || s->bindings.at[0].kind != CN_BIND_CLASS)
        return nothing;
    return tells(CN_SURE, cn_join(m->arena, m->name, s->name));
}

/* The dotted name of what is called: of an import, or a method of something
 * whose class is known. */
static enum cn_certainty callee(struct asking a, cn_node function,
                                struct cn_str *dotted)
{
    const struct cn_tree *t = a.m->tree;
    enum cn_certainty c = cn_resolve(a.m, function, dotted);

    if (c != CN_UNKNOWN || !cn_is(t, function, CN_K_ATTRIBUTE))
        return c;
    struct told object = tell(a, cn_child(t, function, CN_F_OBJECT));

    if (object.kind != TELLS_TYPE)
        return CN_UNKNOWN;
    *dotted = cn_join(a.m->arena, object.type,
                      cn_text(t, cn_child(t, function, CN_F_ATTRIBUTE)));
    return object.certainty;
}

static struct told tell_call(struct asking a, cn_node call, bool awaited)
{
    const struct cn_tree *t = a.m->tree;
    cn_node function = cn_bare(t, cn_child(t, call, CN_F_FUNCTION)), def;
    struct cn_str dotted;
    enum cn_certainty c = callee(a, function, &dotted);

    if (a.depth++ > DEEPEST)
        return nothing;
    if (awaited && c != CN_UNKNOWN && cn_str_is(dotted, "asyncio.wait_for")) {
        cn_node inner = cn_arg_value(t, call, 0, "fut");

        return cn_is(t, inner, CN_K_CALL) ? tell_call(a, inner, true) : nothing;
    }
    if (c != CN_UNKNOWN)
        return tells(c, cn_returned_type(dotted, awaited));
    if ((def = cn_definition_of(a.m, function)))
        return tell_definition(a, def, awaited);
    return awaited ? nothing : tell_local_class(a.m, function);
}

static struct told tell_await(struct asking a, cn_node n)
{
    cn_node operand = cn_bare(a.m->tree, cn_named(a.m->tree, n, 0));

    return cn_is(a.m->tree, operand, CN_K_CALL) ? tell_call(a, operand, true)
                                                : nothing;
}

/* --- expressions -------------------------------------------------------------- */

static struct told tell_variable(struct asking a, cn_node n)
{
    const struct cn_symbol *s =
        cn_is(a.m->tree, n, CN_K_IDENTIFIER) ? a.m->symbol_of[n] : NULL;
    const struct cn_object *o;

    if (s && s->origin.len)
        return nothing; /* imported: the thing itself, no instance */
    o = cn_object_at(a.m, n);
    return o ? tell_object(a, o) : nothing;
}

static struct told tell(struct asking a, cn_node n)
{
    const struct cn_tree *t = a.m->tree;

    if (a.depth++ > DEEPEST)
        return nothing;
    switch (cn_kind(t, n)) {
    case CN_K_PARENTHESIZED_EXPRESSION: return tell(a, cn_named(t, n, 0));
    case CN_K_NAMED_EXPRESSION: return tell(a, cn_child(t, n, CN_F_VALUE));
    case CN_K_NONE: return agrees;
    case CN_K_CALL: return tell_call(a, n, false);
    case CN_K_AWAIT: return tell_await(a, n);
    case CN_K_BOOLEAN_OPERATOR:
        return either(tell(a, cn_child(t, n, CN_F_LEFT)),
                      tell(a, cn_child(t, n, CN_F_RIGHT)));
    case CN_K_CONDITIONAL_EXPRESSION:
        return either(tell(a, cn_named(t, n, 0)), tell(a, cn_named(t, n, 2)));
    case CN_K_IDENTIFIER:
    case CN_K_ATTRIBUTE: return tell_variable(a, n);
    default: return nothing;
    }
}

/* --- writes --------------------------------------------------------------------- */

/* The `with x as name` (or a part of what it gives: then nothing). */
static struct told tell_with(struct asking a, cn_node name)
{
    const struct cn_tree *t = a.m->tree;
    cn_node target = cn_parent(t, name), pattern = cn_parent(t, target);
    struct told told;

    if (!cn_is(t, target, CN_K_AS_PATTERN_TARGET))
        return nothing;
    told = tell(a, cn_named(t, pattern, 0));
    return told.kind == TELLS_TYPE && cn_enters_itself(told.type) ? told
                                                                  : nothing;
}

/* `reader, writer = await asyncio.open_connection(...)` */
static struct told tell_part(struct asking a, cn_node name)
{
    static const char *const parts[] = {"asyncio.StreamReader",
                                        "asyncio.StreamWriter"};
    const struct cn_tree *t = a.m->tree;
    cn_node list = cn_parent(t, name), assignment = cn_parent(t, list);
    cn_node value = cn_child(t, assignment, CN_F_RIGHT), call;
    struct cn_str dotted;
    enum cn_certainty c;

    if (!cn_is(t, assignment, CN_K_ASSIGNMENT) || !cn_is(t, value, CN_K_AWAIT))
        return nothing;
    call = cn_bare(t, cn_named(t, value, 0));
    if (!cn_is(t, call, CN_K_CALL) || cn_named_count(t, list) != 2)
        return nothing;
    c = callee(a, cn_child(t, call, CN_F_FUNCTION), &dotted);
    if (c == CN_UNKNOWN || (!cn_str_is(dotted, "asyncio.open_connection") &&
                            !cn_str_is(dotted, "asyncio.open_unix_connection")))
        return nothing;
    return tells(c, cn_str_from(parts[cn_named(t, list, 1) == name]));
}

/* Reading a property is a call. */
static struct told tell_property(struct asking a, cn_node name)
{
    cn_node def = cn_parent(a.m->tree, name);

    return cn_is_decorated(a.m->tree, def, "property")
               ? tell_definition(a, def, false)
               : nothing;
}

static struct told tell_write(struct asking a, const struct cn_binding *b)
{
    switch (b->kind) {
    case CN_BIND_DELETE: return agrees;
    case CN_BIND_ASSIGN:
    case CN_BIND_WALRUS:
        return b->value ? tell(a, b->value) : tell_part(a, b->name);
    case CN_BIND_WITH: return tell_with(a, b->name);
    case CN_BIND_FUNCTION: return tell_property(a, b->name);
    default: return nothing;
    }
}

/* A declared type is believed unless a write says something else. */
static struct told with_declaration(struct asking a, const struct cn_object *o,
                                    struct told written, bool anything)
{
    struct told declared =
        o->annotation ? tell_annotation(a.m, o->annotation) : nothing;

    if (declared.kind != TELLS_TYPE)
        return written;
    if (written.kind != TELLS_TYPE || !anything)
        return declared;
    return cn_str_eq(declared.type, written.type) ? declared
                                                  : either(declared, written);
}

static struct told tell_writes(struct asking a, const struct cn_object *o)
{
    struct told all = agrees;
    bool anything = false;

    cn_vec_for (b, &o->writes) {
        struct told one = tell_write(a, b);

        anything |= one.kind == TELLS_TYPE;
        all = either(all, one);
    }
    return with_declaration(a, o, all, anything);
}

static struct told tell_object(struct asking a, const struct cn_object *o)
{
    struct cn_inferred *known = o->inferred;

    if (known->state != CN_NOT_INFERRED)
        return remembered(known);
    known->state = CN_INFERRING;
    return remember(known, tell_writes(a, o));
}

static enum cn_certainty answer(struct told told, struct cn_str *type)
{
    if (told.kind != TELLS_TYPE)
        return CN_UNKNOWN;
    *type = told.type;
    return told.certainty;
}

enum cn_certainty cn_type_of_object(const struct cn_module *m,
                                    const struct cn_object *object,
                                    struct cn_str *type)
{
    return answer(tell_object((struct asking){m, 0}, object), type);
}

enum cn_certainty cn_type_of(const struct cn_module *m, cn_node expression,
                             struct cn_str *type)
{
    return answer(tell((struct asking){m, 0}, expression), type);
}

/* --- uses of methods -------------------------------------------------------------- */

/* Cheap reasons why the thing before a dot has no type of interest. */
static bool is_hopeless(const struct cn_module *m, cn_node object)
{
    const struct cn_tree *t = m->tree;

    switch (cn_kind(t, object)) {
    case CN_K_IDENTIFIER: {
        const struct cn_symbol *s = m->symbol_of[object];

        return !s || s->origin.len || cn_self_class(m, object);
    }
    case CN_K_ATTRIBUTE: return !cn_is(t, cn_first(t, object), CN_K_IDENTIFIER);
    case CN_K_CALL:
    case CN_K_PARENTHESIZED_EXPRESSION: return false;
    default: return true;
    }
}

static void look_at(struct cn_module *m, cn_node attribute)
{
    const struct cn_tree *t = m->tree;
    cn_node object = cn_child(t, attribute, CN_F_OBJECT);
    struct cn_use use = {.node = attribute, .method = true, .receiver = object};
    struct cn_str type;

    if (is_hopeless(m, object))
        return;
    use.certainty = cn_type_of(m, object, &type);
    if (use.certainty == CN_UNKNOWN || !cn_of_interest(type))
        return;
    use.name = cn_join(m->arena, type,
                       cn_text(t, cn_child(t, attribute, CN_F_ATTRIBUTE)));
    cn_add_use(m, use);
}

void cn_add_method_uses(struct cn_module *m)
{
    if (!m->uses.len)
        return; /* nothing of interest is made or declared here */
    for (cn_node n = 1; n < m->tree->count; n++)
        if (cn_is(m->tree, n, CN_K_ATTRIBUTE))
            look_at(m, n);
}
