/* Scopes: what binding works on. Spans of nodes that belong to scopes, symbols,
 * and the notes of bindings and reads, which are handed to their symbols at
 * the end, when all names of all scopes are known; that is also when
 * `nonlocal` is settled. What binds is bind.c's business. */
#include "python/internal.h"

/* --- scopes --------------------------------------------------------------- */

struct cn_scope *cn_binder_open(struct cn_binder *b, enum cn_scope_kind kind,
                                cn_node node, struct cn_scope *parent)
{
    struct cn_scope *s = CN_NEW(b->arena, struct cn_scope);

    s->kind = kind;
    s->node = node;
    s->parent = parent;
    s->index = (uint32_t)b->m->scopes.len;
    cn_vec_push(b->arena, &b->m->scopes, s);
    return s;
}

/* Spans are announced innermost and latest first. */
void cn_binder_announce(struct cn_binder *b, cn_node begin, cn_node end,
                        struct cn_scope *scope)
{
    if (begin && begin < end)
        cn_vec_push(b->arena, &b->pending,
                    ((struct cn_span){begin, end, scope}));
}

void cn_binder_enter(struct cn_binder *b, cn_node n)
{
    while (b->opened.len && n >= b->opened.at[b->opened.len - 1].end)
        b->opened.len--;
    while (b->pending.len && b->pending.at[b->pending.len - 1].begin <= n) {
        struct cn_span s = cn_vec_pop(&b->pending);

        if (n < s.end)
            cn_vec_push(b->arena, &b->opened, s);
    }
    b->scope =
        b->opened.len ? b->opened.at[b->opened.len - 1].scope : b->m->scope;
}

/* --- symbols -------------------------------------------------------------- */

struct cn_symbol *cn_binder_symbol(struct cn_binder *b, struct cn_scope *scope,
                                   struct cn_str name)
{
    bool fresh;
    union cn_value *v = cn_map_put(b->arena, &scope->symbols, name, &fresh);

    if (fresh) {
        struct cn_symbol *s = CN_NEW(b->arena, struct cn_symbol);

        s->name = name;
        s->scope = scope;
        v->ptr = s;
    }
    return v->ptr;
}

static struct cn_symbol *real(struct cn_symbol *s)
{
    while (s && s->real)
        s = s->real;
    return s;
}

/* A class body is visible to itself and to the type parameters right below. */
static bool is_visible(const struct cn_scope *s, const struct cn_scope *from)
{
    if (s->kind != CN_SCOPE_CLASS)
        return true;
    while (from != s && from->kind == CN_SCOPE_TYPE_PARAMETERS)
        from = from->parent;
    return from == s;
}

struct cn_symbol *cn_scope_find(struct cn_scope *scope, struct cn_str name)
{
    for (struct cn_scope *s = scope; s; s = s->parent) {
        union cn_value *v;

        if (is_visible(s, scope) && (v = cn_map_get(&s->symbols, name)))
            return real(v->ptr);
    }
    return NULL;
}

/* --- statements ----------------------------------------------------------- */

bool cn_binder_is_statement(const struct cn_tree *t, cn_node n)
{
    enum cn_kind above = cn_kind(t, cn_parent(t, n));

    return above == CN_K_BLOCK || above == CN_K_MODULE;
}

static cn_node enclosing_statement(const struct cn_tree *t, cn_node n)
{
    do
        n = cn_parent(t, n);
    while (n && !cn_binder_is_statement(t, n));
    return n;
}

/* The innermost statement around the node in hand. */
static cn_node statement_at(struct cn_binder *b, cn_node n)
{
    while (b->statement && n >= b->t->at[b->statement].after)
        b->statement = enclosing_statement(b->t, b->statement);
    return b->statement;
}

static bool may_not_run(const struct cn_tree *t, cn_node child, cn_node parent)
{
    switch (cn_kind(t, parent)) {
    case CN_K_IF_STATEMENT:
    case CN_K_WHILE_STATEMENT: return t->at[child].field != CN_F_CONDITION;
    case CN_K_FOR_STATEMENT: return t->at[child].field != CN_F_RIGHT;
    case CN_K_TRY_STATEMENT: return !cn_is(t, child, CN_K_FINALLY_CLAUSE);
    case CN_K_MATCH_STATEMENT: return t->at[child].field != CN_F_SUBJECT;
    default: return false;
    }
}

static bool opens_body(const struct cn_tree *t, cn_node child, cn_node parent)
{
    enum cn_kind kind = cn_kind(t, parent);

    return t->at[child].field == CN_F_BODY &&
           (kind == CN_K_FUNCTION_DEFINITION || kind == CN_K_CLASS_DEFINITION);
}

