/* Trees: one Python text as nodes with byte ranges, nothing lost.
 *
 * tree-sitter parses; what callers see is our own flat array in preorder:
 * parents, siblings and whole subtrees are found by arithmetic, and a node is
 * a small number that means something only together with its tree. Node 0 is
 * "no node": every accessor takes it and answers with nothing.
 *
 * Everything lives in the arena given at the parse and borrows the text, which
 * must outlive the tree. Trees are immutable; any thread may read one.
 */
#ifndef CN_PYTHON_TREE_H
#define CN_PYTHON_TREE_H

#include "base/base.h"
#include "python/syntax.h"

typedef uint32_t cn_node;

/* One node. `after` is the first node behind its subtree, so the children of
 * n are n + 1, at[n + 1].after, ... while below at[n].after. */
struct cn_node_record {
    uint32_t start, end; /* bytes of the text, [start, end) */
    cn_node parent, after;
    uint16_t kind; /* enum cn_kind */
    uint8_t field; /* enum cn_field: its role in the parent */
    uint8_t named : 1;
    uint8_t missing : 1; /* the parser made it up */
};

struct cn_tree {
    struct cn_str text;
    const struct cn_node_record *at;
    cn_node count;       /* nodes are 1 .. count - 1; 1 is the module */
    uint32_t *lines;     /* byte offset of each line's start */
    uint32_t line_count; /* lines end in \n, \r\n or a lone \r */
    cn_node broken;      /* first ERROR or missing node, or 0 */
};

/* A parser, to be used again for many texts by one thread at a time. */
struct cn_parser;
struct cn_parser *cn_parser_open(void);
void cn_parser_close(struct cn_parser *parser);

/* Parse a text of up to 2 GiB. Python that does not parse gives a tree with
 * `broken` set, not an error. Returns 0, CN_ETOOBIG, or CN_EINTERNAL. */
int cn_tree_parse(struct cn_parser *parser, struct cn_arena *arena,
                  struct cn_str text, struct cn_tree **out);

/* --- walking ------------------------------------------------------------ */

static inline enum cn_kind cn_kind(const struct cn_tree *t, cn_node n)
{
    return (enum cn_kind)t->at[n].kind;
}
static inline bool cn_is(const struct cn_tree *t, cn_node n, enum cn_kind kind)
{
    return t->at[n].kind == kind;
}
static inline uint32_t cn_start(const struct cn_tree *t, cn_node n)
{
    return t->at[n].start;
}
static inline uint32_t cn_end(const struct cn_tree *t, cn_node n)
{
    return t->at[n].end;
}
static inline cn_node cn_parent(const struct cn_tree *t, cn_node n)
{
    return t->at[n].parent;
}
static inline cn_node cn_first(const struct cn_tree *t, cn_node n)
{
    return n + 1 < t->at[n].after ? n + 1 : 0;
}
static inline cn_node cn_next(const struct cn_tree *t, cn_node n)
{
    cn_node after = t->at[n].after;

    return after < t->at[t->at[n].parent].after ? after : 0;
}
/* Is `n` inside `outer`, or `outer` itself? */
static inline bool cn_within(const struct cn_tree *t, cn_node n, cn_node outer)
{
    return outer && n >= outer && n < t->at[outer].after;
}
static inline struct cn_str cn_text(const struct cn_tree *t, cn_node n)
{
    return cn_str_sub(t->text, t->at[n].start, t->at[n].end);
}
static inline bool cn_text_is(const struct cn_tree *t, cn_node n, const char *z)
{
    return cn_str_is(cn_text(t, n), z);
}

/* Each child of `parent` in turn, comments and tokens included. */
#define cn_node_for(child, t, parent)                                          \
    for (cn_node child = cn_first((t), (parent)); child;                       \
         child = cn_next((t), child))

