/* Modules: the analysis from end to end, and the questions that need no more
 * than scopes and symbols. */
#include <stdlib.h>

#include "python/internal.h"

/* By position; of two that start together the shorter comes first. */
static int by_position(const void *left, const void *right)
{
    const struct cn_use *a = left, *b = right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    return (int)a->method - (int)b->method;
}

struct cn_module *cn_module_analyse(struct cn_arena *arena,
                                    const struct cn_tree *tree,
                                    struct cn_str name, bool is_package,
                                    const struct cn_project_facts *project)
{
    struct cn_module *m = CN_NEW(arena, struct cn_module);

    m->tree = tree;
    m->arena = arena;
    m->name = name;
    m->is_package = is_package;
    m->project = project;
    m->findings = CN_NEW(arena, struct cn_findings);
    m->symbol_of = CN_NEW_ARRAY(arena, struct cn_symbol *, tree->count);
    m->scope_index = CN_NEW_ARRAY(arena, uint32_t, tree->count);
    cn_bind(m);
    cn_resolve_imports(m);
    cn_read_strings(m);
    cn_add_method_uses(m);
    if (m->uses.len)
        qsort(m->uses.at, m->uses.len, sizeof(*m->uses.at), by_position);
    return m;
}

struct cn_symbol *cn_symbol_at(const struct cn_module *m, cn_node identifier)
{
    return m->symbol_of[identifier];
}

struct cn_scope *cn_scope_at(const struct cn_module *m, cn_node n)
{
    return m->scopes.at[m->scope_index[n]];
}

struct cn_scope *cn_scope_of(const struct cn_module *m, cn_node n)
{
    size_t low = 0, high = m->scopes.len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        cn_node at = m->scopes.at[middle]->node;

        if (at == n)
            return m->scopes.at[middle];
        if (at < n)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct cn_symbol *cn_lookup(const struct cn_module *m, cn_node n,
                            struct cn_str name)
{
    return cn_scope_find(cn_scope_at(m, n), name);
}

/* --- definitions -------------------------------------------------------------- */

/* The def that is all this symbol ever is. */
static cn_node only_definition(const struct cn_tree *t,
                               const struct cn_symbol *s)
{
    if (!s || s->bindings.len != 1 ||
        s->bindings.at[0].kind != CN_BIND_FUNCTION)
        return 0;
    return cn_parent(t, s->bindings.at[0].name);
}

static cn_node method_definition(const struct cn_module *m, cn_node attribute)
{
    const struct cn_tree *t = m->tree;
    cn_node class_ = cn_self_class(m, cn_child(t, attribute, CN_F_OBJECT));
    struct cn_scope *scope = class_ ? cn_scope_of(m, class_) : NULL;
    union cn_value *v = NULL;

    if (scope)
        v = cn_map_get(&scope->symbols,
                       cn_text(t, cn_child(t, attribute, CN_F_ATTRIBUTE)));
    return v ? only_definition(t, v->ptr) : 0;
}

cn_node cn_definition_of(const struct cn_module *m, cn_node function)
{
    function = cn_bare(m->tree, function);
    if (cn_is(m->tree, function, CN_K_IDENTIFIER))
        return only_definition(m->tree, m->symbol_of[function]);
    if (cn_is(m->tree, function, CN_K_ATTRIBUTE))
        return method_definition(m, function);
    return 0;
}

/* --- self --------------------------------------------------------------------- */

bool cn_is_decorated(const struct cn_tree *t, cn_node def, const char *with)
{
    cn_node around = cn_parent(t, def);

    if (!cn_is(t, around, CN_K_DECORATED_DEFINITION))
        return false;
    cn_node_for (n, t, around)
        if (cn_is(t, n, CN_K_DECORATOR) &&
            (!with || cn_text_is(t, cn_named(t, n, 0), with)))
            return true;
    return false;
}

/* The first positional parameter of a def or lambda, or 0. */
static cn_node first_parameter(const struct cn_tree *t, cn_node def)
{
    cn_node n = cn_named(t, cn_child(t, def, CN_F_PARAMETERS), 0);

    if (cn_is(t, n, CN_K_TYPED_PARAMETER))
        n = cn_named(t, n, 0);
    return cn_is(t, n, CN_K_IDENTIFIER) ? n : 0;
}

/* The class in whose body a def stands, directly or with type parameters. */
static cn_node class_around(const struct cn_module *m, cn_node def)
{
    struct cn_scope *scope = cn_scope_at(m, def);

    return scope->kind == CN_SCOPE_CLASS ? scope->node : 0;
}

cn_node cn_self_class(const struct cn_module *m, cn_node n)
{
    const struct cn_tree *t = m->tree;
    struct cn_symbol *s = cn_is(t, n, CN_K_IDENTIFIER) ? m->symbol_of[n] : NULL;

    if (!s || !s->is_parameter || s->bindings.len != 1 ||
        s->scope->kind != CN_SCOPE_FUNCTION)
        return 0;
    cn_node def = s->scope->node;

    if (first_parameter(t, def) != s->bindings.at[0].name ||
        cn_is_decorated(t, def, "staticmethod"))
        return 0;
    return class_around(m, def);
}

/* --- fresh names -------------------------------------------------------------- */

/* The outermost function (or class) around a scope: what it binds or reads may
 * meet a new name in it. */
static cn_node outermost(struct cn_scope *scope)
{
    while (scope->parent && scope->parent->kind != CN_SCOPE_MODULE)
        scope = scope->parent;
    return scope->node;
}

static bool is_used_below(const struct cn_module *m, cn_node around,
                          struct cn_str name)
{
    const struct cn_tree *t = m->tree;

    for (cn_node n = around; n < t->at[around].after; n++)
        if (cn_is(t, n, CN_K_IDENTIFIER) && cn_str_eq(cn_text(t, n), name))
            return true;
    return false;
}

struct cn_str cn_fresh_name(const struct cn_module *m, cn_node n,
                            const char *base)
{
    struct cn_scope *scope = cn_scope_at(m, n);
    struct cn_str name = cn_str_from(base);

    for (unsigned i = 2;
         cn_scope_find(scope, name) || is_used_below(m, outermost(scope), name);
         i++)
        name = cn_str_fmt(m->arena, "%s_%u", base, i);
    return name;
}
