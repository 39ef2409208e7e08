/* Binding: one walk over the flat tree gives scopes, symbols and reads.
 *
 * The walk never recurses: a scope is one or two spans of nodes, kept on a
 * stack (scope.c), so any depth of nesting is fine. The invariant: after it,
 * every identifier that is a name has been noted exactly once, as a binding
 * or as a read (an augmented assignment: both). */
#include "python/internal.h"

static void bind(struct cn_binder *b, enum cn_binding_kind kind, cn_node name)
{
    cn_binder_bind(b, b->scope,
                   (struct cn_binding){.kind = kind, .name = name});
}

/* --- targets -------------------------------------------------------------- */

static bool holds_targets(enum cn_kind kind)
{
    switch (kind) {
    case CN_K_PATTERN_LIST:
    case CN_K_TUPLE_PATTERN:
    case CN_K_LIST_PATTERN:
    case CN_K_LIST_SPLAT_PATTERN:
    case CN_K_DICTIONARY_SPLAT_PATTERN:
    case CN_K_LIST_SPLAT:
    case CN_K_TUPLE:
    case CN_K_LIST:
    case CN_K_EXPRESSION_LIST:
    case CN_K_PARENTHESIZED_EXPRESSION:
    case CN_K_AS_PATTERN_TARGET: return true;
    default: return false;
    }
}

/* Bind each name of a target; attributes and items are no names. `like` is
 * the binding to make, without its name. */
static void bind_targets(struct cn_binder *b, cn_node target,
                         struct cn_binding like)
{
    cn_node end = b->t->at[target].after;

    for (cn_node n = target; n && n < end;) {
        enum cn_kind kind = cn_kind(b->t, n);

        if (kind == CN_K_IDENTIFIER) {
            like.name = n;
            cn_binder_bind(b, b->scope, like);
        }
        n = holds_targets(kind) || !b->t->at[n].named ? n + 1
                                                      : b->t->at[n].after;
    }
}

/* Parentheses around one target, which the grammar calls a tuple. */
static cn_node bare_target(const struct cn_tree *t, cn_node n)
{
    while ((cn_is(t, n, CN_K_TUPLE_PATTERN) ||
            cn_is(t, n, CN_K_PARENTHESIZED_EXPRESSION)) &&
           cn_named_count(t, n) == 1 && !cn_child_of_kind(t, n, CN_T_COMMA))
        n = cn_named(t, n, 0);
    return n;
}

static bool has_splat(const struct cn_tree *t, cn_node list)
{
    return cn_child_of_kind(t, list, CN_K_LIST_SPLAT_PATTERN) ||
           cn_child_of_kind(t, list, CN_K_LIST_SPLAT);
}

/* `a, b = v, w` gives each name its own value. */
static bool pairs_up(const struct cn_tree *t, cn_node targets, cn_node value)
{
    enum cn_kind list = cn_kind(t, targets), values = cn_kind(t, value);

    return (list == CN_K_PATTERN_LIST || list == CN_K_TUPLE_PATTERN) &&
           (values == CN_K_EXPRESSION_LIST || values == CN_K_TUPLE) &&
           cn_named_count(t, targets) == cn_named_count(t, value) &&
           !has_splat(t, targets) && !has_splat(t, value);
}

static void assign(struct cn_binder *b, cn_node target, cn_node value,
                   cn_node annotation)
{
    struct cn_binding like = {.kind = CN_BIND_ASSIGN, .annotation = annotation};
    cn_node bare = bare_target(b->t, target);

    if (!value) {
        like.kind = CN_BIND_ANNOTATION;
        if (bare != target)
            return; /* `(x): int` declares nothing */
    }
    target = bare;
    if (cn_is(b->t, target, CN_K_IDENTIFIER)) {
        like.value = value;
        bind_targets(b, target, like);
    } else if (value && pairs_up(b->t, target, value)) {
        cn_node v = cn_named(b->t, value, 0);

        for (cn_node n = cn_named(b->t, target, 0); n;
             n = cn_next_named(b->t, n), v = cn_next_named(b->t, v)) {
            like.value = cn_is(b->t, n, CN_K_IDENTIFIER) ? v : 0;
            bind_targets(b, n, like);
        }
    } else {
        bind_targets(b, target, like);
    }
}

