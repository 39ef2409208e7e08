/* Names that are bound nowhere: the engine compares them before and after, so
 * that no change leaves a NameError behind. A name counts once for the whole
 * text; names in strings do not count. */
#include "migrate/engine.h"

static bool is_plain_read(const struct cn_tree *t, cn_node n)
{
    cn_node parent = cn_parent(t, n);
    enum cn_field field = (enum cn_field)t->at[n].field;

    switch (cn_kind(t, parent)) {
    case CN_K_ATTRIBUTE: return field != CN_F_ATTRIBUTE;
    case CN_K_KEYWORD_ARGUMENT: return field != CN_F_NAME;
    case CN_K_DOTTED_NAME:
    case CN_K_ALIASED_IMPORT:
    case CN_K_KEYWORD_PATTERN:
    case CN_K_MEMBER_TYPE:
    case CN_K_GLOBAL_STATEMENT:
    case CN_K_NONLOCAL_STATEMENT: return false;
    default: return true;
    }
}

void cn_unbound_names(struct cn_arena *a, const struct cn_module *m,
                      struct cn_map *out)
{
    const struct cn_tree *t = m->tree;

    for (cn_node n = 1; n < t->count; n++) {
        if (!cn_is(t, n, CN_K_IDENTIFIER) || cn_symbol_at(m, n) ||
            !is_plain_read(t, n) || cn_is_builtin(cn_text(t, n)))
            continue;
        if (!cn_map_has(out, cn_text(t, n)))
            cn_map_put(a, out, cn_str_from(cn_str_dup(a, cn_text(t, n))), NULL)
                ->num = 1;
    }
}
