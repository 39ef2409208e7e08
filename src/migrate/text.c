/* One text: rounds of matching and editing until nothing changes, then the
 * checks on the result. Each site of the first round is tracked through the
 * rounds, so that at the end every one of them is either fixed or still there.
 * Invariant: the text comes out checked, or as it went in. */
#include <stdlib.h>

#include "migrate/engine.h"

enum { MAX_ROUNDS = 20 };

/* --- reading ------------------------------------------------------------ */

static int read_module(struct cn_rewrite *r, struct cn_arena *a,
                       struct cn_str text, struct cn_module **out)
{
    struct cn_tree *tree;
    int err = cn_tree_parse(r->parser, a, text, &tree);

    if (err)
        return cn_note_set(r->note, err, "%s", cn_strerror(err));
    if (tree->broken) {
        struct cn_place at = cn_place_of(tree, cn_start(tree, tree->broken));

        cn_note_set(r->note, CN_ESYNTAX, "does not parse");
        if (r->note) {
            r->note->line = at.line;
            r->note->column = at.column;
        }
        return CN_ESYNTAX;
    }
    err = cn_valid(tree, r->note);
    if (err)
        return err;
    *out = cn_module_analyse(a, tree, r->name, r->is_package, r->project);
    return 0;
}

/* --- names that are bound nowhere --------------------------------------- */

static int check_bound(struct cn_rewrite *r, const struct cn_module *m)
{
    struct cn_map names = {0};

    cn_unbound_names(m->arena, m, &names);
    for (uint32_t i = 0; i < names.len; i++)
        if (!cn_map_has(&r->unbound, names.entries[i].key))
            return cn_note_set(r->note, CN_EINTERNAL,
                               "the name %.*s would not be bound after %.*s",
                               CN_STR_ARG(names.entries[i].key),
                               CN_STR_ARG(r->last_rules));
    return 0;
}

/* --- changing the text -------------------------------------------------- */

static void name_rule(struct cn_rewrite *r, struct cn_str code)
{
    if (cn_str_find(r->last_rules, code) < 0)
        r->last_rules =
            cn_str_fmt(r->arena, "%.*s%s%.*s", CN_STR_ARG(r->last_rules),
                       r->last_rules.len ? ", " : "", CN_STR_ARG(code));
}

/* Which fixes go in now; also what they need. The last of the fixes is that
 * of the imports. */
static size_t choose(struct cn_rewrite *r, struct cn_fix **fixes)
{
    struct cn_needs needs = {0};
    size_t count = r->found.len, applied = 0;

    for (size_t i = 0; i < count; i++) {
        const struct cn_found *f = r->found.at[i];

        fixes[i] = f->state == CN_SITE_FIXED && !f->owner ? f->fix : NULL;
    }
    cn_fixes_choose(cn_rewrite_arena(r), fixes, count, r->chosen);
    r->last_rules.len = 0;
    for (size_t i = 0; i < count; i++) {
        if (!r->chosen[i])
            continue;
        applied++;
        name_rule(r, fixes[i]->source);
        cn_vec_for (n, &fixes[i]->needs)
            cn_needs_add(cn_rewrite_arena(r), &needs, *n);
        cn_support_note(r->arena, &r->support, fixes[i]);
    }
    fixes[count] = CN_NEW(cn_rewrite_arena(r), struct cn_fix);
    r->chosen[count] = true;
    cn_imports_add(cn_rewrite_arena(r), r->module, &needs, fixes[count]);
    return applied;
}

/* Apply one list of fixes and read the new text into the other arena. */
static int step(struct cn_rewrite *r, struct cn_fix *const *fixes, size_t count)
{
    struct cn_arena *next = &r->scratch[(r->rounds + 1) & 1];
    struct cn_position_map map, kept = {0};

    cn_arena_reset(next);
    int err =
        cn_fixes_apply(next, r->text, fixes, count, r->chosen, &r->text, &map);

    if (err)
        return cn_note_set(r->note, err, "the result is too large");
    kept.from_len = map.from_len;
    kept.to_len = map.to_len;
    cn_vec_for (p, &map.pieces)
        cn_vec_push(r->arena, &kept.pieces, *p);
    cn_vec_push(r->arena, &r->maps, kept);
    cn_rewrite_move(r, &kept);
    r->rounds++;
    err = read_module(r, next, r->text, &r->module);
    if (err == CN_ESYNTAX) {
        struct cn_note was = {0};

        if (r->note)
            was = *r->note;
        cn_note_set(r->note, CN_EINTERNAL,
                    "the result is no Python (%.100s) after %.*s", was.message,
                    CN_STR_ARG(r->last_rules));
        if (r->note)
            r->note->line = was.line;
        err = CN_EINTERNAL;
    }
    return err ? err : check_bound(r, r->module);
}

static int too_many_rounds(struct cn_rewrite *r)
{
    return cn_note_set(r->note, CN_EINTERNAL, "no end of changes: %.*s",
                       CN_STR_ARG(r->last_rules));
}

/* Rounds until no fix is left. */
static int fix_all(struct cn_rewrite *r)
{
    size_t limit = MAX_ROUNDS;

    for (;;) {
        size_t count = r->found.len;
        struct cn_fix **fixes =
            CN_NEW_ARRAY(cn_rewrite_arena(r), struct cn_fix *, count + 1);

        r->chosen = CN_NEW_ARRAY(cn_rewrite_arena(r), bool, count + 1);
        if (!choose(r, fixes))
            return 0;
        if (r->rounds == 0)
            limit += count; /* each round ends one site at least */
        if (r->rounds >= limit)
            return too_many_rounds(r);
        int err = step(r, fixes, count + 1);

        if (!err)
            err = cn_rewrite_match(r);
        if (err)
            return err;
    }
}

