/* Imports to take away: those of asyncio whose names the migration made
 * useless. What was unused before is not our business, and a name that
 * somebody else may read (`__all__`, doctests, mock strings and attributes in
 * other files) stays. Invariant: no suite is left empty. */
#include "migrate/engine.h"

/* --- which names -------------------------------------------------------- */

static bool is_import(const struct cn_binding *b)
{
    return (b->kind == CN_BIND_IMPORT || b->kind == CN_BIND_FROM) &&
           cn_is_asyncio(b->import);
}

static bool is_read(const struct cn_symbol *symbol)
{
    return symbol->uses.len || symbol->string_uses;
}

/* Nothing but imports of asyncio bind the name. */
static bool only_imports(const struct cn_symbol *symbol)
{
    for (size_t i = 0; i < symbol->bindings.len; i++)
        if (!is_import(&symbol->bindings.at[i]))
            return false;
    return symbol->bindings.len > 0;
}

void cn_imports_used(struct cn_arena *a, const struct cn_module *m,
                     struct cn_map *used)
{
    for (size_t i = 0; i < m->scopes.len; i++) {
        const struct cn_map *symbols = &m->scopes.at[i]->symbols;

        for (uint32_t k = 0; k < symbols->len; k++) {
            const struct cn_symbol *s = symbols->entries[k].value.cptr;

            if (only_imports(s) && is_read(s))
                cn_map_put(a, used, cn_str_from(cn_str_dup(a, s->name)), NULL)
                    ->num = 1;
        }
    }
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

static bool has_word(struct cn_str text, struct cn_str word)
{
    for (ptrdiff_t at; (at = cn_str_find(text, word)) >= 0;) {
        size_t end = (size_t)at + word.len;

        if ((at == 0 || !is_word(text.ptr[at - 1])) &&
            (end == text.len || !is_word(text.ptr[end])))
            return true;
        text = cn_str_sub(text, end, text.len);
    }
    return false;
}

/* Does a doctest in this string read the name without importing it? */
static bool tests_read(struct cn_str string, struct cn_str name)
{
    struct cn_str line;
    bool imported = false;

    while (cn_str_cut(&string, '\n', &line)) {
        line = cn_str_trim(line);
        if (!cn_str_starts(line, CN_STR(">>>")) &&
            !cn_str_starts(line, CN_STR("...")))
            continue;
        bool word = has_word(line, name);

        imported |= word && has_word(line, CN_STR("import"));
        if (word && !imported)
            return true;
    }
    return false;
}

/* Is the name read in a doctest or a type comment of this text? */
static bool in_doctest(const struct cn_tree *t, struct cn_str name)
{
    bool tests = cn_str_find(t->text, CN_STR(">>>")) >= 0;
    bool types = cn_str_find(t->text, CN_STR("# type:")) >= 0;

    for (cn_node n = 1; (tests || types) && n < t->count; n++) {
        struct cn_str text = cn_text(t, n);

        if (cn_is(t, n, CN_K_STRING) && tests_read(text, name))
            return true;
        if (cn_is(t, n, CN_K_COMMENT) &&
            cn_str_starts(text, CN_STR("# type:")) && has_word(text, name))
            return true;
    }
    return false;
}

/* May other files reach the name through this module: "mod.asyncio" in a
 * string or an expression, `from mod import asyncio`? */
static bool is_mentioned(struct cn_arena *a, const struct cn_module *m,
                         struct cn_str name)
{
    ptrdiff_t dot = cn_str_rfind(m->name, CN_STR("."));
    struct cn_str last = cn_str_sub(m->name, (size_t)(dot + 1), m->name.len);

    if (!last.len)
        return false;
    struct cn_str path =
        cn_str_fmt(a, "%.*s.%.*s", CN_STR_ARG(last), CN_STR_ARG(name));
    struct cn_str from =
        cn_str_fmt(a, "%.*s import %.*s", CN_STR_ARG(last), CN_STR_ARG(name));