/* A whole chain `a = b = v` at once, from its outermost assignment. */
static void bind_assignment(struct cn_binder *b, cn_node n)
{
    const struct cn_tree *t = b->t;
    cn_node value = n;

    if (cn_is(t, cn_parent(t, n), CN_K_ASSIGNMENT))
        return;
    while (cn_is(t, value, CN_K_ASSIGNMENT))
        value = cn_child(t, value, CN_F_RIGHT);
    for (; cn_is(t, n, CN_K_ASSIGNMENT); n = cn_child(t, n, CN_F_RIGHT))
        assign(b, cn_child(t, n, CN_F_LEFT), value, cn_child(t, n, CN_F_TYPE));
}

/* --- reads ---------------------------------------------------------------- */

/* Is this identifier a name, or the word after a dot or before an `=`? */
static bool is_name(const struct cn_tree *t, cn_node n)
{
    cn_node parent = cn_parent(t, n);

    switch (cn_kind(t, parent)) {
    case CN_K_ATTRIBUTE: return t->at[n].field != CN_F_ATTRIBUTE;
    case CN_K_KEYWORD_ARGUMENT: return t->at[n].field != CN_F_NAME;
    case CN_K_KEYWORD_PATTERN: return cn_first(t, parent) != n;
    case CN_K_MEMBER_TYPE: return cn_first(t, parent) == n;
    case CN_K_DOTTED_NAME: /* of a pattern, where `_` alone is none */
        return cn_first(t, parent) == n &&
               !(cn_text_is(t, parent, "_") &&
                 !cn_is(t, cn_parent(t, parent), CN_K_CLASS_PATTERN));
    default: return true;
    }
}

static void visit_identifier(struct cn_binder *b, cn_node n)
{
    if (!b->m->symbol_of[n] && is_name(b->t, n))
        cn_binder_read(b, n);
}

/* --- imports -------------------------------------------------------------- */

/* One `a.b` or `a.b as c` of an import list; `from` is the module in front,
 * or empty. */
static void bind_imported(struct cn_binder *b, cn_node n, bool has_from,
                          struct cn_str from)
{
    bool aliased = cn_is(b->t, n, CN_K_ALIASED_IMPORT);
    cn_node dotted = aliased ? cn_child(b->t, n, CN_F_NAME) : n;
    struct cn_binding made = {
        .kind = has_from ? CN_BIND_FROM : CN_BIND_IMPORT,
        .name = aliased ? cn_child(b->t, n, CN_F_ALIAS) : n,
    };

    if (has_from)
        made.import = cn_join(b->arena, from, cn_dotted_text(b->m, dotted));
    else if (aliased)
        made.import = cn_dotted_text(b->m, dotted);
    else
        made.import = cn_text(b->t, cn_first(b->t, dotted));
    cn_binder_bind(b, b->scope, made);
}

static void bind_star(struct cn_binder *b, cn_node statement,
                      struct cn_str from)
{
    b->scope->star_import = true;
    cn_vec_push(b->arena, &b->m->findings->stars,
                ((struct cn_star){b->scope, statement, from}));
}

static void bind_import(struct cn_binder *b, cn_node n)
{
    bool has_from = !cn_is(b->t, n, CN_K_IMPORT_STATEMENT);
    struct cn_str from = {"", 0};

    if (has_from)
        from = cn_from_module(b->m, n);
    cn_node_for (child, b->t, n) {
        if (cn_is(b->t, child, CN_K_WILDCARD_IMPORT))
            bind_star(b, n, from);
        else if (b->t->at[child].field == CN_F_NAME && b->t->at[child].named)
            bind_imported(b, child, has_from, from);
    }
}

/* --- definitions ---------------------------------------------------------- */

