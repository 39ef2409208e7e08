/* report: what was found and done, for people and for machines.
 *
 * project.c      runs the engine over a project and fills a report
 * report.c       the table of formats, counting, spelling
 * report_*.c     one format each
 *
 * To add a format: write report_<name>.c with one function that appends the
 * whole report to a buffer, and add its row to the table in report.c. Reports
 * are sorted by path and position and hold no times, so that two runs over
 * the same bytes give the same bytes.
 */
#ifndef CN_MIGRATE_REPORT_H
#define CN_MIGRATE_REPORT_H

#include "migrate/apply.h"
#include "migrate/migrate.h"

struct cn_file_report {
    const struct cn_source *source;
    int error;           /* 0, or why it was not looked at */
    struct cn_note note; /* the error in words, with its place */
    struct cn_site *at;  /* strings copied; by position */
    size_t len, cap;
    bool uses_asyncio;   /* as it was read */
    bool trio_ready;     /* nothing of asyncio is (would be) left */
    struct cn_str after; /* the new text, or the old one */
    bool changed;
};

/* A support module to be written. */
struct cn_made_file {
    const char *path; /* absolute */
    struct cn_str shown;
    struct cn_str before; /* ptr == NULL: it is new */
    struct cn_str after;
};

struct cn_made_files {
    struct cn_made_file *at; /* by path */
    size_t len, cap;
};

struct cn_summary {
    size_t files; /* looked at, unreadable ones included */
    size_t files_with_asyncio, files_trio_ready;
    size_t sites; /* = safe + unsafe + manual + wrong_recipes */
    size_t safe, unsafe, manual, wrong_recipes;
    size_t errors;
};

/* What became of the sites, for the closing lines and the exit status. */
struct cn_outcome {
    size_t fixed_safe, fixed_unsafe;
    size_t fixed_wrong; /* wrong recipes, repaired */
    size_t left;        /* manual */
    size_t wrong;       /* wrong recipes, left */
    size_t held;        /* unsafe ones that --safe-only holds back */
    size_t suppressed, deselected;
    size_t files_changed;
    bool internal_error;
};

enum cn_report_act {
    CN_ACT_SCAN,
    CN_ACT_PREVIEW, /* migrate --diff or --check: nothing is written */
    CN_ACT_MIGRATE,
};

struct cn_report {
    enum cn_report_act act;
    const struct cn_project *project;
    struct cn_file_report *at; /* files with sites or an error, by path */
    size_t len, cap;
    struct cn_summary summary;
    struct cn_outcome outcome;
    struct cn_made_files made;
    const char *run_id;       /* of a migrate that wrote something, or NULL */
    const char *undo_command; /* how to take it back, or NULL */
    const char *arguments;    /* what to repeat in the next command: " src" */
    /* how the text looks */
    bool colour, quiet, verbose, statistics, frames;
    bool safe_only;
};

struct cn_scan_options {
    const struct cn_rules_filter *filter;
    bool safe_only;
    bool scan_only; /* verdicts only, no new texts */
    /* Called before each file, for a sign of life; or NULL. */
    void (*progress)(void *ctx, size_t done, size_t all);
    void *ctx;
};

/* Run the engine over all files of a walked project. Everything lives in the
 * project's arena. Cannot fail: what goes wrong is in the report. */
void cn_project_scan(struct cn_project *project,
                     const struct cn_scan_options *options,
                     struct cn_report *report);

/* A report format: text, json, ... */
struct cn_report_format {
    const char *name;
    const char *summary; /* for help */
    void (*write)(const struct cn_report *report, struct cn_buf *out);
};

/* All formats, NULL past the end. */
const struct cn_report_format *cn_report_format_at(size_t i);
const struct cn_report_format *cn_report_format_find(struct cn_str name);

/* --- for the formats ----------------------------------------------------- */

void cn_report_text(const struct cn_report *report, struct cn_buf *out);
void cn_report_concise(const struct cn_report *report, struct cn_buf *out);
void cn_report_json(const struct cn_report *report, struct cn_buf *out);
void cn_report_sarif(const struct cn_report *report, struct cn_buf *out);
void cn_report_github(const struct cn_report *report, struct cn_buf *out);

/* The closing lines of the text report, by themselves. */
void cn_report_closing(const struct cn_report *report, struct cn_buf *out);
/* One line for each rule with its counts. */
void cn_report_statistics(const struct cn_report *report, struct cn_buf *out);
/* Is a site something to tell people about in this report? */
bool cn_site_shown(const struct cn_report *report, const struct cn_site *site);
/* Does it remain when the act is done? */
bool cn_site_remains(const struct cn_report *report,
                     const struct cn_site *site);
/* The finding in one line, without place and code. */
struct cn_str cn_site_message(struct cn_arena *arena,
                              const struct cn_site *site);
const char *cn_class_name(enum cn_class class_);     /* "safe" */
const char *cn_class_mark(enum cn_class class_);     /* "[*]" */
const char *cn_state_name(enum cn_site_state state); /* "fixed" */
/* The same text as UTF-8: bytes that are none become U+FFFD. */
struct cn_str cn_utf8(struct cn_arena *arena, struct cn_str text);
/* 1622 -> "1,622", in the arena. */
const char *cn_count_text(struct cn_arena *arena, size_t n);
/* "file" or "files" */
const char *cn_plural(size_t n, const char *one, const char *many);

#endif
