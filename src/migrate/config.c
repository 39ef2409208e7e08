/* Configuration: [tool.canyon] of pyproject.toml, the lowest Python that the
 * project supports, and --config KEY=VALUE. One table says which keys exist;
 * nothing is guessed: an unknown key or a wrong type is an error with a line.
 */
#include "migrate/project.h"

#include <stdio.h>
#include <stdlib.h>

#include "migrate/suggest.h"

/* --- versions -------------------------------------------------------------- */

/* "3.10.4" -> 310, moving *s behind it; 0 when it is no version. */
static int take_version(struct cn_str *s)
{
    int numbers[2] = {0, 0};
    size_t i = 0;

    for (int n = 0; n < 2; n++) {
        size_t start = i;

        while (i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9' &&
               i - start < 4)
            numbers[n] = numbers[n] * 10 + (s->ptr[i++] - '0');
        if (i == start)
            break;
        if (n == 0 && (i >= s->len || s->ptr[i++] != '.'))
            break;
    }
    while (i < s->len && !strchr(" ,|", s->ptr[i]))
        i++;
    *s = cn_str_sub(*s, i, s->len);
    return numbers[0] ? numbers[0] * 100 + numbers[1] : 0;
}

/* One clause of a specifier (">=3.9"); 0 when it sets no floor. */
static int clause_floor(struct cn_str *s)
{
    static const char *const lower[] = {
        "===", "==", "~=", ">=", ">", "^", "~", ""};

    for (size_t i = 0; i < CN_COUNT(lower); i++) {
        if (!cn_str_starts(*s, cn_str_from(lower[i])))
            continue;
        *s = cn_str_trim(cn_str_sub(*s, strlen(lower[i]), s->len));
        break;
    }
    if (cn_str_starts(*s, CN_STR("<")) || cn_str_starts(*s, CN_STR("!"))) {
        size_t i = 0;

        while (i < s->len && strchr("<!= ", s->ptr[i]))
            i++;
        *s = cn_str_sub(*s, i, s->len);
        take_version(s);
        return 0;
    }
    return take_version(s);
}

static int alternative_floor(struct cn_str s)
{
    int floor = 0;

    while ((s = cn_str_trim(s)).len) {
        size_t before = s.len;
        int one = clause_floor(&s);

        if (one > floor)
            floor = one;
        while (s.len && strchr(" ,", s.ptr[0]))
            s = cn_str_sub(s, 1, s.len);
        if (s.len == before)
            break;
    }
    return floor;
}

int cn_python_floor(struct cn_str specifier)
{
    struct cn_str one;
    int floor = 0;

    while (cn_str_cut(&specifier, '|', &one)) {
        int here = alternative_floor(one);

        if (here && (!floor || here < floor))
            floor = here;
    }
    return floor;
}

/* --- the keys -------------------------------------------------------------- */

enum key_type { TYPE_ANYIO, TYPE_PYTHON, TYPE_STYLE, TYPE_BOOL, TYPE_LIST };

struct key {
    const char *name;
    enum key_type type;
    size_t offset; /* of the member in struct cn_config */
};

static const struct key keys[] = {
    {"target-anyio", TYPE_ANYIO, offsetof(struct cn_config, anyio)},
    {"target-python", TYPE_PYTHON, offsetof(struct cn_config, python)},
    {"style", TYPE_STYLE, offsetof(struct cn_config, idiomatic)},
    {"fix-blocking", TYPE_BOOL, offsetof(struct cn_config, fix_blocking)},
    {"safe-only", TYPE_BOOL, offsetof(struct cn_config, safe_only)},
    {"no-gitignore", TYPE_BOOL, offsetof(struct cn_config, no_gitignore)},
    {"select", TYPE_LIST, offsetof(struct cn_config, select)},
    {"ignore", TYPE_LIST, offsetof(struct cn_config, ignore)},
    {"exclude", TYPE_LIST, offsetof(struct cn_config, exclude)},
    {"keep-asyncio", TYPE_LIST, offsetof(struct cn_config, keep_asyncio)},
};

