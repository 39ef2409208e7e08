/* Imports to add: one edit per line, at the place where an import sorter would
 * put it. Only one run of import statements at module level is looked at, the
 * one with asyncio in it or the first; imports in try blocks, functions and
 * under TYPE_CHECKING stay as they are. Invariant: nothing goes above the
 * docstring, the header comment or `from __future__`. */
#include <stdlib.h>
#include <strings.h>

#include "migrate/engine.h"

enum section { FUTURE, STDLIB, THIRD_PARTY, OWN, LOCAL };

struct entry {
    cn_node node;
    struct cn_str module;
    enum section section;
    bool from;
    uint32_t group; /* entries between two blank lines */
};

struct place {
    struct cn_arena *arena;
    const struct cn_module *module;
    const struct cn_tree *tree;
    struct cn_fix *fix;
    CN_VEC(struct entry) run;
    cn_node above;  /* docstring or __future__ import: stay below it, or 0 */
    cn_node first;  /* first other statement, or 0 */
    bool separated; /* sections are separated by blank lines */
};

void cn_needs_add(struct cn_arena *a, struct cn_needs *needs,
                  struct cn_need need)
{
    cn_vec_for (n, &needs->at)
        if (cn_str_eq(n->module, need.module) && cn_str_eq(n->name, need.name))
            return;
    cn_vec_push(a, &needs->at, need);
}

/* --- reading what is there ---------------------------------------------- */

static struct cn_str root_of(struct cn_str module)
{
    struct cn_str root;

    return cn_str_cut(&module, '.', &root) ? root : module;
}

static enum section section_of(const struct cn_module *m, struct cn_str module)
{
    struct cn_str root = root_of(module);

    if (!module.len || module.ptr[0] == '.')
        return LOCAL;
    if (cn_str_is(root, "__future__"))
        return FUTURE;
    if (cn_is_stdlib(root))
        return STDLIB;
    if (cn_str_is(root, CN_SUPPORT_NAME))
        return OWN;
    return m->name.len && cn_str_eq(root, root_of(m->name)) ? OWN : THIRD_PARTY;
}

static bool is_docstring(const struct cn_tree *t, cn_node n)
{
    cn_node value = cn_named(t, n, 0);

    return cn_is(t, n, CN_K_EXPRESSION_STATEMENT) &&
           (cn_is(t, value, CN_K_STRING) ||
            cn_is(t, value, CN_K_CONCATENATED_STRING));
}

static cn_node imported_module(const struct cn_tree *t, cn_node n)
{
    if (cn_is(t, n, CN_K_IMPORT_FROM_STATEMENT))
        return cn_child(t, n, CN_F_MODULE_NAME);
    cn_node name = cn_child(t, n, CN_F_NAME);

    return cn_is(t, name, CN_K_ALIASED_IMPORT) ? cn_child(t, name, CN_F_NAME)
                                               : name;
}

static bool is_import(const struct cn_tree *t, cn_node n)
{
    return cn_is(t, n, CN_K_IMPORT_STATEMENT) ||
           cn_is(t, n, CN_K_IMPORT_FROM_STATEMENT);
}

/* Is there an empty line between two places? */
static bool blank_between(const struct cn_tree *t, uint32_t from, uint32_t to)
{
    for (uint32_t at = cn_line_next(t, from); at < to;
         at = cn_line_next(t, at)) {
        uint32_t end = cn_line_end(t, at);

        if (!cn_str_trim(cn_str_sub(t->text, at, end)).len)
            return true;
    }
    return false;
}

static void add_entry(struct place *p, cn_node n)
{
    const struct cn_tree *t = p->tree;
    struct cn_str module = cn_text(t, imported_module(t, n));
    struct entry e = {.node = n,
                      .module = module,
                      .section = section_of(p->module, module),
                      .from = cn_is(t, n, CN_K_IMPORT_FROM_STATEMENT)};

    if (p->run.len) {
        const struct entry *last = &p->run.at[p->run.len - 1];
        bool blank = blank_between(t, cn_end(t, last->node), cn_start(t, n));

        e.group = last->group + blank;
        if (!blank && last->section != e.section)
            p->separated = false;
    }
    cn_vec_push(p->arena, &p->run, e);
}

static bool has_asyncio(const struct place *p)
{
    for (size_t i = 0; i < p->run.len; i++)
        if (cn_is_asyncio(p->run.at[i].module))
            return true;
    return false;
}

