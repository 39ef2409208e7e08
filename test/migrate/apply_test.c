/* Changes: all or none, whatever goes wrong; and back again. Real files in the
 * scratch folder that the test runner gives. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/migrate.h"

struct bench {
    struct cn_arena arena;
    char root[64];
    struct cn_change changes[3];
    struct cn_act act;
    struct cn_note note;
};

static const char *path_of(struct bench *b, const char *name)
{
    return cn_str_fmt(&b->arena, "%s/%s", b->root, name).ptr;
}

static void put(struct bench *b, const char *name, const char *text)
{
    FILE *f = fopen(path_of(b, name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void assert_holds(struct bench *b, const char *name, const char *text)
{
    struct cn_str got;

    assert_int_equal(cn_read_file(path_of(b, name), &got), 0);
    assert_string_equal(got.ptr, text);
    free((char *)got.ptr);
}

/* Three files a, b, c, to be changed from "old a\n" to "new a\n". */
static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    static const char *const names[] = {"a", "b", "c"};

    cn_arena_init(&b->arena);
    strcpy(b->root, "apply-XXXXXX");
    assert_non_null(mkdtemp(b->root));
    for (int i = 0; i < 3; i++) {
        put(b, names[i], cn_str_fmt(&b->arena, "old %s\n", names[i]).ptr);
        b->changes[i] = (struct cn_change){
            .path = path_of(b, names[i]),
            .shown = cn_str_from(names[i]),
            .before = cn_str_fmt(&b->arena, "old %s\n", names[i]),
            .after = cn_str_fmt(&b->arena, "new %s\n", names[i]),
        };
    }
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    cn_arena_done(&b->arena);
    free(b);
    return 0;
}

static int apply(struct bench *b)
{
    b->act = (struct cn_act){.files = 0};
    return cn_apply(&b->arena, b->root, "test", b->changes, 3, &b->act,
                    &b->note);
}

static void assert_all(struct bench *b, const char *word)
{
    static const char *const names[] = {"a", "b", "c"};

    for (int i = 0; i < 3; i++)
        assert_holds(b, names[i],
                     cn_str_fmt(&b->arena, "%s %s\n", word, names[i]).ptr);
}

/* No temporary file may stay behind. */
static void assert_clean(struct bench *b)
{
    struct cn_str command =
        cn_str_fmt(&b->arena, "test -z \"$(ls -A %s | grep tmp)\"", b->root);

    assert_int_equal(system(command.ptr), 0);
}

static void applies_and_takes_back(void **state)
{
    struct bench *b = *state;
    struct cn_act undo = {.files = 0};

    assert_int_equal(apply(b), 0);
    assert_int_equal(b->act.files, 3);
    assert_all(b, "new");
    assert_clean(b);
    assert_int_equal(
        cn_undo(&b->arena, b->root, b->act.run.id, &undo, &b->note), 0);
    assert_all(b, "old");
    assert_clean(b);
}

static void refuses_when_one_changed(void **state)
{
    struct bench *b = *state;

    put(b, "b", "edited\n");
    assert_int_equal(apply(b), CN_ECHANGED);
    assert_int_equal(b->act.refused.len, 1);
    assert_non_null(strstr(b->act.refused.at[0].ptr, "b: changed since"));
    assert_holds(b, "a", "old a\n");
    assert_holds(b, "b", "edited\n");
    assert_holds(b, "c", "old c\n");
    put(b, "b", "old b\n");
    unlink(path_of(b, "c"));
    assert_int_equal(apply(b), CN_ECHANGED);
    assert_holds(b, "a", "old a\n");
}

/* A change between the check and the rename is seen as well, and what was
 * written by then goes back, with its time. */
static void rolls_back_from_the_middle(void **state)
{
    struct bench *b = *state;
    struct timespec times[2] = {{1000, 0}, {1234, 5678}};
    struct stat st;

    assert_int_equal(utimensat(AT_FDCWD, path_of(b, "a"), times, 0), 0);
    put(b, "c", "edited\n");
    assert_int_equal(cn_change_all(&b->arena, b->changes, 3, "t", &b->note),
                     CN_ECHANGED);
    assert_holds(b, "a", "old a\n");
    assert_holds(b, "b", "old b\n");
    assert_holds(b, "c", "edited\n");
    assert_int_equal(stat(path_of(b, "a"), &st), 0);
    assert_int_equal(st.st_mtim.tv_sec, 1234);
    assert_int_equal(st.st_mtim.tv_nsec, 5678);
    assert_non_null(strstr(b->note.message, "c: changed"));
    assert_clean(b);
}

