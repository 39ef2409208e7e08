/* What one file may ask about the others: is a name of theirs really asyncio's
 * (`from app.compat import sleep`), and does some text mention these bytes.
 *
 * Most questions have the answer "no", so a cheap look at the import lines
 * comes first: it may be fooled by strings, but only towards "maybe", and a
 * "maybe" is settled by parsing that one module. Answers are kept. */
#include <ctype.h>
#include <stdlib.h>

#include "migrate/project.h"

/* One line that binds a name at an import: name -> dotted. */
struct export
{
    struct cn_str name, dotted;
};

struct exports {
    struct export *at;
    size_t len, cap;
    bool read;
};

struct cn_facts {
    const struct cn_project *project;
    struct cn_arena arena;    /* for answers */
    struct cn_arena scratch;  /* for one confirmation */
    struct cn_parser *parser; /* made at the first confirmation */
    struct cn_map modules;    /* name -> index + 1, or 0: ambiguous */
    struct exports *exports;  /* by source */
    struct cn_map answers;    /* "module:name" -> char *dotted, or "" */
    struct cn_map mentions;   /* bytes -> struct mention * */
    struct cn_map words;      /* bytes -> struct places * */
    struct cn_project_facts facts;
};

enum { SHORTEST_WORD = 4 }; /* worth an index */

/* Where a word stands. */
struct place {
    uint32_t source, offset;
};

struct places {
    struct place *at;
    size_t len, cap;
};

/* The first two sources that hold some bytes: enough for "any but this". */
struct mention {
    size_t sources[2];
    unsigned count;
};

/* --- the look at the import lines ------------------------------------------ */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (c & 0x80);
}

/* The next word, dotted name or single sign of a statement. */
static struct cn_str token(struct cn_str *s)
{
    size_t i = 0;

    while (i < s->len && (isspace((unsigned char)s->ptr[i]) ||
                          s->ptr[i] == '\\' || s->ptr[i] == '#')) {
        if (s->ptr[i] == '#')
            while (i + 1 < s->len && s->ptr[i + 1] != '\n')
                i++;
        i++;
    }
    size_t start = i;

    while (i < s->len && (is_word(s->ptr[i]) || s->ptr[i] == '.'))
        i++;
    if (i == start && i < s->len)
        i++;
    struct cn_str t = cn_str_sub(*s, start, i);

    *s = cn_str_sub(*s, i, s->len);
    return t;
}

/* The absolute name of `from <name>` in this module. */
static struct cn_str absolute_name(struct cn_facts *f,
                                   const struct cn_source *source,
                                   struct cn_str name)
{
    struct cn_str package = source->module;
    size_t dots = 0;

    while (dots < name.len && name.ptr[dots] == '.')
        dots++;
    if (!dots)
        return name;
    name = cn_str_sub(name, dots, name.len);
    for (size_t up = source->is_package ? 1 : 0; up < dots; up++) {
        ptrdiff_t dot = cn_str_rfind(package, CN_STR("."));

        package = cn_str_sub(package, 0, dot < 0 ? 0 : (size_t)dot);
    }
    if (!package.len || !name.len)
        return package.len ? package : name;
    return cn_str_fmt(&f->arena, "%.*s.%.*s", CN_STR_ARG(package),
                      CN_STR_ARG(name));
}

static void add_export(struct cn_facts *f, struct exports *out,
                       struct cn_str name, struct cn_str dotted)
{
    struct export e = {name, dotted};

    cn_vec_push(&f->arena, out, e);
}

/* `names` of an import: a [as b], ...; `from` is "" for plain imports. */
static void read_names(struct cn_facts *f, struct exports *out,
                       struct cn_str from, struct cn_str names)
{
    for (;;) {
        struct cn_str name = token(&names), next, dotted = name;

        if (cn_str_is(name, "("))
            name = dotted = token(&names);
        if (!name.len || !is_word(name.ptr[0]))
            return;
        if (from.len)
            dotted = cn_str_fmt(&f->arena, "%.*s.%.*s", CN_STR_ARG(from),
                                CN_STR_ARG(name));
        next = token(&names);
        if (cn_str_is(next, "as")) {
            name = token(&names);
            next = token(&names);
        } else if (!from.len) {
            ptrdiff_t dot = cn_str_find(name, CN_STR("."));

            name = dotted =
                cn_str_sub(name, 0, dot < 0 ? name.len : (size_t)dot);
        }
        add_export(f, out, name, dotted);
        if (!cn_str_is(next, ","))
            return;
    }
}

/* One statement from its first letter; `rest` is the remaining text. */
static void read_statement(struct cn_facts *f, const struct cn_source *source,
                           struct exports *out, struct cn_str rest)
{
    struct cn_str word = token(&rest), line;
    struct cn_str end = rest;

    cn_str_cut(&end, '\n', &line);
    if (cn_str_is(word, "from")) {
        struct cn_str from = token(&rest);

        if (cn_str_is(token(&rest), "import"))
            read_names(f, out, absolute_name(f, source, from), rest);
    } else if (cn_str_is(word, "import")) {
        read_names(f, out, CN_STR(""), line);
    } else if (cn_str_is(token(&line), "=")) {
        struct cn_str value = token(&line);

        if (value.len && is_word(value.ptr[0]))
            add_export(f, out, word, value);
    }
}