/* Keys that the manual promises and that nothing reads yet. */
static const char *const later[] = {"extend-safe", "extend-unsafe", "verify",
                                    "plan"};

static const struct key *find_key(struct cn_str name)
{
    for (size_t i = 0; i < CN_COUNT(keys); i++)
        if (cn_str_is(name, keys[i].name))
            return &keys[i];
    return NULL;
}

static int set_anyio(int *out, struct cn_str s, struct cn_note *note)
{
    static const struct {
        const char *text;
        int value;
    } targets[] = {{"4.0", 400}, {"4.14", 414}, {"4.15", 415}};
    struct cn_str rest = s;
    int version = take_version(&rest);

    if (rest.len || version / 100 != 4)
        return cn_note_set(note, CN_ECONFIG,
                           "'%.*s' is no AnyIO that canyon can write for; "
                           "choose 4.0, 4.14 or 4.15",
                           CN_STR_ARG(s));
    /* 4.12 is served by what 4.0 has: the highest profile not above it. */
    for (size_t i = 0; i < CN_COUNT(targets); i++)
        if (version >= targets[i].value)
            *out = targets[i].value;
    return 0;
}

static int set_python(int *out, struct cn_str s, struct cn_note *note)
{
    struct cn_str rest = s;
    int version = cn_str_starts(s, CN_STR("py")) ? 0 : take_version(&rest);

    /* "py310", as black and ruff write it */
    if (s.len >= 4 && s.len <= 5 && cn_str_starts(s, CN_STR("py3")))
        version = 300 + atoi(s.ptr + 3);
    if (version < 306 || version >= 400)
        return cn_note_set(note, CN_ECONFIG,
                           "'%.*s' is no Python 3 version; write it like 3.10",
                           CN_STR_ARG(s));
    *out = version;
    return 0;
}

static int set_style(bool *idiomatic, struct cn_str s, struct cn_note *note)
{
    if (!cn_str_is(s, "faithful") && !cn_str_is(s, "idiomatic"))
        return cn_note_set(note, CN_ECONFIG,
                           "'%.*s' is no style; choose faithful or idiomatic",
                           CN_STR_ARG(s));
    *idiomatic = cn_str_is(s, "idiomatic");
    return 0;
}

static int wrong_type(const struct key *key, struct cn_note *note)
{
    static const char *const wanted[] = {
        [TYPE_ANYIO] = "a version in quotes",
        [TYPE_PYTHON] = "a version in quotes",
        [TYPE_STYLE] = "a word in quotes",
        [TYPE_BOOL] = "true or false",
        [TYPE_LIST] = "a list of strings",
    };

    return cn_note_set(note, CN_ECONFIG, "'%s' must be %s", key->name,
                       wanted[key->type]);
}

static int set_list(struct cn_strs *list, const struct cn_toml_pair *pair)
{
    if (pair->kind == CN_TOML_STRINGS)
        *list = pair->strs;
    return pair->kind == CN_TOML_STRINGS ? 0 : CN_ECONFIG;
}

static int set_value(struct cn_config *config, const struct key *key,
                     const struct cn_toml_pair *pair, struct cn_note *note)
{
    void *at = (char *)config + key->offset;
    bool word = pair->kind == CN_TOML_STRING;

    switch (key->type) {
    case TYPE_ANYIO:
    case TYPE_PYTHON:
        /* A bare 4.10 would be the number 4.1: quotes are needed there, and
         * the text is kept, so it is read right anyway. */
        if (!word && pair->kind != CN_TOML_NUMBER)
            return wrong_type(key, note);
        return key->type == TYPE_ANYIO ? set_anyio(at, pair->str, note)
                                       : set_python(at, pair->str, note);
    case TYPE_STYLE:
        return word ? set_style(at, pair->str, note) : wrong_type(key, note);
    case TYPE_BOOL:
        if (pair->kind != CN_TOML_BOOL)
            return wrong_type(key, note);
        *(bool *)at = pair->flag;
        return 0;
    case TYPE_LIST: return set_list(at, pair) ? wrong_type(key, note) : 0;
    }
    cn_unreachable();
}

