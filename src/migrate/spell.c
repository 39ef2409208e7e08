/* Spelling: how a module-level name of the output is written at one place,
 * and which import it needs. Reuses what the file imports already; never
 * rebinds a name that means something else. Invariant: what is returned is
 * bound at that place once the fix's needs are met, or the match is MANUAL. */
#include "migrate/engine.h"

/* How a dotted name is imported: `import module` and written in full, or
 * `from module import name` and written from `name` on. */
struct form {
    struct cn_need need;
    struct cn_str rest; /* what follows the bound name, with its dot */
};

static const char *const submodules[] = {"to_thread", "from_thread",
                                         "to_process", "lowlevel"};

static bool is_submodule(struct cn_str name)
{
    for (size_t i = 0; i < CN_COUNT(submodules); i++)
        if (cn_str_is(name, submodules[i]))
            return true;
    return false;
}

/* Classes of packages are imported by themselves: anyio.abc.X,
 * anyio.streams.buffered.X, collections.abc.X. */
static bool imports_members(struct cn_str module)
{
    return cn_str_is(module, "anyio.abc") || cn_str_is(module, "typing") ||
           cn_str_is(module, "collections.abc") ||
           cn_str_is(module, "anyio.functools") ||
           cn_str_is(module, "anyio.itertools") ||
           cn_str_starts(module, CN_STR("anyio.streams"));
}

/* "pkg._anyio_support.gather": from pkg import _anyio_support. */
static struct form support_form(struct cn_str dotted, size_t at)
{
    size_t end = at + sizeof(CN_SUPPORT_NAME) - 1;
    struct cn_str name = cn_str_sub(dotted, at, end);
    struct form f = {.need = {.module = name},
                     .rest = cn_str_sub(dotted, end, dotted.len)};

    if (at > 0)
        f.need = (struct cn_need){cn_str_sub(dotted, 0, at - 1), name};
    return f;
}

/* "anyio.to_thread.run_sync": module anyio, name to_thread, rest .run_sync. */
static struct form form_of(struct cn_str dotted)
{
    ptrdiff_t last = cn_str_rfind(dotted, CN_STR("."));
    struct cn_str first, tail = dotted;
    struct form f = {.need = {.module = dotted}};

    if (last < 0)
        return f;
    ptrdiff_t own = cn_str_find(dotted, CN_STR(CN_SUPPORT_NAME "."));

    if (own >= 0)
        return support_form(dotted, (size_t)own);
    struct cn_str module = cn_str_sub(dotted, 0, (size_t)last);
    struct cn_str name = cn_str_sub(dotted, (size_t)last + 1, dotted.len);

    cn_str_cut(&tail, '.', &first);
    if (cn_str_is(first, "anyio")) {
        struct cn_str second, after = tail;

        cn_str_cut(&after, '.', &second);
        if (is_submodule(second)) {
            f.need = (struct cn_need){first, second};
            f.rest = cn_str_sub(tail, second.len, tail.len);
            return f;
        }
    }
    if (imports_members(module)) {
        f.need = (struct cn_need){module, name};
        return f;
    }
    f.need.module = module;
    f.rest = cn_str_sub(dotted, module.len, dotted.len);
    return f;
}

/* The name that an import binds: `import a.b` binds a. */
static struct cn_str bound_name(struct cn_need need)
{
    struct cn_str first, rest = need.module;

    if (need.name.len)
        return need.name;
    cn_str_cut(&rest, '.', &first);
    return first;
}

/* --- what is bound already ---------------------------------------------- */

/* Is this import surely done when the code at `n` runs? */
static bool has_run(const struct cn_match *m, const struct cn_symbol *symbol,
                    const struct cn_binding *b)
{
    if (b->conditional)
        return false;
    if (symbol->scope == m->module->scope && cn_function(m->tree, m->node))
        return true; /* the module's body has run */
    return cn_start(m->tree, b->name) < cn_start(m->tree, m->node);
}

/* Does the symbol surely stand for `dotted` at the site? */
static bool stands_for(const struct cn_match *m, const struct cn_symbol *symbol,
                       struct cn_str dotted)
{
    bool run = false;

    if (!symbol || !symbol->bindings.len)
        return false;
    for (size_t i = 0; i < symbol->bindings.len; i++) {
        const struct cn_binding *b = &symbol->bindings.at[i];

        if ((b->kind != CN_BIND_IMPORT && b->kind != CN_BIND_FROM) ||
            !cn_str_eq(b->import, dotted))
            return false;
        run |= has_run(m, symbol, b);
    }
    return run;
}

static bool visible_as(const struct cn_match *m, struct cn_str name,
                       struct cn_str dotted)
{
    const struct cn_symbol *symbol = cn_lookup(m->module, m->node, name);

    return symbol && stands_for(m, symbol, dotted);
}

/* Is `import a.b` (not just a) done, so that a.b is there? */
static bool imports_dotted(const struct cn_match *m, struct cn_str module)
{
    const struct cn_symbol *symbol = cn_lookup(
        m->module, m->node, bound_name((struct cn_need){.module = module}));

    for (size_t i = 0; symbol && i < symbol->bindings.len; i++) {
        const struct cn_binding *b = &symbol->bindings.at[i];

        if (b->kind == CN_BIND_IMPORT && has_run(m, symbol, b) &&
            cn_str_eq(cn_text(m->tree, b->name), module))
            return true;
    }
    return false;
}

/* A name of the module's own scope under which `dotted` is imported, visible
 * at the site; empty: none. */