/* Where the run ends: is it the one to use? The one that imports asyncio, or
 * else the first. */
static bool end_run(struct place *p, struct place *first)
{
    if (!p->run.len)
        return false;
    if (has_asyncio(p))
        return true;
    if (!first->run.len)
        *first = *p;
    p->run.at = NULL;
    p->run.len = p->run.cap = 0;
    p->separated = true;
    return false;
}

static void read_imports(struct place *p)
{
    const struct cn_tree *t = p->tree;
    struct place first = {0};

    cn_node_for (n, t, 1) {
        if (!t->at[n].named || cn_is(t, n, CN_K_COMMENT))
            continue;
        bool top = !p->above && !p->first && !p->run.len && !first.run.len;

        if (cn_is(t, n, CN_K_FUTURE_IMPORT_STATEMENT) ||
            (top && is_docstring(t, n)))
            p->above = n;
        else if (is_import(t, n))
            add_entry(p, n);
        else if (end_run(p, &first))
            return;
        else if (!p->first)
            p->first = n;
    }
    if (!end_run(p, &first) && first.run.len)
        *p = first;
}

/* --- writing lines ------------------------------------------------------ */

static void insert(struct place *p, uint32_t at, struct cn_str text)
{
    cn_fix_edit(
        p->arena, p->fix,
        (struct cn_edit){
            .start = at, .end = at, .text = text, .rank = CN_RANK_TEXT});
}

static struct cn_str when(bool yes, struct cn_str s)
{
    return yes ? s : CN_STR("");
}

static struct cn_str line_of(struct place *p, struct cn_need need)
{
    if (!need.name.len)
        return cn_str_fmt(p->arena, "import %.*s", CN_STR_ARG(need.module));
    return cn_str_fmt(p->arena, "from %.*s import %.*s",
                      CN_STR_ARG(need.module), CN_STR_ARG(need.name));
}

/* Comments right above an import belong to it, but not the file's header. */
static uint32_t top_of(const struct cn_tree *t, cn_node n)
{
    uint32_t top = cn_line_start(t, cn_start(t, n));

    for (uint32_t at = top; at > 0;) {
        at = cn_line_start(t, at - 1);
        struct cn_str line =
            cn_str_trim(cn_str_sub(t->text, at, cn_line_end(t, at)));

        if (!cn_str_starts(line, CN_STR("#")))
            return at == top ? top : cn_line_next(t, at);
        if (at == 0)
            break; /* reaches the top: a header */
    }
    return cn_code_start(t, cn_line_start(t, cn_start(t, n)));
}

static void insert_before(struct place *p, cn_node n, struct cn_str line,
                          bool section)
{
    struct cn_str nl = cn_newline_at(p->tree, cn_start(p->tree, n));
    uint32_t top = top_of(p->tree, n);
    bool comment = top < cn_line_start(p->tree, cn_start(p->tree, n));

    insert(p, top,
           cn_str_fmt(p->arena, "%.*s%.*s%.*s", CN_STR_ARG(line),
                      CN_STR_ARG(nl),
                      CN_STR_ARG(when(section || comment, nl))));
}

static void insert_after(struct place *p, cn_node n, struct cn_str line,
                         bool section)
{
    struct cn_str nl = cn_newline_at(p->tree, cn_start(p->tree, n));

    insert(p, cn_line_end(p->tree, cn_end(p->tree, n)),
           cn_str_fmt(p->arena, "%.*s%.*s%.*s", CN_STR_ARG(when(section, nl)),
                      CN_STR_ARG(nl), CN_STR_ARG(line)));
}

/* --- where a line goes -------------------------------------------------- */

static int compare_modules(struct cn_str a, struct cn_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int by = strncasecmp(a.ptr, b.ptr, n);

    return by ? by : a.len < b.len ? -1 : a.len > b.len;
}

/* Do `from` lines stand among the `import` lines, sorted by module alone? */
static bool is_mixed(const struct place *p, const struct entry *like)
{
    const struct entry *last = NULL;
    bool mixed = false;

    for (size_t i = 0; i < p->run.len; i++) {
        const struct entry *e = &p->run.at[i];

        if (e->section != like->section || e->group != like->group)
            continue;
        if (last && compare_modules(last->module, e->module) > 0)
            return false;
        mixed |= last && last->from && !e->from;
        last = e;
    }
    return mixed;
}