static bool comes_later(struct cn_str name)
{
    for (size_t i = 0; i < CN_COUNT(later); i++) {
        struct cn_str key = cn_str_from(later[i]);

        if (cn_str_eq(name, key) ||
            (cn_str_starts(name, key) && name.ptr[key.len] == '.'))
            return true;
    }
    return false;
}

/* `pair` with its key cut to what stands behind "tool.canyon.". */
static int set_pair(struct cn_arena *arena, struct cn_config *config,
                    const struct cn_toml_pair *pair, struct cn_note *note)
{
    const struct key *key = find_key(pair->key);
    const char *names[CN_COUNT(keys)];

    if (key) {
        if (key->type == TYPE_PYTHON)
            config->python_from = "target-python";
        return set_value(config, key, pair, note);
    }
    if (comes_later(pair->key)) {
        cn_vec_push(arena, &config->warnings,
                    cn_str_fmt(arena,
                               "'%.*s' in the configuration has no effect yet",
                               CN_STR_ARG(pair->key)));
        return 0;
    }
    for (size_t i = 0; i < CN_COUNT(keys); i++)
        names[i] = keys[i].name;
    const char *near = cn_suggest(pair->key, names, CN_COUNT(keys));

    return cn_note_set(note, CN_ECONFIG, "unknown key '%.*s'%s%s%s",
                       CN_STR_ARG(pair->key), near ? "; did you mean '" : "",
                       near ? near : "", near ? "'?" : "");
}

/* --- files ----------------------------------------------------------------- */

/* Put "file:line: " before what the note says. */
static int locate(struct cn_note *note, const char *file, uint32_t line)
{
    if (!note)
        return CN_ECONFIG;
    struct cn_note inner = *note;

    if (!line)
        line = inner.line;
    cn_note_set(note, CN_ECONFIG, "%s:%u: %.180s", file, line, inner.message);
    note->line = line;
    return CN_ECONFIG;
}

static void take_requires_python(struct cn_config *config,
                                 const struct cn_toml_pair *pair)
{
    bool pep621 = cn_str_is(pair->key, "project.requires-python");
    bool poetry = cn_str_is(pair->key, "tool.poetry.dependencies.python");

    if ((!pep621 && !poetry) || pair->kind != CN_TOML_STRING)
        return;
    if (config->python_from && !pep621)
        return;
    int floor = cn_python_floor(pair->str);

    if (floor) {
        config->python = floor;
        config->python_from = pep621 ? "requires-python in pyproject.toml"
                                     : "the python of poetry in pyproject.toml";
    }
}

static int read_pyproject(struct cn_arena *arena, struct cn_str text,
                          const char *shown, struct cn_config *config,
                          struct cn_note *note)
{
    struct cn_toml toml = {0};
    struct cn_str own = CN_STR("tool.canyon.");

    if (cn_toml_read(arena, text, &toml, note))
        return locate(note, shown, 0);
    cn_vec_for (pair, &toml)
        take_requires_python(config, pair);
    cn_vec_for (pair, &toml) {
        struct cn_toml_pair mine = *pair;

        if (!cn_str_starts(pair->key, own))
            continue;
        mine.key = cn_str_sub(pair->key, own.len, pair->key.len);
        if (set_pair(arena, config, &mine, note))
            return locate(note, shown, pair->line);
    }
    return 0;
}

/* [options] python_requires = >=3.8 */
static void read_setup_cfg(struct cn_str text, struct cn_config *config)
{
    struct cn_str line, name, section = {"", 0};

    while (cn_str_cut(&text, '\n', &line)) {
        struct cn_str rest = line;

        if (cn_str_starts(line, CN_STR("[")))
            section = cn_str_trim(line);
        if (!cn_str_is(section, "[options]") || !cn_str_cut(&rest, '=', &name))
            continue;
        if (!cn_str_is(cn_str_trim(name), "python_requires") || !rest.ptr)
            continue;
        config->python = cn_python_floor(rest);
        config->python_from = "python_requires in setup.cfg";
    }
}

