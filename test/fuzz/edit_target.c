/* Fixes with any edits over any text.
 *
 * The data is a program: a byte with the number of edits, six bytes for each
 * (fix, start, length, text, rank, soft), and the text they apply to. What
 * must hold: the fixes that are chosen do not collide, the bytes outside of
 * their edits arrive unchanged and in order, and the position map says where.
 */
#include "fuzz/targets.h"
#include "migrate/engine.h"

enum { FIXES = 5 };

struct input {
    struct cn_str data;
    struct cn_fix fixes[FIXES];
    struct cn_fix *list[FIXES];
    struct cn_str text;
};

static struct cn_edit edit_from(const unsigned char *byte, struct cn_str text)
{
    static const char *const words[] = {"",   "a",     "with x:\n    ", "(",
                                        "\n", "anyio", "    ",          "\r\n"};
    uint32_t start = text.len ? byte[1] * 7 % (uint32_t)(text.len + 1) : 0;
    uint32_t left = (uint32_t)text.len - start;
    uint32_t len = left ? byte[2] % 16 % (left + 1) : 0;
    bool soft = byte[5] % 4 == 0;

    return (struct cn_edit){
        .start = start,
        .end = start + len,
        .text = cn_str_from(words[soft ? 6 : byte[3] % CN_COUNT(words)]),
        .rank = byte[4] % (CN_RANK_TEXT + 1),
        .soft = soft,
    };
}

static void read_input(struct cn_arena *arena, struct input *in)
{
    const unsigned char *byte = (const unsigned char *)in->data.ptr;
    size_t edits = in->data.len ? byte[0] % 12 : 0;

    if (1 + edits * 6 > in->data.len)
        edits = 0;
    in->text = cn_str_sub(in->data, edits ? 1 + edits * 6 : 0, in->data.len);
    for (size_t i = 0; i < edits; i++) {
        const unsigned char *at = byte + 1 + i * 6;

        cn_fix_edit(arena, &in->fixes[at[0] % FIXES], edit_from(at, in->text));
    }
    for (size_t i = 0; i < FIXES; i++)
        if (!cn_fix_collides(arena, in->text, &in->fixes[i]))
            in->list[i] = &in->fixes[i];
}

/* The pieces that stayed are the old bytes, in order, and each other byte of
 * the old text lies in a chosen edit. */
static void check_map(const struct input *in, struct cn_str out,
                      struct cn_position_map *map)
{
    uint32_t from = 0, to = 0;

    cn_vec_for (p, &map->pieces) {
        cn_assert(p->from >= from && p->to >= to);
        cn_assert(cn_str_eq(cn_str_sub(in->text, p->from, p->from + p->len),
                            cn_str_sub(out, p->to, p->to + p->len)));
        from = p->from + p->len;
        to = p->to + p->len;
    }
    cn_assert(from <= in->text.len && to <= out.len);
    cn_assert(map->from_len == in->text.len && map->to_len == out.len);
}

static bool in_chosen_edit(const struct input *in, const bool *chosen,
                           uint32_t at)
{
    for (size_t i = 0; i < FIXES; i++)
        if (in->list[i] && chosen[i])
            cn_vec_for (e, &in->list[i]->edits)
                if (e->start <= at && at < e->end)
                    return true;
    return false;
}

static void check_bytes(const struct input *in, const bool *chosen,
                        struct cn_str out, const struct cn_position_map *map)
{
    for (uint32_t at = 0; at < in->text.len; at++) {
        struct cn_span where;
        bool stayed = cn_map_forward(map, at, &where);

        cn_assert(where.start <= where.end && where.end <= out.len);
        cn_assert(stayed || in_chosen_edit(in, chosen, at));
        if (stayed)
            cn_assert(cn_map_back(map, where.start) == at);
    }
    for (uint32_t at = 0; at < out.len; at++)
        cn_assert(cn_map_back(map, at) <= in->text.len);
}

/* Hard edits of two chosen fixes never overlap, unless they are the same. */
static void check_choice(const struct input *in, const bool *chosen)
{
    for (size_t i = 0; i < FIXES; i++)
        for (size_t k = i + 1; k < FIXES; k++) {
            if (!in->list[i] || !in->list[k] || !chosen[i] || !chosen[k])
                continue;
            cn_vec_for (a, &in->list[i]->edits)
                cn_vec_for (b, &in->list[k]->edits) {
                    bool same = a->start == b->start && a->end == b->end &&
                                cn_str_eq(a->text, b->text);

                    cn_assert(a->soft || b->soft || same ||
                              a->end <= b->start || b->end <= a->start);
                }
        }
}

void cn_fuzz_edit(struct cn_str data)
{
    struct input in = {.data = data};
    bool chosen[FIXES] = {0};
    struct cn_position_map map = {0};
    struct cn_str out = {0};
    struct cn_arena arena;

    cn_arena_init(&arena);
    read_input(&arena, &in);
    cn_fixes_choose(&arena, in.list, FIXES, chosen);
    check_choice(&in, chosen);
    cn_assert(cn_fixes_apply(&arena, in.text, in.list, FIXES, chosen, &out,
                             &map) == 0);
    check_map(&in, out, &map);
    check_bytes(&in, chosen, out, &map);
    cn_arena_done(&arena);
}
