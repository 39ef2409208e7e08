/* The engine over a tree of files: each file that has a trace of asyncio or
 * async code is parsed once, its sites are copied out, and its tree is
 * forgotten before the next one. What stays in memory is the bytes of the
 * sources, the findings and the new texts. */
#include <stdlib.h>

#include "migrate/report.h"

struct session {
    struct cn_project *project;
    struct cn_facts *facts;
    struct cn_parser *parser;
    struct cn_arena scratch; /* of the file at hand */
    struct cn_text_options options;
    struct cn_report *report;
    struct cn_map support; /* path -> struct cn_map *: names it needs */
    struct cn_map bare;    /* names needed of modules outside of packages: one
                              of them may be imported in place of another */
};

static const char *copy_z(struct cn_arena *arena, const char *z)
{
    return z ? cn_utf8(arena, cn_str_from(z)).ptr : NULL;
}

/* A repaired wrong recipe is a wrong recipe first: it is counted and shown as
 * broken code, whether canyon could repair it or not. */
static enum cn_class class_of(const struct cn_site *site)
{
    const struct cn_family *family;

    for (size_t i = 0; (family = cn_family_at(i)); i++)
        if (site->rule >= family->rules &&
            site->rule < family->rules + family->count)
            return strcmp(family->name, "recipes") ? site->class_
                                                   : CN_CLASS_WRONG;
    return site->class_;
}

/* Sites point into the scratch arena; what a report keeps is copied. */
static void keep_sites(struct session *s, const struct cn_text_result *result,
                       struct cn_file_report *file)
{
    struct cn_arena *arena = s->project->arena;

    file->at = CN_NEW_ARRAY(arena, struct cn_site, result->sites.len);
    file->len = file->cap = result->sites.len;
    for (size_t i = 0; i < file->len; i++) {
        struct cn_site *site = &file->at[i];

        *site = result->sites.at[i];
        site->class_ = class_of(site);
        if (file->source->kept && site->class_ != CN_CLASS_WRONG)
            site->state = CN_SITE_SUPPRESSED;
        site->name = cn_utf8(arena, site->name);
        site->reason = copy_z(arena, site->reason);
        site->advice = copy_z(arena, site->advice);
    }
}

static bool is_asyncio(struct cn_str name)
{
    return cn_str_starts(name, CN_STR("asyncio"));
}

/* Nothing of asyncio may be left: no site that stays, no other use. */
static void judge(const struct session *s, const struct cn_text_result *result,
                  struct cn_file_report *file)
{
    bool left = !s->options.scan_only && result->uses_asyncio_after;

    file->uses_asyncio = result->uses_asyncio_after;
    for (size_t i = 0; i < file->len; i++) {
        if (is_asyncio(file->at[i].name))
            file->uses_asyncio = true;
        if (file->at[i].state != CN_SITE_FIXED)
            left = true;
    }
    file->trio_ready = file->uses_asyncio && !left;
}

static void keep_text(struct session *s, const struct cn_text_result *result,
                      struct cn_file_report *file)
{
    file->after = file->source->text;
    if (s->options.scan_only || !result->changed || file->source->kept)
        return;
    file->after.ptr = cn_str_dup(s->project->arena, result->text);
    file->after.len = result->text.len;
    file->changed = true;
}

/* The names that this text needs of its support module, for its path. */
static void keep_support(struct session *s, const struct cn_text_result *result,
                         const struct cn_file_report *file)
{
    struct cn_arena *arena = s->project->arena;
    struct cn_str path = cn_str_from(file->source->support_path);

    if (!file->changed || !result->support.len)
        return;
    union cn_value *names = cn_map_put(arena, &s->support, path, NULL);

    if (cn_str_is(file->source->support, CN_SUPPORT_NAME))
        names->ptr = &s->bare;
    else if (!names->ptr)
        names->ptr = CN_NEW(arena, struct cn_map);
    for (uint32_t i = 0; i < result->support.len; i++) {
        struct cn_str name = result->support.entries[i].key;

        cn_map_put(arena, names->ptr, cn_str_from(cn_str_dup(arena, name)),
                   NULL);
    }
}

static int call_engine(struct session *s, const struct cn_source *source,
                       bool scan_only, struct cn_text_result *result,
                       struct cn_note *note)
{
    struct cn_text_options options = s->options;

    options.scan_only |= scan_only;
    options.support = source->support;
    cn_arena_reset(&s->scratch);
    return cn_migrate_text(s->parser, &s->scratch, source->text, source->module,
                           source->is_package, cn_facts_get(s->facts), &options,
                           result, note);
}

/* The new text failed its own checks and was thrown away: the sites are still
 * counted, as left to a person. */
static void keep_refused_sites(struct session *s, struct cn_file_report *file)
{
    struct cn_text_result result = {.changed = false};

    if (call_engine(s, file->source, true, &result, NULL))
        return;
    keep_sites(s, &result, file);
    for (size_t i = 0; i < file->len; i++) {
        struct cn_site *site = &file->at[i];

        if (site->state != CN_SITE_FIXED)
            continue;
        site->state = CN_SITE_LEFT;
        if (site->class_ != CN_CLASS_WRONG)
            site->class_ = CN_CLASS_MANUAL;
        site->reason = "what canyon made of this file failed its own checks";
        site->advice = "change it by hand, and please report the file";
    }
    judge(s, &result, file);
}

