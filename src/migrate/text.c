/* One text: rounds of matching and editing until nothing changes, then the
 * checks on the result. Each site of the first round is tracked through the
 * rounds, so that at the end every one of them is either fixed or still there.
 * Invariant: the text comes out checked, or as it went in. */
#include <stdlib.h>

#include "migrate/engine.h"

enum { MAX_ROUNDS = 20 };

/* A site of the result, and where it stands in the text of this round. */
struct track {
    struct cn_site site;
    struct cn_span now; /* exact: start is its first byte; else it is within */
    bool exact;
    bool done;                 /* fixed in an earlier round */
    bool seen;                 /* found again in this round */
    struct cn_str replaced_by; /* the rule that replaced its text */
};

struct run {
    struct cn_parser *parser;
    struct cn_arena *arena; /* of the result */
    struct cn_arena scratch[2];
    struct cn_str name;
    bool is_package;
    const struct cn_project_facts *project;
    struct cn_round round;
    struct cn_note *note;
    struct cn_str text;       /* of this round */
    struct cn_module *module; /* of this round */
    struct cn_found_list found;
    struct track **track_of; /* by index in found */
    bool *chosen;
    CN_VEC(struct track *) tracks;
    struct cn_map used;    /* names of asyncio imports read at first */
    struct cn_map unbound; /* names bound nowhere at first */
    CN_VEC(struct cn_position_map) maps;
    uint32_t rounds;
    struct cn_str last_rules; /* of the fixes applied last */
    struct cn_map support;    /* names needed of the support module: a set */
};

static struct cn_arena *now(struct run *r)
{
    return &r->scratch[r->rounds & 1];
}

/* --- reading ------------------------------------------------------------ */

static int read_module(struct run *r, struct cn_arena *a, struct cn_str text,
                       struct cn_module **out)
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

static int check_bound(struct run *r, const struct cn_module *m)
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

/* --- tracking sites ----------------------------------------------------- */

static const char *copy(struct run *r, const char *z)
{
    return z ? cn_str_dup(r->arena, cn_str_from(z)) : NULL;
}

/* The latest verdict of a site is the one that counts. */
static void record_verdict(struct run *r, struct track *t,
                           const struct cn_found *f)
{
    t->site.rule = f->rule;
    t->site.class_ = f->class_;
    t->site.state = f->state;
    t->site.reason = copy(r, f->fix ? f->fix->reason : NULL);
    t->site.advice = copy(r, f->fix ? f->fix->advice : NULL);
    if (!t->site.advice)
        t->site.advice = f->rule->advice;
    if (!t->site.reason && f->class_ >= CN_CLASS_MANUAL)
        t->site.reason = f->rule->summary;
}

static uint32_t original(const struct run *r, uint32_t at)
{
    for (size_t i = r->maps.len; i-- > 0;)
        at = cn_map_back(&r->maps.at[i], at);
    return at;
}

static struct track *new_track(struct run *r, const struct cn_found *f)
{
    struct track *t = CN_NEW(r->arena, struct track);

    t->site.name = cn_str_from(cn_str_dup(r->arena, f->name));
    t->site.start = original(r, f->start);
    t->site.end = original(r, f->end);
    if (t->site.end < t->site.start)
        t->site.end = t->site.start;
    t->now = (struct cn_span){f->start, f->end};
    t->exact = true;
    cn_vec_push(r->arena, &r->tracks, t);
    return t;
}

static bool is_again(const struct track *t, const struct cn_found *f)
{
    if (t->done || t->seen || !cn_str_eq(t->site.name, f->name))
        return false;
    if (!f->use && strcmp(t->site.rule->code, f->rule->code) != 0)
        return false;
    return t->exact ? t->now.start == f->start
                    : t->now.start <= f->start && f->start < t->now.end;
}

/* The open sites of this round: those whose place is known by place, and
 * those whose text was copied by a fix. */
struct open_tracks {
    struct track **exact, **loose;
    size_t exact_count, loose_count;
};

static int track_order(const void *left, const void *right)
{
    const struct track *a = *(struct track *const *)left;
    const struct track *b = *(struct track *const *)right;

    return a->now.start < b->now.start ? -1 : a->now.start > b->now.start;
}

static struct open_tracks open_tracks(struct run *r)
{
    struct open_tracks o = {0};

    o.exact = CN_NEW_ARRAY(now(r), struct track *, r->tracks.len + 1);
    o.loose = CN_NEW_ARRAY(now(r), struct track *, r->tracks.len + 1);
    for (size_t i = 0; i < r->tracks.len; i++) {
        struct track *t = r->tracks.at[i];

        t->seen = false;
        if (!t->done && t->exact)
            o.exact[o.exact_count++] = t;
        else if (!t->done)
            o.loose[o.loose_count++] = t;
    }
    qsort(o.exact, o.exact_count, sizeof *o.exact, track_order);
    return o;
}