static struct cn_str existing_name(const struct cn_match *m,
                                   struct cn_str dotted)
{
    const struct cn_map *symbols = &m->module->scope->symbols;
    ptrdiff_t dot = cn_str_rfind(dotted, CN_STR("."));
    struct cn_str plain = cn_str_sub(dotted, (size_t)(dot + 1), dotted.len);

    if (visible_as(m, plain, dotted))
        return plain;
    for (uint32_t i = 0; i < symbols->len; i++) {
        const struct cn_symbol *symbol = symbols->entries[i].value.cptr;

        if (stands_for(m, symbol, dotted) &&
            cn_lookup(m->module, m->node, symbol->name) == symbol)
            return symbol->name;
    }
    return (struct cn_str){0};
}

/* May a new module-level import bind this name: nothing that is visible here
 * and nothing at module level has it, unless it is the same import. */
static bool is_free(const struct cn_match *m, struct cn_need need)
{
    struct cn_str name = bound_name(need), dotted = name;
    const struct cn_symbol *here = cn_lookup(m->module, m->node, name);
    const union cn_value *top = cn_map_get(&m->module->scope->symbols, name);

    if (need.name.len)
        dotted = cn_str_fmt(m->arena, "%.*s.%.*s", CN_STR_ARG(need.module),
                            CN_STR_ARG(need.name));
    if (here && here->scope != m->module->scope)
        return false;
    const struct cn_symbol *symbol = top ? top->cptr : NULL;

    for (size_t i = 0; symbol && i < symbol->bindings.len; i++) {
        const struct cn_binding *b = &symbol->bindings.at[i];

        if (!b->import.len || !cn_str_eq(b->import, dotted) ||
            cn_above(m->tree, b->name, CN_K_TRY_STATEMENT))
            return false; /* a try makes the import optional */
    }
    return true;
}

/* --- spelling ----------------------------------------------------------- */

static void need(struct cn_match *m, struct cn_need n)
{
    cn_vec_push(m->arena, &m->fix->needs, n);
}

static const char *taken(struct cn_match *m, struct cn_str name)
{
    cn_demote_manual(m, cn_str_fmt(m->arena,
                                   "the name %.*s means something else here",
                                   CN_STR_ARG(name))
                            .ptr);
    return cn_str_dup(m->arena, name);
}

static const char *spell_builtin(struct cn_match *m, struct cn_str name)
{
    if (cn_lookup(m->module, m->node, name))
        return taken(m, name);
    return name.ptr;
}

static const char *joined(struct cn_match *m, struct cn_str a, struct cn_str b)
{
    return cn_str_fmt(m->arena, "%.*s%.*s", CN_STR_ARG(a), CN_STR_ARG(b)).ptr;
}

/* `from anyio import to_thread` is not possible here (something else has that
 * name): `import anyio.to_thread` then. */
static const char *spell_in_full(struct cn_match *m, struct cn_str dotted,
                                 const struct form *f)
{
    struct cn_need full = {.module = f->need.module};

    if (!is_submodule(f->need.name))
        return taken(m, f->need.name);
    full.module = cn_str_fmt(m->arena, "%.*s.%.*s", CN_STR_ARG(f->need.module),
                             CN_STR_ARG(f->need.name));
    if (!is_free(m, full))
        return taken(m, bound_name(full));
    need(m, full);
    return cn_str_dup(m->arena, dotted);
}

/* The name under which the need is met already, or empty. */
static struct cn_str met_as(const struct cn_match *m, struct cn_need n)
{
    if (n.name.len)
        return existing_name(m, cn_str_fmt(m->arena, "%.*s.%.*s",
                                           CN_STR_ARG(n.module),
                                           CN_STR_ARG(n.name)));
    if (cn_str_find(n.module, CN_STR(".")) >= 0 && imports_dotted(m, n.module))
        return n.module;
    return existing_name(m, n.module);
}

const char *cn_name(struct cn_match *m, const char *dotted)
{
    struct cn_str whole =
        cn_str_from(cn_str_dup(m->arena, cn_str_from(dotted)));
    struct form f = form_of(whole);
    bool module_alone = cn_str_is(whole, "anyio");

    if (cn_str_starts(whole, CN_STR("builtins.")))
        return spell_builtin(m, cn_str_sub(whole, 9, whole.len));
    if (cn_str_find(whole, CN_STR(".")) < 0 && !module_alone &&
        !cn_is_stdlib(whole))
        return spell_builtin(m, whole);
    struct cn_str met = met_as(m, f.need);

    if (met.len)
        return joined(m, met, f.rest);
    if (f.rest.len && (met = existing_name(m, whole)).len)
        return cn_str_dup(m->arena, met); /* from anyio import sleep */
    if (!is_free(m, f.need))
        return f.need.name.len ? spell_in_full(m, whole, &f)
                               : taken(m, bound_name(f.need));
    need(m, f.need);
    return joined(m, f.need.name.len ? f.need.name : f.need.module, f.rest);
}

const char *cn_support(struct cn_match *m, const char *name)
{
    cn_assert(cn_support_has(cn_str_from(name)));
    if (!m->support.len) {
        cn_demote_manual(m, "there is no place for the support module");
        return name;
    }
    struct cn_str dotted =
        cn_str_fmt(m->arena, "%.*s.%s", CN_STR_ARG(m->support), name);

    cn_vec_push(m->arena, &m->fix->support, cn_str_from(name));
    return cn_name(m, dotted.ptr);
}
