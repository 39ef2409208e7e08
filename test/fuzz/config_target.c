/* Any bytes as TOML, as one --config value, as a version specifier and as
 * patterns. What must hold: no crash, no hang; a refusal has a message. */
#include "fuzz/targets.h"
#include "migrate/project.h"

static void fuzz_patterns(struct cn_arena *arena, struct cn_str data)
{
    struct cn_ignores ignores = {.base = CN_STR("/base")};
    struct cn_str rest = data, first = {0};

    cn_ignores_add_text(arena, &ignores, data);
    cn_ignored(&ignores, CN_STR("/base/src/app/main.py"), false);
    cn_ignored(&ignores, CN_STR("/base/src"), true);
    if (cn_str_cut(&rest, '\n', &first))
        cn_glob_match(first, cn_str_sub(rest, 0, 200));
}

void cn_fuzz_config(struct cn_str data)
{
    struct cn_toml toml = {0};
    struct cn_config config = {0};
    struct cn_note note = {0};
    struct cn_arena arena;

    cn_arena_init(&arena);
    if (cn_toml_read(&arena, data, &toml, &note) != 0)
        cn_assert(note.code == CN_ECONFIG && note.message[0]);
    for (size_t i = 0; i < toml.len; i++)
        cn_assert(toml.at[i].line > 0);
    note = (struct cn_note){0};
    if (cn_config_set(&arena, &config, cn_str_sub(data, 0, 500), &note) != 0)
        cn_assert(note.message[0]);
    int floor = cn_python_floor(cn_str_sub(data, 0, 100));

    cn_assert(floor >= 0);
    fuzz_patterns(&arena, cn_str_sub(data, 0, 2000));
    cn_arena_done(&arena);
}
