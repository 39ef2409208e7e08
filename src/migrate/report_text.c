/* The report for people: findings in ruff's manner, what was fixed by file,
 * and a summary that says what to do next. */
#include <stdlib.h>

#include "migrate/frame.h"
#include "migrate/report.h"

struct writer {
    const struct cn_report *report;
    struct cn_buf *out;
    struct cn_arena arena;
};

static void paint(const struct writer *w, const char *code)
{
    if (w->report->colour)
        cn_buf_fmt(w->out, "\033[%sm", code);
}

static void painted(const struct writer *w, const char *code, const char *z)
{
    paint(w, code);
    cn_buf_add_z(w->out, z);
    paint(w, "0");
}

static const char *class_colour(enum cn_class class_)
{
    static const char *const colours[] = {"32", "33", "35", "1;31"};

    return colours[class_];
}

/* File names are foreign text as well: no control characters get through. */
static struct cn_str fit_to_print(struct writer *w, struct cn_str path)
{
    struct cn_str s = cn_utf8(&w->arena, path);
    char *z = cn_str_dup(&w->arena, s);

    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)z[i] < 0x20 || z[i] == 0x7f)
            z[i] = '?';
    return (struct cn_str){z, s.len};
}

static void place(struct writer *w, struct cn_str path, uint32_t line,
                  uint32_t column)
{
    path = fit_to_print(w, path);
    paint(w, "1");
    cn_buf_add_str(w->out, path);
    paint(w, "0");
    if (line)
        cn_buf_fmt(w->out, ":%u", line);
    if (column)
        cn_buf_fmt(w->out, ":%u", column);
    cn_buf_add_char(w->out, ' ');
}

/* --- findings -------------------------------------------------------------- */

static void finding_line(struct writer *w, const struct cn_file_report *file,
                         const struct cn_site *site)
{
    struct cn_str text = cn_site_message(&w->arena, site);

    place(w, file->source->path, site->place.line, site->place.column);
    painted(w, "1;31", site->rule->code);
    cn_buf_fmt(w->out, " %s ", site->rule->name);
    painted(w, class_colour(site->class_), cn_class_mark(site->class_));
    cn_buf_fmt(w->out, " %.*s", CN_STR_ARG(text));
    if (site->state == CN_SITE_SUPPRESSED)
        cn_buf_add_z(w->out, file->source->kept ? " (kept by keep-asyncio)"
                                                : " (suppressed by a comment)");
    if (site->state == CN_SITE_DESELECTED)
        cn_buf_add_z(w->out, cn_site_remains(w->report, site)
                                 ? " (held back by --safe-only)"
                                 : " (not selected)");
    cn_buf_add_char(w->out, '\n');
}

static void finding(struct writer *w, const struct cn_file_report *file,
                    const struct cn_site *site)
{
    finding_line(w, file, site);
    if (!w->report->frames)
        return;
    int gutter = cn_frame(w->out, file->source->text, site->start, site->end,
                          site->place.line, class_colour(site->class_),
                          w->report->colour);

    /* advice is for who must do it by hand */
    if (site->advice && site->state != CN_SITE_FIXED) {
        cn_buf_fmt(w->out, "%*s ", gutter, "");
        painted(w, "1;34", "=");
        painted(w, "1;36", " help: ");
        cn_buf_fmt(w->out, "%s\n", site->advice);
    }
    cn_buf_add_char(w->out, '\n');
}

static void error_line(struct writer *w, const struct cn_file_report *file)
{
    place(w, file->source->path, file->note.line, file->note.column);
    painted(w, "1;31", "error");
    cn_buf_fmt(w->out, " %s; left as it is\n", file->note.message);
    if (w->report->frames)
        cn_buf_add_char(w->out, '\n');
}

static void findings(struct writer *w)
{
    const struct cn_report *r = w->report;

    for (size_t f = 0; f < r->len; f++) {
        const struct cn_file_report *file = &r->at[f];

        if (file->error)
            error_line(w, file);
        for (size_t i = 0; i < file->len; i++)
            if (cn_site_shown(r, &file->at[i]))
                finding(w, file, &file->at[i]);
    }
}

/* --- what was fixed -------------------------------------------------------- */

static void fixed_file(struct writer *w, const struct cn_file_report *file)
{
    size_t fixes = 0, review = 0;

    for (size_t i = 0; i < file->len; i++) {
        bool fixed = file->at[i].state == CN_SITE_FIXED;

        fixes += fixed;
        review += fixed && file->at[i].class_ != CN_CLASS_SAFE;
    }
    painted(w, "1;32",
            w->report->act == CN_ACT_MIGRATE ? "   Fixed " : "Would fix ");
    cn_buf_add_str(w->out, fit_to_print(w, file->source->path));
    cn_buf_fmt(w->out, " (%zu %s", fixes, cn_plural(fixes, "fix", "fixes"));
    if (review)
        cn_buf_fmt(w->out, ", %zu to review", review);
    cn_buf_add_z(w->out, ")\n");
}