static void a_signal_leaves_nothing_written(void **state)
{
    struct bench *b = *state;
    sigset_t block, pending;

    sigemptyset(&block);
    sigaddset(&block, SIGINT);
    sigprocmask(SIG_BLOCK, &block, NULL);
    raise(SIGINT);
    assert_int_equal(apply(b), CN_ECANCELED);
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGINT));
    sigprocmask(SIG_UNBLOCK, &block, NULL);
    assert_all(b, "old");
    assert_clean(b);
    assert_int_equal(apply(b), 0);
    assert_string_equal(b->act.run.id + strlen(b->act.run.id) - 2, "-1");
}

/* What a crash leaves beside a file. */
static void leave_temp(struct bench *b, const char *name, const char *tag)
{
    FILE *f = fopen(cn_temp_path(&b->arena, path_of(b, name), tag), "w");

    assert_non_null(f);
    fputs("half of", f);
    fclose(f);
}

/* A crash after the first rename: the manifest says "applying". */
static void a_run_cut_short_is_taken_back(void **state)
{
    struct bench *b = *state;
    struct cn_run run;
    int lock;

    assert_int_equal(cn_runs_open(&b->arena, b->root, true, &lock), 0);
    assert_int_equal(
        cn_run_begin(&b->arena, b->root, "test", b->changes, 3, &run), 0);
    cn_runs_close(lock);
    put(b, "a", "new a\n");
    leave_temp(b, "b", run.id);
    leave_temp(b, "c", cn_str_fmt(&b->arena, "undo-%s", run.id).ptr);
    assert_int_equal(cn_recover(&b->arena, b->root, &b->act, &b->note), 0);
    assert_int_equal(b->act.remarks.len, 1);
    assert_all(b, "old");
    assert_clean(b);
    assert_int_equal(apply(b), 0);
    assert_all(b, "new");
}

/* A crash before and after a file was made. */
static void a_made_file_goes_with_a_run_cut_short(void **state)
{
    struct bench *b = *state;
    struct cn_run run;
    int lock;

    unlink(path_of(b, "b"));
    b->changes[1].before = (struct cn_str){NULL, 0};
    for (int made = 0; made < 2; made++) {
        assert_int_equal(cn_runs_open(&b->arena, b->root, true, &lock), 0);
        assert_int_equal(
            cn_run_begin(&b->arena, b->root, "test", b->changes, 3, &run), 0);
        cn_runs_close(lock);
        if (made)
            put(b, "b", "new b\n");
        assert_int_equal(cn_recover(&b->arena, b->root, &b->act, &b->note), 0);
        assert_int_not_equal(access(path_of(b, "b"), F_OK), 0);
    }
}

static void a_run_cut_short_and_edited_says_the_way_out(void **state)
{
    struct bench *b = *state;
    struct cn_run run;
    int lock;

    assert_int_equal(cn_runs_open(&b->arena, b->root, true, &lock), 0);
    assert_int_equal(
        cn_run_begin(&b->arena, b->root, "test", b->changes, 3, &run), 0);
    cn_runs_close(lock);
    put(b, "a", "edited\n");
    assert_int_equal(cn_recover(&b->arena, b->root, &b->act, &b->note),
                     CN_ECHANGED);
    assert_int_equal(b->act.refused.len, 1);
    assert_non_null(strstr(b->act.remarks.at[0].ptr, ".canyon/runs/"));
    assert_holds(b, "a", "edited\n");
}

