/* Rules: what a rule author reads.
 *
 * A rule is a row in a `const` table plus a small function, in
 * rules/<family>.c, beside its page rules/<family>.md, which is its
 * documentation and its test. To add a rule:
 *
 *   1. In rules/<family>.c write a function that looks at one site and ends
 *      with exactly one verdict, and add its row to the family's table.
 *   2. In rules/<family>.md add a section `## CN123 name` with the reasons and
 *      with blocks ```py / ```py fixed / ```py unchanged. The page is shown by
 *      `canyon explain` and every block is run by `make test`.
 *
 * A new family is one more line in FAMILIES (registry.c).
 *
 * A *site* is one use of an asyncio name (or of a method of an asyncio object
 * that some rule has a row for), or a syntax node of a kind that a row asks
 * for. Every site ends in exactly one state: migrated SAFE, migrated UNSAFE,
 * or left MANUAL with reason and advice. A site that no rule takes is MANUAL
 * with the advice of the index (names.c), so nothing is ever passed over in
 * silence. If a precondition cannot be proved from the text, take the weaker
 * class.
 */
#ifndef CN_MIGRATE_RULE_H
#define CN_MIGRATE_RULE_H

#include "python/python.h"

enum cn_class {
    CN_CLASS_SAFE,   /* same behaviour on asyncio, equivalent on trio */
    CN_CLASS_UNSAFE, /* usually right; listed for review */
    CN_CLASS_MANUAL, /* untouched, with reason and advice */
    CN_CLASS_WRONG,  /* already broken in the input: a wrong recipe */
};

/* What the output may use. */
struct cn_target {
    int anyio;         /* lowest AnyIO: 400 for 4.0, 414, 415 */
    int python;        /* lowest Python: 310 for 3.10; 0: unknown */
    bool idiomatic;    /* --style idiomatic */
    bool fix_blocking; /* --fix-blocking */
};

struct cn_match;

/* What a rule function returns; made only by the verdict calls below. */
enum cn_verdict {
    CN_PASS, /* not for this rule; the next one may take it */
    CN_FIXED,
    CN_LEFT,
};

struct cn_rule {
    const char *code;    /* "CN101", stable, for SARIF and suppression */
    const char *name;    /* "sleep": words, what people select and ignore */
    const char *summary; /* one line, in the present tense */
    /* What it looks at: canonical names, NULL-terminated ("asyncio.sleep";
     * methods as "asyncio.Event.clear"; "asyncio.loop.time" for any event
     * loop; a trailing ".*" for everything below) ... */
    const char *const *names;
    /* ... or names that are used and bound nowhere, before any other rule is
     * asked about them ... */
    bool unbound;
    /* ... or nodes of one kind, for rules about syntax. Such a node is a site
     * only when the rule gives a verdict. */
    enum cn_kind kind;
    /* Rules for one site are asked by code, CN101 before CN301, until one does
     * not pass; rows for exactly the name before those for "name.*". A row
     * without a check is asked last of all: it leaves the site MANUAL with its
     * `data` (a string, or NULL) as the reason, and its advice. */
    enum cn_verdict (*check)(struct cn_match *m);
    const void *data;   /* for functions that serve several rows */
    const char *advice; /* for MANUAL, when the verdict gives none */
};

/* The names of a row, in place: .names = CN_NAMES("asyncio.sleep"). */
#define CN_NAMES(...)                                                          \
    (const char *const[])                                                      \
    {                                                                          \
        __VA_ARGS__, NULL                                                      \
    }

/* A family: what rules/<family>.c exports. */
struct cn_family {
    const char *name;
    const struct cn_rule *rules;
    size_t count;
};
#define CN_FAMILY(family)                                                      \
    extern const struct cn_family cn_family_##family;                          \
    const struct cn_family cn_family_##family = {#family, rules,               \
                                                 CN_COUNT(rules)}

/* A rule page, embedded at build. */
struct cn_page {
    const char *family;
    const char *text;
    size_t len;
};
extern const struct cn_page cn_pages[];
extern const size_t cn_page_count;

/* --- the match ---------------------------------------------------------- */

/* One site in the hands of a rule. Read-only for the rule; edits go through
 * the calls below. */
struct cn_match {
    const struct cn_module *module;
    const struct cn_tree *tree;
    const struct cn_target *target;
    struct cn_arena *arena; /* scratch that lives as long as the round */
    const struct cn_rule *rule;
    cn_node node;     /* the site's expression or statement */
    bool was_asyncio; /* the text as it was read (before the first round) uses
                         asyncio: for rules about syntax that must leave files
                         alone which are on AnyIO already */
    struct cn_str support;    /* dotted name of the support module, or "" */
    const struct cn_use *use; /* rules with names; NULL for syntax rules */
    struct cn_fix *fix;       /* private to match.c */
};

/* --- verdicts: the last thing a rule does ------------------------------- */

enum cn_verdict cn_pass(struct cn_match *m);
enum cn_verdict cn_safe(struct cn_match *m);
/* Reasons are short, lower case, say what may differ: "failures become an
 * ExceptionGroup". */
enum cn_verdict cn_unsafe(struct cn_match *m, const char *reason, ...)
    __attribute__((format(printf, 2, 3)));
/* Untouched: all edits made so far for this match are dropped. The advice
 * says what a person should do; NULL takes the row's. */
enum cn_verdict cn_manual(struct cn_match *m, const char *advice,
                          const char *reason, ...)
    __attribute__((format(printf, 3, 4)));
/* The input is already broken here. */
enum cn_verdict cn_wrong(struct cn_match *m, const char *advice,
                         const char *reason, ...)
    __attribute__((format(printf, 3, 4)));

