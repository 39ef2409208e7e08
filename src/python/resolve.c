/* Resolving: from names in the text to canonical dotted names.
 *
 * A symbol that imports bind has one origin, and a certainty that says whether
 * all its bindings agree on it. What the attributes after a name add is read
 * off the tree each time. Nothing here follows assignments: `nap =
 * asyncio.sleep` uses asyncio.sleep once, and `nap` is a variable. */
#include <stdlib.h>

#include "python/internal.h"

/* --- project re-exports ----------------------------------------------------- */

/* One step: the longest project module in front that exports the next part. */
static bool follow_export(const struct cn_module *m, struct cn_str *dotted)
{
    const struct cn_project_facts *p = m->project;
    struct cn_str found;

    if (!p || !p->export_of)
        return false;
    for (size_t end = dotted->len, i = dotted->len; i-- > 1;) {
        if (dotted->ptr[i] != '.')
            continue;
        struct cn_str module = cn_str_sub(*dotted, 0, i);
        struct cn_str name = cn_str_sub(*dotted, i + 1, end);

        if (p->export_of(p->ctx, module, name, &found) &&
            !cn_str_eq(found, cn_str_sub(*dotted, 0, end))) {
            struct cn_str rest = cn_str_sub(*dotted, end, dotted->len);

            if (rest.len)
                rest = cn_str_sub(rest, 1, rest.len);
            *dotted = cn_join(m->arena, found, rest);
            return true;
        }
        end = i;
    }
    return false;
}

struct cn_str cn_canonical(const struct cn_module *m, struct cn_str dotted)
{
    for (int hops = 0; hops < 8 && !cn_of_interest(dotted); hops++)
        if (!follow_export(m, &dotted))
            break;
    return cn_canonical_stdlib(m->arena, dotted);
}

/* --- origins of symbols ------------------------------------------------------ */

static bool is_import(const struct cn_binding *b)
{
    return b->kind == CN_BIND_IMPORT || b->kind == CN_BIND_FROM;
}

/* Only `import` of modules that every Python has, so it cannot fail. */
static bool cannot_fail(const struct cn_tree *t, cn_node block)
{
    cn_node_for (n, t, block) {
        if (!t->at[n].named || cn_is(t, n, CN_K_COMMENT))
            continue;
        if (!cn_is(t, n, CN_K_IMPORT_STATEMENT))
            return false;
        cn_node_for (name, t, n)
            if (t->at[name].named && !cn_text_is(t, name, "asyncio") &&
                !cn_text_is(t, name, "asyncio.subprocess"))
                return false;
    }
    return true;
}

/* In `except: ...` of a try whose body is just `import asyncio`. */
static bool never_runs(const struct cn_tree *t, cn_node statement)
{
    cn_node handler = cn_above(t, statement, CN_K_EXCEPT_CLAUSE);
    cn_node tried = cn_parent(t, handler);

    return handler && cn_is(t, tried, CN_K_TRY_STATEMENT) &&
           cn_within(t, tried, cn_function(t, statement)) ==
               cn_within(t, statement, cn_function(t, statement)) &&
           cannot_fail(t, cn_child(t, tried, CN_F_BODY));
}

static bool says_nothing(const struct cn_tree *t, const struct cn_binding *b)
{
    return b->kind == CN_BIND_ANNOTATION || b->kind == CN_BIND_DELETE ||
           never_runs(t, b->statement);
}

/* `from x import *` behind the import may bind the name again, to what it was
 * most likely, but who knows. */
static bool star_follows(const struct cn_module *m, const struct cn_symbol *s)
{
    if (cn_known_module(s->origin))
        return false;
    cn_vec_for (star, &m->findings->stars)
        if (star->scope == s->scope && star->node > s->bindings.at[0].name &&
            !cn_of_interest(star->module))
            return true;
    return false;
}

static bool is_better(struct cn_str dotted, struct cn_str than)
{
    return !than.len || (!cn_of_interest(than) && cn_of_interest(dotted));
}

static void find_origin(const struct cn_module *m, struct cn_symbol *s)
{
    struct cn_str first = {NULL, 0};
    bool agree = true;

    cn_vec_for (b, &s->bindings) {
        struct cn_str dotted = {"", 0};

        if (is_import(b))
            dotted = cn_canonical(m, b->import);
        else if (says_nothing(m->tree, b))
            continue;
        if (!first.ptr)
            first = dotted;
        agree &= cn_str_eq(dotted, first);
        if (is_better(dotted, s->origin))
            s->origin = dotted;
    }
    s->certainty = agree && !star_follows(m, s) ? CN_SURE : CN_MAYBE;
}

/* --- chains of attributes ---------------------------------------------------- */

static bool is_object_of(const struct cn_tree *t, cn_node n, cn_node parent)
{
    return cn_is(t, parent, CN_K_ATTRIBUTE) && t->at[n].field == CN_F_OBJECT;
}

/* May an attribute of this be what is meant, or is this it? */
static bool goes_on(const struct cn_module *m, struct cn_str dotted)
{
    return cn_known_module(dotted) ||
           (!cn_of_interest(dotted) && m->project && m->project->export_of);
}

/* `case a.b.c:` is flat: the whole of it, `origin` being what `a` is. */
static struct cn_str dotted_name(const struct cn_module *m, cn_node n,
                                 struct cn_str origin)
{
    for (n = cn_next_named(m->tree, cn_first(m->tree, n)); n;
         n = cn_next_named(m->tree, n))
        origin = cn_join(m->arena, origin, cn_text(m->tree, n));
    return cn_canonical(m, origin);
}

/* From an identifier up to the outermost expression that still spells a name
 * in a module; *dotted is its origin at first and its full name at last. */
