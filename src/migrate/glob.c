/* Patterns as .gitignore has them: one glob per line, `!` takes back, a slash
 * ties the pattern to the folder of the file, a slash at the end means folders
 * only. What it is not: it never looks at the disk. */
#include "migrate/project.h"

/* `[a-z]` or `[!a]` at *p; moves *p behind it. False when unclosed. */
static bool class_matches(const char **p, const char *end, char c, bool *hit)
{
    const char *at = *p + 1;
    bool negated = at < end && (*at == '!' || *at == '^');

    if (negated)
        at++;
    *hit = false;
    for (bool first = true; at < end && (first || *at != ']'); first = false) {
        if (*at == '\\' && at + 1 < end)
            at++;
        unsigned char low = (unsigned char)*at++, high = low;

        if (at + 1 < end && *at == '-' && at[1] != ']') {
            high = (unsigned char)at[1];
            at += 2;
        }
        if ((unsigned char)c >= low && (unsigned char)c <= high)
            *hit = true;
    }
    if (at >= end)
        return false;
    *p = at + 1;
    *hit = *hit != negated && c != '/';
    return true;
}

/* One character of the pattern other than `*` against one of the path. */
static bool one_matches(const char **p, const char *end, char c)
{
    bool hit;

    if (**p == '[' && class_matches(p, end, c, &hit))
        return hit;
    if (**p == '?') {
        (*p)++;
        return c != '/';
    }
    if (**p == '\\' && *p + 1 < end)
        (*p)++;
    return *(*p)++ == c;
}

/* Where to go on when the pattern does not fit: the last star of each kind.
 * A `**` may swallow slashes, a `*` may not. */
struct star {
    const char *p, *s;
};

static bool back_up(struct star *single, struct star *twin, const char **p,
                    const char **s, const char *s_end)
{
    if (single->p && single->s < s_end && *single->s != '/') {
        *s = ++single->s;
        *p = single->p;
        return true;
    }
    if (twin->p && twin->s < s_end) {
        *s = ++twin->s;
        *p = twin->p;
        *single = (struct star){NULL, NULL};
        return true;
    }
    return false;
}

/* Read a star at *p: which kind, and how much of the path must follow. */
static void take_star(const char **p, const char *end, const char *start,
                      const char *s, struct star *single, struct star *twin)
{
    bool at_start = *p == start || (*p)[-1] == '/';

    if (at_start && *p + 1 < end && (*p)[1] == '*' &&
        (*p + 2 == end || (*p)[2] == '/')) {
        *p += 2;
        if (*p < end)
            (*p)++; /* the slash: `a/` + `**` + `/b` matches a/b as well */
        *twin = (struct star){*p, s};
        *single = (struct star){NULL, NULL};
        return;
    }
    while (*p < end && **p == '*')
        (*p)++;
    *single = (struct star){*p, s};
}

bool cn_glob_match(struct cn_str glob, struct cn_str path)
{
    const char *p = glob.ptr, *p_end = glob.ptr + glob.len;
    const char *s = path.ptr, *s_end = path.ptr + path.len;
    struct star single = {NULL, NULL}, twin = {NULL, NULL};

    for (;;) {
        if (p < p_end && *p == '*') {
            take_star(&p, p_end, glob.ptr, s, &single, &twin);
            continue;
        }
        if (s == s_end && p == p_end)
            return true;
        if (s < s_end && p < p_end && one_matches(&p, p_end, *s)) {
            s++;
            continue;
        }
        /* `**` followed by more must begin at the start of a name. */
        do {
            if (!back_up(&single, &twin, &p, &s, s_end))
                return false;
        } while (!single.p && twin.p && p < p_end && s > path.ptr &&
                 s[-1] != '/');
    }
}

/* --- lists of patterns ---------------------------------------------------- */

static struct cn_str without_trailing_space(struct cn_str line)
{
    if (cn_str_ends(line, CN_STR("\r")))
        line.len--;
    while (line.len && line.ptr[line.len - 1] == ' ' &&
           !(line.len > 1 && line.ptr[line.len - 2] == '\\'))
        line.len--;
    return line;
}

void cn_ignores_add_text(struct cn_arena *arena, struct cn_ignores *ignores,
                         struct cn_str text)
{
    struct cn_str line;

    if (cn_str_starts(text, CN_STR("\xef\xbb\xbf")))
        text = cn_str_sub(text, 3, text.len);
    while (cn_str_cut(&text, '\n', &line)) {
        line = without_trailing_space(line);
        if (line.len && line.ptr[0] != '#')
            cn_vec_push(arena, &ignores->patterns, line);
    }
}

static struct cn_str last_name(struct cn_str path)
{
    ptrdiff_t slash = cn_str_rfind(path, CN_STR("/"));

    return cn_str_sub(path, (size_t)(slash + 1), path.len);
}

/* `below` is the path relative to the list's folder. */
static bool pattern_matches(struct cn_str pattern, struct cn_str below,
                            bool is_folder)
{
    if (cn_str_ends(pattern, CN_STR("/"))) {
        if (!is_folder)
            return false;
        pattern.len--;
    }
    if (cn_str_find(pattern, CN_STR("/")) < 0)
        return cn_glob_match(pattern, last_name(below));
    if (cn_str_starts(pattern, CN_STR("/")))
        pattern = cn_str_sub(pattern, 1, pattern.len);
    return cn_glob_match(pattern, below);
}

/* 1: ignored, -1: taken back, 0: nothing said here. */
static int verdict_of(const struct cn_ignores *ignores, struct cn_str below,
                      bool is_folder)
{
    for (size_t i = ignores->patterns.len; i-- > 0;) {
        struct cn_str pattern = ignores->patterns.at[i];
        bool negated = cn_str_starts(pattern, CN_STR("!"));

        if (negated || cn_str_starts(pattern, CN_STR("\\!")) ||
            cn_str_starts(pattern, CN_STR("\\#")))
            pattern = cn_str_sub(pattern, 1, pattern.len);
        if (pattern_matches(pattern, below, is_folder))
            return negated ? -1 : 1;
    }
    return 0;
}

bool cn_ignored(const struct cn_ignores *ignores, struct cn_str path,
                bool is_folder)
{
    for (; ignores; ignores = ignores->outer) {
        size_t base = cn_str_is(ignores->base, "/") ? 0 : ignores->base.len;

        if (!cn_str_starts(path, cn_str_sub(ignores->base, 0, base)) ||
            path.len <= base || path.ptr[base] != '/')
            continue;
        struct cn_str below = cn_str_sub(path, base + 1, path.len);
        int verdict = verdict_of(ignores, below, is_folder);

        if (verdict)
            return verdict > 0;
    }
    return false;
}
