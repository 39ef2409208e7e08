/* Matching: which sites a text has, and what the rules say to each. Rules are
 * asked in a fixed order (registry.c), so the order in which families are
 * listed changes nothing. It decides no edits and applies none. Invariant:
 * every use of asyncio ends up in the list exactly once. */
#include <stdlib.h>

#include "migrate/engine.h"

struct cn_matcher {
    struct cn_arena *arena;
    const struct cn_module *module;
    const struct cn_round *round;
    struct cn_suppressions *suppressions;
    struct cn_found_list *out;
};

bool cn_is_asyncio(struct cn_str name)
{
    return cn_str_is(name, "asyncio") ||
           cn_str_starts(name, CN_STR("asyncio."));
}

/* --- asking one rule ---------------------------------------------------- */

/* A use of which we are not sure is left alone, whatever its rule thinks. */
static void demote_unsure(struct cn_match *m)
{
    if (!m->use || m->use->certainty == CN_SURE)
        return;
    if (m->use->unbound)
        cn_demote_manual(m, "the name is not imported in this file");
    else
        cn_demote_manual(m, "the name may mean something else here");
}

static enum cn_verdict ask(struct cn_matcher *x, struct cn_match *m)
{
    m->fix = CN_NEW(x->arena, struct cn_fix);
    m->fix->matcher = x;
    m->fix->source = cn_str_from(m->rule->code);
    demote_unsure(m);
    if (!m->rule->check)
        return cn_manual(m, NULL, m->rule->data ? "%s" : NULL,
                         (const char *)m->rule->data);
    return m->rule->check(m);
}

bool cn_may_fix(const struct cn_match *m, cn_node site, const char *code)
{
    const struct cn_matcher *x = m->fix->matcher;
    const struct cn_rule *rule = cn_rule_find(cn_str_from(code));

    return !cn_map_has(&x->round->rules->off, cn_str_from(code)) &&
           !(rule &&
             cn_suppressed(x->suppressions, cn_start(m->tree, site), rule));
}

static enum cn_site_state state_of(struct cn_matcher *x,
                                   const struct cn_match *m,
                                   enum cn_verdict verdict, uint32_t start)
{
    if (cn_map_has(&x->round->rules->off, cn_str_from(m->rule->code)))
        return CN_SITE_DESELECTED;
    if (cn_suppressed(x->suppressions, start, m->rule))
        return CN_SITE_SUPPRESSED;
    if (verdict != CN_FIXED)
        return CN_SITE_LEFT;
    if (x->round->options->safe_only && m->fix->class_ == CN_CLASS_UNSAFE)
        return CN_SITE_DESELECTED;
    return CN_SITE_FIXED;
}

static void record(struct cn_matcher *x, const struct cn_match *m,
                   enum cn_verdict verdict)
{
    struct cn_found *f = CN_NEW(x->arena, struct cn_found);

    f->node = m->node;
    f->use = m->use;
    f->rule = m->rule;
    f->fix = m->fix;
    f->class_ = m->fix->class_;
    f->name = m->use ? m->use->name : (struct cn_str){0};
    f->start = m->use ? m->use->start : cn_start(m->tree, m->node);
    f->end = m->use ? m->use->end : cn_end(m->tree, m->node);
    f->state = state_of(x, m, verdict, f->start);
    cn_vec_push(x->arena, x->out, f);
}

static struct cn_match match_at(struct cn_matcher *x, cn_node node,
                                const struct cn_use *use)
{
    return (struct cn_match){
        .module = x->module,
        .tree = x->module->tree,
        .target = &x->round->options->target,
        .arena = x->arena,
        .was_asyncio = x->round->was_asyncio,
        .support = x->round->options->support,
        .node = node,
        .use = use,
    };
}

/* --- names -------------------------------------------------------------- */

static bool ask_list(struct cn_matcher *x, struct cn_match *m,
                     const struct cn_rule_list *rules)
{
    for (size_t i = 0; rules && i < rules->len; i++) {
        m->rule = rules->at[i];
        enum cn_verdict verdict = ask(x, m);

        if (verdict != CN_PASS) {
            record(x, m, verdict);
            return true;
        }
    }
    return false;
}

static const struct cn_rule_list *list_of(const struct cn_map *map,
                                          struct cn_str key)
{
    const union cn_value *found = cn_map_get(map, key);

    return found ? found->cptr : NULL;
}

/* Rows for exactly this name, then rows "a.b.*" with the longest prefix
 * first. `*any` says whether there was a row at all. */
