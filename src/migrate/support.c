/* The support module: put together from the parts in support/, which travel
 * inside the binary (support/README.md says what a part is). The text depends
 * only on the set of names, not on their order. Invariant: a part stands
 * behind all parts that it needs. */
#include <stdlib.h>

#include "migrate/engine.h"

struct part {
    struct cn_str name, names, needs, imports, code;
    bool chosen;
};

struct parts {
    struct part *at;
    size_t len, cap;
};

static const char head[] = "# canyon: support-module\n"
                           "# names: ";

/* The rest of the line that starts with `key`, and the text behind it. */
static struct cn_str header_line(struct cn_str *text, const char *key)
{
    struct cn_str line;
    size_t len = strlen(key);

    cn_assert(cn_str_cut(text, '\n', &line));
    cn_assert(cn_str_starts(line, cn_str_from(key)));
    return cn_str_trim(cn_str_sub(line, len, line.len));
}

/* All parts, in the order in which they may stand. */
static struct parts read_parts(struct cn_arena *arena)
{
    struct parts parts = {0};

    for (size_t i = 0; i < cn_support_part_count; i++) {
        struct cn_str text = {cn_support_parts[i].text,
                              cn_support_parts[i].len};
        struct part p = {.chosen = false};

        p.name = header_line(&text, "# part:");
        p.names = header_line(&text, "# names:");
        p.needs = header_line(&text, "# needs:");
        p.imports = header_line(&text, "# imports:");
        p.code = cn_str_trim(text);
        cn_vec_push(arena, &parts, p);
    }
    return parts;
}

/* Is `word` one of the words of a list "a, b, c"? */
static bool lists(struct cn_str list, struct cn_str word)
{
    struct cn_str one;

    while (cn_str_cut(&list, ',', &one))
        if (cn_str_eq(cn_str_trim(one), word))
            return true;
    return false;
}

bool cn_support_has(struct cn_str name)
{
    for (size_t i = 0; i < cn_support_part_count; i++) {
        struct cn_str text = {cn_support_parts[i].text,
                              cn_support_parts[i].len};

        header_line(&text, "# part:");
        if (lists(header_line(&text, "# names:"), name))
            return true;
    }
    return false;
}

static void choose(struct parts *parts, const struct cn_str *names,
                   size_t count)
{
    for (size_t i = parts->len; i-- > 0;) {
        struct part *p = &parts->at[i];

        for (size_t n = 0; n < count; n++)
            p->chosen |= lists(p->names, names[n]);
        for (size_t k = 0; p->chosen && k < i; k++)
            parts->at[k].chosen |= lists(p->needs, parts->at[k].name);
    }
}

void cn_support_note(struct cn_arena *a, struct cn_map *names,
                     const struct cn_fix *fix)
{
    cn_vec_for (name, &fix->support)
        cn_map_put(a, names, cn_str_from(cn_str_dup(a, *name)), NULL);
}

/* --- imports --------------------------------------------------------------- */

static int str_order(const void *left, const void *right)
{
    return cn_str_cmp(*(const struct cn_str *)left,
                      *(const struct cn_str *)right);
}

struct strs {
    struct cn_str *at;
    size_t len, cap;
};

static void add_once(struct cn_arena *arena, struct strs *set, struct cn_str s)
{
    cn_vec_for (it, set)
        if (cn_str_eq(*it, s))
            return;
    cn_vec_push(arena, set, s);
}

static void sort(struct strs *set)
{
    if (set->len)
        qsort(set->at, set->len, sizeof *set->at, str_order);
}

/* The import statements of the chosen parts, each once. */
static struct strs import_lines(struct cn_arena *arena,
                                const struct parts *parts)
{
    struct strs lines = {0};

    cn_vec_for (p, parts) {
        struct cn_str rest = p->imports, line;

        while (p->chosen && cn_str_cut(&rest, ';', &line))
            if (cn_str_trim(line).len)
                add_once(arena, &lines, cn_str_trim(line));
    }
    sort(&lines);
    return lines;
}

/* `from m import a, b`: the module; empty for `import m`. */
static struct cn_str from_module(struct cn_str line)
{
    ptrdiff_t end = cn_str_find(line, CN_STR(" import "));

