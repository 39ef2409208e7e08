/* engine: private to src/migrate. How one round works on one text:
 *
 *   match.c     asks the rules about every site; each answer is a fix: edits,
 *               imports it needs, other sites it takes along
 *   layout.c    makes edits out of statements: wrap, drop, line above
 *   edit.c      picks fixes that do not collide, applies them, maps positions
 *   spell.c     how a module-level name is written here (cn_name)
 *   importfix.c edits that add imports; importdrop.c takes unused ones away
 *   text.c      runs rounds until nothing changes, and checks the result
 */
#ifndef CN_MIGRATE_ENGINE_H
#define CN_MIGRATE_ENGINE_H

#include "migrate/migrate.h"

/* --- edits and fixes ------------------------------------------------------ */

/* What goes first where several edits insert at one place. */
enum cn_rank {
    CN_RANK_SPLIT, /* the statement gets a line of its own */
    CN_RANK_BELOW, /* a line after the statement before */
    CN_RANK_ABOVE, /* a line above the statement */
    CN_RANK_WRAP,  /* the header of a wrap */
    CN_RANK_TEXT,
};

/* Replace [start, end) by `text`. A soft edit moves the start of a line: it
 * is dropped where another edit takes that line start away. */
struct cn_edit {
    uint32_t start, end;
    struct cn_str text;
    uint8_t rank;
    bool soft;
    uint32_t order; /* in which its fix made it */
    cn_node call;   /* for dropped arguments */
};

struct cn_span {
    uint32_t start, end;
};

/* An import that the output needs: `import module` when name is empty, else
 * `from module import name`. */
struct cn_need {
    struct cn_str module, name;
};

/* `count` of the `total` statements of a suite are deleted. */
struct cn_drop {
    cn_node block;
    uint32_t count, total;
};

struct cn_matcher; /* private to match.c */
struct cn_fix {
    const struct cn_matcher *matcher;
    CN_VEC(struct cn_edit) edits;
    CN_VEC(struct cn_span) moved; /* statements that are indented */
    CN_VEC(struct cn_drop) drops;
    CN_VEC(cn_node) arguments; /* that are dropped */
    CN_VEC(struct cn_need) needs;
    CN_VEC(cn_node) claims;
    CN_VEC(struct cn_str) support; /* names of the support module */
    enum cn_class class_;
    bool forgets_comments;
    const char *reason, *advice;
    const char *unsafe;   /* demoted to UNSAFE, why */
    const char *manual;   /* demoted to MANUAL, why */
    struct cn_str source; /* which rule, for error messages */
};

/* Add one edit to a fix; `text` is not copied. Cannot fail. */
void cn_fix_edit(struct cn_arena *a, struct cn_fix *fix, struct cn_edit edit);

/* Choose, in the order given, every fix that collides with none chosen before.
 * chosen[i] says whether; NULL fixes are skipped. */
void cn_fixes_choose(struct cn_arena *a, struct cn_fix *const *fixes,
                     size_t count, bool *chosen);

/* Do the edits of this one fix collide with each other? */
bool cn_fix_collides(struct cn_arena *a, struct cn_str text,
                     struct cn_fix *fix);

/* Where the bytes of a text went in the next one. */
struct cn_moved_piece {
    uint32_t from, to, len; /* old place, new place, length: unchanged bytes */
};
struct cn_position_map {
    CN_VEC(struct cn_moved_piece) pieces; /* by both places */
    uint32_t from_len, to_len;
};

/* The text with the edits of all fixes where chosen[i]. `map` may be NULL.
 * Returns 0 or CN_ETOOBIG. */
int cn_fixes_apply(struct cn_arena *a, struct cn_str text,
                   struct cn_fix *const *fixes, size_t count,
                   const bool *chosen, struct cn_str *out,
                   struct cn_position_map *map);

/* Old byte -> new byte. False when that byte was replaced: then *out is the
 * span of the new text that may hold what stood there. */
bool cn_map_forward(const struct cn_position_map *map, uint32_t old,
                    struct cn_span *out);
/* New byte -> old byte; for new text, the byte before which it was put. */
uint32_t cn_map_back(const struct cn_position_map *map, uint32_t new_);

/* --- layout ---------------------------------------------------------------- */

/* The line end that the text uses at `offset` ("\n", "\r\n", "\r"). */
struct cn_str cn_newline_at(const struct cn_tree *t, uint32_t offset);
/* The 0-based line that holds `offset`; where that line starts; where it ends
 * (before its line end); and where the next one starts. */