static void run_engine(struct session *s, struct cn_file_report *file)
{
    struct cn_text_result result = {.changed = false};

    file->error = call_engine(s, file->source, false, &result, &file->note);
    if (file->error) {
        if (!file->note.message[0])
            cn_note_set(&file->note, file->error, "%s",
                        cn_strerror(file->error));
        if (file->error == CN_EINTERNAL)
            keep_refused_sites(s, file);
        return;
    }
    keep_sites(s, &result, file);
    judge(s, &result, file);
    keep_text(s, &result, file);
    keep_support(s, &result, file);
}

static void scan_source(struct session *s, const struct cn_source *source)
{
    struct cn_file_report file = {.source = source, .after = source->text};

    if (source->is_support)
        return; /* ours */
    s->report->summary.files++;
    if (source->error) {
        file.error = source->error;
        cn_note_set(&file.note, source->error, "cannot be read: %s",
                    cn_strerror(source->error));
    } else if (cn_worth_parsing(source->text)) {
        run_engine(s, &file);
    }
    if (file.error || file.len || file.changed || file.uses_asyncio)
        cn_vec_push(s->project->arena, s->report, file);
}

/* --- support modules ------------------------------------------------------- */

static int by_path(const void *left, const void *right)
{
    return strcmp(((const struct cn_made_file *)left)->path,
                  ((const struct cn_made_file *)right)->path);
}

/* As people see it: relative to the working directory where it is below. */
static struct cn_str shown(const struct cn_project *project, const char *path)
{
    size_t len = strlen(project->cwd);

    if (strncmp(path, project->cwd, len) == 0 && path[len] == '/')
        return cn_str_from(path + len + 1);
    return cn_str_from(path);
}

/* The module at `path` with these names and those that it has already. */
static void make_module(struct session *s, const char *path,
                        const struct cn_map *wanted)
{
    struct cn_arena *arena = s->project->arena;
    struct cn_made_file made = {.path = path, .shown = shown(s->project, path)};
    struct cn_strs names = {0};
    struct cn_str *had = NULL, old;
    size_t had_count = 0;

    for (uint32_t i = 0; i < wanted->len; i++)
        cn_vec_push(arena, &names, wanted->entries[i].key);
    if (cn_read_file(path, &old) == 0) {
        made.before = (struct cn_str){cn_str_dup(arena, old), old.len};
        free((char *)old.ptr);
        cn_support_read(arena, made.before, &had, &had_count);
    }
    for (size_t i = 0; i < had_count; i++)
        cn_vec_push(arena, &names, had[i]);
    made.after = cn_support_text(arena, names.at, names.len);
    if (!made.before.ptr || !cn_str_eq(made.before, made.after))
        cn_vec_push(arena, &s->report->made, made);
}

static void make_support(struct session *s)
{
    struct cn_made_files *made = &s->report->made;

    for (uint32_t i = 0; i < s->support.len; i++)
        make_module(s, s->support.entries[i].key.ptr,
                    s->support.entries[i].value.ptr);
    if (made->len)
        qsort(made->at, made->len, sizeof *made->at, by_path);
}

/* --- counting -------------------------------------------------------------- */

static void count_site(struct cn_report *report, const struct cn_site *site)
{
    struct cn_summary *sum = &report->summary;
    struct cn_outcome *out = &report->outcome;

    sum->sites++;
    sum->safe += site->class_ == CN_CLASS_SAFE;
    sum->unsafe += site->class_ == CN_CLASS_UNSAFE;
    sum->manual += site->class_ == CN_CLASS_MANUAL;
    sum->wrong_recipes += site->class_ == CN_CLASS_WRONG;
    switch (site->state) {
    case CN_SITE_FIXED:
        out->fixed_safe += site->class_ == CN_CLASS_SAFE;
        out->fixed_unsafe += site->class_ == CN_CLASS_UNSAFE;
        out->fixed_wrong += site->class_ == CN_CLASS_WRONG;
        break;
    case CN_SITE_LEFT:
        out->wrong += site->class_ == CN_CLASS_WRONG;
        out->left += site->class_ != CN_CLASS_WRONG;
        break;
    case CN_SITE_SUPPRESSED: out->suppressed++; break;
    case CN_SITE_DESELECTED:
        if (cn_site_remains(report, site))
            out->held++;
        else
            out->deselected++;
        break;
    }
}

static void count(struct cn_report *report)
{
    cn_vec_for (file, report) {
        report->summary.errors += file->error != 0;
        report->outcome.internal_error |= file->error == CN_EINTERNAL;
        report->summary.files_with_asyncio += file->uses_asyncio;
        report->summary.files_trio_ready += file->trio_ready;
        report->outcome.files_changed += file->changed;
        for (size_t i = 0; i < file->len; i++)
            count_site(report, &file->at[i]);
    }
    const struct cn_summary *sum = &report->summary;

    cn_assert(sum->sites ==
              sum->safe + sum->unsafe + sum->manual + sum->wrong_recipes);
}

void cn_project_scan(struct cn_project *project,
                     const struct cn_scan_options *options,
                     struct cn_report *report)
{
    struct session s = {
        .project = project,
        .facts = cn_facts_open(project),
        .parser = cn_parser_open(),
        .options = {.target = cn_config_target(&project->config),
                    .filter = options->filter,
                    .safe_only = options->safe_only,
                    .scan_only = options->scan_only},
        .report = report,
    };

    report->project = project;
    report->safe_only = options->safe_only;
    cn_arena_init(&s.scratch);
    for (size_t i = 0; i < project->len; i++) {
        if (options->progress)
            options->progress(options->ctx, i, project->len);
        if (!project->at[i].background)
            scan_source(&s, &project->at[i]);
    }
    make_support(&s);
    count(report);
    cn_arena_done(&s.scratch);
    cn_parser_close(s.parser);
    cn_facts_close(s.facts);
}
