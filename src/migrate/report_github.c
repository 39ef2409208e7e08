/* Annotations for GitHub Actions: one workflow command for each finding. */
#include "migrate/report.h"

/* % and line ends would end the command; in properties also : and , */
static void add_escaped(struct cn_buf *out, struct cn_str s, bool property)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (c == '%' || c == '\r' || c == '\n' ||
            (property && (c == ':' || c == ',')))
            cn_buf_fmt(out, "%%%02X", (unsigned)c);
        else
            cn_buf_add_char(out, c);
    }
}

static const char *level(const struct cn_site *site)
{
    switch (site->class_) {
    case CN_CLASS_SAFE: return "notice";
    case CN_CLASS_WRONG: return "error";
    default: return "warning";
    }
}

static void add_site(struct cn_buf *out, struct cn_arena *arena,
                     struct cn_str path, const struct cn_site *site)
{
    cn_buf_fmt(out, "::%s file=", level(site));
    add_escaped(out, path, true);
    cn_buf_fmt(out, ",line=%u,col=%u", site->place.line, site->place.column);
    if (site->end_place.line == site->place.line)
        cn_buf_fmt(out, ",endColumn=%u", site->end_place.column);
    else
        cn_buf_fmt(out, ",endLine=%u", site->end_place.line);
    cn_buf_fmt(out, ",title=%s %s::", site->rule->code, site->rule->name);
    add_escaped(out, cn_site_message(arena, site), false);
    if (site->advice) {
        cn_buf_add_z(out, ". ");
        add_escaped(out, cn_str_from(site->advice), false);
    }
    cn_buf_add_char(out, '\n');
}

void cn_report_github(const struct cn_report *report, struct cn_buf *out)
{
    struct cn_arena arena;

    cn_arena_init(&arena);
    for (size_t f = 0; f < report->len; f++) {
        const struct cn_file_report *file = &report->at[f];
        struct cn_str path = cn_utf8(&arena, file->source->path);

        if (file->error) {
            cn_buf_add_z(out, "::error file=");
            add_escaped(out, path, true);
            cn_buf_fmt(out, ",line=%u,title=canyon::",
                       file->note.line ? file->note.line : 1);
            add_escaped(out, cn_str_from(file->note.message), false);
            cn_buf_add_char(out, '\n');
        }
        for (size_t i = 0; i < file->len; i++)
            if (cn_site_shown(report, &file->at[i]))
                add_site(out, &arena, path, &file->at[i]);
    }
    cn_arena_done(&arena);
}
