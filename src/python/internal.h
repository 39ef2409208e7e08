/* Private to src/python: what bind.c finds and its neighbours go on with.
 *
 * An analysis runs bind (scopes, bindings, reads), then resolve (imports to
 * canonical names, uses), then annotation (names inside strings) and infer
 * (methods of asyncio objects). Each adds to the module and none changes what
 * an earlier one found. */
#ifndef CN_PYTHON_INTERNAL_H
#define CN_PYTHON_INTERNAL_H

#include "python/module.h"

/* `from x import *` */
struct cn_star {
    struct cn_scope *scope;
    cn_node node;         /* the import statement */
    struct cn_str module; /* absolute */
};

struct cn_place_in_scope {
    cn_node node;
    struct cn_scope *scope;
};

struct cn_objects;

/* What an object is known to hold. */
struct cn_inferred {
    enum { CN_NOT_INFERRED, CN_INFERRING, CN_INFERRED } state;
    enum cn_certainty certainty;
    struct cn_str type;
};

/* What an analysis keeps for itself. */
struct cn_findings {
    CN_VEC(struct cn_star) stars;
    CN_VEC(struct cn_place_in_scope) strings; /* inside annotations */
    CN_VEC(struct cn_symbol *) imported; /* symbols with an import binding */
    CN_VEC(cn_node) unbound; /* reads of no symbol that may matter */
    struct cn_objects *objects;
    struct cn_inferred *returned; /* by scope index: what defs return */
};

/* --- precedence.c: for tree.c ----------------------------------------------- */

void cn_fix_precedence(struct cn_node_record *at, cn_node count);

/* --- scope.c: for bind.c ---------------------------------------------------- */

struct cn_span {
    cn_node begin, end;
    struct cn_scope *scope;
};

struct cn_bound {
    struct cn_symbol *symbol;
    struct cn_scope *scope; /* where the binding stands */
    struct cn_binding binding;
};

struct cn_read {
    cn_node node;
    struct cn_scope *scope;
};

struct cn_binder {
    struct cn_module *m;
    const struct cn_tree *t;
    struct cn_arena *arena;
    struct cn_scope *scope;         /* at the node in hand */
    cn_node statement;              /* at or before it */
    cn_node annotation_end;         /* inside an annotation while below */
    CN_VEC(struct cn_span) opened;  /* innermost last */
    CN_VEC(struct cn_span) pending; /* next to open last */
    CN_VEC(struct cn_bound) bound;
    CN_VEC(struct cn_read) reads;
    CN_VEC(cn_node) nonlocals; /* the identifiers that are declared */
};

struct cn_scope *cn_binder_open(struct cn_binder *b, enum cn_scope_kind kind,
                                cn_node node, struct cn_scope *parent);
/* Nodes [begin, end) are evaluated in `scope`. Nothing when empty. Spans are
 * announced when their scope is met, the last one in the text first. */
void cn_binder_announce(struct cn_binder *b, cn_node begin, cn_node end,
                        struct cn_scope *scope);
/* Go on to node `n`: b->scope is right afterwards. */
void cn_binder_enter(struct cn_binder *b, cn_node n);
struct cn_symbol *cn_binder_symbol(struct cn_binder *b, struct cn_scope *scope,
                                   struct cn_str name);
/* Note a binding; its statement is found when it is 0. */
void cn_binder_bind(struct cn_binder *b, struct cn_scope *scope,
                    struct cn_binding binding);
void cn_binder_read(struct cn_binder *b, cn_node identifier);
bool cn_binder_is_statement(const struct cn_tree *t, cn_node n);
/* May the statement's function (module, class) end without having run it? */
bool cn_is_conditional(const struct cn_tree *t, cn_node statement);
/* Hand everything out; nothing may be noted afterwards. */
void cn_binder_finish(struct cn_binder *b);
/* The symbol that a read of `name` in `scope` finds, or NULL. */
struct cn_symbol *cn_scope_find(struct cn_scope *scope, struct cn_str name);

/* --- bind.c ---------------------------------------------------------------- */

/* Fill scopes, symbols, bindings, reads, and the first four of the facts. */
void cn_bind(struct cn_module *m);

/* --- module.c -------------------------------------------------------------- */

/* The class whose instance (or which itself, in a classmethod) this identifier
 * is as the first parameter of a method, or 0. */
cn_node cn_self_class(const struct cn_module *m, cn_node n);
/* Is the def (or class) decorated with exactly this, or with anything? */
bool cn_is_decorated(const struct cn_tree *t, cn_node def, const char *with);

/* --- import.c -------------------------------------------------------------- */

/* The dotted name as text, white space between its parts left out. */
struct cn_str cn_dotted_text(struct cn_module *m, cn_node dotted_name);
/* The absolute module that the `from` of an import statement names. */
struct cn_str cn_from_module(struct cn_module *m, cn_node statement);

