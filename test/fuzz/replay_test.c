/* The fuzz targets without a fuzzer: every seed, and a fixed row of mutated
 * seeds, the same in each run. Each input runs in this process; what stops it
 * leaves the input in `last-input`. `replay_test diff` runs one target, and
 * `replay_test --seeds DIR` writes the seeds for libFuzzer instead. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/targets.h"
#include "migrate/rule.h"
#include "test.h"

enum { MUTATIONS = 2000, LIMIT_S = 10, MAX_SIZE = 16384 };

struct seeds {
    struct cn_str *at;
    size_t len, cap;
};

static struct cn_arena arena;

/* --- seeds ----------------------------------------------------------------- */

static struct cn_str read_file(const char *path)
{
    int fd = open(path, O_RDONLY);
    struct stat st;

    cn_assert(fd >= 0 && fstat(fd, &st) == 0);
    char *bytes = cn_arena_alloc(&arena, (size_t)st.st_size + 1);
    ssize_t got = read(fd, bytes, (size_t)st.st_size);

    close(fd);
    cn_assert(got == st.st_size);
    return (struct cn_str){bytes, (size_t)got};
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void seeds_from_files(const char *ending, struct seeds *out)
{
    const char *top = getenv("CANYON_TOP");
    const char *folder =
        cn_str_fmt(&arena, "%s/test/fuzz/seeds", top ? top : ".").ptr;
    struct dirent **names;
    int count = scandir(folder, &names, NULL, by_name);

    cn_assert(count > 0);
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;

        if (cn_str_ends(cn_str_from(name), cn_str_from(ending)))
            cn_vec_push(
                &arena, out,
                read_file(cn_str_fmt(&arena, "%s/%s", folder, name).ptr));
        free(names[i]);
    }
    free(names);
}

/* The examples of the rule pages are seeds, too. */
static void seeds_from_page(struct cn_str text, struct seeds *out)
{
    struct cn_str line, block = {0};
    bool open = false;

    while (cn_str_cut(&text, '\n', &line)) {
        if (!cn_str_starts(line, CN_STR("```"))) {
            if (open)
                block.len = (size_t)(line.ptr + line.len + 1 - block.ptr);
        } else if (open) {
            cn_vec_push(&arena, out, block);
            open = false;
        } else if (cn_str_starts(line, CN_STR("```py"))) {
            block = (struct cn_str){text.ptr, 0};
            open = true;
        }
    }
}

static struct seeds seeds_of(const struct cn_fuzz_target *target)
{
    struct seeds seeds = {0};

    seeds_from_files(target->seeds, &seeds);
    if (strcmp(target->seeds, ".py") == 0)
        for (size_t i = 0; i < cn_page_count; i++)
            seeds_from_page((struct cn_str){cn_pages[i].text, cn_pages[i].len},
                            &seeds);
    return seeds;
}

/* --- mutations --------------------------------------------------------------
 */

static uint32_t state;

static uint32_t chance(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return below ? state % below : 0;
}

static const char *const tokens[] = {
    "await ",
    "async ",
    "asyncio",
    "asyncio.",
    "anyio",
    "import ",
    "from ",
    "(",
    ")",
    "[",
    "]",
    ":",
    ",",
    ".",
    "*",
    "**",
    "=",
    "\n",
    "\n    ",
    "\r\n",
    "\t",
    "\\\n",
    "\f",
    ";",
    "#",
    "\"\"\"",
    "'",
    "f'{",
    "}",
    "lambda: ",
    "yield ",
    "return ",
    "with ",
    "try:",
    "finally:",
    "except ",
    "if ",
    "else ",
    "while ",
    "for ",
    "in ",
    "def ",
    "class ",
    "None",
    "0",
    "-1",
    "1.5",
    "_",
    "\xc3\xa4",
    "\xff",
    "\xef\xbb\xbf",
    "# canyon: ignore[CN101]",
    "asyncio.sleep(",
    "asyncio.wait_for(",
    "asyncio.CancelledError",
    "asyncio.run(main())",
    "asyncio.timeout(1)",
    "asyncio.to_thread(f)",
};

static void put(struct cn_buf *b, size_t at, size_t drop, struct cn_str in)
{
    struct cn_buf out;

    cn_buf_init(&out, 1 << 20);
    cn_buf_add(&out, b->ptr, at);
    cn_buf_add_str(&out, in);
    cn_buf_add(&out, b->ptr + at + drop, b->len - at - drop);
    cn_buf_done(b);
    *b = out;
}

