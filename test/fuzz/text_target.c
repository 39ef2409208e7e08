/* Any bytes through the front end, and through the whole migration.
 *
 * What must hold: no crash, no hang; a text that is refused is left alone; a
 * text that is changed was valid and still is; the sites come in order and lie
 * in the text; a second run changes nothing; a run that fails its own checks
 * (CN_EINTERNAL) is a bug in a rule, so it counts here. */
#include <stdio.h>

#include "fuzz/targets.h"
#include "migrate/migrate.h"

static struct cn_parser *parser(void)
{
    static struct cn_parser *shared;

    if (!shared)
        shared = cn_parser_open();
    return shared;
}

/* 0 when these bytes are Python that we may touch. */
static int judge(struct cn_arena *arena, struct cn_str text)
{
    struct cn_tree *tree;
    int err = cn_text_check(text, NULL);

    if (!err)
        err = cn_tree_parse(parser(), arena, text, &tree);
    if (err)
        return err;
    if (tree->broken)
        return CN_ESYNTAX;
    err = cn_valid(tree, NULL);
    if (!err)
        cn_module_analyse(arena, tree, CN_STR("fuzz"), false, NULL);
    return err;
}

void cn_fuzz_text(struct cn_str data)
{
    struct cn_arena arena;
    struct cn_note note = {0};
    struct cn_tree *tree;

    cn_arena_init(&arena);
    judge(&arena, data);
    /* Places and texts of all nodes, of broken trees as well. */
    if (cn_text_check(data, &note) == 0 &&
        cn_tree_parse(parser(), &arena, data, &tree) == 0)
        for (cn_node n = 1; n < tree->count; n++) {
            cn_assert(cn_start(tree, n) <= cn_end(tree, n));
            cn_assert(cn_end(tree, n) <= data.len);
            cn_place_of(tree, cn_start(tree, n));
        }
    cn_arena_done(&arena);
}

static struct cn_text_options options_for(struct cn_str data)
{
    static const int targets[] = {400, 414, 415}, pythons[] = {0, 310, 311};
    uint32_t h = cn_fuzz_hash(data);

    return (struct cn_text_options){
        .target = {.anyio = targets[h % 3],
                   .python = pythons[h / 3 % 3],
                   .idiomatic = h >> 8 & 1,
                   .fix_blocking = h >> 9 & 1},
        .safe_only = (h >> 10) % 4 == 0,
        .support = h >> 12 & 1 ? CN_STR("pkg._anyio_support") : CN_STR(""),
    };
}

static void check_sites(struct cn_str text, const struct cn_text_result *r)
{
    for (size_t i = 0; i < r->sites.len; i++) {
        const struct cn_site *s = &r->sites.at[i];

        cn_assert(s->rule && s->start <= s->end && s->end <= text.len);
        cn_assert(i == 0 || r->sites.at[i - 1].start <= s->start);
        if (s->class_ == CN_CLASS_MANUAL || s->class_ == CN_CLASS_WRONG)
            cn_assert(s->state != CN_SITE_FIXED);
        if (s->class_ != CN_CLASS_SAFE)
            cn_assert(s->reason);
    }
}

static int migrate(struct cn_arena *arena, struct cn_str text,
                   const struct cn_text_options *options,
                   struct cn_text_result *result)
{
    struct cn_note note = {0};
    int err = cn_migrate_text(parser(), arena, text, CN_STR("fuzz"), false,
                              NULL, options, result, &note);

    if (err == CN_EINTERNAL)
        fprintf(stderr, "migrate: %s (line %u)\n", note.message, note.line);
    cn_assert(err != CN_EINTERNAL);
    return err;
}

static bool has_lone_return(struct cn_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\r' &&
            (i + 1 == text.len || text.ptr[i + 1] != '\n'))
            return true;
    return false;
}

void cn_fuzz_migrate(struct cn_str data)
{
    struct cn_text_options options = options_for(data);
    struct cn_text_result first = {.text = data}, second = {0};
    struct cn_arena arena;

    cn_arena_init(&arena);
    int valid = judge(&arena, data);
    int err = migrate(&arena, data, &options, &first);

    /* Old Macintosh line ends are Python, but not touched. */
    cn_assert(valid == 0 || err != 0);
    cn_assert(err == 0 || valid != 0 || has_lone_return(data));
    cn_assert(first.changed == !cn_str_eq(first.text, data));
    if (err == 0) {
        check_sites(data, &first);
        cn_assert(judge(&arena, first.text) == 0);
        cn_assert(migrate(&arena, first.text, &options, &second) == 0);
        cn_assert(cn_str_eq(first.text, second.text));
    } else {
        cn_assert(!first.changed);
    }
    cn_arena_done(&arena);
}