static void read_exports(struct cn_facts *f, size_t index)
{
    const struct cn_source *source = &f->project->at[index];
    struct exports *out = &f->exports[index];
    struct cn_str rest = source->text, line;

    out->read = true;
    for (;;) {
        struct cn_str here = rest;

        if (!cn_str_cut(&rest, '\n', &line))
            return;
        struct cn_str bare = cn_str_trim(line);
        bool at_margin = line.len && is_word(line.ptr[0]);

        if (cn_str_starts(bare, CN_STR("from ")) ||
            cn_str_starts(bare, CN_STR("import ")) ||
            (at_margin && cn_str_find(line, CN_STR("=")) > 0))
            read_statement(f, source, out, here);
    }
}

/* The only dotted name that import lines give to `name`; false when there is
 * none or they differ. */
static bool look_up(struct cn_facts *f, size_t index, struct cn_str name,
                    struct cn_str *dotted)
{
    struct exports *exports = &f->exports[index];
    bool found = false;

    if (!exports->read)
        read_exports(f, index);
    cn_vec_for (e, exports) {
        if (!cn_str_eq(e->name, name))
            continue;
        if (found && !cn_str_eq(*dotted, e->dotted))
            return false;
        *dotted = e->dotted;
        found = true;
    }
    return found;
}

/* --- the confirmation ------------------------------------------------------ */

/* Do all bindings of `name` at the top of the module mean one thing? */
static bool bound_to(const struct cn_module *m, struct cn_str name,
                     struct cn_str *dotted)
{
    union cn_value *value = cn_map_get(&m->scope->symbols, name);
    const struct cn_symbol *symbol = value ? value->cptr : NULL;

    if (!symbol || !symbol->bindings.len || m->scope->star_import)
        return false;
    for (size_t i = 0; i < symbol->bindings.len; i++) {
        const struct cn_binding *b = &symbol->bindings.at[i];
        struct cn_str here = b->import;

        if (!here.len && (b->kind != CN_BIND_ASSIGN || !b->value ||
                          cn_resolve(m, b->value, &here) != CN_SURE))
            return false;
        if (i && !cn_str_eq(here, *dotted))
            return false;
        *dotted = here;
    }
    return true;
}

static bool confirm(struct cn_facts *f, size_t index, struct cn_str name,
                    struct cn_str *dotted)
{
    const struct cn_source *source = &f->project->at[index];
    struct cn_tree *tree;
    struct cn_str found = {"", 0};
    bool ok = false;

    if (!f->parser)
        f->parser = cn_parser_open();
    cn_arena_reset(&f->scratch);
    if (cn_text_check(source->text, NULL) == 0 &&
        cn_tree_parse(f->parser, &f->scratch, source->text, &tree) == 0 &&
        !tree->broken) {
        struct cn_module *m = cn_module_analyse(
            &f->scratch, tree, source->module, source->is_package, NULL);

        ok = bound_to(m, name, &found);
        if (ok)
            *dotted = cn_str_fmt(&f->arena, "%.*s", CN_STR_ARG(found));
    }
    return ok;
}

/* --- exports --------------------------------------------------------------- */

static bool is_of_interest(struct cn_str dotted)
{
    static const char *const tops[] = {"asyncio", "anyio", "trio",
                                       "concurrent"};
    struct cn_str top;

    cn_str_cut(&dotted, '.', &top);
    for (size_t i = 0; i < CN_COUNT(tops); i++)
        if (cn_str_is(top, tops[i]))
            return true;
    return false;
}

static bool export_of(void *ctx, struct cn_str module, struct cn_str name,
                      struct cn_str *dotted);

static bool find_export(struct cn_facts *f, size_t index, struct cn_str name,
                        struct cn_str *dotted)
{
    struct cn_str first;

    if (!look_up(f, index, name, &first))
        return false;
    if (is_of_interest(first))
        return confirm(f, index, name, dotted);
    ptrdiff_t dot = cn_str_rfind(first, CN_STR("."));

    if (dot <= 0)
        return false;
    return export_of(f, cn_str_sub(first, 0, (size_t)dot),
                     cn_str_sub(first, (size_t)dot + 1, first.len), dotted);
}

/* cn_project_facts.export_of; import cycles end at the answer "no" that is
 * kept while the question is open. */
static bool export_of(void *ctx, struct cn_str module, struct cn_str name,
                      struct cn_str *dotted)
{
    struct cn_facts *f = ctx;
    union cn_value *at = cn_map_get(&f->modules, module);
    bool fresh;

    if (!at || !at->num)
        return false;
    size_t index = at->num - 1;
    struct cn_str key = cn_str_fmt(&f->arena, "%.*s:%.*s", CN_STR_ARG(module),
                                   CN_STR_ARG(name));
    union cn_value *answer = cn_map_put(&f->arena, &f->answers, key, &fresh);