uint32_t cn_line_of(const struct cn_tree *t, uint32_t offset);
uint32_t cn_line_start(const struct cn_tree *t, uint32_t offset);
uint32_t cn_line_end(const struct cn_tree *t, uint32_t offset);
uint32_t cn_line_next(const struct cn_tree *t, uint32_t offset);
/* Where code can start on a line: behind a byte order mark. */
uint32_t cn_code_start(const struct cn_tree *t, uint32_t line_start);
/* Blank, tab or form feed? */
bool cn_is_blank(char c);
/* Where the indentation of the line that starts at `line_start` begins: behind
 * the last form feed, where Python starts to count again. */
uint32_t cn_indent_start(const struct cn_tree *t, uint32_t line_start);
/* The indentation of the line that holds `offset`. */
struct cn_str cn_indent_of(const struct cn_tree *t, uint32_t offset);
/* Is there only white space before `n` on its line? */
bool cn_starts_line(const struct cn_tree *t, cn_node n);
/* The statements of a block or module. */
uint32_t cn_statement_count(const struct cn_tree *t, cn_node block);
/* The statement before (after) it on the same line, behind a `;`, or 0. */
cn_node cn_joined_before(const struct cn_tree *t, cn_node statement);
cn_node cn_joined_after(const struct cn_tree *t, cn_node statement);
/* Is the byte at `at` inside a string somewhere below `outer`? */
bool cn_in_string(const struct cn_tree *t, cn_node outer, uint32_t at);
/* The first node that starts at or behind `offset`. */
cn_node cn_node_from(const struct cn_tree *t, uint32_t offset);
/* Soft edits that indent every line after the first one of a span inside
 * `parent` by one `unit`, put behind `base` where the line starts with it. */
void cn_layout_shift(struct cn_arena *a, const struct cn_tree *t,
                     struct cn_fix *fix, struct cn_span span, cn_node parent,
                     struct cn_str base, struct cn_str unit);
/* Edits that delete a statement with its line, or leave `pass`; a comment
 * behind it stays, or goes with it. */
void cn_layout_drop(struct cn_arena *a, const struct cn_tree *t,
                    struct cn_fix *fix, cn_node statement, bool with_comment);
/* Comments that the edits of a fix would swallow are put on lines above the
 * statement; demotes when there is no place. */
void cn_layout_keep_comments(struct cn_match *m);
bool cn_is_directive(struct cn_str comment); /* noqa, type: ignore, ... */

/* --- imports ---------------------------------------------------------------- */

struct cn_needs {
    CN_VEC(struct cn_need) at;
};
void cn_needs_add(struct cn_arena *a, struct cn_needs *needs,
                  struct cn_need need);
/* Edits that make every needed import stand at module level. */
void cn_imports_add(struct cn_arena *a, const struct cn_module *m,
                    const struct cn_needs *needs, struct cn_fix *fix);
/* Names that imports of asyncio bind and that were read somewhere in `before`:
 * a set for cn_imports_drop. */
void cn_imports_used(struct cn_arena *a, const struct cn_module *m,
                     struct cn_map *used);
/* Edits that take away imports of asyncio that nothing needs any more; only
 * names in `used`. False when there are none. */
bool cn_imports_drop(struct cn_arena *a, const struct cn_module *m,
                     const struct cn_map *used, struct cn_fix *fix);
/* Names that are read and bound nowhere, builtins left out: a set. */
void cn_unbound_names(struct cn_arena *a, const struct cn_module *m,
                      struct cn_map *out);
/* Is this top-level module part of Python's library? */
bool cn_is_stdlib(struct cn_str module);
/* Is this the name of a builtin? */
bool cn_is_builtin(struct cn_str name);

/* --- rules ------------------------------------------------------------------ */

struct cn_rule_list {
    const struct cn_rule **at;
    size_t len, cap;
};

struct cn_rules_filter {
    const struct cn_family *const *families; /* NULL-terminated */
    struct cn_map by_name;   /* canonical name -> struct cn_rule_list * */
    struct cn_map by_prefix; /* "asyncio.Queue" of "asyncio.Queue.*" */
    struct cn_rule_list by_kind[CN_K_COUNT];
    struct cn_rule_list unbound; /* rules for names bound nowhere */
    bool any_kind;
    struct cn_map off; /* codes of rules that do not run */
};