static cn_node climb(const struct cn_module *m, cn_node n,
                     struct cn_str *dotted)
{
    const struct cn_tree *t = m->tree;
    cn_node parent = cn_parent(t, n);

    if (cn_is(t, parent, CN_K_DOTTED_NAME)) {
        *dotted = dotted_name(m, parent, *dotted);
        return parent;
    }
    while ((parent = cn_parent(t, n)) && is_object_of(t, n, parent) &&
           goes_on(m, *dotted)) {
        struct cn_str word = cn_text(t, cn_child(t, parent, CN_F_ATTRIBUTE));

        *dotted = cn_canonical(m, cn_join(m->arena, *dotted, word));
        n = parent;
    }
    return n;
}

static cn_node root_of(const struct cn_tree *t, cn_node expression)
{
    while (cn_is(t, expression, CN_K_ATTRIBUTE))
        expression = cn_child(t, expression, CN_F_OBJECT);
    if (cn_is(t, expression, CN_K_DOTTED_NAME))
        expression = cn_first(t, expression);
    return cn_is(t, expression, CN_K_IDENTIFIER) ? expression : 0;
}

static enum cn_certainty origin_at(const struct cn_module *m, cn_node root,
                                   struct cn_str *origin)
{
    struct cn_symbol *s = m->symbol_of[root];

    if (s) {
        *origin = s->origin;
        return s->origin.len ? (enum cn_certainty)s->certainty : CN_UNKNOWN;
    }
    cn_vec_for (star, &m->findings->stars) {
        struct cn_str name = cn_text(m->tree, root);

        if (cn_str_is(star->module, "asyncio") && cn_asyncio_exports(name)) {
            *origin = cn_join(m->arena, star->module, name);
            return CN_MAYBE;
        }
    }
    return CN_UNKNOWN;
}

enum cn_certainty cn_resolve(const struct cn_module *m, cn_node expression,
                             struct cn_str *out)
{
    const struct cn_tree *t = m->tree;
    cn_node root = root_of(t, expression);
    struct cn_str dotted;
    enum cn_certainty certainty =
        root ? origin_at(m, root, &dotted) : CN_UNKNOWN;

    if (certainty == CN_UNKNOWN)
        return CN_UNKNOWN;
    for (cn_node n = root; n != expression;) {
        n = cn_parent(t, n);
        if (cn_is(t, n, CN_K_DOTTED_NAME))
            dotted = dotted_name(m, n, dotted);
        else
            dotted = cn_join(m->arena, dotted,
                             cn_text(t, cn_child(t, n, CN_F_ATTRIBUTE)));
    }
    *out = root == expression ? dotted : cn_canonical(m, dotted);
    return certainty;
}

bool cn_resolves_to(const struct cn_module *m, cn_node expression,
                    const char *dotted)
{
    struct cn_str found;

    return cn_resolve(m, expression, &found) == CN_SURE &&
           cn_str_is(found, dotted);
}

static struct cn_str first_part(struct cn_str dotted)
{
    struct cn_str rest = dotted, part = {"", 0};

    cn_str_cut(&rest, '.', &part);
    return part;
}

enum cn_certainty cn_resolve_text(const struct cn_module *m,
                                  struct cn_scope *scope, struct cn_str dotted,
                                  struct cn_str *out)
{
    struct cn_str root = first_part(dotted);
    struct cn_symbol *s = cn_scope_find(scope, root);

    if (!s || !s->origin.len)
        return CN_UNKNOWN;
    *out =
        cn_canonical(m, cn_join(m->arena, s->origin,
                                cn_str_sub(dotted, root.len + 1, dotted.len)));
    return (enum cn_certainty)s->certainty;
}

struct cn_str cn_resolve_prefix(const struct cn_module *m,
                                const struct cn_symbol *root,
                                struct cn_str dotted, size_t *len)
{
    struct cn_str name = root->origin, rest = dotted, part;

    cn_str_cut(&rest, '.', &part);
    *len = part.len;
    while (name.len && goes_on(m, name) && cn_str_cut(&rest, '.', &part)) {
        name = cn_canonical(m, cn_join(m->arena, name, part));
        *len += 1 + part.len;
    }
    return name;
}

/* --- uses --------------------------------------------------------------------- */

void cn_add_use(struct cn_module *m, struct cn_use use)
{
    if (!use.in_string) {
        use.start = cn_start(m->tree, use.node);
        use.end = cn_end(m->tree, use.node);
    }
    cn_vec_push(m->arena, &m->uses, use);
}

static void add_uses_of(struct cn_module *m, struct cn_symbol *s)
{
    if (!cn_of_interest(s->origin) && !goes_on(m, s->origin))
        return;
    cn_vec_for (n, &s->uses) {
        struct cn_use use = {
            .name = s->origin, .certainty = s->certainty, .symbol = s};

        use.node = climb(m, *n, &use.name);
        if (cn_of_interest(use.name))
            cn_add_use(m, use);
    }
}

static void add_unbound(struct cn_module *m, cn_node n)
{
    struct cn_use use = {.certainty = CN_UNKNOWN, .unbound = true};

    if (cn_of_interest(cn_text(m->tree, n))) {
        use.name = cn_text(m->tree, n);
        if (m->findings->stars.len)
            use.certainty = CN_MAYBE;
    } else {
        use.certainty = origin_at(m, n, &use.name);
        use.unbound = false;
        if (use.certainty == CN_UNKNOWN)
            return;
    }
    use.node = climb(m, n, &use.name);
    cn_add_use(m, use);
}

void cn_resolve_imports(struct cn_module *m)
{
    cn_vec_for (s, &m->findings->imported)
        find_origin(m, *s);
    cn_vec_for (s, &m->findings->imported)
        add_uses_of(m, *s);
    cn_vec_for (n, &m->findings->unbound)
        add_unbound(m, *n);
}