static void fixed_files(struct writer *w)
{
    const struct cn_report *r = w->report;

    for (size_t f = 0; f < r->len; f++) {
        const struct cn_file_report *file = &r->at[f];

        if (!file->changed)
            continue;
        fixed_file(w, file);
        for (size_t i = 0; i < file->len; i++) {
            const struct cn_site *site = &file->at[i];

            if (site->state != CN_SITE_FIXED || site->class_ == CN_CLASS_SAFE)
                continue;
            cn_buf_fmt(w->out, "          %u:%u %s %s ", site->place.line,
                       site->place.column, site->rule->code, site->rule->name);
            painted(w, class_colour(site->class_), cn_class_mark(site->class_));
            cn_buf_fmt(w->out, " %s\n",
                       site->reason ? site->reason : site->rule->summary);
        }
    }
    for (size_t i = 0; i < r->made.len; i++) {
        const struct cn_made_file *made = &r->made.at[i];
        bool done = r->act == CN_ACT_MIGRATE;

        painted(w, "1;32", done ? "   Wrote " : "Would write ");
        cn_buf_add_str(w->out, fit_to_print(w, made->shown));
        cn_buf_add_z(w->out, made->before.ptr ? " (more parts)\n"
                                              : " (the support module)\n");
    }
    if (r->outcome.files_changed)
        cn_buf_add_char(w->out, '\n');
}

/* --- the end --------------------------------------------------------------- */

static const char *number(struct writer *w, size_t n)
{
    return cn_count_text(&w->arena, n);
}

static void count_line(struct writer *w, enum cn_class class_, size_t n,
                       const char *what)
{
    if (!n)
        return;
    cn_buf_add_z(w->out, "  ");
    painted(w, class_colour(class_), cn_class_mark(class_));
    cn_buf_fmt(w->out, " %6s %s\n", number(w, n), what);
}

static void counts(struct writer *w)
{
    static const struct {
        const char *safe, *unsafe, *repaired;
    } texts[] = {
        [CN_ACT_SCAN] = {"safe: behave the same after `canyon migrate`",
                         "unsafe: migrated too, each with what may differ",
                         "broken already, before canyon came; it repairs them"},
        [CN_ACT_PREVIEW] = {"safe", "to be reviewed",
                            "broken already, to be repaired"},
        [CN_ACT_MIGRATE] = {"migrated, safe",
                            "migrated, to be reviewed (listed above)",
                            "broken already, repaired (listed above)"},
    };
    const struct cn_outcome *out = &w->report->outcome;
    int act = (int)w->report->act;

    count_line(w, CN_CLASS_SAFE, out->fixed_safe, texts[act].safe);
    count_line(w, CN_CLASS_UNSAFE, out->fixed_unsafe, texts[act].unsafe);
    count_line(w, CN_CLASS_UNSAFE, out->held,
               "unsafe, held back by --safe-only");
    count_line(w, CN_CLASS_MANUAL, out->left,
               "for a person: untouched, with reason and advice");
    count_line(w, CN_CLASS_WRONG, out->fixed_wrong, texts[act].repaired);
    count_line(w, CN_CLASS_WRONG, out->wrong,
               "broken already, before canyon came; left to a person");
    if (out->suppressed || out->deselected)
        cn_buf_fmt(w->out, "  (%s suppressed, %s not selected)\n",
                   number(w, out->suppressed), number(w, out->deselected));
}

static void readiness(struct writer *w)
{
    const struct cn_summary *sum = &w->report->summary;
    const char *be = w->report->act == CN_ACT_MIGRATE ? "is" : "will be";

    if (w->report->act == CN_ACT_MIGRATE && sum->files_trio_ready != 1)
        be = "are";
    if (sum->files_with_asyncio)
        cn_buf_fmt(w->out,
                   "%s of %s %s with asyncio %s free of it, ready for trio.\n",
                   number(w, sum->files_trio_ready),
                   number(w, sum->files_with_asyncio),
                   cn_plural(sum->files_with_asyncio, "file", "files"), be);
    if (sum->errors)
        cn_buf_fmt(w->out, "%s %s could not be looked at: see `error` above.\n",
                   number(w, sum->errors),
                   cn_plural(sum->errors, "file", "files"));
}