static void hard_links_stay_linked_and_roll_back(void **state)
{
    struct bench *b = *state;

    assert_int_equal(link(path_of(b, "a"), path_of(b, "twin")), 0);
    assert_int_equal(apply(b), 0);
    assert_holds(b, "twin", "new a\n");
    struct cn_act undo = {.files = 0};

    assert_int_equal(cn_undo(&b->arena, b->root, NULL, &undo, &b->note), 0);
    assert_holds(b, "twin", "old a\n");
    put(b, "c", "edited\n");
    assert_int_equal(cn_change_all(&b->arena, b->changes, 3, "t", &b->note),
                     CN_ECHANGED);
    assert_holds(b, "twin", "old a\n");
}

static void stored_bytes_that_rotted_are_not_used(void **state)
{
    struct bench *b = *state;
    struct cn_act undo = {.files = 0};

    assert_int_equal(apply(b), 0);
    put(b, cn_str_fmt(&b->arena, ".canyon/runs/%s/pack", b->act.run.id).ptr,
        "old a\nold x\nold c\n");
    assert_int_equal(cn_undo(&b->arena, b->root, NULL, &undo, &b->note),
                     CN_EBROKEN);
    assert_all(b, "new");
}

static int undo(struct bench *b)
{
    struct cn_act act = {.files = 0};

    return cn_undo(&b->arena, b->root, NULL, &act, &b->note);
}

static void a_new_file_comes_and_goes(void **state)
{
    struct bench *b = *state;

    b->changes[1].path = path_of(b, "new");
    b->changes[1].before = (struct cn_str){NULL, 0};
    assert_int_equal(apply(b), 0);
    assert_holds(b, "new", "new b\n");
    assert_int_equal(undo(b), 0);
    assert_int_equal(access(path_of(b, "new"), F_OK), -1);
    assert_holds(b, "a", "old a\n");
}

static void a_new_file_that_was_edited_is_kept(void **state)
{
    struct bench *b = *state;

    b->changes[1].path = path_of(b, "new");
    b->changes[1].before = (struct cn_str){NULL, 0};
    assert_int_equal(apply(b), 0);
    put(b, "new", "mine\n");
    assert_int_equal(undo(b), CN_ECHANGED);
    assert_holds(b, "new", "mine\n");
    assert_holds(b, "a", "new a\n");
}

static void a_new_file_is_not_put_over_another(void **state)
{
    struct bench *b = *state;

    b->changes[1].before = (struct cn_str){NULL, 0}; /* b exists */
    assert_int_equal(apply(b), CN_ECHANGED);
    assert_holds(b, "b", "old b\n");
    assert_holds(b, "a", "old a\n");
}

/* The third file cannot be written: the second, made before it, goes again. */
static void a_new_file_is_rolled_back(void **state)
{
    struct bench *b = *state;
    struct cn_replacement made, gone;
    struct cn_change change = b->changes[1];

    change.path = path_of(b, "new");
    change.before = (struct cn_str){NULL, 0};
    assert_int_equal(cn_replacement_prepare(&made, &change, path_of(b, "t")),
                     0);
    assert_int_equal(cn_replacement_commit(&made), 0);
    assert_holds(b, "new", "new b\n");
    assert_int_equal(cn_replacement_undo(&made), 0);
    assert_int_equal(access(path_of(b, "new"), F_OK), -1);
    change = b->changes[0];
    change.after = (struct cn_str){NULL, 0};
    assert_int_equal(cn_replacement_prepare(&gone, &change, path_of(b, "t")),
                     0);
    assert_int_equal(cn_replacement_commit(&gone), 0);
    assert_int_equal(access(path_of(b, "a"), F_OK), -1);
    assert_int_equal(cn_replacement_undo(&gone), 0);
    assert_holds(b, "a", "old a\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(applies_and_takes_back),
        TEST(refuses_when_one_changed),
        TEST(rolls_back_from_the_middle),
        TEST(a_signal_leaves_nothing_written),
        TEST(a_run_cut_short_is_taken_back),
        TEST(a_made_file_goes_with_a_run_cut_short),
        TEST(a_run_cut_short_and_edited_says_the_way_out),
        TEST(hard_links_stay_linked_and_roll_back),
        TEST(stored_bytes_that_rotted_are_not_used),
        TEST(a_new_file_comes_and_goes),
        TEST(a_new_file_that_was_edited_is_kept),
        TEST(a_new_file_is_not_put_over_another),
        TEST(a_new_file_is_rolled_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