/* Does the new line sort before this one? */
static bool sorts_before(const struct entry *new_, const struct entry *e,
                         bool mixed)
{
    int by = compare_modules(new_->module, e->module);

    if (!mixed && new_->from != e->from)
        return !new_->from;
    return by < 0 || (by == 0 && !new_->from && e->from);
}

/* Put a line among those of its section and group; `like` is one of them. */
static void insert_sorted(struct place *p, const struct entry *like,
                          const struct entry *new_, struct cn_str line)
{
    bool mixed = is_mixed(p, like);
    const struct entry *last = NULL;

    for (size_t i = 0; i < p->run.len; i++) {
        const struct entry *e = &p->run.at[i];

        if (e->section != like->section || e->group != like->group)
            continue;
        if (sorts_before(new_, e, mixed) && cn_starts_line(p->tree, e->node)) {
            insert_before(p, e->node, line, false);
            return;
        }
        last = e;
    }
    insert_after(p, last->node, line, false);
}

/* --- merging into `from module import a, b` ----------------------------- */

/* CONSTANT, Class, function: the order of isort and ruff. */
static int name_class(struct cn_str name)
{
    bool lower = false;

    for (size_t i = 0; i < name.len; i++)
        lower |= name.ptr[i] >= 'a' && name.ptr[i] <= 'z';
    if (!lower && name.len > 1)
        return 0;
    return name.ptr[0] >= 'A' && name.ptr[0] <= 'Z' ? 1 : 2;
}

static int compare_names(struct cn_str a, struct cn_str b)
{
    int by = name_class(a) - name_class(b);

    return by ? by : compare_modules(a, b);
}

static uint32_t name_count(const struct cn_tree *t, cn_node from)
{
    uint32_t count = 0;

    cn_node_for (n, t, from)
        count += t->at[n].field == CN_F_NAME;
    return count;
}

/* Does the file write one name per `from` line? */
static bool is_single_line(const struct place *p)
{
    bool repeated = false;

    for (size_t i = 0; i < p->run.len; i++) {
        const struct entry *e = &p->run.at[i];

        if (!e->from)
            continue;
        if (name_count(p->tree, e->node) > 1)
            return false;
        repeated |= i > 0 && p->run.at[i - 1].from &&
                    cn_str_eq(p->run.at[i - 1].module, e->module);
    }
    return repeated;
}

static bool can_take(const struct cn_tree *t, cn_node from)
{
    if (cn_child_of_kind(t, from, CN_K_WILDCARD_IMPORT))
        return false;
    cn_node_for (n, t, from)
        if (cn_is(t, n, CN_K_ALIASED_IMPORT))
            return false;
    return true;
}

/* Add a name to a `from` statement: before the first that sorts behind it. */
static void merge_name(struct place *p, cn_node from, struct cn_str name)
{
    const struct cn_tree *t = p->tree;
    cn_node last = 0, before = 0;

    cn_node_for (n, t, from) {
        if (t->at[n].field != CN_F_NAME)
            continue;
        last = n;
        if (!before && compare_names(name, cn_text(t, n)) < 0)
            before = n;
    }
    cn_node at = before ? before : last;
    struct cn_str space = CN_STR(" ");

    if (cn_starts_line(t, at)) /* one name a line */
        space = cn_str_fmt(p->arena, "%.*s%.*s",
                           CN_STR_ARG(cn_newline_at(t, cn_start(t, at))),
                           CN_STR_ARG(cn_indent_at(t, cn_start(t, at))));
    if (before)
        insert(p, cn_start(t, before),
               cn_str_fmt(p->arena, "%.*s,%.*s", CN_STR_ARG(name),
                          CN_STR_ARG(space)));
    else
        insert(p, cn_end(t, last),
               cn_str_fmt(p->arena, ",%.*s%.*s", CN_STR_ARG(space),
                          CN_STR_ARG(name)));
}

static bool merge(struct place *p, struct cn_need need)
{
    if (!need.name.len || is_single_line(p))
        return false;
    for (size_t i = 0; i < p->run.len; i++) {
        const struct entry *e = &p->run.at[i];

        if (!e->from || !cn_str_eq(e->module, need.module) ||
            !can_take(p->tree, e->node))
            continue;
        merge_name(p, e->node, need.name);
        return true;
    }
    return false;
}

/* --- one need, and all of them ------------------------------------------ */

static int need_order(const void *left, const void *right)
{
    const struct cn_need *a = left, *b = right;

    if (!a->name.len != !b->name.len)
        return a->name.len ? 1 : -1;
    int by = compare_modules(a->module, b->module);

    return by ? by : compare_names(a->name, b->name);
}

