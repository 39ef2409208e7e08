/* Objects: variables and attributes of self as one thing with its writes and
 * reads, wherever in the class they stand.
 *
 * Objects are made when first asked for; attributes of all classes at once, in
 * one pass over the tree. So one module must not be asked by two threads at a
 * time. What the objects hold is infer.c's business. */
#include "python/internal.h"

enum { FARTHEST = 100 }; /* operators that a value is followed through */

struct cn_objects {
    struct cn_map *attributes; /* by scope index of the class: name -> object */
    struct cn_map strangers;   /* names of attributes of other things */
};

static struct cn_object *new_object(const struct cn_module *m,
                                    struct cn_str name)
{
    struct cn_object *o = CN_NEW(m->arena, struct cn_object);

    o->name = name;
    o->inferred = CN_NEW(m->arena, struct cn_inferred);
    return o;
}

/* --- escapes ---------------------------------------------------------------- */

/* Operators whose value may be the operand itself. */
static bool passes_on(const struct cn_tree *t, cn_node child, cn_node parent)
{
    switch (cn_kind(t, parent)) {
    case CN_K_PARENTHESIZED_EXPRESSION:
    case CN_K_BOOLEAN_OPERATOR: return true;
    case CN_K_CONDITIONAL_EXPRESSION: return cn_named(t, parent, 1) != child;
    default: return false;
    }
}

/* The value is looked at, called, awaited or entered, and dropped. */
static bool stays_here(const struct cn_tree *t, cn_node n, cn_node parent)
{
    switch (cn_kind(t, parent)) {
    case CN_K_ATTRIBUTE: return t->at[n].field == CN_F_OBJECT;
    case CN_K_SUBSCRIPT: return t->at[n].field == CN_F_VALUE;
    case CN_K_CALL: return t->at[n].field == CN_F_FUNCTION;
    case CN_K_FOR_STATEMENT:
    case CN_K_FOR_IN_CLAUSE: return t->at[n].field == CN_F_RIGHT;
    case CN_K_AWAIT:
    case CN_K_COMPARISON_OPERATOR:
    case CN_K_CONDITIONAL_EXPRESSION: /* the condition: see passes_on */
    case CN_K_NOT_OPERATOR:
    case CN_K_IF_STATEMENT:
    case CN_K_ELIF_CLAUSE:
    case CN_K_IF_CLAUSE:
    case CN_K_WHILE_STATEMENT:
    case CN_K_ASSERT_STATEMENT:
    case CN_K_EXPRESSION_STATEMENT:
    case CN_K_WITH_ITEM:
    case CN_K_INTERPOLATION:
    case CN_K_AUGMENTED_ASSIGNMENT:
    case CN_K_TYPE: return true;
    default: return false;
    }
}

static bool escapes_at(const struct cn_tree *t, cn_node n)
{
    cn_node parent = cn_parent(t, n);
    int steps = 0;

    while (parent && passes_on(t, n, parent)) {
        if (++steps > FARTHEST)
            return true;
        n = parent;
        parent = cn_parent(t, n);
    }
    return !stays_here(t, n, parent);
}

static void find_escapes(const struct cn_tree *t, struct cn_object *o)
{
    cn_vec_for (n, &o->reads)
        if (escapes_at(t, *n))
            o->escapes = true;
}

/* --- symbols ------------------------------------------------------------------ */

static void add_write(const struct cn_module *m, struct cn_object *o,
                      const struct cn_binding *b)
{
    if (b->annotation && !o->annotation)
        o->annotation = b->annotation;
    if (b->kind != CN_BIND_ANNOTATION)
        cn_vec_push(m->arena, &o->writes, *b);
}

static void add_symbol(const struct cn_module *m, struct cn_object *o,
                       const struct cn_symbol *s)
{
    cn_vec_for (b, &s->bindings)
        add_write(m, o, b);
    cn_vec_for (n, &s->uses)
        cn_vec_push(m->arena, &o->reads, *n);
}

static struct cn_object *object_of_symbol(const struct cn_module *m,
                                          struct cn_symbol *s)
{
    if (!s->object) {
        s->object = new_object(m, s->name);
        s->object->symbol = s;
        add_symbol(m, s->object, s);
        find_escapes(m->tree, s->object);
    }
    return s->object;
}

/* --- attributes ----------------------------------------------------------------
 */