static void mutate_once(struct cn_buf *b, const struct seeds *seeds)
{
    size_t at = chance((uint32_t)b->len + 1);
    size_t drop = chance(4) ? chance(12) : chance(300);
    struct cn_str other = seeds->at[chance((uint32_t)seeds->len)];
    size_t from = chance((uint32_t)other.len + 1);

    if (drop > b->len - at)
        drop = b->len - at;
    switch (chance(6)) {
    case 0: put(b, at, drop, CN_STR("")); break;
    case 1: put(b, at, 0, cn_str_from(tokens[chance(CN_COUNT(tokens))])); break;
    case 2:
        put(b, at, drop, cn_str_from(tokens[chance(CN_COUNT(tokens))]));
        break;
    case 3: put(b, at, 0, cn_str_sub(other, from, from + chance(200))); break;
    case 4: put(b, at, drop, cn_str_sub(other, from, from + drop)); break;
    case 5: {
        char byte = (char)chance(256);

        put(b, at, b->len > at, (struct cn_str){&byte, 1});
        break;
    }
    }
}

static void mutate(struct cn_buf *b, const struct seeds *seeds)
{
    cn_buf_add_str(b, seeds->at[chance((uint32_t)seeds->len)]);
    for (uint32_t i = chance(6) + 1; i > 0 && b->len < MAX_SIZE; i--)
        mutate_once(b, seeds);
}

/* --- running ---------------------------------------------------------------- */

static void keep_last(struct cn_str data)
{
    int fd = open("last-input", O_WRONLY | O_CREAT | O_TRUNC, 0644);

    cn_assert(fd >= 0 && write(fd, data.ptr, data.len) == (ssize_t)data.len);
    close(fd);
}

static void run(const struct cn_fuzz_target *target, struct cn_str data)
{
    /* A copy of its own size: reads past the end are seen. */
    char *copy = malloc(data.len ? data.len : 1);

    memcpy(copy, data.ptr, data.len);
    keep_last(data);
    alarm(LIMIT_S);
    target->run((struct cn_str){copy, data.len});
    alarm(0);
    free(copy);
}

static void replay(void **unused)
{
    const struct cn_fuzz_target *target = *unused;
    struct seeds seeds = seeds_of(target);

    cn_vec_for (s, &seeds)
        run(target, *s);
    state = 20261120;
    for (int i = 0; i < MUTATIONS; i++) {
        struct cn_buf b;

        cn_buf_init(&b, 1 << 20);
        mutate(&b, &seeds);
        run(target, cn_buf_str(&b));
        cn_buf_done(&b);
    }
    run(target, CN_STR(""));
    unlink("last-input");
}

static void write_seeds(const char *folder)
{
    for (size_t t = 0; t < cn_fuzz_target_count; t++) {
        struct seeds seeds = seeds_of(&cn_fuzz_targets[t]);
        const char *name = cn_fuzz_targets[t].name;

        mkdir(cn_str_fmt(&arena, "%s/%s", folder, name).ptr, 0755);
        for (size_t i = 0; i < seeds.len; i++) {
            const char *path =
                cn_str_fmt(&arena, "%s/%s/seed-%zu", folder, name, i).ptr;
            FILE *f = fopen(path, "wb");

            cn_assert(f);
            fwrite(seeds.at[i].ptr, 1, seeds.at[i].len, f);
            fclose(f);
        }
    }
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[8] = {0};

    cn_arena_init(&arena);
    if (argc == 2)
        cmocka_set_test_filter(argv[1]);
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
        write_seeds(argv[2]);
    } else {
        cn_assert(cn_fuzz_target_count <= CN_COUNT(tests));
        for (size_t i = 0; i < cn_fuzz_target_count; i++)
            tests[i] = (struct CMUnitTest){
                .name = cn_fuzz_targets[i].name,
                .test_func = replay,
                .initial_state = (void *)(uintptr_t)&cn_fuzz_targets[i],
            };
        int failed = _cmocka_run_group_tests("fuzz targets", tests,
                                             cn_fuzz_target_count, NULL, NULL);

        cn_arena_done(&arena);
        return failed;
    }
    cn_arena_done(&arena);
    return 0;
}
