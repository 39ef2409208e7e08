/* Splats: in lists and after other arguments the grammar reads `*f(x)` as a
 * call of `*f`. Trees say what Python means, a splat of `f(x)`, so the splat's
 * two records move in front of those that it is the left end of:
 *
 *     call(list_splat(*, f), arguments)  ->  list_splat(*, call(f, arguments))
 *
 * The number of nodes stays, and so does the place of all others. */
#include "python/internal.h"

static bool takes_left_end(uint16_t kind)
{
    switch (kind) {
    case CN_K_CALL:
    case CN_K_ATTRIBUTE:
    case CN_K_SUBSCRIPT:
    case CN_K_BINARY_OPERATOR:
    case CN_K_BOOLEAN_OPERATOR:
    case CN_K_COMPARISON_OPERATOR:
    case CN_K_CONDITIONAL_EXPRESSION: return true;
    default: return false;
    }
}

static void adopt_children(struct cn_node_record *at, cn_node parent)
{
    for (cn_node n = parent + 1; n < at[parent].after; n = at[n].after)
        at[n].parent = parent;
}

/* Put the splat at `splat` in front of its chain, which starts at `top`. */
static void lift_splat(struct cn_node_record *at, cn_node top, cn_node splat)
{
    struct cn_node_record lifted = at[splat], star = at[splat + 1];
    cn_node inner = splat + 2;

    memmove(&at[top + 2], &at[top], (splat - top) * sizeof(*at));
    lifted.parent = at[top + 2].parent;
    lifted.end = at[top + 2].end;
    lifted.after = at[top + 2].after;
    star.after = top + 2;
    at[inner].field = lifted.field;
    lifted.field = at[top + 2].field;
    at[top + 2].field = CN_F_NONE;
    at[top] = lifted;
    at[top + 1] = star;
    for (cn_node n = top + 2; n < inner; n++)
        at[n].start = at[inner].start;
    for (cn_node n = inner; n-- > top + 2;)
        adopt_children(at, n);
    adopt_children(at, top);
}

void cn_lift_splats(struct cn_node_record *at, cn_node count)
{
    for (cn_node n = 1; n + 2 < count; n++) {
        cn_node top = n;

        if (at[n].kind != CN_K_LIST_SPLAT || at[n + 1].kind != CN_T_STAR ||
            at[n].after <= n + 2)
            continue;
        while (at[top].parent + 1 == top && takes_left_end(at[top - 1].kind))
            top--;
        if (top < n)
            lift_splat(at, top, n);
    }
}