/* The class that this identifier names, all on its own. */
static cn_node named_class(const struct cn_module *m, cn_node identifier)
{
    struct cn_symbol *s = m->symbol_of[identifier];

    if (!s || s->bindings.len != 1 || s->bindings.at[0].kind != CN_BIND_CLASS)
        return 0;
    return cn_parent(m->tree, s->bindings.at[0].name);
}

/* The class whose attribute this attribute node means, or 0. */
static cn_node class_of(const struct cn_module *m, cn_node attribute)
{
    cn_node object = cn_child(m->tree, attribute, CN_F_OBJECT), class_;

    if (!cn_is(m->tree, object, CN_K_IDENTIFIER))
        return 0;
    class_ = cn_self_class(m, object);
    return class_ ? class_ : named_class(m, object);
}

static struct cn_object *attribute_in(const struct cn_module *m, cn_node class_,
                                      struct cn_str name, bool *fresh)
{
    const struct cn_scope *scope = cn_scope_of(m, class_);
    struct cn_map *map = &m->findings->objects->attributes[scope->index];
    union cn_value *v = cn_map_put(m->arena, map, name, fresh);

    if (*fresh) {
        struct cn_object *o = new_object(m, name);
        union cn_value *s = cn_map_get(&scope->symbols, name);

        o->class_node = class_;
        if (s)
            add_symbol(m, o, s->ptr);
        v->ptr = o;
    }
    return v->ptr;
}

/* What a name or attribute in target position gets: the statement or clause
 * that gives it, or 0 when it is read. */
static cn_node giver_of(const struct cn_tree *t, cn_node n)
{
    for (cn_node up = cn_parent(t, n); up; n = up, up = cn_parent(t, n))
        switch (cn_kind(t, up)) {
        case CN_K_PATTERN_LIST:
        case CN_K_TUPLE_PATTERN:
        case CN_K_LIST_PATTERN:
        case CN_K_LIST_SPLAT_PATTERN:
        case CN_K_TUPLE:
        case CN_K_LIST:
        case CN_K_EXPRESSION_LIST:
        case CN_K_PARENTHESIZED_EXPRESSION:
        case CN_K_AS_PATTERN_TARGET: break;
        case CN_K_ASSIGNMENT:
        case CN_K_AUGMENTED_ASSIGNMENT:
        case CN_K_FOR_STATEMENT:
        case CN_K_FOR_IN_CLAUSE: return t->at[n].field == CN_F_LEFT ? up : 0;
        case CN_K_AS_PATTERN:
            return cn_is(t, n, CN_K_AS_PATTERN_TARGET) ? up : 0;
        case CN_K_DELETE_STATEMENT: return up;
        default: return 0;
        }
    return 0;
}

static cn_node assigned_value(const struct cn_tree *t, cn_node assignment)
{
    while (cn_is(t, assignment, CN_K_ASSIGNMENT))
        assignment = cn_child(t, assignment, CN_F_RIGHT);
    return assignment;
}

static struct cn_binding write_of(const struct cn_tree *t, cn_node n,
                                  cn_node giver)
{
    struct cn_binding b = {.name = n, .statement = cn_statement(t, n)};

    switch (cn_kind(t, giver)) {
    case CN_K_ASSIGNMENT:
        b.kind = CN_BIND_ASSIGN;
        b.annotation = cn_child(t, giver, CN_F_TYPE);
        if (!cn_child(t, giver, CN_F_RIGHT))
            b.kind = CN_BIND_ANNOTATION;
        else if (cn_parent(t, n) == giver)
            b.value = assigned_value(t, giver);
        break;
    case CN_K_AUGMENTED_ASSIGNMENT: b.kind = CN_BIND_AUGMENT; break;
    case CN_K_AS_PATTERN: b.kind = CN_BIND_WITH; break;
    case CN_K_DELETE_STATEMENT: b.kind = CN_BIND_DELETE; break;
    default: b.kind = CN_BIND_FOR; break;
    }
    b.conditional = cn_is_conditional(t, b.statement);
    return b;
}

