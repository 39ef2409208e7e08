/* driver: the migration as a filter, for tests written in Python.
 *
 * Standard input is a JSON list of requests; standard output the list of
 * answers, in order. A request is {"text", "anyio", "python", "idiomatic",
 * "fix_blocking", "safe_only", "support"}, all but the text optional. An answer
 * is
 * {"status", "note", "text", "changed", "rounds", "uses_asyncio", "sites",
 * "again"}: "again" is the result of migrating the result once more.
 * `driver --rules` lists the rules instead.
 *
 * Not a test by itself, and no part of the command: it shows what
 * cn_migrate_text says and judges nothing.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "migrate/migrate.h"

static const char *class_name(enum cn_class class_)
{
    switch (class_) {
    case CN_CLASS_SAFE: return "safe";
    case CN_CLASS_UNSAFE: return "unsafe";
    case CN_CLASS_MANUAL: return "manual";
    case CN_CLASS_WRONG: return "wrong";
    }
    return "?";
}

static const char *state_name(enum cn_site_state state)
{
    switch (state) {
    case CN_SITE_FIXED: return "fixed";
    case CN_SITE_LEFT: return "left";
    case CN_SITE_SUPPRESSED: return "suppressed";
    case CN_SITE_DESELECTED: return "deselected";
    }
    return "?";
}

static json_t *site_json(const struct cn_site *site)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s%, s:i, s:i, s:i, s:i, s:s?, "
        "s:s?}",
        "code", site->rule->code, "rule", site->rule->name, "class",
        class_name(site->class_), "state", state_name(site->state), "name",
        site->name.ptr ? site->name.ptr : "", site->name.len, "line",
        (int)site->place.line, "column", (int)site->place.column, "start",
        (int)site->start, "end", (int)site->end, "reason", site->reason,
        "advice", site->advice);
}

static struct cn_text_options options_of(const json_t *request)
{
    int anyio = 414, python = 0, idiomatic = 0, blocking = 0, safe_only = 0;
    const char *support = "";

    json_unpack((json_t *)request, "{s?i, s?i, s?b, s?b, s?b, s?s}", "anyio",
                &anyio, "python", &python, "idiomatic", &idiomatic,
                "fix_blocking", &blocking, "safe_only", &safe_only, "support",
                &support);
    return (struct cn_text_options){
        .target = {.anyio = anyio,
                   .python = python,
                   .idiomatic = idiomatic != 0,
                   .fix_blocking = blocking != 0},
        .safe_only = safe_only != 0,
        .support = cn_str_from(support),
    };
}

static void add_again(json_t *answer, struct cn_parser *parser,
                      struct cn_arena *arena, struct cn_str text,
                      const struct cn_text_options *options)
{
    struct cn_text_result result = {0};
    struct cn_note note = {0};
    int status = cn_migrate_text(parser, arena, text, CN_STR(""), false, NULL,
                                 options, &result, &note);

    if (status == 0)
        text = result.text;
    json_object_set_new(answer, "again",
                        status == 0 ? json_stringn(text.ptr, text.len)
                                    : json_string(note.message));
}

static void add_support(json_t *answer, struct cn_arena *arena,
                        const struct cn_map *names)
{
    struct cn_str *list = CN_NEW_ARRAY(arena, struct cn_str, names->len);

    for (uint32_t i = 0; i < names->len; i++)
        list[i] = names->entries[i].key;
    struct cn_str text = cn_support_text(arena, list, names->len);

    json_object_set_new(answer, "support", json_stringn(text.ptr, text.len));
}

static json_t *answer_of(const json_t *request, struct cn_parser *parser,
                         struct cn_arena *arena)
{
    struct cn_text_options options = options_of(request);
    const json_t *text = json_object_get(request, "text");
    struct cn_str in = {json_string_value(text), json_string_length(text)};
    struct cn_text_result result = {.text = in};
    struct cn_note note = {0};
    json_t *sites = json_array();
    int status = cn_migrate_text(parser, arena, in, CN_STR(""), false, NULL,
                                 &options, &result, &note);

    cn_vec_for (site, &result.sites)
        json_array_append_new(sites, site_json(site));
    json_t *answer = json_pack(
        "{s:i, s:s, s:s%, s:b, s:i, s:b, s:o}", "status", status, "note",
        note.message, "text", result.text.ptr, result.text.len, "changed",
        result.changed, "rounds", (int)result.rounds, "uses_asyncio",
        result.uses_asyncio_after, "sites", sites);
    if (status == 0)
        add_again(answer, parser, arena, result.text, &options);
    if (result.support.len)
        add_support(answer, arena, &result.support);
    return answer;
}

static json_t *rules_json(void)
{
    json_t *out = json_array();

    for (size_t f = 0; cn_family_at(f); f++)
        for (size_t i = 0; i < cn_family_at(f)->count; i++)
            json_array_append_new(
                out,
                json_pack("{s:s, s:s, s:s}", "family", cn_family_at(f)->name,
                          "code", cn_family_at(f)->rules[i].code, "rule",
                          cn_family_at(f)->rules[i].name));
    return out;
}

static json_t *answers_json(const json_t *requests)
{
    struct cn_parser *parser = cn_parser_open();
    json_t *out = json_array();
    const json_t *request;
    size_t i;

    json_array_foreach(requests, i, request)
    {
        struct cn_arena arena;

        cn_arena_init(&arena);
        json_array_append_new(out, answer_of(request, parser, &arena));
        cn_arena_done(&arena);
    }
    cn_parser_close(parser);
    return out;
}

int main(int argc, char **argv)
{
    json_error_t error;
    json_t *out;

    if (argc > 1 && strcmp(argv[1], "--rules") == 0) {
        out = rules_json();
    } else {
        json_t *requests = json_loadf(stdin, 0, &error);

        if (!json_is_array(requests)) {
            fprintf(stderr, "driver: %s\n", error.text);
            return 2;
        }
        out = answers_json(requests);
        json_decref(requests);
    }
    json_dumpf(out, stdout, JSON_COMPACT);
    json_decref(out);
    return ferror(stdout) ? 2 : 0;
}