    if (!cn_str_starts(line, CN_STR("from ")))
        return (struct cn_str){"", 0};
    return cn_str_sub(line, 5, (size_t)end);
}

static void add_from(struct cn_arena *arena, struct cn_buf *out,
                     const struct strs *lines, struct cn_str module)
{
    struct strs names = {0};

    cn_vec_for (line, lines) {
        if (!cn_str_eq(from_module(*line), module))
            continue;
        struct cn_str one,
            rest = cn_str_sub(*line, 5 + module.len + 8, line->len);

        while (cn_str_cut(&rest, ',', &one))
            add_once(arena, &names, cn_str_trim(one));
    }
    sort(&names);
    cn_buf_fmt(out, "from %.*s import ", CN_STR_ARG(module));
    for (size_t i = 0; i < names.len; i++)
        cn_buf_fmt(out, "%s%.*s", i ? ", " : "", CN_STR_ARG(names.at[i]));
    cn_buf_add_char(out, '\n');
}

static bool is_anyio(struct cn_str line)
{
    return cn_str_find(line, CN_STR("anyio")) >= 0;
}

/* One section of imports: plain ones first, then `from` lines by module. */
static void add_imports(struct cn_arena *arena, struct cn_buf *out,
                        const struct strs *lines, bool anyio)
{
    struct strs modules = {0};

    cn_vec_for (line, lines) {
        if (is_anyio(*line) != anyio)
            continue;
        if (from_module(*line).len)
            add_once(arena, &modules, from_module(*line));
        else
            cn_buf_fmt(out, "%.*s\n", CN_STR_ARG(*line));
    }
    cn_vec_for (module, &modules)
        add_from(arena, out, lines, *module);
}

/* --- the text -------------------------------------------------------------- */

static void add_head(struct cn_buf *out, const struct strs *names)
{
    cn_buf_add_z(out, head);
    for (size_t i = 0; i < names->len; i++)
        cn_buf_fmt(out, "%s%.*s", i ? ", " : "", CN_STR_ARG(names->at[i]));
    cn_buf_add_z(
        out,
        "\n"
        "\"\"\"What plain AnyIO has no word for, on asyncio and trio alike.\n"
        "\n"
        "Written by `canyon migrate`, which writes it again when more is "
        "needed.\n"
        "The names are asyncio's and mean the same. Needs nothing but AnyIO.\n"
        "\"\"\"\n"
        "\n"
        "from __future__ import annotations\n"
        "\n");
}

struct cn_str cn_support_text(struct cn_arena *arena,
                              const struct cn_str *names, size_t count)
{
    struct parts parts = read_parts(arena);
    struct strs wanted = {0};
    struct cn_buf out;

    for (size_t i = 0; i < count; i++)
        add_once(arena, &wanted, names[i]);
    sort(&wanted);
    choose(&parts, names, count);
    struct strs lines = import_lines(arena, &parts);

    cn_buf_init(&out, CN_MIB);
    add_head(&out, &wanted);
    add_imports(arena, &out, &lines, false);
    cn_buf_add_char(&out, '\n');
    add_imports(arena, &out, &lines, true);
    cn_vec_for (p, &parts)
        if (p->chosen)
            cn_buf_fmt(&out, "%s%.*s\n",
                       cn_str_starts(p->code, CN_STR("_")) ? "\n" : "\n\n",
                       CN_STR_ARG(p->code));
    cn_assert(!out.err);
    struct cn_str text = {cn_str_dup(arena, cn_buf_str(&out)), out.len};

    cn_buf_done(&out);
    return text;
}

bool cn_support_read(struct cn_arena *arena, struct cn_str text,
                     struct cn_str **names, size_t *count)
{
    struct cn_str list, one, h = {head, sizeof(head) - 1};
    struct strs found = {0};

    if (!cn_str_starts(text, h))
        return false;
    text = cn_str_sub(text, h.len, text.len);
    cn_str_cut(&text, '\n', &list);
    while (cn_str_cut(&list, ',', &one))
        if (cn_support_has(cn_str_trim(one)))
            add_once(arena, &found, cn_str_trim(one));
    *names = found.at;
    *count = found.len;
    return true;
}