    if (fresh) {
        struct cn_str found = {"", 0};

        answer->cptr = "";
        if (find_export(f, index, name, &found))
            cn_map_put(&f->arena, &f->answers, key, NULL)->cptr =
                cn_str_dup(&f->arena, found);
        answer = cn_map_get(&f->answers, key);
    }
    struct cn_str found = cn_str_from(answer->cptr);

    if (found.len)
        *dotted = found;
    return found.len > 0;
}

/* --- mentions -------------------------------------------------------------- */

/* Where a word stands in all texts. Questions come as "mod.asyncio" for each
 * module there is: one search for the last word serves them all. */
static const struct places *find_word(struct cn_facts *f, struct cn_str word)
{
    union cn_value *known = cn_map_get(&f->words, word);

    if (known)
        return known->cptr;
    struct places *found = CN_NEW(&f->arena, struct places);
    struct cn_str key = {cn_str_dup(&f->arena, word), word.len};

    for (size_t i = 0; i < f->project->len; i++) {
        struct cn_str text = f->project->at[i].text;

        for (size_t from = 0;;) {
            ptrdiff_t at = cn_str_find(cn_str_sub(text, from, text.len), word);

            if (at < 0)
                break;
            struct place place = {(uint32_t)i, (uint32_t)(from + (size_t)at)};

            cn_vec_push(&f->arena, found, place);
            from = place.offset + word.len;
        }
    }
    cn_map_put(&f->arena, &f->words, key, NULL)->cptr = found;
    return found;
}

static void add_mention(struct mention *m, size_t source)
{
    if (m->count < 2 && !(m->count && m->sources[0] == source))
        m->sources[m->count++] = source;
}

/* For bytes that end in no word, or in one that stands everywhere. */
static void search_all(const struct cn_facts *f, struct cn_str bytes,
                       struct mention *m)
{
    for (size_t i = 0; i < f->project->len && m->count < 2; i++)
        if (cn_str_find(f->project->at[i].text, bytes) >= 0)
            add_mention(m, i);
}

static struct mention *find_mention(struct cn_facts *f, struct cn_str bytes)
{
    struct mention *m = CN_NEW(&f->arena, struct mention);
    size_t head = bytes.len;

    while (head && is_word(bytes.ptr[head - 1]))
        head--;
    if (bytes.len - head < SHORTEST_WORD) {
        search_all(f, bytes, m);
        return m;
    }
    const struct places *places =
        find_word(f, cn_str_sub(bytes, head, bytes.len));

    for (size_t i = 0; i < places->len && m->count < 2; i++) {
        struct place place = places->at[i];
        struct cn_str text = f->project->at[place.source].text;

        if (place.offset >= head &&
            memcmp(text.ptr + place.offset - head, bytes.ptr, head) == 0)
            add_mention(m, place.source);
    }
    return m;
}

static bool is_module(const struct cn_source *source,
                      const struct cn_module *module)
{
    return module &&
           (source->text.ptr == module->tree->text.ptr ||
            (module->name.len && cn_str_eq(source->module, module->name)));
}

static bool mentioned(void *ctx, struct cn_str bytes,
                      const struct cn_module *except)
{
    struct cn_facts *f = ctx;
    union cn_value *known = cn_map_get(&f->mentions, bytes);

    if (!known) {
        struct mention *m = find_mention(f, bytes);
        struct cn_str key = {cn_str_dup(&f->arena, bytes), bytes.len};

        known = cn_map_put(&f->arena, &f->mentions, key, NULL);
        known->ptr = m;
    }
    const struct mention *m = known->cptr;

    for (unsigned i = 0; i < m->count; i++)
        if (!is_module(&f->project->at[m->sources[i]], except))
            return true;
    return false;
}

/* --- life ------------------------------------------------------------------ */

struct cn_facts *cn_facts_open(const struct cn_project *project)
{
    struct cn_facts *f = calloc(1, sizeof(*f));

    if (!f)
        cn_out_of_memory(sizeof(*f));
    f->project = project;
    cn_arena_init(&f->arena);
    cn_arena_init(&f->scratch);
    f->exports = CN_NEW_ARRAY(&f->arena, struct exports, project->len);
    for (size_t i = 0; i < project->len; i++) {
        struct cn_str name = project->at[i].module;
        bool fresh;

        if (!name.len)
            continue;
        union cn_value *at = cn_map_put(&f->arena, &f->modules, name, &fresh);

        at->num = fresh ? i + 1 : 0; /* two files of one name: neither */
    }
    f->facts = (struct cn_project_facts){
        .ctx = f, .export_of = export_of, .mentioned = mentioned};
    return f;
}

void cn_facts_close(struct cn_facts *facts)
{
    if (!facts)
        return;
    if (facts->parser)
        cn_parser_close(facts->parser);
    cn_arena_done(&facts->scratch);
    cn_arena_done(&facts->arena);
    free(facts);
}

const struct cn_project_facts *cn_facts_get(struct cn_facts *facts)
{
    return &facts->facts;
}
