/* What all report formats share: the table of formats, names of classes and
 * states, the wording of a finding, and text made fit to print. */
#include "migrate/report.h"

#include <stdio.h>

static const struct cn_report_format formats[] = {
    {"text", "findings with code frames, for people", cn_report_text},
    {"concise", "one line for each finding", cn_report_concise},
    {"json", "everything, for programs", cn_report_json},
    {"sarif", "SARIF 2.1.0, for code scanning", cn_report_sarif},
    {"github", "annotations for GitHub Actions", cn_report_github},
};

const struct cn_report_format *cn_report_format_at(size_t i)
{
    return i < CN_COUNT(formats) ? &formats[i] : NULL;
}

const struct cn_report_format *cn_report_format_find(struct cn_str name)
{
    for (size_t i = 0; i < CN_COUNT(formats); i++)
        if (cn_str_is(name, formats[i].name))
            return &formats[i];
    return NULL;
}

const char *cn_class_name(enum cn_class class_)
{
    static const char *const names[] = {"safe", "unsafe", "manual", "wrong"};

    return names[class_];
}

const char *cn_class_mark(enum cn_class class_)
{
    static const char *const marks[] = {"[*]", "[!]", "[-]", "[x]"};

    return marks[class_];
}

const char *cn_state_name(enum cn_site_state state)
{
    static const char *const names[] = {"fixed", "left", "suppressed",
                                        "deselected"};

    return names[state];
}

bool cn_site_remains(const struct cn_report *report, const struct cn_site *site)
{
    if (site->state == CN_SITE_LEFT)
        return true;
    if (site->state == CN_SITE_DESELECTED)
        return report->safe_only && site->class_ != CN_CLASS_SAFE;
    return site->state == CN_SITE_FIXED && report->act == CN_ACT_SCAN;
}

bool cn_site_shown(const struct cn_report *report, const struct cn_site *site)
{
    return report->verbose || cn_site_remains(report, site);
}

struct cn_str cn_site_message(struct cn_arena *arena,
                              const struct cn_site *site)
{
    const char *reason = site->reason;

    switch (site->class_) {
    case CN_CLASS_SAFE: return cn_str_fmt(arena, "%s", site->rule->summary);
    case CN_CLASS_UNSAFE:
        return cn_str_fmt(arena, "%s (unsafe: %s)", site->rule->summary,
                          reason ? reason : "look at it before you keep it");
    case CN_CLASS_WRONG:
        return cn_str_fmt(arena, "broken already: %s",
                          reason ? reason : site->rule->summary);
    case CN_CLASS_MANUAL: break;
    }
    if (!site->name.len)
        return cn_str_fmt(arena, "%s", reason ? reason : site->rule->summary);
    return cn_str_fmt(arena, "`%.*s` is left: %s", CN_STR_ARG(site->name),
                      reason ? reason : "no rule can do this yet");
}

/* Length of the UTF-8 sequence at s.ptr[i], or 0 when it is none. */
static size_t sequence(struct cn_str s, size_t i)
{
    unsigned char c = (unsigned char)s.ptr[i];
    size_t n = c < 0x80                ? 1
               : c >= 0xc2 && c < 0xe0 ? 2
               : (c & 0xf0) == 0xe0    ? 3
               : c >= 0xf0 && c < 0xf5 ? 4
                                       : 0;

    if (!n || i + n > s.len)
        return 0;
    for (size_t k = 1; k < n; k++)
        if (((unsigned char)s.ptr[i + k] & 0xc0) != 0x80)
            return 0;
    unsigned char next = n > 1 ? (unsigned char)s.ptr[i + 1] : 0;
    bool bad = (c == 0xe0 && next < 0xa0) || (c == 0xed && next > 0x9f) ||
               (c == 0xf0 && next < 0x90) || (c == 0xf4 && next > 0x8f);

    return bad ? 0 : n;
}

struct cn_str cn_utf8(struct cn_arena *arena, struct cn_str text)
{
    char *out = cn_arena_alloc(arena, text.len * 3 + 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len;) {
        size_t n = sequence(text, i);

        memcpy(out + len, n ? text.ptr + i : "\xef\xbf\xbd", n ? n : 3);
        len += n ? n : 3;
        i += n ? n : 1;
    }
    out[len] = '\0';
    return (struct cn_str){out, len};
}

const char *cn_count_text(struct cn_arena *arena, size_t n)
{
    struct cn_str digits = cn_str_fmt(arena, "%zu", n);
    char *out = cn_arena_alloc(arena, digits.len * 2);
    size_t len = 0;

    for (size_t i = 0; i < digits.len; i++) {
        if (i && (digits.len - i) % 3 == 0)
            out[len++] = ',';
        out[len++] = digits.ptr[i];
    }
    out[len] = '\0';
    return out;
}

const char *cn_plural(size_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}
