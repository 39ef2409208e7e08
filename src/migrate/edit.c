/* Edits: byte spans to be replaced, grouped into fixes that are applied whole
 * or not at all. It knows nothing of Python except that indentation is moved
 * by soft edits at line starts. Invariant: what is applied never overlaps, and
 * neither the choice nor the result depends on how the fixes were found, only
 * on their order. */
#include <stdlib.h>

#include "migrate/engine.h"

void cn_fix_edit(struct cn_arena *a, struct cn_fix *fix, struct cn_edit edit)
{
    edit.order = (uint32_t)fix->edits.len;
    cn_vec_push(a, &fix->edits, edit);
}

/* --- sorting ----------------------------------------------------------------
 */

/* An edit with its fix, and the spans of moved statements, in one list. */
struct item {
    struct cn_edit edit;
    uint32_t fix;
    bool moved; /* not an edit: [start, end) is being indented */
};

struct items {
    struct item *at;
    size_t len, cap;
};

static int compare(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static bool is_insertion(const struct cn_edit *e)
{
    return e->start == e->end;
}

/* By place; at one place moved spans, soft edits, insertions by rank, then
 * replacements; then by fix. */
static int item_order(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    int by = compare(a->edit.start, b->edit.start);

    if (!by)
        by = compare(b->moved, a->moved);
    if (!by)
        by = compare(b->edit.soft, a->edit.soft);
    if (!by)
        by = compare(is_insertion(&b->edit), is_insertion(&a->edit));
    if (!by)
        by = compare(a->edit.rank, b->edit.rank);
    if (!by)
        by = compare(a->fix, b->fix);
    return by ? by : compare(a->edit.order, b->edit.order);
}

static void collect(struct cn_arena *a, struct cn_fix *fix, uint32_t i,
                    bool with_moved, struct items *out)
{
    cn_vec_for (e, &fix->edits)
        cn_vec_push(a, out, ((struct item){.edit = *e, .fix = i}));
    if (!with_moved)
        return;
    cn_vec_for (s, &fix->moved) {
        struct cn_edit span = {.start = s->start, .end = s->end};

        cn_vec_push(a, out,
                    ((struct item){.edit = span, .fix = i, .moved = true}));
    }
}

static void sort(struct items *items)
{
    if (items->len)
        qsort(items->at, items->len, sizeof *items->at, item_order);
}

/* --- collisions -------------------------------------------------------------
 */

static bool has_line_end(struct cn_str s)
{
    return s.len && (memchr(s.ptr, '\n', s.len) || memchr(s.ptr, '\r', s.len));
}

static bool overlap(const struct cn_edit *a, const struct cn_edit *b)
{
    return a->start < b->end && b->start < a->end;
}

/* Is the insertion point strictly inside the other edit? */
static bool inside(const struct cn_edit *point, const struct cn_edit *e)
{
    return e->start < point->start && point->start < e->end;
}

static bool same_edit(const struct cn_edit *a, const struct cn_edit *b)
{
    return a->start == b->start && a->end == b->end && a->rank == b->rank &&
           !a->soft && !b->soft && cn_str_eq(a->text, b->text);
}

/* May the same edit of two fixes be made once for both? Replacements yes; two
 * closing parentheses at one place are two, and so are two lines: each may be
 * an await. */
static bool may_merge(const struct cn_edit *a, const struct cn_edit *b)
{
    return same_edit(a, b) && (!is_insertion(a) || a->rank == CN_RANK_SPLIT);
}

/* New lines in the middle of statements that somebody else indents would
 * stay behind. */
static bool hits_moved(const struct cn_edit *span, const struct cn_edit *e)
{
    if (e->soft || !has_line_end(e->text))
        return false;
    return is_insertion(e) ? inside(e, span) : overlap(e, span);
}

static bool soft_collides(const struct cn_edit *soft, const struct cn_edit *e)
{
    if (e->soft)
        return overlap(soft, e) && !is_insertion(soft) && !is_insertion(e);
    if (inside(soft, e)) /* the line start goes: fine, if no line replaces it */
        return has_line_end(e->text);
    return overlap(soft, e) && e->start != soft->start;
}

static bool collide(const struct item *x, const struct item *y)
{
    const struct cn_edit *a = &x->edit, *b = &y->edit;

    if (x->moved || y->moved) {
        if (x->moved && y->moved)
            return false;
        return x->moved ? hits_moved(a, b) : hits_moved(b, a);
    }
    if (a->soft || b->soft)
        return a->soft ? soft_collides(a, b) : soft_collides(b, a);
    if (may_merge(a, b))
        return false;
    if (is_insertion(a) && is_insertion(b))
        return a->start == b->start && a->rank == b->rank;
    if (is_insertion(a))
        return inside(a, b);
    return is_insertion(b) ? inside(b, a) : overlap(a, b);
}

struct pairs {
    CN_VEC(struct cn_span) at; /* fix numbers */
};

/* Every pair of edits of different fixes that touch and collide. */
static void find_pairs(struct cn_arena *a, const struct items *items,
                       struct pairs *out)
{
    CN_VEC(const struct item *) active = {0};

    for (size_t i = 0; i < items->len; i++) {
        const struct item *now = &items->at[i];
        size_t kept = 0;

        for (size_t k = 0; k < active.len; k++) {
            const struct item *other = active.at[k];

            if (other->edit.end < now->edit.start)
                continue;
            active.at[kept++] = other;
            if (other->fix != now->fix && collide(other, now))
                cn_vec_push(a, &out->at,
                            ((struct cn_span){other->fix, now->fix}));
        }
        active.len = kept;
        cn_vec_push(a, &active, now);
    }
}

static int pair_order(const void *left, const void *right)
{
    const struct cn_span *a = left, *b = right;
    int by = compare(a->start, b->start);

    return by ? by : compare(a->end, b->end);
}

/* Statements that the chosen fixes take out of one suite. */
struct suite_count {
    cn_node block;
    uint32_t dropped;
};
struct suite_counts {
    CN_VEC(struct suite_count) at;
};

static uint32_t *count_of(struct cn_arena *a, struct suite_counts *counts,
                          cn_node block)
{
    cn_vec_for (c, &counts->at)
        if (c->block == block)
            return &c->dropped;
    cn_vec_push(a, &counts->at, ((struct suite_count){.block = block}));
    return &counts->at.at[counts->at.len - 1].dropped;
}

/* Would this fix take the last statements that others left in a suite? Then
 * it waits for the next round and leaves `pass`. */
static bool empties_suite(struct cn_arena *a, struct suite_counts *counts,
                          struct cn_fix *fix)
{
    bool empties = false;

    cn_vec_for (d, &fix->drops) {
        uint32_t *dropped = count_of(a, counts, d->block);

        empties |= *dropped && *dropped + d->count >= d->total;
    }
    if (!empties)
        cn_vec_for (d, &fix->drops)
            *count_of(a, counts, d->block) += d->count;
    return empties;
}

static void choose(struct cn_arena *a, struct cn_fix *const *fixes,
                   size_t count, const struct pairs *pairs, bool *chosen)
{
    struct suite_counts counts = {0};
    size_t next = 0;

    for (size_t i = 0; i < count; i++) {
        chosen[i] = fixes[i] != NULL;
        for (; next < pairs->at.len && pairs->at.at[next].start == i; next++)
            if (chosen[pairs->at.at[next].end])
                chosen[i] = false;
        if (chosen[i] && empties_suite(a, &counts, fixes[i]))
            chosen[i] = false;
    }
}

void cn_fixes_choose(struct cn_arena *a, struct cn_fix *const *fixes,
                     size_t count, bool *chosen)
{
    struct items items = {0};
    struct pairs pairs = {0};

    for (size_t i = 0; i < count; i++)
        if (fixes[i])
            collect(a, fixes[i], (uint32_t)i, true, &items);
    sort(&items);
    find_pairs(a, &items, &pairs);
    cn_vec_for (p, &pairs.at) { /* the later fix first: it asks whether an
                                   earlier one was chosen */
        if (p->start < p->end)
            *p = (struct cn_span){p->end, p->start};
    }
    if (pairs.at.len)
        qsort(pairs.at.at, pairs.at.len, sizeof *pairs.at.at, pair_order);
    choose(a, fixes, count, &pairs, chosen);
}

/* Within a fix, deletions may overlap and the rest may not. */
static bool collide_within(const struct cn_edit *a, const struct cn_edit *b)
{
    if (a->soft || b->soft)
        return false;
    if (is_insertion(a) || is_insertion(b))
        return is_insertion(a) ? inside(a, b) : inside(b, a);
    if (!overlap(a, b) || same_edit(a, b))
        return false;
    return a->text.len || b->text.len;
}

bool cn_fix_collides(struct cn_arena *a, struct cn_str text, struct cn_fix *fix)
{
    struct items items = {0};

    collect(a, fix, 0, false, &items);
    sort(&items);
    for (size_t i = 0; i < items.len; i++) {
        const struct cn_edit *e = &items.at[i].edit;

        if (e->end < e->start || e->end > text.len)
            return true;
        for (size_t k = i + 1; k < items.len; k++) {
            if (items.at[k].edit.start > e->end)
                break;
            if (collide_within(e, &items.at[k].edit))
                return true;
        }
    }
    return false;
}

/* --- applying ---------------------------------------------------------------
 */

struct writer {
    struct cn_arena *arena;
    struct cn_str text;
    struct cn_buf out;
    struct cn_position_map *map;
    uint32_t pos; /* how far the old text is used up */
};

static void keep_until(struct writer *w, uint32_t to)
{
    if (to <= w->pos)
        return;
    if (w->map) {
        struct cn_moved_piece piece = {w->pos, (uint32_t)w->out.len,
                                       to - w->pos};

        cn_vec_push(w->arena, &w->map->pieces, piece);
    }
    cn_buf_add_str(&w->out, cn_str_sub(w->text, w->pos, to));
    w->pos = to;
}

static void write_edit(struct writer *w, const struct cn_edit *e)
{
    keep_until(w, e->start);
    cn_buf_add_str(&w->out, e->text);
    if (e->end > w->pos)
        w->pos = e->end;
}

/* Does this edit delete whole lines from its start on? */
static bool deletes_line(struct cn_str text, const struct cn_edit *e)
{
    return !e->text.len && has_line_end(cn_str_sub(text, e->start, e->end));
}

/* Is the line start of this soft edit taken away by another edit? `reach` is
 * the furthest end of the hard edits that start before it. */
static bool soft_is_gone(const struct items *items, size_t i, uint32_t reach,
                         struct cn_str text)
{
    const struct cn_edit *soft = &items->at[i].edit;

    if (soft->start < reach)
        return true;
    for (size_t k = i + 1; k < items->len; k++) {
        const struct cn_edit *e = &items->at[k].edit;

        if (e->start != soft->start)
            break;
        if (!e->soft && deletes_line(text, e))
            return true;
    }
    return false;
}

/* Was the same edit of another fix written just before? */
static bool merged(const struct items *items, size_t i)
{
    for (size_t k = i; k-- > 0;) {
        const struct item *e = &items->at[k];

        if (e->edit.start != items->at[i].edit.start)
            return false;
        if (e->fix != items->at[i].fix &&
            may_merge(&e->edit, &items->at[i].edit))
            return true;
    }
    return false;
}

static void write_all(struct writer *w, const struct items *items)
{
    uint32_t reach = 0;

    for (size_t i = 0; i < items->len; i++) {
        const struct cn_edit *e = &items->at[i].edit;

        if (e->soft ? soft_is_gone(items, i, reach, w->text) : merged(items, i))
            continue;
        if (!e->soft && e->end > reach)
            reach = e->end;
        write_edit(w, e);
    }
    keep_until(w, (uint32_t)w->text.len);
}

int cn_fixes_apply(struct cn_arena *a, struct cn_str text,
                   struct cn_fix *const *fixes, size_t count,
                   const bool *chosen, struct cn_str *out,
                   struct cn_position_map *map)
{
    struct items items = {0};
    struct writer w = {.arena = a, .text = text, .map = map};

    for (size_t i = 0; i < count; i++)
        if (fixes[i] && (!chosen || chosen[i]))
            collect(a, fixes[i], (uint32_t)i, false, &items);
    sort(&items);
    if (map)
        *map = (struct cn_position_map){.from_len = (uint32_t)text.len};
    cn_buf_init(&w.out, text.len * 4 + 64 * CN_MIB);
    write_all(&w, &items);
    int err = w.out.err;

    if (!err) {
        struct cn_str made = cn_buf_str(&w.out);

        *out = (struct cn_str){cn_str_dup(a, made), made.len};
        if (map)
            map->to_len = (uint32_t)made.len;
    }
    cn_buf_done(&w.out);
    return err;
}

/* --- the position map -------------------------------------------------------
 */

/* The last piece that starts at or before a place; -1: none. */
static ptrdiff_t piece_before(const struct cn_position_map *map, uint32_t at,
                              bool by_new)
{
    size_t low = 0, high = map->pieces.len;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct cn_moved_piece *p = &map->pieces.at[mid];

        if ((by_new ? p->to : p->from) <= at)
            low = mid + 1;
        else
            high = mid;
    }
    return (ptrdiff_t)low - 1;
}

bool cn_map_forward(const struct cn_position_map *map, uint32_t old,
                    struct cn_span *out)
{
    ptrdiff_t i = piece_before(map, old, false);
    const struct cn_moved_piece *p = i < 0 ? NULL : &map->pieces.at[i];

    if (p && old < p->from + p->len) {
        out->start = p->to + (old - p->from);
        out->end = out->start + 1;
        return true;
    }
    out->start = p ? p->to + p->len : 0;
    out->end = (size_t)(i + 1) < map->pieces.len ? map->pieces.at[i + 1].to
                                                 : map->to_len;
    return false;
}

uint32_t cn_map_back(const struct cn_position_map *map, uint32_t new_)
{
    ptrdiff_t i = piece_before(map, new_, true);

    if (i < 0)
        return 0;
    const struct cn_moved_piece *p = &map->pieces.at[i];

    if (new_ < p->to + p->len)
        return p->from + (new_ - p->to);
    return p->from + p->len;
}