/* --- resolve.c ------------------------------------------------------------- */

/* Give each imported symbol its origin and certainty; fill m->uses. */
void cn_resolve_imports(struct cn_module *m);
void cn_add_use(struct cn_module *m, struct cn_use use);
/* The canonical name of `origin` + "." + attribute, and whether more
 * attributes may follow: true while it is a module of interest. */
struct cn_str cn_join(struct cn_arena *arena, struct cn_str a, struct cn_str b);
/* The canonical form of a dotted name, project re-exports followed. */
struct cn_str cn_canonical(const struct cn_module *m, struct cn_str dotted);

/* What a dotted name in the text of an annotation means in `scope`. */
enum cn_certainty cn_resolve_text(const struct cn_module *m,
                                  struct cn_scope *scope, struct cn_str dotted,
                                  struct cn_str *out);
/* The name of interest that a dotted name begins with: "asyncio.Task" of
 * "asyncio.Task.x"; *len is how much of the text spells it. */
struct cn_str cn_resolve_prefix(const struct cn_module *m,
                                const struct cn_symbol *root,
                                struct cn_str dotted, size_t *len);

/* --- annotation.c ---------------------------------------------------------- */

/* Uses inside string annotations, and what __all__ names. */
void cn_read_strings(struct cn_module *m);
/* The class that an annotation (its text, evaluated in `scope`) declares:
 * Optional, quotes and the like looked through, arguments dropped. */
enum cn_certainty cn_declared_type(const struct cn_module *m,
                                   struct cn_scope *scope, struct cn_str text,
                                   struct cn_str *type);

/* --- infer.c --------------------------------------------------------------- */

/* Uses of methods of objects that asyncio, anyio or trio made. */
void cn_add_method_uses(struct cn_module *m);

/* The type of what calling `dotted` returns, by heart: "asyncio.loop" for
 * asyncio.get_running_loop; of what awaiting the call gives when `awaited`.
 * Empty: unknown. Methods are "asyncio.loop.create_task". */
struct cn_str cn_returned_type(struct cn_str dotted, bool awaited);
/* Does `with x as y` make y an x for instances of this class? */
bool cn_enters_itself(struct cn_str type);
/* Canonical class for what annotations name: any event loop is
 * "asyncio.loop". */
struct cn_str cn_canonical_type(struct cn_str dotted);

/* --- stdlib.c -------------------------------------------------------------- */

/* Is the first part of the dotted name asyncio, anyio or trio? */
bool cn_of_interest(struct cn_str dotted);
/* Is `dotted` a module, as far as we know it by heart? */
bool cn_known_module(struct cn_str dotted);
/* Does `from asyncio import *` bring this name? */
bool cn_asyncio_exports(struct cn_str name);
/* "asyncio.tasks.gather" -> "asyncio.gather"; others stay as they are. */
struct cn_str cn_canonical_stdlib(struct cn_arena *arena, struct cn_str dotted);

/* --- valid*.c ------------------------------------------------------------- */

/* The function (or module, class, comprehension) and loop that nodes are in. */
struct cn_frame {
    cn_node begin, end;
    cn_node def; /* the def, 0 in a module or class */
    enum {
        CN_FRAME_MODULE,
        CN_FRAME_CLASS,
        CN_FRAME_DEF,
        CN_FRAME_LAMBDA,
        CN_FRAME_COMPREHENSION,
    } kind;
    bool async;      /* await is allowed */
    bool loop;       /* break and continue are */
    bool star;       /* in except*: return is not */
    bool star_break; /* ... nor are break and continue */
    uint32_t body;   /* index into the checker's bodies */
};

/* What one def was seen to have. */
struct cn_body {
    bool has_yield, has_result;
};

struct cn_checker {
    const struct cn_tree *t;
    struct cn_note *note;
    struct cn_arena arena; /* scratch */
    bool bad;
    struct cn_frame frame; /* of the node in hand */
    CN_VEC(struct cn_frame) frames;
    CN_VEC(struct cn_frame) coming; /* next to open last */
    CN_VEC(struct cn_body) bodies;
    uint64_t budget;   /* nodes that searches may still visit */
    bool future_fine;  /* `from __future__` may still come */
    uint32_t brackets; /* open here */
    uint32_t text_end; /* of the last leaf */
    cn_node string_end;
};

/* Reject the text for what stands at `n`. Only the first reason counts. */
void cn_bad(struct cn_checker *c, cn_node n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void cn_check_layout(struct cn_checker *c, cn_node n);
void cn_check_token(struct cn_checker *c, cn_node n);
void cn_check_shape(struct cn_checker *c, cn_node n);
void cn_check_signature(struct cn_checker *c, cn_node n);

#endif
