/* Validity of signatures and calls: the order of parameters and arguments, and
 * names that come twice. */
#include "python/internal.h"

/* --- names that come twice -------------------------------------------------- */

struct names {
    struct cn_checker *c;
    struct cn_map seen;
};

static void add_name(struct names *names, cn_node n, const char *what)
{
    struct cn_str name = cn_text(names->c->t, n);
    bool fresh;

    cn_map_put(&names->c->arena, &names->seen, name, &fresh);
    if (!fresh)
        cn_bad(names->c, n, "%s repeated: %.*s", what, CN_STR_ARG(name));
}

/* --- arguments --------------------------------------------------------------- */

static void check_arguments(struct cn_checker *c, cn_node list)
{
    const struct cn_tree *t = c->t;
    struct cn_arena_mark mark = cn_arena_mark(&c->arena);
    struct names names = {.c = c};
    bool keyword = false, unpacked = false;

    cn_node_for (n, t, list) {
        enum cn_kind kind = cn_kind(t, n);

        if (!t->at[n].named || kind == CN_K_COMMENT ||
            kind == CN_K_LINE_CONTINUATION)
            continue;
        if (kind == CN_K_KEYWORD_ARGUMENT) {
            keyword = true;
            add_name(&names, cn_child(t, n, CN_F_NAME), "keyword argument");
        } else if (kind == CN_K_DICTIONARY_SPLAT) {
            unpacked = true;
        } else if (kind == CN_K_LIST_SPLAT) {
            if (unpacked)
                cn_bad(c, n,
                       "iterable argument unpacking follows keyword "
                       "argument unpacking");
        } else if (keyword || unpacked) {
            cn_bad(c, n, "positional argument follows keyword argument");
        }
    }
    cn_arena_rewind(&c->arena, mark);
}

/* --- parameters --------------------------------------------------------------- */

struct parameters {
    struct names names;
    bool defaults;    /* one with a default value was seen */
    bool slash, star; /* `/`, `*` or `*args` were seen */
    bool lone_star;   /* `*` was just seen: a name must follow */
    bool end;         /* `**kwargs` was seen */
};

static cn_node bare_parameter(const struct cn_tree *t, cn_node n)
{
    if (cn_is(t, n, CN_K_TYPED_PARAMETER))
        return cn_named(t, n, 0);
    return n;
}

static void add_plain(struct parameters *p, cn_node n, cn_node name,
                      bool has_default)
{
    struct cn_checker *c = p->names.c;

    if (!cn_is(c->t, name, CN_K_IDENTIFIER)) {
        cn_bad(c, n, "parameters cannot be unpacked");
        return;
    }
    if (!has_default && p->defaults && !p->star)
        cn_bad(c, n,
               "parameter without a default follows parameter with a "
               "default");
    p->defaults |= has_default;
    add_name(&p->names, name, "parameter");
}

static void add_separator(struct parameters *p, cn_node n, bool slash)
{
    struct cn_checker *c = p->names.c;

    if (slash ? p->slash || p->star || !cn_prev_named(c->t, n) : p->star)
        cn_bad(c, n, "misplaced / or * in a signature");
    if (slash)
        p->slash = true;
    else
        p->star = p->lone_star = true;
}

static void add_parameter(struct parameters *p, cn_node n)
{
    struct cn_checker *c = p->names.c;
    cn_node bare = bare_parameter(c->t, n);
    bool lone_star = p->lone_star;

    if (p->end)
        cn_bad(c, n, "parameters cannot follow **");
    p->lone_star = false;
    switch (cn_kind(c->t, bare)) {
    case CN_K_POSITIONAL_SEPARATOR: add_separator(p, n, true); break;
    case CN_K_KEYWORD_SEPARATOR: add_separator(p, n, false); break;
    case CN_K_LIST_SPLAT_PATTERN:
        if (p->star)
            cn_bad(c, n, "* may appear only once");
        p->star = true;
        add_name(&p->names, cn_named(c->t, bare, 0), "parameter");
        break;
    case CN_K_DICTIONARY_SPLAT_PATTERN:
        if (lone_star)
            cn_bad(c, n, "named parameters must follow *");
        p->end = true;
        add_name(&p->names, cn_named(c->t, bare, 0), "parameter");
        break;
    case CN_K_DEFAULT_PARAMETER:
    case CN_K_TYPED_DEFAULT_PARAMETER:
        add_plain(p, n, cn_child(c->t, bare, CN_F_NAME), true);
        break;
    default: add_plain(p, n, bare, false); break;
    }
}

static void check_parameters(struct cn_checker *c, cn_node list)
{
    struct cn_arena_mark mark = cn_arena_mark(&c->arena);
    struct parameters p = {.names.c = c};

    cn_node_for (n, c->t, list)
        if (c->t->at[n].named && !cn_is(c->t, n, CN_K_COMMENT) &&
            !cn_is(c->t, n, CN_K_LINE_CONTINUATION))
            add_parameter(&p, n);
    if (p.lone_star)
        cn_bad(c, list, "named parameters must follow *");
    cn_arena_rewind(&c->arena, mark);
}

void cn_check_signature(struct cn_checker *c, cn_node n)
{
    switch (cn_kind(c->t, n)) {
    case CN_K_ARGUMENT_LIST: check_arguments(c, n); break;
    case CN_K_PARAMETERS:
    case CN_K_LAMBDA_PARAMETERS: check_parameters(c, n); break;
    default: break;
    }
}
