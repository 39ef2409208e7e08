/* The registry: all rule families, the index by name and by kind, and what
 * --select and --ignore switch off. The index orders rules by specificity and
 * then by code, never by the place of a family in the table. */
#include <stdlib.h>

#include "migrate/engine.h"

/* One line for each file in rules/, in the order of the report. */
#define FAMILIES(X)                                                            \
    X(names)                                                                   \
    X(sync)                                                                    \
    X(entry)                                                                   \
    X(threads)                                                                 \
    X(conditional)                                                             \
    X(timeouts)                                                                \
    X(cancel)                                                                  \
    X(tasks)                                                                   \
    X(queues)                                                                  \
    X(streams)                                                                 \
    X(recipes)                                                                 \
    X(index)

#define DECLARE(family) extern const struct cn_family cn_family_##family;
FAMILIES(DECLARE)
#undef DECLARE

static const struct cn_family *const all_families[] = {
#define ADDRESS(family) &cn_family_##family,
    FAMILIES(ADDRESS)
#undef ADDRESS
        NULL};

const struct cn_rule cn_rule_unknown = {
    .code = "CN199",
    .name = "unknown-asyncio-name",
    .summary = "a name of asyncio that no rule knows",
    .data = "no rule knows this name",
    .advice = "there is no rule for this name; look it up in AnyIO's "
              "documentation and change it by hand",
};

const struct cn_family *cn_family_at(size_t i)
{
    return i < CN_COUNT(all_families) ? all_families[i] : NULL;
}

/* --- the index ---------------------------------------------------------- */

/* Rows with a check first, by code; rows that only give advice are last. */
static int rule_order(const void *left, const void *right)
{
    const struct cn_rule *a = *(const struct cn_rule *const *)left;
    const struct cn_rule *b = *(const struct cn_rule *const *)right;

    if (!a->check != !b->check)
        return a->check ? -1 : 1;
    return strcmp(a->code, b->code);
}

static void sort_rules(struct cn_rule_list *list)
{
    if (list->len)
        qsort(list->at, list->len, sizeof *list->at, rule_order);
}

static void index_name(struct cn_arena *a, struct cn_rules_filter *f,
                       const struct cn_rule *rule, const char *z)
{
    struct cn_str name = cn_str_from(z);
    struct cn_map *map = &f->by_name;
    bool fresh;

    if (cn_str_ends(name, CN_STR(".*"))) {
        name.len -= 2;
        map = &f->by_prefix;
    }
    union cn_value *slot = cn_map_put(a, map, name, &fresh);

    if (fresh)
        slot->ptr = CN_NEW(a, struct cn_rule_list);
    struct cn_rule_list *list = slot->ptr;

    cn_vec_push(a, list, rule);
}

static void index_rule(struct cn_arena *a, struct cn_rules_filter *f,
                       const struct cn_rule *rule)
{
    for (size_t i = 0; rule->names && rule->names[i]; i++)
        index_name(a, f, rule, rule->names[i]);
    if (rule->unbound)
        cn_vec_push(a, &f->unbound, rule);
    if (rule->kind) {
        cn_vec_push(a, &f->by_kind[rule->kind], rule);
        f->any_kind = true;
    }
}

static void sort_map(struct cn_map *map)
{
    for (uint32_t i = 0; i < map->len; i++)
        sort_rules(map->entries[i].value.ptr);
}

struct cn_rules_filter *cn_rules_filter_over(
    struct cn_arena *a, const struct cn_family *const *families)
{
    struct cn_rules_filter *f = CN_NEW(a, struct cn_rules_filter);

    f->families = families;
    for (; *families; families++)
        for (size_t i = 0; i < (*families)->count; i++)
            index_rule(a, f, &(*families)->rules[i]);
    sort_map(&f->by_name);
    sort_map(&f->by_prefix);
    for (size_t i = 0; i < CN_K_COUNT; i++)
        sort_rules(&f->by_kind[i]);
    return f;
}

struct cn_rules_filter *cn_rules_all(struct cn_arena *a)
{
    return cn_rules_filter_over(a, all_families);
}

/* --- select and ignore -------------------------------------------------- */