static const struct entry *find_section(const struct place *p,
                                        enum section section)
{
    for (size_t i = 0; i < p->run.len; i++)
        if (p->run.at[i].section == section)
            return &p->run.at[i];
    return NULL;
}

/* A section that the file does not have yet: behind the last line of the
 * sections before it, else in front of the run. */
static void new_section(struct place *p, enum section section,
                        struct cn_str lines)
{
    const struct entry *before = NULL;

    for (size_t i = 0; i < p->run.len; i++)
        if (p->run.at[i].section < section)
            before = &p->run.at[i];
    if (before)
        insert_after(p, before->node, lines, p->separated);
    else
        insert_before(p, p->run.at[0].node, lines, p->separated);
}

/* Lines of `needs` in one section, joined; needs that were merged into lines
 * that exist are left out. */
static struct cn_str lines_for(struct place *p, const struct cn_needs *needs,
                               enum section section)
{
    struct cn_str lines = {0}, nl = cn_newline_at(p->tree, 0);
    struct cn_str module = {0};

    for (size_t i = 0; i < needs->at.len; i++) {
        struct cn_need need = needs->at.at[i];

        if (section_of(p->module, need.module) != section || merge(p, need))
            continue;
        bool more = need.name.len && cn_str_eq(module, need.module);

        if (more && !is_single_line(p))
            lines = cn_str_fmt(p->arena, "%.*s, %.*s", CN_STR_ARG(lines),
                               CN_STR_ARG(need.name));
        else
            lines = cn_str_fmt(p->arena, "%.*s%.*s%.*s", CN_STR_ARG(lines),
                               CN_STR_ARG(when(lines.len, nl)),
                               CN_STR_ARG(line_of(p, need)));
        module = need.name.len ? need.module : (struct cn_str){0};
    }
    return lines;
}

/* Each of the lines goes to its own place in an existing section. */
static void into_section(struct place *p, const struct entry *like,
                         struct cn_str lines)
{
    struct cn_str line;

    while (cn_str_cut(&lines, '\n', &line)) {
        struct cn_str words = cn_str_trim(line), word;
        struct entry new_ = {.section = like->section};

        line = words;
        cn_str_cut(&words, ' ', &word);
        new_.from = cn_str_is(word, "from");
        cn_str_cut(&words, ' ', &new_.module);
        insert_sorted(p, like, &new_, line);
    }
}

static void without_run(struct place *p, struct cn_str lines)
{
    const struct cn_tree *t = p->tree;
    struct cn_str nl = cn_newline_at(t, 0);

    if (p->above) {
        uint32_t end = cn_line_end(t, cn_end(t, p->above));
        uint32_t next = cn_line_next(t, end);
        bool blank = next >= t->text.len || cn_line_end(t, next) == next;

        insert(p, end,
               cn_str_fmt(p->arena, "%.*s%.*s%.*s%.*s", CN_STR_ARG(nl),
                          CN_STR_ARG(nl), CN_STR_ARG(lines),
                          CN_STR_ARG(when(!blank, nl))));
    } else if (p->first) {
        insert_before(p, p->first, lines, true);
    }
}

void cn_imports_add(struct cn_arena *a, const struct cn_module *m,
                    const struct cn_needs *needs, struct cn_fix *fix)
{
    struct place p = {.arena = a,
                      .module = m,
                      .tree = m->tree,
                      .fix = fix,
                      .separated = true};
    struct cn_needs sorted = *needs;

    if (!needs->at.len)
        return;
    qsort(sorted.at.at, sorted.at.len, sizeof *sorted.at.at, need_order);
    read_imports(&p);
    struct cn_str all = {0}, nl = cn_newline_at(p.tree, 0);

    for (enum section s = STDLIB; s <= LOCAL; s++) {
        const struct entry *like = find_section(&p, s);
        struct cn_str lines = lines_for(&p, &sorted, s);

        if (!lines.len)
            continue;
        if (!p.run.len)
            all = all.len ? cn_str_fmt(a, "%.*s%.*s%.*s%.*s", CN_STR_ARG(all),
                                       CN_STR_ARG(nl), CN_STR_ARG(nl),
                                       CN_STR_ARG(lines))
                          : lines;
        else if (like)
            into_section(&p, like, lines);
        else
            new_section(&p, s, lines);
    }
    if (all.len)
        without_run(&p, all);
}