    if (has_word(m->tree->text, path))
        return true;
    return m->project && m->project->mentioned &&
           (m->project->mentioned(m->project->ctx, path, m) ||
            m->project->mentioned(m->project->ctx, from, m));
}

/* --- taking them away --------------------------------------------------- */

/* The only statement of a `try:` body: its handlers are about it. */
static bool is_guarded(const struct cn_tree *t, cn_node statement)
{
    cn_node block = cn_parent(t, statement);

    return cn_is(t, cn_parent(t, block), CN_K_TRY_STATEMENT) &&
           cn_statement_count(t, block) == 1;
}

/* `import a as b`, `a`: the child of the import statement around a name. */
static cn_node item_of(const struct cn_tree *t, cn_node name, cn_node statement)
{
    while (name && cn_parent(t, name) != statement)
        name = cn_parent(t, name);
    return name;
}

struct dropper {
    struct cn_arena *arena;
    const struct cn_module *module;
    const struct cn_tree *tree;
    struct cn_fix *fix;
    CN_VEC(cn_node) items; /* names to go, with `as` */
};

static bool goes(const struct dropper *d, cn_node item)
{
    for (size_t i = 0; i < d->items.len; i++)
        if (d->items.at[i] == item)
            return true;
    return false;
}

static void add_symbol(struct dropper *d, const struct cn_symbol *symbol)
{
    for (size_t i = 0; i < symbol->bindings.len; i++) {
        const struct cn_binding *b = &symbol->bindings.at[i];
        cn_node statement = cn_statement(d->tree, b->name);

        if (!is_guarded(d->tree, statement))
            cn_vec_push(d->arena, &d->items,
                        item_of(d->tree, b->name, statement));
    }
}

static void collect(struct dropper *d, const struct cn_map *used)
{
    for (size_t i = 0; i < d->module->scopes.len; i++) {
        const struct cn_map *symbols = &d->module->scopes.at[i]->symbols;

        for (uint32_t k = 0; k < symbols->len; k++) {
            const struct cn_symbol *s = symbols->entries[k].value.cptr;

            if (only_imports(s) && !is_read(s) && cn_map_has(used, s->name) &&
                !in_doctest(d->tree, s->name) &&
                !is_mentioned(d->arena, d->module, s->name))
                add_symbol(d, s);
        }
    }
}

static void cut(struct dropper *d, uint32_t start, uint32_t end)
{
    cn_fix_edit(d->arena, d->fix,
                (struct cn_edit){.start = start,
                                 .end = end,
                                 .text = CN_STR(""),
                                 .rank = CN_RANK_TEXT});
}

static bool is_empty_line(const struct cn_tree *t, uint32_t at)
{
    return !cn_str_trim(cn_str_sub(t->text, at, cn_line_end(t, at))).len;
}

static bool owns_line(const struct cn_tree *t, cn_node statement)
{
    return cn_starts_line(t, statement) && !cn_joined_after(t, statement) &&
           !cn_joined_before(t, statement);
}

static bool is_import_statement(const struct cn_tree *t, cn_node n)
{
    return cn_is(t, n, CN_K_IMPORT_STATEMENT) ||
           cn_is(t, n, CN_K_IMPORT_FROM_STATEMENT);
}

/* Do all names of an import statement go? */
static bool is_gone(const struct dropper *d, cn_node statement)
{
    bool any = false;

    if (!is_import_statement(d->tree, statement))
        return false;
    cn_node_for (n, d->tree, statement) {
        if (d->tree->at[n].field != CN_F_NAME)
            continue;
        if (!goes(d, n))
            return false;
        any = true;
    }
    return any && owns_line(d->tree, statement);
}

/* The first of the imports that go from the lines right above. */
static cn_node first_gone(const struct dropper *d, cn_node statement)
{
    const struct cn_tree *t = d->tree;

    for (cn_node before; (before = cn_prev_named(t, statement));) {
        uint32_t next = cn_line_next(t, cn_end(t, before));

        if (!is_gone(d, before) ||
            next != cn_line_start(t, cn_start(t, statement)))
            break;
        statement = before;
    }
    return statement;
}

/* Is there no import above this run of imports that goes, and either nothing
 * at all or an import below it? */
static bool stands_apart(const struct cn_tree *t, cn_node first, cn_node last)
{
    cn_node above = cn_prev_named(t, first);

    return !above || (!is_import_statement(t, above) &&
                      is_import_statement(t, cn_next_named(t, last)));
}

/* Empty lines that were there only to set imports apart go with them: those
 * above, or those below at the top of a text or suite. */
static void close_gap(struct dropper *d, cn_node statement)
{
    const struct cn_tree *t = d->tree;
    cn_node run = first_gone(d, statement);
    uint32_t top = cn_line_start(t, cn_start(t, run)), start = top;
    uint32_t next = cn_line_next(t, cn_end(t, statement)), end = next;

    if (next < t->text.len && !is_empty_line(t, next))
        return;
    while (start > 0 && is_empty_line(t, cn_line_start(t, start - 1)))
        start = cn_line_start(t, start - 1);
    if (start < top && cn_code_start(t, start) == start) {
        cut(d, start, top);
        return;
    }
    while (end < t->text.len && is_empty_line(t, end))
        end = cn_line_next(t, end);
    if (end < t->text.len && stands_apart(t, run, statement))
        cut(d, next, end);
}

/* Some names of a statement stay: cut runs of those that go. */
static void cut_names(struct dropper *d, cn_node statement)
{
    const struct cn_tree *t = d->tree;
    uint32_t kept_end = 0, run_start = 0, run_end = 0;

    cn_node_for (n, t, statement) {
        if (t->at[n].field != CN_F_NAME)
            continue;
        if (goes(d, n)) {
            run_start = run_end ? run_start : cn_start(t, n);
            run_end = cn_end(t, n);
            continue;
        }
        if (run_end)
            cut(d, run_start, cn_start(t, n));
        run_end = 0;
        kept_end = cn_end(t, n);
    }
    if (run_end)
        cut(d, kept_end, run_end);
}

static void edit_statement(struct dropper *d, cn_node statement)
{
    const struct cn_tree *t = d->tree;
    uint32_t names = 0, gone = 0;

    cn_node_for (n, t, statement) {
        names += t->at[n].field == CN_F_NAME;
        gone += t->at[n].field == CN_F_NAME && goes(d, n);
    }
    if (!gone)
        return;
    if (gone < names) {
        cut_names(d, statement);
        return;
    }
    size_t before = d->fix->edits.len;

    cn_layout_drop(d->arena, t, d->fix, statement, true);
    if (!d->fix->edits.at[before].text.len && is_gone(d, statement))
        close_gap(d, statement);
}

bool cn_imports_drop(struct cn_arena *a, const struct cn_module *m,
                     const struct cn_map *used, struct cn_fix *fix)
{
    struct dropper d = {.arena = a, .module = m, .tree = m->tree, .fix = fix};

    collect(&d, used);
    if (!d.items.len)
        return false;
    for (cn_node n = 1; n < m->tree->count; n++)
        if (is_import_statement(m->tree, n))
            edit_statement(&d, n);
    return fix->edits.len > 0;
}