/* Calls `each` for every rule until it returns true. */
static const struct cn_rule *find_rule(
    const struct cn_family *const *families,
    bool (*wanted)(const struct cn_rule *rule, struct cn_str word),
    struct cn_str word)
{
    for (; *families; families++)
        for (size_t i = 0; i < (*families)->count; i++)
            if (wanted(&(*families)->rules[i], word))
                return &(*families)->rules[i];
    return wanted(&cn_rule_unknown, word) ? &cn_rule_unknown : NULL;
}

static bool is_rule(const struct cn_rule *rule, struct cn_str word)
{
    return cn_str_is(word, rule->code) || cn_str_is(word, rule->name);
}

/* Does a word of a selector mean this rule: code, name, CN1, ALL? */
static bool means_rule(const struct cn_rule *rule, struct cn_str word)
{
    if (is_rule(rule, word) || cn_str_is(word, "ALL"))
        return true;
    return cn_str_starts(word, CN_STR("CN")) &&
           cn_str_starts(cn_str_from(rule->code), word);
}

const struct cn_rule *cn_rule_find(struct cn_str code_or_name)
{
    return find_rule(all_families, is_rule, code_or_name);
}

static bool listed(const struct cn_rule *rule, struct cn_str words)
{
    struct cn_str word;

    while (cn_str_cut(&words, ',', &word))
        if (means_rule(rule, cn_str_trim(word)))
            return true;
    return false;
}

static int check_words(const struct cn_family *const *families,
                       struct cn_str words, struct cn_note *note)
{
    struct cn_str word;

    while (cn_str_cut(&words, ',', &word)) {
        word = cn_str_trim(word);
        if (word.len && !find_rule(families, means_rule, word))
            return cn_note_set(note, CN_EUSAGE, "unknown rule: %.*s",
                               CN_STR_ARG(word));
    }
    return 0;
}

static void switch_rule(struct cn_arena *a, struct cn_rules_filter *f,
                        const struct cn_rule *rule, struct cn_str select,
                        struct cn_str ignore)
{
    if ((cn_str_trim(select).len && !listed(rule, select)) ||
        listed(rule, ignore))
        cn_map_put(a, &f->off, cn_str_from(rule->code), NULL)->num = 1;
}

int cn_rules_filter_limit(struct cn_arena *a, struct cn_rules_filter *f,
                          struct cn_str select, struct cn_str ignore,
                          struct cn_note *note)
{
    int err = check_words(f->families, select, note);

    if (!err)
        err = check_words(f->families, ignore, note);
    if (err)
        return err;
    for (size_t k = 0; f->families[k]; k++)
        for (size_t i = 0; i < f->families[k]->count; i++)
            switch_rule(a, f, &f->families[k]->rules[i], select, ignore);
    switch_rule(a, f, &cn_rule_unknown, select, ignore);
    return 0;
}

int cn_rules_filter_make(struct cn_arena *arena, struct cn_str select,
                         struct cn_str ignore, struct cn_rules_filter **out,
                         struct cn_note *note)
{
    struct cn_rules_filter *f = cn_rules_all(arena);
    int err = cn_rules_filter_limit(arena, f, select, ignore, note);

    if (!err)
        *out = f;
    return err;
}

/* --- pages -------------------------------------------------------------- */

/* Where the line `## <code> ` starts in a page, or -1. */
static ptrdiff_t heading(struct cn_str page, const char *code)
{
    struct cn_str rest = page, line;

    while (cn_str_cut(&rest, '\n', &line)) {
        if (!cn_str_starts(line, CN_STR("## ")))
            continue;
        struct cn_str word;
        struct cn_str title = cn_str_sub(line, 3, line.len);

        if (cn_str_cut(&title, ' ', &word) &&
            cn_str_is(cn_str_trim(word), code))
            return line.ptr - page.ptr;
    }
    return -1;
}

struct cn_str cn_rule_page(const struct cn_rule *rule)
{
    for (size_t i = 0; i < cn_page_count; i++) {
        struct cn_str page = {cn_pages[i].text, cn_pages[i].len};
        ptrdiff_t at = heading(page, rule->code);

        if (at < 0)
            continue;
        page = cn_str_sub(page, (size_t)at, page.len);
        ptrdiff_t next =
            cn_str_find(cn_str_sub(page, 3, page.len), CN_STR("\n## "));

        return next < 0 ? page : cn_str_sub(page, 0, (size_t)next + 4);
    }
    return (struct cn_str){0};
}