/* Take unused imports away; nothing else may change by that. */
static int drop_imports(struct cn_rewrite *r)
{
    struct cn_fix *fix = CN_NEW(cn_rewrite_arena(r), struct cn_fix);
    bool chosen = true;
    size_t sites = r->found.len;

    if (!r->rounds ||
        !cn_imports_drop(cn_rewrite_arena(r), r->module, &r->used, fix))
        return 0;
    for (size_t i = 0; i < sites; i++)
        r->chosen[i] = false;
    bool *kept = r->chosen;

    r->chosen = &chosen;
    r->last_rules = CN_STR("the clean-up of imports");
    size_t found = r->found.len;

    r->found.len = 0; /* no site is fixed by this */
    int err = step(r, &fix, 1);

    r->found.len = found;
    r->chosen = kept;
    return err ? err : cn_rewrite_match(r);
}

/* --- the result --------------------------------------------------------- */

static bool uses_asyncio(const struct cn_module *m)
{
    for (size_t i = 0; i < m->uses.len; i++)
        if (cn_is_asyncio(m->uses.at[i].name))
            return true;
    return false;
}

/* In a scan: would some use be left? */
static bool leaves_asyncio(const struct cn_rewrite *r)
{
    for (size_t i = 0; i < r->tracks.len; i++) {
        const struct cn_site *s = &r->tracks.at[i]->site;

        if (s->state != CN_SITE_FIXED && cn_is_asyncio(s->name))
            return true;
    }
    return false;
}

/* Python takes a lone carriage return for a line end, the parser does not:
 * outside of strings they would read different programs. */
static int check_line_ends(struct cn_rewrite *r)
{
    const struct cn_tree *t = r->module->tree;

    for (uint32_t i = 1; i < t->line_count; i++) {
        uint32_t at = t->lines[i];

        if (t->text.ptr[at - 1] != '\r' || cn_in_string(t, 1, at))
            continue;
        cn_note_set(r->note, CN_ESYNTAX,
                    "the line ends in a carriage return alone");
        if (r->note)
            r->note->line = i;
        return CN_ESYNTAX;
    }
    return 0;
}

static int start(struct cn_rewrite *r, struct cn_str text)
{
    int err = cn_text_check(text, r->note);

    r->text = text;
    if (!err)
        err = read_module(r, cn_rewrite_arena(r), text, &r->module);
    if (!err)
        err = check_line_ends(r);
    if (err)
        return err;
    r->round.was_asyncio = uses_asyncio(r->module);
    return cn_rewrite_match(r);
}

static int migrate(struct cn_rewrite *r, struct cn_str text,
                   struct cn_text_result *out)
{
    int err = start(r, text);

    if (err)
        return err;
    struct cn_tree places = *r->module->tree; /* for lines and columns */
    bool scan = r->round.options->scan_only;

    places.lines = CN_NEW_ARRAY(r->arena, uint32_t, places.line_count + 1);
    memcpy(places.lines, r->module->tree->lines,
           places.line_count * sizeof *places.lines);
    if (!scan) {
        cn_imports_used(r->arena, r->module, &r->used);
        cn_unbound_names(r->arena, r->module, &r->unbound);
        err = fix_all(r);
        if (!err)
            err = drop_imports(r);
    }
    if (err)
        return err;
    struct cn_text_result made = {.text = text, .rounds = r->rounds};

    made.changed = !cn_str_eq(text, r->text);
    if (made.changed)
        made.text = (struct cn_str){cn_str_dup(r->arena, r->text), r->text.len};
    made.uses_asyncio_after =
        scan ? leaves_asyncio(r) : uses_asyncio(r->module);
    made.support = r->support;
    cn_rewrite_sites(r, &places, &made);
    *out = made;
    return 0;
}

static int migrate_once(const struct cn_rewrite *with, struct cn_str text,
                        struct cn_text_result *out)
{
    struct cn_rewrite r = *with;

    cn_arena_init(&r.scratch[0]);
    cn_arena_init(&r.scratch[1]);
    int err = migrate(&r, text, out);

    cn_arena_done(&r.scratch[0]);
    cn_arena_done(&r.scratch[1]);
    return err;
}

/* The sanitizer builds run every text twice: the second run must be empty. */
static int check_second_run(const struct cn_rewrite *r,
                            const struct cn_text_result *first)
{
#ifdef CN_CHECKS
    struct cn_text_result again;
    int err = first->changed ? migrate_once(r, first->text, &again) : 0;

    if (err)
        return err;
    if (first->changed && again.changed)
        return cn_note_set(r->note, CN_EINTERNAL,
                           "a second run changes the result again");
#else
    (void)r;
    (void)first;
#endif
    return 0;
}

int cn_migrate_text(struct cn_parser *parser, struct cn_arena *arena,
                    struct cn_str text, struct cn_str module_name,
                    bool is_package, const struct cn_project_facts *project,
                    const struct cn_text_options *options,
                    struct cn_text_result *out, struct cn_note *note)
{
    struct cn_rewrite with = {
        .parser = parser,
        .arena = arena,
        .name = module_name,
        .is_package = is_package,
        .project = project,
        .note = note,
        .round = {.options = options, .rules = options->filter}};
    struct cn_text_result made;

    if (!with.round.rules)
        with.round.rules = cn_rules_all(arena);
    int err = migrate_once(&with, text, &made);

    if (!err)
        err = check_second_run(&with, &made);
    if (!err)
        *out = made;
    return err;
}