static struct track *find_exact(const struct open_tracks *o,
                                const struct cn_found *f)
{
    size_t low = 0, high = o->exact_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (o->exact[mid]->now.start < f->start)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < o->exact_count && o->exact[low]->now.start == f->start; low++)
        if (is_again(o->exact[low], f))
            return o->exact[low];
    return NULL;
}

static struct track *find_loose(const struct open_tracks *o,
                                const struct cn_found *f)
{
    for (size_t i = 0; i < o->loose_count; i++)
        if (is_again(o->loose[i], f))
            return o->loose[i];
    return NULL;
}

static void pair(struct run *r, size_t i, struct track *t)
{
    if (!t)
        return;
    t->seen = true;
    t->now = (struct cn_span){r->found.at[i]->start, r->found.at[i]->end};
    r->track_of[i] = t;
    record_verdict(r, t, r->found.at[i]);
}

/* Pair what was found in this round with the sites that are open: first those
 * whose bytes stayed, then those whose text was copied by a fix. */
static void pair_up(struct run *r)
{
    struct open_tracks o = open_tracks(r);

    for (size_t i = 0; i < r->found.len; i++)
        pair(r, i, find_exact(&o, r->found.at[i]));
    for (size_t i = 0; i < r->found.len; i++)
        if (!r->track_of[i])
            pair(r, i, find_loose(&o, r->found.at[i]));
    for (size_t i = 0; i < o.loose_count; i++)
        o.loose[i]->exact |= o.loose[i]->seen;
}

static int appeared(struct run *r, const struct cn_found *f)
{
    return cn_note_set(r->note, CN_EINTERNAL,
                       "%s: a site of %s appeared where %.*s had changed the "
                       "text",
                       f->rule->name, f->rule->code, CN_STR_ARG(r->last_rules));
}

static int vanished(struct run *r, const struct track *t)
{
    return cn_note_set(r->note, CN_EINTERNAL,
                       "the site %.*s of %s is gone after %.*s",
                       CN_STR_ARG(t->site.name), t->site.rule->code,
                       CN_STR_ARG(r->last_rules));
}

/* Sites that nobody knew: all of them in the first round; later only those of
 * rules about syntax, whose surroundings changed, and wrong uses of AnyIO that
 * were wrong uses of asyncio before. */
static int welcome(struct run *r)
{
    for (size_t i = 0; i < r->found.len; i++) {
        struct cn_found *f = r->found.at[i];

        if (r->track_of[i])
            continue;
        if (r->rounds > 0 && f->use && cn_is_asyncio(f->name))
            return appeared(r, f);
        r->track_of[i] = new_track(r, f);
        r->track_of[i]->seen = true;
        record_verdict(r, r->track_of[i], f);
    }
    return 0;
}

/* Open sites that were not found again: taken along by the fix that replaced
 * their text, or an error. A wrong use of AnyIO may have become a right one:
 * its missing import came with another fix. */
static int miss(struct run *r)
{
    for (size_t i = 0; i < r->tracks.len; i++) {
        struct track *t = r->tracks.at[i];

        if (t->done || t->seen)
            continue;
        if (t->exact && cn_is_asyncio(t->site.name))
            return vanished(r, t);
        t->done = true;
        t->site.state = CN_SITE_FIXED;
        if (t->site.class_ >= CN_CLASS_MANUAL)
            t->site.class_ = CN_CLASS_UNSAFE;
    }
    return 0;
}

static int match_round(struct run *r)
{
    struct cn_arena *a = now(r);

    r->found = (struct cn_found_list){0};
    cn_match_all(a, r->module, &r->round, &r->found);
    r->track_of = CN_NEW_ARRAY(a, struct track *, r->found.len + 1);
    pair_up(r);
    int err = welcome(r);

    return err ? err : miss(r);
}

/* --- changing the text -------------------------------------------------- */

static void name_rule(struct run *r, struct cn_str code)
{
    if (cn_str_find(r->last_rules, code) < 0)
        r->last_rules =
            cn_str_fmt(r->arena, "%.*s%s%.*s", CN_STR_ARG(r->last_rules),
                       r->last_rules.len ? ", " : "", CN_STR_ARG(code));
}

/* Which fixes go in now; also what they need. The last of the fixes is that
 * of the imports. */
