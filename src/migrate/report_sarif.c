/* SARIF 2.1.0 for code scanning. Rules appear once, in the order of the rule
 * families, with their pages as help; columns count Unicode code points. Files
 * that could not be looked at are notifications of the invocation. */
#include <ctype.h>
#include <jansson.h>

#include "migrate/report.h"

struct sarif {
    const struct cn_report *report;
    struct cn_arena arena;
    struct cn_map index; /* code -> place in rules + 1 */
    json_t *rules, *results, *notifications;
};

static json_t *str(struct sarif *s, struct cn_str text)
{
    text = cn_utf8(&s->arena, text);
    return json_stringn(text.ptr, text.len);
}

static json_t *message(struct sarif *s, struct cn_str text)
{
    return json_pack("{s:o}", "text", str(s, text));
}

static json_t *uri(struct sarif *s, struct cn_str path)
{
    struct cn_buf b;

    cn_buf_init(&b, SIZE_MAX);
    if (cn_str_starts(path, CN_STR("/")))
        cn_buf_add_z(&b, "file://");
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];

        if ((c < 0x80 && isalnum(c)) || strchr("/-._~", c))
            cn_buf_add_char(&b, (char)c);
        else
            cn_buf_fmt(&b, "%%%02X", c);
    }
    json_t *out = str(s, cn_buf_str(&b));

    cn_buf_done(&b);
    return json_pack("{s:o}", "uri", out);
}

static const char *level(enum cn_class class_)
{
    switch (class_) {
    case CN_CLASS_SAFE: return "note";
    case CN_CLASS_WRONG: return "error";
    default: return "warning";
    }
}

static void add_rule(struct sarif *s, const struct cn_rule *rule)
{
    bool fresh;
    union cn_value *at =
        cn_map_put(&s->arena, &s->index, cn_str_from(rule->code), &fresh);
    struct cn_str page = cn_rule_page(rule);

    if (!fresh)
        return;
    json_t *out =
        json_pack("{s:s, s:s, s:o}", "id", rule->code, "name", rule->name,
                  "shortDescription", message(s, cn_str_from(rule->summary)));

    if (page.len)
        json_object_set_new(out, "help",
                            json_pack("{s:o, s:o}", "text", str(s, page),
                                      "markdown", str(s, page)));
    json_array_append_new(s->rules, out);
    at->num = json_array_size(s->rules);
}

static void add_rules(struct sarif *s)
{
    const struct cn_family *family;

    for (size_t i = 0; (family = cn_family_at(i)); i++)
        for (size_t k = 0; k < family->count; k++)
            add_rule(s, &family->rules[k]);
}

static json_t *location(struct sarif *s, const struct cn_file_report *file,
                        json_t *region)
{
    json_t *physical =
        json_pack("{s:o}", "artifactLocation", uri(s, file->source->path));

    if (region)
        json_object_set_new(physical, "region", region);
    return json_pack("[{s:o}]", "physicalLocation", physical);
}

static json_t *region_of(const struct cn_site *site)
{
    return json_pack("{s:i, s:i, s:i, s:i}", "startLine", (int)site->place.line,
                     "startColumn", (int)site->place.column, "endLine",
                     (int)site->end_place.line, "endColumn",
                     (int)site->end_place.column);
}

static struct cn_str full_message(struct sarif *s, const struct cn_site *site)
{
    struct cn_str text = cn_site_message(&s->arena, site);

    if (!site->advice)
        return text;
    return cn_str_fmt(&s->arena, "%.*s. %s", CN_STR_ARG(text), site->advice);
}

static void add_result(struct sarif *s, const struct cn_file_report *file,
                       const struct cn_site *site)
{
    union cn_value *at = cn_map_get(&s->index, cn_str_from(site->rule->code));
    json_t *out = json_pack("{s:s, s:s, s:o, s:o, s:{s:s, s:s}}", "ruleId",
                            site->rule->code, "level", level(site->class_),
                            "message", message(s, full_message(s, site)),
                            "locations", location(s, file, region_of(site)),
                            "properties", "class", cn_class_name(site->class_),
                            "state", cn_state_name(site->state));

    if (at && at->num)
        json_object_set_new(out, "ruleIndex",
                            json_integer((json_int_t)at->num - 1));
    if (site->state == CN_SITE_SUPPRESSED)
        json_object_set_new(out, "suppressions",
                            json_pack("[{s:s}]", "kind", "inSource"));
    json_array_append_new(s->results, out);
}

static void add_notification(struct sarif *s, const struct cn_file_report *file)
{
    int line = file->note.line ? (int)file->note.line : 1;
    json_t *region = json_pack("{s:i}", "startLine", line);

    json_array_append_new(s->notifications,
                          json_pack("{s:s, s:o, s:o}", "level", "error",
                                    "message",
                                    message(s, cn_str_from(file->note.message)),
                                    "locations", location(s, file, region)));
}

static int add_bytes(const char *bytes, size_t len, void *ctx)
{
    cn_buf_add(ctx, bytes, len);
    return 0;
}

static void print(struct sarif *s, struct cn_buf *out)
{
    json_t *root = json_pack(
        "{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:s, s:[{s:b, s:o}], s:o}]}",
        "$schema", "https://json.schemastore.org/sarif-2.1.0.json", "version",
        "2.1.0", "runs", "tool", "driver", "name", "canyon", "version",
        CN_VERSION, "rules", s->rules, "columnKind", "unicodeCodePoints",
        "invocations", "executionSuccessful",
        !s->report->outcome.internal_error, "toolExecutionNotifications",
        s->notifications, "results", s->results);

    json_dump_callback(root, add_bytes, out, JSON_INDENT(1));
    cn_buf_add_char(out, '\n');
    json_decref(root);
}

void cn_report_sarif(const struct cn_report *report, struct cn_buf *out)
{
    struct sarif s = {.report = report,
                      .rules = json_array(),
                      .results = json_array(),
                      .notifications = json_array()};

    cn_arena_init(&s.arena);
    add_rules(&s);
    for (size_t f = 0; f < report->len; f++) {
        const struct cn_file_report *file = &report->at[f];

        if (file->error)
            add_notification(&s, file);
        for (size_t i = 0; i < file->len; i++)
            if (cn_site_shown(report, &file->at[i]) ||
                file->at[i].state == CN_SITE_SUPPRESSED)
                add_result(&s, file, &file->at[i]);
    }
    print(&s, out);
    cn_arena_done(&s.arena);
}