/* Lower the class of whatever verdict follows, keeping the first reason: for
 * helpers deep inside a rule. cn_demote_manual also drops the edits. */
void cn_demote_unsafe(struct cn_match *m, const char *reason);
void cn_demote_manual(struct cn_match *m, const char *reason);

/* --- edits -----------------------------------------------------------------
 * All edits of a match are applied together or not at all. Spans may nest
 * only by wrapping (insertions around a replaced child conflict with nothing);
 * overlapping edits of two matches are resolved by running another round.
 * Text arguments are copied. printf-like ones know, besides printf's own:
 * pass nodes with cn_z(m, node), which is their text as a C string. */

void cn_replace(struct cn_match *m, cn_node node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void cn_replace_span(struct cn_match *m, uint32_t start, uint32_t end,
                     const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void cn_insert(struct cn_match *m, uint32_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Replace `outer` by `inner`, which lies inside it: only the text around the
 * inner node goes, so edits inside it still apply. Parentheses are put round
 * it when the place needs them. A compound statement may be replaced by one of
 * its blocks, which moves left. */
void cn_unwrap(struct cn_match *m, cn_node outer, cn_node inner);
/* The same for statements: the compound statement `outer` makes way for those
 * of its lines that begin at `start` (behind the indentation) and end at
 * `end`. */
void cn_unwrap_lines(struct cn_match *m, cn_node outer, uint32_t start,
                     uint32_t end);
/* Delete an argument with its comma. */
void cn_drop_argument(struct cn_match *m, cn_node call, cn_node argument);
/* Delete a whole statement with its line; `pass` is left where a suite would
 * become empty. Comments on lines of their own stay. */
void cn_drop_statement(struct cn_match *m, cn_node statement);
/* Put a compound header over a statement and indent it:
 *     with anyio.fail_after(5):
 *         <statement>
 * One-line suites are expanded; strings over several lines keep their value.
 * Demotes to MANUAL by itself where that cannot be done. */
void cn_wrap_statement(struct cn_match *m, cn_node statement,
                       const char *header_fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same over all statements from first to last of one block. */
void cn_wrap_statements(struct cn_match *m, cn_node first, cn_node last,
                        const char *header_fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Insert a line of code above a statement, at its indentation. Several lines
 * are several calls, in order; a line that belongs deeper starts with
 * cn_indent_unit. */
void cn_line_above(struct cn_match *m, cn_node statement, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void cn_line_below(struct cn_match *m, cn_node statement, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* One level of indentation as used around `n`. */
struct cn_str cn_indent_unit(const struct cn_tree *t, cn_node n);
/* The comments that the edits of this match take away are meant to go, instead
 * of being put above the statement: they belong to code that goes as well. */
void cn_forget_comments(struct cn_match *m);

/* May the expression be evaluated before its statement without changing the
 * order of effects: only names, constants and attribute reads stand before
 * it; it is not under a condition, a lambda, a comprehension, a while test. */
bool cn_hoistable(const struct cn_match *m, cn_node expression);

/* --- names in the output ------------------------------------------------ */

/* How to spell a module-level name here: "anyio.sleep" gives `anyio.sleep`
 * (or `aio.sleep` under an existing alias), "anyio.to_thread.run_sync" gives
 * `to_thread.run_sync` with `from anyio import to_thread`, "functools.partial"
 * gives `functools.partial`. The import is added when the fix is applied.
 * Where the name means something else the match is demoted to MANUAL. */
const char *cn_name(struct cn_match *m, const char *dotted);
/* The name of the module that a project gets for what AnyIO has no word for. */
#define CN_SUPPORT_NAME "_anyio_support"
/* The same for a name of the support module (support/README.md): "gather"
 * gives `_anyio_support.gather`, and the project gets the module with that
 * part. Demotes to MANUAL where there is no place for the module. */
const char *cn_support(struct cn_match *m, const char *name);
/* The text of a node as a C string in the match's arena. */
const char *cn_z(struct cn_match *m, cn_node node);
/* A new local name, as cn_fresh_name. */
const char *cn_new_name(struct cn_match *m, const char *base);

/* --- accounting --------------------------------------------------------- */

/* Another site that this fix takes care of as well (a loop variable that goes
 * away with its use). Both end in this match's state. */
void cn_claim(struct cn_match *m, cn_node site);
/* Would a fix by this rule be applied at `site`: the rule is selected and not
 * suppressed there? For a fix that is right only together with others. */
bool cn_may_fix(const struct cn_match *m, cn_node site, const char *code);

/* --- questions that many rules ask (shared by the families) ------------- */

/* P-STMT: the await is a whole expression statement, the whole right side of
 * an assignment or the whole value of a return. Gives the statement, or 0. */
cn_node cn_whole_statement(const struct cn_match *m, cn_node await_node);
/* P-CALL: a call of something not known to give a Task or Future. */
bool cn_is_plain_call(const struct cn_match *m, cn_node expression);
/* Turn the coroutine call `f(a, *b, k=1)` into what AnyIO's run-like functions
 * take: `f, a, *b`, or `functools.partial(f, a, *b, k=1)`. Returns NULL (and
 * demotes) when `call` is no plain call. Edits: none, it returns text. */
const char *cn_as_function_and_args(struct cn_match *m, cn_node call);
/* Is a number literal surely > 0 / is an expression surely >= 0? */
bool cn_surely_positive(const struct cn_match *m, cn_node expression);
bool cn_surely_not_negative(const struct cn_match *m, cn_node expression);
/* Is `n` inside a `with fail_after / asyncio.timeout` or a wait_for call? */
bool cn_under_timeout(const struct cn_match *m, cn_node n);

#endif
