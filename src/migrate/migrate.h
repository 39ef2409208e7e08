/* migrate: from a Python text, or a tree of files, to a verified change.
 *
 * here       one text: rounds of match, edit, fix imports, until nothing
 *            changes; the rules and their pages
 * project.h  a tree of files: which, for which Python and AnyIO
 * apply.h    carry out and undo a set of file changes
 * report.h   what was found and done, in all formats
 */
#ifndef CN_MIGRATE_MIGRATE_H
#define CN_MIGRATE_MIGRATE_H

#include "migrate/rule.h"

/* --- one text ----------------------------------------------------------- */

enum cn_site_state {
    CN_SITE_FIXED,      /* migrated (would be, in a scan) */
    CN_SITE_LEFT,       /* MANUAL or WRONG */
    CN_SITE_SUPPRESSED, /* by `# canyon: ignore[...]` */
    CN_SITE_DESELECTED, /* by --select, --ignore, --safe-only */
};

/* One site, in the coordinates of the text as it was read. */
struct cn_site {
    const struct cn_rule *rule; /* never NULL: the index has a row for all */
    enum cn_class class_;
    enum cn_site_state state;
    struct cn_str name;  /* canonical, "asyncio.wait_for"; may be "" */
    uint32_t start, end; /* bytes */
    struct cn_place place;
    struct cn_place end_place;
    const char *reason; /* or NULL */
    const char *advice; /* or NULL */
};

struct cn_rules_filter; /* which rules run: --select, --ignore */

struct cn_text_options {
    struct cn_target target;
    const struct cn_rules_filter *filter; /* NULL: all */
    bool safe_only;                       /* do not apply UNSAFE fixes */
    bool scan_only;        /* one round, no output text: verdicts only */
    struct cn_str support; /* how this text imports the support module:
                              "pkg._anyio_support"; "": it cannot */
};

struct cn_text_result {
    struct cn_str text; /* the new text; the old one when nothing changed */
    bool changed;
    CN_VEC(struct cn_site) sites; /* by position */
    bool uses_asyncio_after;      /* some use of asyncio is left */
    struct cn_map support;        /* names it now needs of that module: a set */
    uint32_t rounds;
};

/* Migrate one text. Everything in *out lives in `arena`. Returns 0; CN_ESYNTAX
 * or CN_EENCODING when the text is not Python that we may touch (it is then
 * unchanged and the note says where); CN_EINTERNAL when the result failed its
 * own checks (also unchanged: the note names the rules). */
int cn_migrate_text(struct cn_parser *parser, struct cn_arena *arena,
                    struct cn_str text, struct cn_str module_name,
                    bool is_package, const struct cn_project_facts *project,
                    const struct cn_text_options *options,
                    struct cn_text_result *out, struct cn_note *note);

/* --- the support module -------------------------------------------------- */

/* The text of a support module with the parts that these names need (see
 * support/README.md). Unknown names are an error of ours. */
struct cn_str cn_support_text(struct cn_arena *arena,
                              const struct cn_str *names, size_t count);
/* Is this the text of a support module, and with which names? */
bool cn_support_read(struct cn_arena *arena, struct cn_str text,
                     struct cn_str **names, size_t *count);
/* Has the support module this name? */
bool cn_support_has(struct cn_str name);

/* --- rules -------------------------------------------------------------- */

/* All families in the order of the report; NULL past the end. */
const struct cn_family *cn_family_at(size_t i);
/* The rule with this code or name, or NULL. */
const struct cn_rule *cn_rule_find(struct cn_str code_or_name);
/* A filter from comma-separated codes, names, prefixes (CN1) or ALL. Returns 0
 * or CN_EUSAGE with a note naming the unknown word. */
int cn_rules_filter_make(struct cn_arena *arena, struct cn_str select,
                         struct cn_str ignore, struct cn_rules_filter **out,
                         struct cn_note *note);
/* The section of a rule's page, from its heading to the next. */
struct cn_str cn_rule_page(const struct cn_rule *rule);

/* --- files, changes, reports -------------------------------------------- */

#include "migrate/apply.h"
#include "migrate/project.h"
#include "migrate/report.h"
#include "migrate/suggest.h"

#endif
