/* Modules: what the names in one Python text mean.
 *
 * Scopes and bindings follow CPython's rules (symtable.c): class scopes are
 * skipped by the functions inside them, comprehensions have their own scope
 * but evaluate their first iterable outside, default values, decorators and
 * annotations belong to the scope around, a walrus binds outside of its
 * comprehension, `global`, `nonlocal` and `del` are honoured. Annotations in
 * strings are read as the expressions that they are.
 *
 * Pure: text in, facts out. Facts live in the arena given at the analysis and
 * are never changed afterwards; objects and types are found when first asked
 * for, so one module must not be asked by two threads at a time.
 */
#ifndef CN_PYTHON_MODULE_H
#define CN_PYTHON_MODULE_H

#include "python/tree.h"

/* --- scopes and symbols ------------------------------------------------- */

enum cn_scope_kind {
    CN_SCOPE_MODULE,
    CN_SCOPE_CLASS,
    CN_SCOPE_FUNCTION, /* def, async def */
    CN_SCOPE_LAMBDA,
    CN_SCOPE_COMPREHENSION, /* and generator expressions */
    CN_SCOPE_TYPE_PARAMETERS,
};

enum cn_binding_kind {
    CN_BIND_IMPORT, /* import a, import a.b, import a as b */
    CN_BIND_FROM,   /* from a import b [as c] */
    CN_BIND_ASSIGN, /* x = v, also one name of an unpacking */
    CN_BIND_AUGMENT,
    CN_BIND_ANNOTATION, /* x: T without a value */
    CN_BIND_PARAMETER,
    CN_BIND_FUNCTION,
    CN_BIND_CLASS,
    CN_BIND_FOR,
    CN_BIND_WITH,
    CN_BIND_EXCEPT,
    CN_BIND_WALRUS,
    CN_BIND_MATCH,
    CN_BIND_DELETE,
    CN_BIND_TYPE, /* type parameter, type alias */
};

struct cn_symbol;
struct cn_scope;

struct cn_binding {
    enum cn_binding_kind kind;
    cn_node name;      /* the identifier that is bound; `import a.b`: the
                          dotted name, though only `a` is bound */
    cn_node statement; /* as cn_statement() gives it for the name; parameters:
                          their def or lambda */
    cn_node value;     /* the whole expression given to exactly this name;
                          0 for unpackings, loops, parameters ... */
    cn_node annotation;
    bool conditional;     /* under if, try, loop, match: may not have run */
    struct cn_str import; /* imports: what the name stands for, absolute:
                             "asyncio.sleep"; `import a.b`: "a". Relative
                             imports keep a leading dot when the module's own
                             name is unknown */
};

struct cn_symbol {
    struct cn_str name;
    struct cn_scope *scope;             /* where it lives, `global` resolved */
    CN_VEC(struct cn_binding) bindings; /* in the order of the text */
    CN_VEC(cn_node) uses; /* identifiers that read it, here and below */
    uint32_t string_uses; /* times read in string annotations or named in
                             __all__; not among `uses` */
    bool exported;        /* named in __all__ */
    bool is_parameter;
    bool bound_below;  /* also bound by a nested scope: global, nonlocal */
    uint8_t certainty; /* private to resolve.c, as is origin */
    struct cn_str origin;
    struct cn_symbol *real; /* private to bind.c: what a nonlocal stands for */
    struct cn_object *object; /* private to object.c */
};

struct cn_scope {
    enum cn_scope_kind kind;
    cn_node node;
    struct cn_scope *parent;
    struct cn_map symbols; /* name -> struct cn_symbol * */
    bool star_import;      /* names may come from `from x import *` */
    uint32_t index;        /* in module->scopes */
};

/* --- objects: what variables hold --------------------------------------- */

/* A variable in the wide sense: a symbol, or an attribute of `self` taken
 * over a whole class (`self.queue` in each of its methods, `cls.queue`,
 * `Class.queue`, and `queue = ...` in the class body). Attributes that a base
 * class in the same module writes belong to that class. */
struct cn_object {
    struct cn_symbol *symbol; /* or NULL for an attribute */
    cn_node class_node;       /* attributes: the class */
    struct cn_str name;
    CN_VEC(struct cn_binding)
    writes;                /* .value is 0 where it is unknown; names
                              of attributes are attribute nodes;
                              `x: T` alone is not a write */
    CN_VEC(cn_node) reads; /* identifiers, or `self.name` attributes */
    cn_node annotation;    /* the first declared type, or 0 */
    bool escapes;   /* read as a plain value: passed, returned, stored, aliased,
                       yielded, captured by *; its methods may be called where
                       we cannot see it. Not set for what any other module can
                       reach by its name: ask cn_project_facts.mentioned */
    bool elsewhere; /* attributes: this module has `x.name` with an x that is
                       not known to be this class's */
    struct cn_inferred *inferred; /* private to infer.c */
};

/* --- names that come from imports --------------------------------------- */

enum cn_certainty {
    CN_UNKNOWN, /* could be anything */
    CN_MAYBE,   /* this, or something else: conditional, shadowed on a path */
    CN_SURE,
};

/* One place where a name of interest is used: attributes of modules, and what
 * was imported from them. `asyncio.sleep.__name__` is a use of asyncio.sleep;
 * the module itself is one where it stands alone (`patch(asyncio)`).
 *
 * A name that is spelled asyncio, anyio or trio and bound nowhere in the
 * module is a use, too: CN_UNKNOWN and `unbound`, or CN_MAYBE where a star
 * import might bind it. It is a NameError waiting to happen. */