static void next_command(struct writer *w)
{
    const struct cn_report *r = w->report;
    const struct cn_outcome *out = &r->outcome;
    const char *args = r->arguments ? r->arguments : "";

    if (r->act == CN_ACT_SCAN &&
        out->fixed_safe + out->fixed_unsafe + out->fixed_wrong)
        cn_buf_fmt(w->out,
                   "\nNext: canyon migrate --diff%s   (shows every change, "
                   "writes nothing)\n",
                   args);
    else if (r->act == CN_ACT_SCAN && out->left + out->wrong)
        cn_buf_add_z(w->out, "\nNext: canyon explain CODE   (why a use is "
                             "left, and what to do)\n");
    if (r->act == CN_ACT_PREVIEW && out->files_changed)
        cn_buf_fmt(w->out,
                   "\nNothing was written. Next: canyon migrate%s   (changes "
                   "%s %s)\n",
                   args, number(w, out->files_changed),
                   cn_plural(out->files_changed, "file", "files"));
    if (r->undo_command)
        cn_buf_fmt(w->out,
                   "\nNext: read the change (git diff), run your tests.\n"
                   "Undo: %s\n",
                   r->undo_command);
}

static void headline(struct writer *w)
{
    const struct cn_summary *sum = &w->report->summary;
    size_t files = 0;

    for (size_t f = 0; f < w->report->len; f++)
        files += w->report->at[f].len > 0;
    paint(w, "1");
    if (!sum->sites && !sum->errors)
        cn_buf_fmt(w->out, "No use of asyncio found in %s %s.",
                   number(w, sum->files),
                   cn_plural(sum->files, "file", "files"));
    else
        cn_buf_fmt(w->out, "Found %s %s in %s of %s %s.", number(w, sum->sites),
                   cn_plural(sum->sites, "use", "uses"), number(w, files),
                   number(w, sum->files),
                   cn_plural(sum->files, "file", "files"));
    paint(w, "0");
    cn_buf_add_char(w->out, '\n');
}

void cn_report_closing(const struct cn_report *report, struct cn_buf *out)
{
    struct writer w = {.report = report, .out = out};

    cn_arena_init(&w.arena);
    headline(&w);
    counts(&w);
    readiness(&w);
    next_command(&w);
    cn_arena_done(&w.arena);
}

/* --- statistics ------------------------------------------------------------ */

struct row {
    const struct cn_rule *rule;
    size_t by_class[4], all;
};

static int by_count(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->all != y->all)
        return x->all > y->all ? -1 : 1;
    return strcmp(x->rule->code, y->rule->code);
}

static void add_to_row(struct writer *w, struct cn_map *index,
                       const struct cn_site *site)
{
    union cn_value *at =
        cn_map_put(&w->arena, index, cn_str_from(site->rule->code), NULL);

    if (!at->ptr)
        at->ptr = CN_NEW(&w->arena, struct row);
    struct row *row = at->ptr;

    row->rule = site->rule;
    row->by_class[site->class_]++;
    row->all++;
}

void cn_report_statistics(const struct cn_report *report, struct cn_buf *out)
{
    struct writer w = {.report = report, .out = out};
    struct cn_map index = {0};

    cn_arena_init(&w.arena);
    for (size_t f = 0; f < report->len; f++)
        for (size_t i = 0; i < report->at[f].len; i++)
            add_to_row(&w, &index, &report->at[f].at[i]);
    struct row *rows = CN_NEW_ARRAY(&w.arena, struct row, index.len + 1);

    for (uint32_t i = 0; i < index.len; i++)
        rows[i] = *(struct row *)index.entries[i].value.ptr;
    qsort(rows, index.len, sizeof(rows[0]), by_count);
    cn_buf_fmt(out, "%7s %6s %6s %6s %6s  %-6s %s\n", "uses", "safe", "unsafe",
               "manual", "wrong", "code", "rule");
    for (uint32_t i = 0; i < index.len; i++)
        cn_buf_fmt(
            out, "%7zu %6zu %6zu %6zu %6zu  %-6s %s\n", rows[i].all,
            rows[i].by_class[CN_CLASS_SAFE], rows[i].by_class[CN_CLASS_UNSAFE],
            rows[i].by_class[CN_CLASS_MANUAL], rows[i].by_class[CN_CLASS_WRONG],
            rows[i].rule->code, rows[i].rule->name);
    cn_buf_add_char(out, '\n');
    cn_arena_done(&w.arena);
}

/* --- the report ------------------------------------------------------------ */

void cn_report_text(const struct cn_report *report, struct cn_buf *out)
{
    struct writer w = {.report = report, .out = out};

    cn_arena_init(&w.arena);
    if (report->statistics) {
        cn_report_statistics(report, out);
    } else {
        findings(&w);
        if (report->act != CN_ACT_SCAN && !report->quiet)
            fixed_files(&w);
    }
    cn_arena_done(&w.arena);
    if (!report->quiet)
        cn_report_closing(report, out);
}

void cn_report_concise(const struct cn_report *report, struct cn_buf *out)
{
    struct cn_report flat = *report;

    flat.frames = false;
    cn_report_text(&flat, out);
}