/* The child in a role, or 0. */
cn_node cn_child(const struct cn_tree *t, cn_node n, enum cn_field field);
/* The i-th named child that is no comment and no line continuation, or 0. */
cn_node cn_named(const struct cn_tree *t, cn_node n, uint32_t i);
uint32_t cn_named_count(const struct cn_tree *t, cn_node n);
/* The first child of a kind, or 0. */
cn_node cn_child_of_kind(const struct cn_tree *t, cn_node n, enum cn_kind kind);
/* The nearest node above `n` of a kind, or 0. */
cn_node cn_above(const struct cn_tree *t, cn_node n, enum cn_kind kind);
/* The next sibling that is no comment, and the one before. */
cn_node cn_next_named(const struct cn_tree *t, cn_node n);
cn_node cn_prev_named(const struct cn_tree *t, cn_node n);

/* --- statements and functions ------------------------------------------- */

/* The innermost statement around (or at) `n`: a child of a block or module.
 * A decorated definition is one statement. */
cn_node cn_statement(const struct cn_tree *t, cn_node n);
/* The def, lambda or class whose *body* holds `n`, or 0 at module level.
 * Decorators, default values and annotations belong to the scope around. */
cn_node cn_function(const struct cn_tree *t, cn_node n);
/* Is this def written `async def`? */
bool cn_is_async_def(const struct cn_tree *t, cn_node def);
/* Does `n` run in the body of an `async def`: not in a nested def, lambda or
 * generator expression; comprehensions are fine (P-ASYNC). */
bool cn_in_async(const struct cn_tree *t, cn_node n);
/* `async with`, `async for`? */
bool cn_is_async(const struct cn_tree *t, cn_node statement);
/* Is there a yield (await) in the subtree, nested functions left out? */
bool cn_has_yield(const struct cn_tree *t, cn_node n);
bool cn_has_await(const struct cn_tree *t, cn_node n);
/* Without the parentheses around an expression. */
cn_node cn_bare(const struct cn_tree *t, cn_node expression);

/* --- calls -------------------------------------------------------------- */

/* The call whose function is exactly `n`, or 0. */
cn_node cn_call_of(const struct cn_tree *t, cn_node n);
/* The await whose operand is `n` (parentheses looked through), or 0. */
cn_node cn_await_of(const struct cn_tree *t, cn_node n);

enum cn_arg_kind {
    CN_ARG_POSITIONAL,
    CN_ARG_KEYWORD,
    CN_ARG_SPLAT,      /* *value */
    CN_ARG_DICT_SPLAT, /* **value */
};
struct cn_arg {
    enum cn_arg_kind kind;
    cn_node node;  /* the whole argument, `k=v` or `*v` included */
    cn_node value; /* v */
    struct cn_str name;
};
/* The i-th argument of a call in the order of the text; false past the last.
 * A lone generator expression `f(x for x in y)` counts as one argument. */
bool cn_arg(const struct cn_tree *t, cn_node call, uint32_t i,
            struct cn_arg *out);
uint32_t cn_arg_count(const struct cn_tree *t, cn_node call);
/* The value passed for the parameter at `index` (or -1: keyword only) named
 * `name` (or NULL: positional only); 0 when absent. A splat before it makes
 * positions unknown: then 0, so check cn_args_plain first. */
cn_node cn_arg_value(const struct cn_tree *t, cn_node call, int index,
                     const char *name);
/* No *args and no **kwargs in the call. */
bool cn_args_plain(const struct cn_tree *t, cn_node call);

/* --- places ------------------------------------------------------------- */

/* 1-based line, and column in characters (not bytes), of a byte offset. */
struct cn_place {
    uint32_t line, column;
};
struct cn_place cn_place_of(const struct cn_tree *t, uint32_t offset);
/* The text of a line (0-based), without its end. */
struct cn_str cn_line(const struct cn_tree *t, uint32_t line);
/* The white space at the start of the line that holds `offset`. */
struct cn_str cn_indent_at(const struct cn_tree *t, uint32_t offset);

/* The kind's name in the grammar, for messages and tests. */
const char *cn_kind_name(enum cn_kind kind);

#endif