/* The name of a type parameter is the first identifier in its `type`. */
static void bind_type_parameters(struct cn_binder *b, struct cn_scope *scope,
                                 cn_node list)
{
    cn_node_for (child, b->t, list) {
        cn_node n = child, end = b->t->at[child].after;

        while (n < end && !cn_is(b->t, n, CN_K_IDENTIFIER))
            n++;
        if (cn_is(b->t, child, CN_K_TYPE) && n < end)
            cn_binder_bind(
                b, scope, (struct cn_binding){.kind = CN_BIND_TYPE, .name = n});
    }
}

/* The scope of `[T, U]`, up to `end`; the scope around without a list. */
static struct cn_scope *open_type_parameters(struct cn_binder *b, cn_node list,
                                             cn_node end)
{
    struct cn_scope *scope;

    if (!list)
        return b->scope;
    scope = cn_binder_open(b, CN_SCOPE_TYPE_PARAMETERS, list, b->scope);
    bind_type_parameters(b, scope, list);
    cn_binder_announce(b, list, end, scope);
    return scope;
}

static void bind_parameter(struct cn_binder *b, struct cn_scope *scope,
                           cn_node n, cn_node function)
{
    struct cn_binding made = {.kind = CN_BIND_PARAMETER, .statement = function};
    struct cn_scope *around = b->scope;
    cn_node name = n;

    switch (cn_kind(b->t, n)) {
    case CN_K_TYPED_PARAMETER: name = cn_named(b->t, n, 0); break;
    case CN_K_DEFAULT_PARAMETER:
    case CN_K_TYPED_DEFAULT_PARAMETER:
        name = cn_child(b->t, n, CN_F_NAME);
        break;
    default: break;
    }
    made.annotation = cn_child(b->t, n, CN_F_TYPE);
    b->scope = scope;
    bind_targets(b, name, made);
    b->scope = around;
}

static void bind_parameters(struct cn_binder *b, struct cn_scope *scope,
                            cn_node function)
{
    cn_node list = cn_child(b->t, function, CN_F_PARAMETERS);

    if (list)
        cn_node_for (child, b->t, list)
            if (b->t->at[child].named)
                bind_parameter(b, scope, child, function);
}

static void bind_definition(struct cn_binder *b, cn_node n, bool is_class)
{
    const struct cn_tree *t = b->t;
    cn_node body = cn_child(t, n, CN_F_BODY);
    cn_node types = cn_child(t, n, CN_F_TYPE_PARAMETERS);
    cn_node end = body ? body : t->at[n].after;
    struct cn_scope *scope;

    bind(b, is_class ? CN_BIND_CLASS : CN_BIND_FUNCTION,
         cn_child(t, n, CN_F_NAME));
    scope = cn_binder_open(b, is_class ? CN_SCOPE_CLASS : CN_SCOPE_FUNCTION, n,
                           b->scope);
    cn_binder_announce(b, body, t->at[body].after, scope);
    scope->parent = open_type_parameters(b, types, end);
    if (!is_class)
        bind_parameters(b, scope, n);
}

static void bind_lambda(struct cn_binder *b, cn_node n)
{
    struct cn_scope *scope = cn_binder_open(b, CN_SCOPE_LAMBDA, n, b->scope);
    cn_node body = cn_child(b->t, n, CN_F_BODY);

    cn_binder_announce(b, body, b->t->at[body].after, scope);
    bind_parameters(b, scope, n);
}

/* All of a comprehension but its first iterable. */
static void open_comprehension(struct cn_binder *b, cn_node n)
{
    const struct cn_tree *t = b->t;
    struct cn_scope *scope =
        cn_binder_open(b, CN_SCOPE_COMPREHENSION, n, b->scope);
    cn_node clause = cn_child_of_kind(t, n, CN_K_FOR_IN_CLAUSE);
    cn_node iterable = cn_child(t, clause, CN_F_RIGHT);

    if (!iterable)
        iterable = t->at[n].after;
    else
        cn_binder_announce(b, t->at[clause].after, t->at[n].after, scope);
    cn_binder_announce(b, n + 1, iterable, scope);
}

