/* Precedence: two places where the grammar binds tighter or looser than Python
 * does. Trees say what Python means, so a few records change places; the
 * number of nodes stays, and so does the place of all others.
 *
 * In lists and after other arguments `*f(x)` is read as a call of `*f`:
 *
 *     call(list_splat(*, f), arguments)  ->  list_splat(*, call(f, arguments))
 *
 * And `await f() ** 2` is read as waiting for a power:
 *
 *     await(power(f(), 2))  ->  power(await(f()), 2)
 */
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

static void fix_splat(struct cn_node_record *at, cn_node n)
{
    cn_node top = n;

    if (at[n + 1].kind != CN_T_STAR || at[n].after <= n + 2)
        return;
    while (at[top].parent + 1 == top && takes_left_end(at[top - 1].kind))
        top--;
    if (top < n)
        lift_splat(at, top, n);
}

static bool is_power(const struct cn_node_record *at, cn_node n)
{
    cn_node sign = at[n + 1].after;

    return at[n].kind == CN_K_BINARY_OPERATOR && sign < at[n].after &&
           at[sign].kind == CN_T_STAR_STAR;
}

/* An await at `n`, its keyword, then a power that is all of its operand. */
static void fix_await(struct cn_node_record *at, cn_node n)
{
    struct cn_node_record outer = at[n], word = at[n + 1], power = at[n + 2];
    cn_node base = n + 3;

    if (word.after != n + 2 || power.after != outer.after ||
        !is_power(at, n + 2))
        return;
    power.start = outer.start;
    power.parent = outer.parent;
    power.field = outer.field;
    outer.end = at[base].end;
    outer.after = at[base].after;
    outer.field = at[base].field;
    word.after = base;
    at[base].field = CN_F_NONE;
    at[n] = power;
    at[n + 1] = outer;
    at[n + 2] = word;
    adopt_children(at, n + 1);
    adopt_children(at, n);
}

void cn_fix_precedence(struct cn_node_record *at, cn_node count)
{
    for (cn_node n = 1; n + 4 < count; n++)
        if (at[n].kind == CN_K_LIST_SPLAT)
            fix_splat(at, n);
        else if (at[n].kind == CN_K_AWAIT)
            fix_await(at, n);
}