bool cn_is_conditional(const struct cn_tree *t, cn_node statement)
{
    cn_node child = statement, parent;

    for (; (parent = cn_parent(t, child)); child = parent) {
        if (may_not_run(t, child, parent))
            return true;
        if (opens_body(t, child, parent))
            return false;
    }
    return false;
}

/* --- bindings ------------------------------------------------------------- */

/* A walrus, and the target of a loop itself: may not have run even where its
 * statement has. */
static bool is_maybe_inside(enum cn_binding_kind kind)
{
    return kind == CN_BIND_WALRUS || kind == CN_BIND_FOR ||
           kind == CN_BIND_EXCEPT || kind == CN_BIND_MATCH;
}

static cn_node first_identifier(const struct cn_tree *t, cn_node n)
{
    return cn_is(t, n, CN_K_DOTTED_NAME) ? cn_first(t, n) : n;
}

void cn_binder_bind(struct cn_binder *b, struct cn_scope *scope,
                    struct cn_binding binding)
{
    cn_node name = first_identifier(b->t, binding.name);
    struct cn_symbol *s;

    if (!name)
        return;
    s = cn_binder_symbol(b, scope, cn_text(b->t, name));
    if (!binding.statement)
        binding.statement = statement_at(b, binding.name);
    if (binding.kind == CN_BIND_PARAMETER)
        s->is_parameter = true;
    else
        binding.conditional =
            is_maybe_inside(binding.kind) ||
            cn_is_conditional(b->t, statement_at(b, binding.name));
    b->m->symbol_of[name] = s;
    cn_vec_push(b->arena, &b->bound, ((struct cn_bound){s, scope, binding}));
}

/* --- reads ---------------------------------------------------------------- */

void cn_binder_read(struct cn_binder *b, cn_node n)
{
    cn_vec_push(b->arena, &b->reads, ((struct cn_read){n, b->scope}));
}

/* --- handing out ------------------------------------------------------------ */

static struct cn_symbol *nonlocal_target(struct cn_symbol *s)
{
    for (struct cn_scope *up = s->scope->parent; up; up = up->parent) {
        union cn_value *v = cn_map_get(&up->symbols, s->name);

        if (v && up->kind != CN_SCOPE_CLASS && up->kind != CN_SCOPE_MODULE)
            return real(v->ptr);
    }
    return NULL;
}

static void settle_nonlocals(struct cn_binder *b)
{
    struct cn_symbol **symbol_of = b->m->symbol_of;

    cn_vec_for (n, &b->nonlocals) {
        struct cn_symbol *s = symbol_of[*n];
        struct cn_symbol *target = s->real ? NULL : nonlocal_target(s);

        if (target && target != s)
            s->real = target;
    }
    cn_vec_for (n, &b->nonlocals)
        symbol_of[*n] = real(symbol_of[*n]);
}

static void hand_out_bindings(struct cn_binder *b)
{
    cn_vec_for (it, &b->bound) {
        it->symbol = real(it->symbol);
        it->symbol->bindings.cap++;
    }
    cn_vec_for (it, &b->bound) {
        struct cn_symbol *s = it->symbol;

        if (!s->bindings.at)
            s->bindings.at = cn_arena_alloc(
                b->arena, s->bindings.cap * sizeof(*s->bindings.at));
        s->bindings.at[s->bindings.len++] = it->binding;
        s->bound_below |= it->scope != s->scope;
        b->m->symbol_of[it->binding.name] = s;
        b->m->symbol_of[first_identifier(b->t, it->binding.name)] = s;
        if ((it->binding.kind == CN_BIND_IMPORT ||
             it->binding.kind == CN_BIND_FROM) &&
            !s->origin.ptr) {
            s->origin = (struct cn_str){"", 0};
            cn_vec_push(b->arena, &b->m->findings->imported, s);
        }
    }
}

static bool may_matter(const struct cn_module *m, struct cn_str name)
{
    return cn_of_interest(name) || m->findings->stars.len;
}

static void hand_out_reads(struct cn_binder *b)
{
    cn_vec_for (it, &b->reads) {
        struct cn_str name = cn_text(b->t, it->node);
        struct cn_symbol *s = cn_scope_find(it->scope, name);

        b->m->symbol_of[it->node] = s;
        if (s)
            s->uses.cap++;
        else if (may_matter(b->m, name))
            cn_vec_push(b->arena, &b->m->findings->unbound, it->node);
    }
    cn_vec_for (it, &b->reads) {
        struct cn_symbol *s = b->m->symbol_of[it->node];

        if (s && !s->uses.at)
            s->uses.at =
                cn_arena_alloc(b->arena, s->uses.cap * sizeof(cn_node));
        if (s)
            s->uses.at[s->uses.len++] = it->node;
    }
}

void cn_binder_finish(struct cn_binder *b)
{
    settle_nonlocals(b);
    hand_out_bindings(b);
    hand_out_reads(b);
}
