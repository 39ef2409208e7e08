/* Imports: the dotted names in import statements, made absolute. Nothing here
 * knows scopes or symbols. */
#include "python/internal.h"

struct cn_str cn_join(struct cn_arena *arena, struct cn_str a, struct cn_str b)
{
    if (!a.len)
        return b;
    if (!b.len)
        return a;
    char *p = cn_arena_alloc(arena, a.len + b.len + 2);
    size_t len = a.len;

    memcpy(p, a.ptr, a.len);
    if (p[len - 1] != '.') /* a relative import that leads out of the project */
        p[len++] = '.';
    memcpy(p + len, b.ptr, b.len);
    p[len + b.len] = '\0';
    return (struct cn_str){p, len + b.len};
}

struct cn_str cn_dotted_text(struct cn_module *m, cn_node n)
{
    const struct cn_tree *t = m->tree;
    struct cn_str text = cn_text(t, n), dotted = {"", 0};
    bool plain = true;

    for (size_t i = 0; i < text.len && plain; i++)
        plain = (unsigned char)text.ptr[i] > ' ' && text.ptr[i] != '\\' &&
                text.ptr[i] != '#';
    if (plain || !n)
        return text;
    cn_node_for (child, t, n)
        if (cn_is(t, child, CN_K_IDENTIFIER))
            dotted = cn_join(m->arena, dotted, cn_text(t, child));
    return dotted;
}

/* The package `level` dots up from the module; false when that is outside of
 * everything we know. */
static bool package_above(const struct cn_module *m, size_t level,
                          struct cn_str *out)
{
    struct cn_str at = m->name;

    if (!at.len)
        return false;
    for (size_t i = m->is_package ? 1 : 0; i < level; i++) {
        ptrdiff_t dot = cn_str_rfind(at, CN_STR("."));

        if (dot < 0 && i + 1 < level)
            return false;
        at = cn_str_sub(at, 0, dot < 0 ? 0 : (size_t)dot);
    }
    *out = at;
    return true;
}

static size_t dots_in(struct cn_str prefix)
{
    size_t dots = 0;

    for (size_t i = 0; i < prefix.len; i++)
        dots += prefix.ptr[i] == '.';
    return dots;
}

static struct cn_str relative_module(struct cn_module *m, cn_node n)
{
    const struct cn_tree *t = m->tree;
    cn_node prefix = cn_child_of_kind(t, n, CN_K_IMPORT_PREFIX);
    cn_node dotted = cn_child_of_kind(t, n, CN_K_DOTTED_NAME);
    struct cn_str rest = cn_dotted_text(m, dotted), package;

    if (!package_above(m, dots_in(cn_text(t, prefix)), &package) ||
        (!package.len && !rest.len))
        return cn_str_fmt(m->arena, ".%.*s", CN_STR_ARG(rest));
    return cn_join(m->arena, package, rest);
}

struct cn_str cn_from_module(struct cn_module *m, cn_node statement)
{
    const struct cn_tree *t = m->tree;
    cn_node n = cn_child(t, statement, CN_F_MODULE_NAME);

    if (cn_is(t, statement, CN_K_FUTURE_IMPORT_STATEMENT))
        return CN_STR("__future__");
    return cn_is(t, n, CN_K_RELATIVE_IMPORT) ? relative_module(m, n)
                                             : cn_dotted_text(m, n);
}
