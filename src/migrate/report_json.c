/* The report for programs. `summary` has exactly the members of struct
 * cn_summary; every site of every file is in it, whatever became of it. */
#include <jansson.h>
#include <stdlib.h>

#include "migrate/report.h"

static json_t *text_or_null(struct cn_arena *arena, const char *z)
{
    if (!z)
        return json_null();
    struct cn_str s = cn_utf8(arena, cn_str_from(z));

    return json_stringn(s.ptr, s.len);
}

static json_t *str(struct cn_arena *arena, struct cn_str s)
{
    s = cn_utf8(arena, s);
    return json_stringn(s.ptr, s.len);
}

static json_t *summary_of(const struct cn_summary *sum)
{
    const struct {
        const char *name;
        size_t value;
    } members[] = {
        {"files", sum->files},
        {"files_with_asyncio", sum->files_with_asyncio},
        {"files_trio_ready", sum->files_trio_ready},
        {"sites", sum->sites},
        {"safe", sum->safe},
        {"unsafe", sum->unsafe},
        {"manual", sum->manual},
        {"wrong_recipes", sum->wrong_recipes},
        {"errors", sum->errors},
    };
    json_t *out = json_object();

    for (size_t i = 0; i < CN_COUNT(members); i++)
        json_object_set_new(out, members[i].name,
                            json_integer((json_int_t)members[i].value));
    return out;
}

static json_t *site_of(struct cn_arena *arena, const struct cn_site *site)
{
    json_t *out = json_object();

    json_object_set_new(out, "rule", json_string(site->rule->name));
    json_object_set_new(out, "code", json_string(site->rule->code));
    json_object_set_new(out, "class", json_string(cn_class_name(site->class_)));
    json_object_set_new(out, "state", json_string(cn_state_name(site->state)));
    json_object_set_new(out, "line", json_integer(site->place.line));
    json_object_set_new(out, "column", json_integer(site->place.column));
    json_object_set_new(out, "end_line", json_integer(site->end_place.line));
    json_object_set_new(out, "end_column",
                        json_integer(site->end_place.column));
    json_object_set_new(out, "name", str(arena, site->name));
    json_object_set_new(out, "message",
                        str(arena, cn_site_message(arena, site)));
    json_object_set_new(out, "reason", text_or_null(arena, site->reason));
    json_object_set_new(out, "advice", text_or_null(arena, site->advice));
    return out;
}

static json_t *error_of(struct cn_arena *arena,
                        const struct cn_file_report *file)
{
    json_t *out;

    if (!file->error)
        return json_null();
    out = json_object();
    json_object_set_new(out, "code", json_string(cn_errname(file->error)));
    json_object_set_new(out, "line",
                        file->note.line ? json_integer(file->note.line)
                                        : json_null());
    json_object_set_new(out, "column",
                        file->note.column ? json_integer(file->note.column)
                                          : json_null());
    json_object_set_new(out, "reason", text_or_null(arena, file->note.message));
    return out;
}

static json_t *file_of(struct cn_arena *arena,
                       const struct cn_file_report *file)
{
    json_t *out = json_object(), *sites = json_array();

    for (size_t i = 0; i < file->len; i++)
        json_array_append_new(sites, site_of(arena, &file->at[i]));
    json_object_set_new(out, "path", str(arena, file->source->path));
    json_object_set_new(out, "uses_asyncio", json_boolean(file->uses_asyncio));
    json_object_set_new(out, "trio_ready", json_boolean(file->trio_ready));
    json_object_set_new(out, "changed", json_boolean(file->changed));
    json_object_set_new(out, "error", error_of(arena, file));
    json_object_set_new(out, "sites", sites);
    return out;
}

static int add_bytes(const char *bytes, size_t len, void *ctx)
{
    cn_buf_add(ctx, bytes, len);
    return 0;
}

/* Paths of the support modules that were (would be) written. */
static json_t *made_files(const struct cn_report *report)
{
    json_t *made = json_array();

    for (size_t i = 0; i < report->made.len; i++)
        json_array_append_new(
            made, json_stringn_nocheck(report->made.at[i].shown.ptr,
                                       report->made.at[i].shown.len));
    return made;
}

void cn_report_json(const struct cn_report *report, struct cn_buf *out)
{
    static const char *const acts[] = {"scan", "preview", "migrate"};
    json_t *root = json_object(), *files = json_array();
    struct cn_arena arena;

    cn_arena_init(&arena);
    for (size_t i = 0; i < report->len; i++)
        json_array_append_new(files, file_of(&arena, &report->at[i]));
    json_object_set_new(root, "canyon", json_string(CN_VERSION));
    json_object_set_new(root, "act", json_string(acts[report->act]));
    json_object_set_new(root, "run", text_or_null(&arena, report->run_id));
    json_object_set_new(root, "summary", summary_of(&report->summary));
    json_object_set_new(root, "files", files);
    json_object_set_new(root, "made", made_files(report));
    json_dump_callback(root, add_bytes, out, JSON_INDENT(1));
    cn_buf_add_char(out, '\n');
    json_decref(root);
    cn_arena_done(&arena);
}