static void bind_type_alias(struct cn_binder *b, cn_node n)
{
    cn_node left = cn_child(b->t, n, CN_F_LEFT);
    cn_node type = cn_named(b->t, left, 0);
    cn_node list = 0;

    if (cn_is(b->t, type, CN_K_GENERIC_TYPE)) {
        list = cn_child_of_kind(b->t, type, CN_K_TYPE_PARAMETER);
        type = cn_named(b->t, type, 0);
    }
    if (cn_is(b->t, type, CN_K_IDENTIFIER))
        bind(b, CN_BIND_TYPE, type);
    open_type_parameters(b, list, b->t->at[n].after);
}

/* --- other statements and expressions ------------------------------------- */

/* A walrus binds outside of all comprehensions around it. What looks like one
 * in an f-string, `{x:=5}`, is a format. */
static void bind_walrus(struct cn_binder *b, cn_node n)
{
    struct cn_scope *scope = b->scope;

    if (cn_is(b->t, cn_parent(b->t, n), CN_K_INTERPOLATION))
        return;
    while (scope->kind == CN_SCOPE_COMPREHENSION)
        scope = scope->parent;
    cn_binder_bind(b, scope,
                   (struct cn_binding){.kind = CN_BIND_WALRUS,
                                       .name = cn_child(b->t, n, CN_F_NAME),
                                       .value = cn_child(b->t, n, CN_F_VALUE)});
}

static cn_node last_named(const struct cn_tree *t, cn_node n)
{
    uint32_t count = cn_named_count(t, n);

    return count ? cn_named(t, n, count - 1) : 0;
}

/* `with x as y`, `except x as y`, and `case p as y`. */
static void bind_as(struct cn_binder *b, cn_node n)
{
    cn_node target = cn_child_of_kind(b->t, n, CN_K_AS_PATTERN_TARGET);
    bool handler = cn_is(b->t, cn_parent(b->t, n), CN_K_EXCEPT_CLAUSE);

    if (target)
        bind_targets(b, target,
                     (struct cn_binding){.kind = handler ? CN_BIND_EXCEPT
                                                         : CN_BIND_WITH});
    else if (cn_is(b->t, last_named(b->t, n), CN_K_IDENTIFIER))
        bind(b, CN_BIND_MATCH, last_named(b->t, n));
}

static void bind_capture(struct cn_binder *b, cn_node name)
{
    if (cn_is(b->t, name, CN_K_IDENTIFIER) && !cn_text_is(b->t, name, "_"))
        bind(b, CN_BIND_MATCH, name);
}

/* Imports are done with: a dotted name here stands in a `case`. */
static void visit_dotted_name(struct cn_binder *b, cn_node n)
{
    cn_node parent = cn_parent(b->t, n);

    if (cn_is(b->t, parent, CN_K_CLASS_PATTERN) && cn_first(b->t, parent) == n)
        return;
    if (cn_named_count(b->t, n) == 1)
        bind_capture(b, cn_first(b->t, n));
}

static void declare_global(struct cn_binder *b, cn_node name)
{
    struct cn_symbol *s = cn_binder_symbol(b, b->m->scope, cn_text(b->t, name));

    cn_map_put(b->arena, &b->scope->symbols, s->name, NULL)->ptr = s;
    b->m->symbol_of[name] = s;
}

static void declare_nonlocal(struct cn_binder *b, cn_node name)
{
    struct cn_symbol *s = cn_binder_symbol(b, b->scope, cn_text(b->t, name));

    if (s->scope == b->scope)
        cn_vec_push(b->arena, &b->nonlocals, name);
    b->m->symbol_of[name] = s;
}

static void declare(struct cn_binder *b, cn_node n, bool global)
{
    cn_node_for (child, b->t, n)
        if (cn_is(b->t, child, CN_K_IDENTIFIER)) {
            if (global)
                declare_global(b, child);
            else
                declare_nonlocal(b, child);
        }
}

static void bind_augmented(struct cn_binder *b, cn_node n)
{
    cn_node left = bare_target(b->t, cn_child(b->t, n, CN_F_LEFT));

    if (cn_is(b->t, left, CN_K_IDENTIFIER)) {
        cn_binder_read(b, left);
        bind(b, CN_BIND_AUGMENT, left);
    }
}