static void note_attribute(const struct cn_module *m, cn_node n)
{
    const struct cn_tree *t = m->tree;
    struct cn_str name = cn_text(t, cn_child(t, n, CN_F_ATTRIBUTE));
    cn_node class_ = class_of(m, n), giver = giver_of(t, n);
    struct cn_object *o;
    bool fresh;

    if (!class_) {
        cn_map_put(m->arena, &m->findings->objects->strangers, name, NULL);
        return;
    }
    o = attribute_in(m, class_, name, &fresh);
    if (giver) {
        struct cn_binding b = write_of(t, n, giver);

        add_write(m, o, &b);
    }
    if (!giver || cn_is(t, giver, CN_K_AUGMENTED_ASSIGNMENT))
        cn_vec_push(m->arena, &o->reads, n);
}

/* --- base classes ---------------------------------------------------------------
 */

/* The first base class that stands in this module and writes `name`. */
static struct cn_object *inherited(const struct cn_module *m, cn_node class_,
                                   struct cn_str name, int depth)
{
    const struct cn_tree *t = m->tree;
    cn_node bases = cn_child(t, class_, CN_F_SUPERCLASSES);

    if (!bases || depth > 16)
        return NULL;
    cn_node_for (n, t, bases) {
        cn_node base = cn_is(t, n, CN_K_IDENTIFIER) ? named_class(m, n) : 0;
        union cn_value *v;
        struct cn_object *o;

        if (!base || base == class_)
            continue;
        v = cn_map_get(
            &m->findings->objects->attributes[cn_scope_of(m, base)->index],
            name);
        if (v && (o = v->ptr)->writes.len)
            return o;
        if ((o = inherited(m, base, name, depth + 1)))
            return o;
    }
    return NULL;
}

static void join_base(const struct cn_module *m, struct cn_map_entry *entry)
{
    struct cn_object *o = entry->value.ptr;
    struct cn_object *base = inherited(m, o->class_node, o->name, 0);

    if (!base || base == o)
        return;
    cn_vec_for (b, &o->writes)
        cn_vec_push(m->arena, &base->writes, *b);
    cn_vec_for (n, &o->reads)
        cn_vec_push(m->arena, &base->reads, *n);
    entry->value.ptr = base;
}

typedef void entry_fn(const struct cn_module *m, struct cn_map_entry *entry);

static void each_attribute(const struct cn_module *m, entry_fn *fn)
{
    for (size_t i = 0; i < m->scopes.len; i++) {
        struct cn_map *map = &m->findings->objects->attributes[i];

        for (uint32_t j = 0; j < map->len; j++)
            fn(m, &map->entries[j]);
    }
}

static void finish(const struct cn_module *m, struct cn_map_entry *entry)
{
    struct cn_object *o = entry->value.ptr;

    find_escapes(m->tree, o);
    o->elsewhere = cn_map_has(&m->findings->objects->strangers, o->name);
}

/* --- asking ----------------------------------------------------------------------
 */

static void find_attributes(const struct cn_module *m)
{
    struct cn_objects *objects = CN_NEW(m->arena, struct cn_objects);

    m->findings->objects = objects;
    objects->attributes = CN_NEW_ARRAY(m->arena, struct cn_map, m->scopes.len);
    for (cn_node n = 1; n < m->tree->count; n++)
        if (cn_is(m->tree, n, CN_K_ATTRIBUTE))
            note_attribute(m, n);
    each_attribute(m, join_base);
    each_attribute(m, finish);
}

static const struct cn_object *attribute_at(const struct cn_module *m,
                                            cn_node class_, struct cn_str name)
{
    struct cn_object *o;
    bool fresh;

    if (!m->findings->objects)
        find_attributes(m);
    o = attribute_in(m, class_, name, &fresh);
    if (fresh) /* stands in the class body only */
        finish(m, &(struct cn_map_entry){.value.ptr = o});
    return o;
}

const struct cn_object *cn_object_at(const struct cn_module *m,
                                     cn_node expression)
{
    const struct cn_tree *t = m->tree;
    cn_node n = cn_bare(t, expression);

    if (cn_is(t, n, CN_K_IDENTIFIER)) {
        struct cn_symbol *s = m->symbol_of[n];

        if (!s)
            return NULL;
        return s->scope->kind == CN_SCOPE_CLASS
                   ? attribute_at(m, s->scope->node, s->name)
                   : object_of_symbol(m, s);
    }
    if (cn_is(t, n, CN_K_ATTRIBUTE)) {
        cn_node class_ = class_of(m, n);

        if (class_)
            return attribute_at(m, class_,
                                cn_text(t, cn_child(t, n, CN_F_ATTRIBUTE)));
    }
    return NULL;
}