struct cn_use {
    cn_node node; /* the outermost expression that spells it: `a.b.c`, `c`;
                     the string, for names inside one */
    struct cn_str
        name; /* canonical: "asyncio.sleep", whatever the spelling;
                 methods: "asyncio.Event.clear", "asyncio.loop.time" */
    enum cn_certainty certainty;
    uint32_t start, end;      /* bytes; differ from node's inside strings */
    bool in_string;           /* an annotation written as a string */
    bool method;              /* found through what an object holds */
    bool unbound;             /* the module name is not bound anywhere */
    cn_node receiver;         /* methods: the expression before the dot */
    struct cn_symbol *symbol; /* the name at its root; NULL when unbound, and
                                 for methods */
};

struct cn_module;

/* What the rest of the project tells about itself; all members optional. The
 * callbacks must be pure for the time of one analysis. */
struct cn_project_facts {
    void *ctx;
    /* What `name` of project module `module` resolves to ("asyncio.sleep"
     * for a re-export); false when the module or name is not known. */
    bool (*export_of)(void *ctx, struct cn_str module, struct cn_str name,
                      struct cn_str *dotted);
    /* Do these bytes stand in any file of the project but `except`? */
    bool (*mentioned)(void *ctx, struct cn_str bytes,
                      const struct cn_module *except);
};

struct cn_module {
    const struct cn_tree *tree;
    struct cn_arena *arena;
    struct cn_str name; /* dotted module name, "pkg.mod"; "" when unknown */
    bool is_package;    /* an __init__.py */
    const struct cn_project_facts *project; /* or NULL */
    struct cn_scope *scope;                 /* of the module */
    CN_VEC(struct cn_scope *) scopes;       /* all, in the order of the text */
    CN_VEC(struct cn_use)
    uses;                         /* of asyncio, anyio, trio, and of the methods
                                     of objects made by them; by position */
    struct cn_symbol **symbol_of; /* by node: identifier -> symbol, or NULL */
    uint32_t *scope_index; /* by node: where it is evaluated; cn_scope_at */
    struct cn_findings *findings; /* private to this layer */
};

/* Analyse a tree without errors. Cannot fail on any tree with broken == 0.
 * `name` may be "". */
struct cn_module *cn_module_analyse(struct cn_arena *arena,
                                    const struct cn_tree *tree,
                                    struct cn_str name, bool is_package,
                                    const struct cn_project_facts *project);

/* The symbol an identifier stands for; NULL for builtins, unknown names and
 * names that a star import may bind. */
struct cn_symbol *cn_symbol_at(const struct cn_module *m, cn_node identifier);
/* The scope in which an expression at `n` is evaluated. */
struct cn_scope *cn_scope_at(const struct cn_module *m, cn_node n);
/* The scope that a def, class, lambda, comprehension or the module opens, or
 * NULL. */
struct cn_scope *cn_scope_of(const struct cn_module *m, cn_node n);
/* What `name` would mean if written at `n`; NULL: not bound in this module. */
struct cn_symbol *cn_lookup(const struct cn_module *m, cn_node n,
                            struct cn_str name);

/* The canonical dotted name of an identifier or attribute chain that comes
 * from an import: "asyncio.sleep" for asyncio.sleep, aio.sleep, nap (from
 * asyncio import sleep as nap), asyncio.tasks.sleep, and project re-exports.
 * Project functions resolve to "pkg.mod.f". */
enum cn_certainty cn_resolve(const struct cn_module *m, cn_node expression,
                             struct cn_str *dotted);
/* Shorthand: surely this name? */
bool cn_resolves_to(const struct cn_module *m, cn_node expression,
                    const char *dotted);

/* The variable an expression (identifier or self.attribute) reads or writes;
 * NULL for everything else. The same object for each of its places. */
const struct cn_object *cn_object_at(const struct cn_module *m,
                                     cn_node expression);
/* The canonical name of the class whose instance an object or an expression
 * holds ("asyncio.Event", "asyncio.loop", "concurrent.futures.
 * ThreadPoolExecutor"), from constructors, known calls and annotations.
 * CN_SURE only when every write agrees. */
enum cn_certainty cn_type_of_object(const struct cn_module *m,
                                    const struct cn_object *object,
                                    struct cn_str *type);
enum cn_certainty cn_type_of(const struct cn_module *m, cn_node expression,
                             struct cn_str *type);

/* The definition (def node) that a called expression names when it stands in
 * this module: a plain function, or a method of the same class through self;
 * 0 when unknown. It may be decorated: then calling it may do anything. */
cn_node cn_definition_of(const struct cn_module *m, cn_node function);

/* A name of the form base, base_2, ... that nothing visible at `n` or below
 * its function uses. */
struct cn_str cn_fresh_name(const struct cn_module *m, cn_node n,
                            const char *base);

/* --- checks on texts ---------------------------------------------------- */

/* Can these bytes be handled: no NUL, an encoding that keeps ASCII bytes
 * ASCII (UTF-8, latin-1 and other single-byte ones by PEP 263 cookie), valid
 * UTF-8 when it claims to be? Returns 0, CN_EENCODING or CN_ETOOBIG with a
 * note for people. */
int cn_text_check(struct cn_str text, struct cn_note *note);

/* Would CPython compile this? tree-sitter accepts more than Python does: this
 * adds what compile() refuses (empty suites, await outside async def, ...),
 * and takes what any version from 3.8 to 3.13 takes. Not looked at:
 * captures that a pattern repeats, more than 20 nested blocks.
 * Returns 0 or CN_ESYNTAX with the place in the note. */
int cn_valid(const struct cn_tree *tree, struct cn_note *note);

#endif