static bool ask_by_name(struct cn_matcher *x, struct cn_match *m, bool *any)
{
    const struct cn_rules_filter *rules = x->round->rules;
    struct cn_str name = m->use->name;
    const struct cn_rule_list *list = list_of(&rules->by_name, name);

    *any = list != NULL;
    if (ask_list(x, m, list))
        return true;
    for (ptrdiff_t dot; (dot = cn_str_rfind(name, CN_STR("."))) > 0;) {
        name = cn_str_sub(name, 0, (size_t)dot);
        list = list_of(&rules->by_prefix, name);
        *any |= list != NULL;
        if (ask_list(x, m, list))
            return true;
    }
    return false;
}

/* A name that nothing binds is an error, whatever it would be the name of. */
static bool ask_unbound(struct cn_matcher *x, struct cn_match *m)
{
    return m->use->unbound && m->use->certainty == CN_UNKNOWN &&
           ask_list(x, m, &x->round->rules->unbound);
}

static void match_use(struct cn_matcher *x, const struct cn_use *use)
{
    struct cn_match m = match_at(x, use->node, use);
    bool any;

    if (ask_unbound(x, &m))
        return;
    if (ask_by_name(x, &m, &any) || !cn_is_asyncio(use->name))
        return;
    if (use->method && !any)
        return;
    m.rule = &cn_rule_unknown;
    record(x, &m, ask(x, &m));
}

/* --- syntax ------------------------------------------------------------- */

static void match_syntax(struct cn_matcher *x)
{
    const struct cn_tree *t = x->module->tree;

    if (!x->round->rules->any_kind)
        return;
    for (cn_node n = 1; n < t->count; n++) {
        const struct cn_rule_list *list =
            &x->round->rules->by_kind[cn_kind(t, n)];

        if (list->len) {
            struct cn_match m = match_at(x, n, NULL);

            ask_list(x, &m, list);
        }
    }
}

/* --- claims ------------------------------------------------------------- */

static int found_order(const void *left, const void *right)
{
    const struct cn_found *a = *(struct cn_found *const *)left;
    const struct cn_found *b = *(struct cn_found *const *)right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    return strcmp(a->rule->code, b->rule->code);
}

static bool is_site(const struct cn_tree *t, const struct cn_found *f,
                    cn_node claimed)
{
    return f->node == claimed || cn_call_of(t, f->node) == claimed;
}

/* The first site that starts at or behind a byte. */
static size_t found_from(const struct cn_found_list *list, uint32_t at)
{
    size_t low = 0, high = list->len;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (list->at[mid]->start < at)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void claim(const struct cn_matcher *x, struct cn_found *owner,
                  cn_node site)
{
    const struct cn_tree *t = x->module->tree;

    for (size_t i = found_from(x->out, cn_start(t, site)); i < x->out->len;
         i++) {
        struct cn_found *f = x->out->at[i];

        if (f->start >= cn_end(t, site))
            break;
        if (f != owner && !f->owner && is_site(t, f, site))
            f->owner = owner;
    }
}

/* A claimed site ends as its owner does, and its own fix is forgotten. */
static void follow_owner(struct cn_found *f)
{
    struct cn_found *owner = f->owner;

    while (owner->owner && owner->owner != f)
        owner = owner->owner;
    f->owner = owner;
    f->rule = owner->rule;
    f->class_ = owner->class_;
    f->state = owner->state;
    f->fix = owner->fix;
}

static void settle_claims(struct cn_matcher *x)
{
    for (size_t i = 0; i < x->out->len; i++) {
        struct cn_found *f = x->out->at[i];

        f->index = i;
        if (f->owner)
            continue;
        cn_vec_for (site, &f->fix->claims)
            claim(x, f, *site);
    }
    for (size_t i = 0; i < x->out->len; i++)
        if (x->out->at[i]->owner)
            follow_owner(x->out->at[i]);
}

void cn_match_all(struct cn_arena *a, const struct cn_module *m,
                  const struct cn_round *round, struct cn_found_list *out)
{
    struct cn_matcher x = {.arena = a,
                           .module = m,
                           .round = round,
                           .suppressions = cn_suppressions_read(a, m->tree),
                           .out = out};

    for (size_t i = 0; i < m->uses.len; i++)
        match_use(&x, &m->uses.at[i]);
    match_syntax(&x);
    if (out->len)
        qsort(out->at, out->len, sizeof(struct cn_found *), found_order);
    settle_claims(&x);
}