/* The index over these families, everything selected. For tests, and for
 * cn_rules_filter_make. */
struct cn_rules_filter *cn_rules_filter_over(
    struct cn_arena *a, const struct cn_family *const *families);
struct cn_rules_filter *cn_rules_all(struct cn_arena *a);
/* Switch off what the words say; as cn_rules_filter_make. */
int cn_rules_filter_limit(struct cn_arena *a, struct cn_rules_filter *f,
                          struct cn_str select, struct cn_str ignore,
                          struct cn_note *note);
/* The rule for asyncio names that no row mentions. */
extern const struct cn_rule cn_rule_unknown;

/* --- the support module -------------------------------------------------- */

/* The parts of support/, embedded at build in the order of support/order. */
struct cn_support_part {
    const char *text;
    size_t len;
};
extern const struct cn_support_part cn_support_parts[];
extern const size_t cn_support_part_count;
/* Add the names that a fix needs to a set. */
void cn_support_note(struct cn_arena *a, struct cn_map *names,
                     const struct cn_fix *fix);

/* --- one round --------------------------------------------------------------- */

/* One site of one round. */
struct cn_found {
    cn_node node;
    const struct cn_use *use;
    const struct cn_rule *rule;
    struct cn_fix *fix; /* its verdict; edits when it is to be fixed */
    enum cn_site_state state;
    enum cn_class class_;
    struct cn_str name;
    uint32_t start, end;
    struct cn_found *owner; /* the site that claims this one, or NULL */
    size_t index;           /* in the list */
};

struct cn_found_list {
    struct cn_found **at;
    size_t len, cap;
};

/* What stays the same through the rounds of one text. */
struct cn_round {
    const struct cn_text_options *options;
    const struct cn_rules_filter *rules;
    bool was_asyncio;
};

/* Ask the rules about every site of a module. The sites come by position. */
void cn_match_all(struct cn_arena *a, const struct cn_module *m,
                  const struct cn_round *round, struct cn_found_list *out);
/* Is this canonical name asyncio or something in it? */
bool cn_is_asyncio(struct cn_str name);

/* --- suppression -------------------------------------------------------------- */

struct cn_suppressions; /* of one text */
struct cn_suppressions *cn_suppressions_read(struct cn_arena *a,
                                             const struct cn_tree *t);
/* Is this rule off for a site that starts at byte `at`? */
bool cn_suppressed(const struct cn_suppressions *s, uint32_t at,
                   const struct cn_rule *rule);

/* --- the rounds of one text --------------------------------------------- */

/* A site of the result, and where it stands in the text of this round. */
struct cn_track {
    struct cn_site site;
    struct cn_span now; /* exact: start is its first byte; else it is within */
    bool exact;
    bool done;                 /* fixed in an earlier round */
    bool seen;                 /* found again in this round */
    struct cn_str replaced_by; /* the rule that replaced its text */
};

struct cn_rewrite {
    struct cn_parser *parser;
    struct cn_arena *arena; /* of the result */
    struct cn_arena scratch[2];
    struct cn_str name;
    bool is_package;
    const struct cn_project_facts *project;
    struct cn_round round;
    struct cn_note *note;
    struct cn_str text;       /* of this round */
    struct cn_module *module; /* of this round */
    struct cn_found_list found;
    struct cn_track **track_of; /* by index in found */
    bool *chosen;
    CN_VEC(struct cn_track *) tracks;
    struct cn_map used;    /* names of asyncio imports read at first */
    struct cn_map unbound; /* names bound nowhere at first */
    CN_VEC(struct cn_position_map) maps;
    uint32_t rounds;
    struct cn_str last_rules; /* of the fixes applied last */
    struct cn_map support;    /* names needed of the support module: a set */
};

/* The arena of this round. */
static inline struct cn_arena *cn_rewrite_arena(struct cn_rewrite *r)
{
    return &r->scratch[r->rounds & 1];
}

/* Find the sites of this round and pair them with those that are open. Returns
 * 0, or CN_EINTERNAL with a note when one appeared or vanished. */
int cn_rewrite_match(struct cn_rewrite *r);
/* The chosen fixes were applied: close their sites, move the others. */
void cn_rewrite_move(struct cn_rewrite *r, const struct cn_position_map *map);
/* The sites by position, with lines and columns of the first text. */
void cn_rewrite_sites(struct cn_rewrite *r, const struct cn_tree *first,
                      struct cn_text_result *out);

#endif