static void bind_deleted(struct cn_binder *b, cn_node n)
{
    cn_node_for (child, b->t, n)
        if (b->t->at[child].named)
            bind_targets(b, child, (struct cn_binding){.kind = CN_BIND_DELETE});
}

static void note_string(struct cn_binder *b, cn_node n)
{
    cn_vec_push(b->arena, &b->m->findings->strings,
                ((struct cn_place_in_scope){n, b->scope}));
}

/* --- the walk -------------------------------------------------------------- */

static void visit_binding(struct cn_binder *b, cn_node n)
{
    const struct cn_tree *t = b->t;

    switch (cn_kind(t, n)) {
    case CN_K_ASSIGNMENT: bind_assignment(b, n); break;
    case CN_K_AUGMENTED_ASSIGNMENT: bind_augmented(b, n); break;
    case CN_K_NAMED_EXPRESSION: bind_walrus(b, n); break;
    case CN_K_FOR_STATEMENT:
    case CN_K_FOR_IN_CLAUSE:
        bind_targets(b, cn_child(t, n, CN_F_LEFT),
                     (struct cn_binding){.kind = CN_BIND_FOR});
        break;
    case CN_K_AS_PATTERN: bind_as(b, n); break;
    case CN_K_EXCEPT_CLAUSE:
        bind_targets(b, cn_child(t, n, CN_F_ALIAS),
                     (struct cn_binding){.kind = CN_BIND_EXCEPT});
        break;
    case CN_K_SPLAT_PATTERN: bind_capture(b, last_named(t, n)); break;
    case CN_K_DOTTED_NAME: visit_dotted_name(b, n); break;
    case CN_K_DELETE_STATEMENT: bind_deleted(b, n); break;
    case CN_K_GLOBAL_STATEMENT: declare(b, n, true); break;
    case CN_K_NONLOCAL_STATEMENT: declare(b, n, false); break;
    default: break;
    }
}

/* The node behind what was dealt with. */
static cn_node visit(struct cn_binder *b, cn_node n)
{
    switch (cn_kind(b->t, n)) {
    case CN_K_IDENTIFIER: visit_identifier(b, n); break;
    case CN_K_IMPORT_STATEMENT:
    case CN_K_IMPORT_FROM_STATEMENT:
    case CN_K_FUTURE_IMPORT_STATEMENT:
        bind_import(b, n);
        return b->t->at[n].after;
    case CN_K_FUNCTION_DEFINITION: bind_definition(b, n, false); break;
    case CN_K_CLASS_DEFINITION: bind_definition(b, n, true); break;
    case CN_K_LAMBDA: bind_lambda(b, n); break;
    case CN_K_LIST_COMPREHENSION:
    case CN_K_SET_COMPREHENSION:
    case CN_K_DICTIONARY_COMPREHENSION:
    case CN_K_GENERATOR_EXPRESSION: open_comprehension(b, n); break;
    case CN_K_TYPE_ALIAS_STATEMENT: bind_type_alias(b, n); break;
    case CN_K_TYPE:
        if (n >= b->annotation_end)
            b->annotation_end = b->t->at[n].after;
        break;
    case CN_K_STRING:
        if (n < b->annotation_end)
            note_string(b, n);
        break;
    default: visit_binding(b, n); break;
    }
    return n + 1;
}

static void walk(struct cn_binder *b)
{
    cn_node n = 1;

    while (n < b->t->count) {
        cn_node next;

        cn_binder_enter(b, n);
        if (cn_binder_is_statement(b->t, n))
            b->statement = n;
        for (next = visit(b, n); n < next; n++)
            b->m->scope_index[n] = b->scope->index;
    }
}

void cn_bind(struct cn_module *m)
{
    struct cn_binder b = {.m = m, .t = m->tree, .arena = m->arena};

    m->scope = cn_binder_open(&b, CN_SCOPE_MODULE, 1, NULL);
    walk(&b);
    cn_binder_finish(&b);
}