static size_t choose(struct run *r, struct cn_fix **fixes)
{
    struct cn_needs needs = {0};
    size_t count = r->found.len, applied = 0;

    for (size_t i = 0; i < count; i++) {
        const struct cn_found *f = r->found.at[i];

        fixes[i] = f->state == CN_SITE_FIXED && !f->owner ? f->fix : NULL;
    }
    cn_fixes_choose(now(r), fixes, count, r->chosen);
    r->last_rules.len = 0;
    for (size_t i = 0; i < count; i++) {
        if (!r->chosen[i])
            continue;
        applied++;
        name_rule(r, fixes[i]->source);
        cn_vec_for (n, &fixes[i]->needs)
            cn_needs_add(now(r), &needs, *n);
        cn_support_note(r->arena, &r->support, fixes[i]);
    }
    fixes[count] = CN_NEW(now(r), struct cn_fix);
    r->chosen[count] = true;
    cn_imports_add(now(r), r->module, &needs, fixes[count]);
    return applied;
}

static void move_tracks(struct run *r, const struct cn_position_map *map)
{
    for (size_t i = 0; i < r->found.len; i++) {
        const struct cn_found *f = r->found.at[i];

        r->track_of[i]->done |= r->chosen[(f->owner ? f->owner : f)->index];
    }
    for (size_t i = 0; i < r->tracks.len; i++) {
        struct track *t = r->tracks.at[i];

        if (!t->done)
            t->exact = cn_map_forward(map, t->now.start, &t->now);
    }
}

/* Apply one list of fixes and read the new text into the other arena. */
static int step(struct run *r, struct cn_fix *const *fixes, size_t count)
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
    move_tracks(r, &kept);
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

static int too_many_rounds(struct run *r)
{
    return cn_note_set(r->note, CN_EINTERNAL, "no end of changes: %.*s",
                       CN_STR_ARG(r->last_rules));
}

/* Rounds until no fix is left. */
static int fix_all(struct run *r)
{
    size_t limit = MAX_ROUNDS;

    for (;;) {
        size_t count = r->found.len;
        struct cn_fix **fixes =
            CN_NEW_ARRAY(now(r), struct cn_fix *, count + 1);

        r->chosen = CN_NEW_ARRAY(now(r), bool, count + 1);
        if (!choose(r, fixes))
            return 0;
        if (r->rounds == 0)
            limit += count; /* each round ends one site at least */
        if (r->rounds >= limit)
            return too_many_rounds(r);
        int err = step(r, fixes, count + 1);

        if (!err)
            err = match_round(r);
        if (err)
            return err;
    }
}

/* Take unused imports away; nothing else may change by that. */
static int drop_imports(struct run *r)
{
    struct cn_fix *fix = CN_NEW(now(r), struct cn_fix);
    bool chosen = true;
    size_t sites = r->found.len;

    if (!r->rounds || !cn_imports_drop(now(r), r->module, &r->used, fix))
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
    return err ? err : match_round(r);
}

/* --- the result --------------------------------------------------------- */

static int site_order(const void *left, const void *right)
{
    const struct cn_site *a = left, *b = right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    return strcmp(a->rule->code, b->rule->code);
}

static void give_sites(struct run *r, const struct cn_tree *first,
                       struct cn_text_result *out)
{
    for (size_t i = 0; i < r->tracks.len; i++)
        cn_vec_push(r->arena, &out->sites, r->tracks.at[i]->site);
    if (out->sites.len)
        qsort(out->sites.at, out->sites.len, sizeof *out->sites.at, site_order);
    cn_vec_for (s, &out->sites) {
        s->place = cn_place_of(first, s->start);
        s->end_place = cn_place_of(first, s->end);
    }
}

static bool uses_asyncio(const struct cn_module *m)
{
    for (size_t i = 0; i < m->uses.len; i++)
        if (cn_is_asyncio(m->uses.at[i].name))
            return true;
    return false;
}

/* In a scan: would some use be left? */
static bool leaves_asyncio(const struct run *r)
{
    for (size_t i = 0; i < r->tracks.len; i++) {
        const struct cn_site *s = &r->tracks.at[i]->site;

        if (s->state != CN_SITE_FIXED && cn_is_asyncio(s->name))
            return true;
    }
    return false;
}

static int start(struct run *r, struct cn_str text)
{
    int err = cn_text_check(text, r->note);

    r->text = text;
    if (!err)
        err = read_module(r, now(r), text, &r->module);
    if (err)
        return err;
    r->round.was_asyncio = uses_asyncio(r->module);
    return match_round(r);
}

static int migrate(struct run *r, struct cn_str text,
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
    give_sites(r, &places, &made);
    *out = made;
    return 0;
}

static int migrate_once(const struct run *with, struct cn_str text,
                        struct cn_text_result *out)
{
    struct run r = *with;

    cn_arena_init(&r.scratch[0]);
    cn_arena_init(&r.scratch[1]);
    int err = migrate(&r, text, out);

    cn_arena_done(&r.scratch[0]);
    cn_arena_done(&r.scratch[1]);
    return err;
}

/* The sanitizer builds run every text twice: the second run must be empty. */
static int check_second_run(const struct run *r,
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
    struct run with = {.parser = parser,
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