/* The text in the arena; empty when there is no such file. */
static int read_into(struct cn_arena *arena, const char *path,
                     struct cn_str *out, struct cn_note *note)
{
    struct cn_str text;
    int err = cn_read_file(path, &text);

    *out = (struct cn_str){"", 0};
    if (err == -ENOENT || err == -ENOTDIR)
        return 0;
    if (err)
        return cn_note_set(note, CN_ECONFIG, "cannot read %s: %s", path,
                           cn_strerror(err));
    *out = (struct cn_str){cn_str_dup(arena, text), text.len};
    free((char *)text.ptr);
    return 0;
}

int cn_config_read(struct cn_arena *arena, const char *root,
                   struct cn_config *config, struct cn_note *note)
{
    struct cn_config read = *config;
    struct cn_str path = cn_str_fmt(arena, "%s/pyproject.toml", root), text;
    int err = read_into(arena, path.ptr, &text, note);

    if (!err)
        err = read_pyproject(arena, text, path.ptr, &read, note);
    if (err)
        return err;
    path = cn_str_fmt(arena, "%s/setup.cfg", root);
    if (!read.python_from) {
        err = read_into(arena, path.ptr, &text, note);
        if (err)
            return err;
        read_setup_cfg(text, &read);
    }
    *config = read;
    return 0;
}

/* --- the command line ------------------------------------------------------ */

static int usage(struct cn_note *note, int err)
{
    if (err && note)
        note->code = CN_EUSAGE;
    return err ? CN_EUSAGE : 0;
}

int cn_config_set(struct cn_arena *arena, struct cn_config *config,
                  struct cn_str key_value, struct cn_note *note)
{
    struct cn_str rest = key_value, key;
    struct cn_toml toml = {0};

    if (!cn_str_cut(&rest, '=', &key) || !rest.ptr)
        return cn_note_set(note, CN_EUSAGE,
                           "--config takes KEY=VALUE, not '%.*s'",
                           CN_STR_ARG(key_value));
    key = cn_str_trim(key);
    rest = cn_str_trim(rest);
    struct cn_str doc =
        cn_str_fmt(arena, "%.*s = %.*s\n", CN_STR_ARG(key), CN_STR_ARG(rest));

    if (cn_toml_read(arena, doc, &toml, NULL) || toml.len != 1) {
        struct cn_toml_pair pair = {
            .key = key, .kind = CN_TOML_STRING, .str = rest};

        return usage(note, set_pair(arena, config, &pair, note));
    }
    return usage(note, set_pair(arena, config, &toml.at[0], note));
}

int cn_config_set_text(struct cn_arena *arena, struct cn_config *config,
                       const char *key, struct cn_str value,
                       struct cn_note *note)
{
    const struct key *found = find_key(cn_str_from(key));
    struct cn_toml_pair pair = {
        .key = cn_str_from(key), .kind = CN_TOML_STRING, .str = value};
    struct cn_str word;

    cn_assert(found);
    if (found->type == TYPE_BOOL) {
        pair.kind = CN_TOML_BOOL;
        pair.flag = cn_str_is(value, "true");
    } else if (found->type == TYPE_LIST) {
        pair.kind = CN_TOML_STRINGS;
        while (cn_str_cut(&value, ',', &word))
            if ((word = cn_str_trim(word)).len)
                cn_vec_push(arena, &pair.strs, word);
    }
    return usage(note, set_pair(arena, config, &pair, note));
}

struct cn_target cn_config_target(const struct cn_config *config)
{
    int by_python = config->python && config->python < 310 ? 400 : 414;

    return (struct cn_target){
        .anyio = config->anyio ? config->anyio : by_python,
        .python = config->python,
        .idiomatic = config->idiomatic,
        .fix_blocking = config->fix_blocking,
    };
}
