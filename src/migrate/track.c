/* Tracking: each site of the first round is followed through all rounds, so
 * that at the end it is either fixed or still there. Pairs what a round found
 * with the sites that are open, by place; where a fix copied their text, by
 * name and as near as can be. Invariant: no use of asyncio appears or vanishes
 * unseen. */
#include <stdlib.h>

#include "migrate/engine.h"

/* --- what is known of a site -------------------------------------------- */

static const char *copy(struct cn_rewrite *r, const char *z)
{
    return z ? cn_str_dup(r->arena, cn_str_from(z)) : NULL;
}

/* The latest verdict of a site is the one that counts. */
static void record_verdict(struct cn_rewrite *r, struct cn_track *t,
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

static uint32_t original(const struct cn_rewrite *r, uint32_t at)
{
    for (size_t i = r->maps.len; i-- > 0;)
        at = cn_map_back(&r->maps.at[i], at);
    return at;
}

static struct cn_track *new_track(struct cn_rewrite *r,
                                  const struct cn_found *f)
{
    struct cn_track *t = CN_NEW(r->arena, struct cn_track);

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

static bool is_again(const struct cn_track *t, const struct cn_found *f)
{
    if (t->done || t->seen || !cn_str_eq(t->site.name, f->name))
        return false;
    return f->use || strcmp(t->site.rule->code, f->rule->code) == 0;
}

/* The open sites of this round: those whose place is known by place, and
 * those whose text was copied by a fix. */
struct open_tracks {
    struct cn_track **exact, **loose;
    size_t exact_count, loose_count;
};

static int track_order(const void *left, const void *right)
{
    const struct cn_track *a = *(struct cn_track *const *)left;
    const struct cn_track *b = *(struct cn_track *const *)right;

    return a->now.start < b->now.start ? -1 : a->now.start > b->now.start;
}

static struct open_tracks open_tracks(struct cn_rewrite *r)
{
    struct open_tracks o = {0};

    o.exact =
        CN_NEW_ARRAY(cn_rewrite_arena(r), struct cn_track *, r->tracks.len + 1);
    o.loose =
        CN_NEW_ARRAY(cn_rewrite_arena(r), struct cn_track *, r->tracks.len + 1);
    for (size_t i = 0; i < r->tracks.len; i++) {
        struct cn_track *t = r->tracks.at[i];

        t->seen = false;
        if (!t->done && t->exact)
            o.exact[o.exact_count++] = t;
        else if (!t->done)
            o.loose[o.loose_count++] = t;
    }
    qsort(o.exact, o.exact_count, sizeof *o.exact, track_order);
    return o;
}

static struct cn_track *find_exact(const struct open_tracks *o,
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

/* A site whose text was replaced: in what replaced it, or, with `anywhere`,
 * wherever a fix may have written it again. */
static struct cn_track *find_loose(const struct open_tracks *o,
                                   const struct cn_found *f, bool anywhere)
{
    for (size_t i = 0; i < o->loose_count; i++) {
        struct cn_track *t = o->loose[i];
        bool inside = t->now.start <= f->start && f->start < t->now.end;

        if ((inside || anywhere) && is_again(t, f))
            return t;
    }
    return NULL;
}

static void pair(struct cn_rewrite *r, size_t i, struct cn_track *t)
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
static void pair_up(struct cn_rewrite *r)
{
    struct open_tracks o = open_tracks(r);

    for (size_t i = 0; i < r->found.len; i++)
        pair(r, i, find_exact(&o, r->found.at[i]));
    for (int anywhere = 0; anywhere < 2; anywhere++)
        for (size_t i = 0; i < r->found.len && o.loose_count; i++)
            if (!r->track_of[i])
                pair(r, i, find_loose(&o, r->found.at[i], anywhere));
    for (size_t i = 0; i < o.loose_count; i++)
        o.loose[i]->exact |= o.loose[i]->seen;
}

static int appeared(struct cn_rewrite *r, const struct cn_found *f)
{
    return cn_note_set(r->note, CN_EINTERNAL,
                       "%s: a site of %s appeared where %.*s had changed the "
                       "text",
                       f->rule->name, f->rule->code, CN_STR_ARG(r->last_rules));
}

static int vanished(struct cn_rewrite *r, const struct cn_track *t)
{
    return cn_note_set(r->note, CN_EINTERNAL,
                       "the site %.*s of %s is gone after %.*s",
                       CN_STR_ARG(t->site.name), t->site.rule->code,
                       CN_STR_ARG(r->last_rules));
}

/* Sites that nobody knew: all of them in the first round; later only those of
 * rules about syntax, whose surroundings changed, and wrong uses of AnyIO that
 * were wrong uses of asyncio before. */
static int welcome(struct cn_rewrite *r)
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
static int miss(struct cn_rewrite *r)
{
    for (size_t i = 0; i < r->tracks.len; i++) {
        struct cn_track *t = r->tracks.at[i];

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

int cn_rewrite_match(struct cn_rewrite *r)
{
    struct cn_arena *a = cn_rewrite_arena(r);

    r->found = (struct cn_found_list){0};
    cn_match_all(a, r->module, &r->round, &r->found);
    r->track_of = CN_NEW_ARRAY(a, struct cn_track *, r->found.len + 1);
    pair_up(r);
    int err = welcome(r);

    return err ? err : miss(r);
}

void cn_rewrite_move(struct cn_rewrite *r, const struct cn_position_map *map)
{
    for (size_t i = 0; i < r->found.len; i++) {
        const struct cn_found *f = r->found.at[i];

        r->track_of[i]->done |= r->chosen[(f->owner ? f->owner : f)->index];
    }
    for (size_t i = 0; i < r->tracks.len; i++) {
        struct cn_track *t = r->tracks.at[i];

        if (!t->done)
            t->exact = cn_map_forward(map, t->now.start, &t->now);
    }
}

static int site_order(const void *left, const void *right)
{
    const struct cn_site *a = left, *b = right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    return strcmp(a->rule->code, b->rule->code);
}

/* The place of `at`, which is behind `from` at `place`: counted on from there
 * when it is the same line, for a line may have thousands of sites. */
static struct cn_place place_from(const struct cn_tree *t, uint32_t from,
                                  struct cn_place place, uint32_t at)
{
    if (!place.line || at < from || cn_line_of(t, from) != cn_line_of(t, at))
        return cn_place_of(t, at);
    for (uint32_t i = from; i < at && i < t->text.len; i++)
        place.column += ((unsigned char)t->text.ptr[i] & 0xC0) != 0x80;
    return place;
}

void cn_rewrite_sites(struct cn_rewrite *r, const struct cn_tree *first,
                      struct cn_text_result *out)
{
    for (size_t i = 0; i < r->tracks.len; i++)
        cn_vec_push(r->arena, &out->sites, r->tracks.at[i]->site);
    if (out->sites.len)
        qsort(out->sites.at, out->sites.len, sizeof *out->sites.at, site_order);
    uint32_t from = 0;
    struct cn_place place = {0, 0};

    cn_vec_for (s, &out->sites) {
        place = place_from(first, from, place, s->start);
        from = s->start;
        s->place = place;
        s->end_place = place_from(first, from, place, s->end);
    }
}
