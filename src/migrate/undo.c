/* Back to the bytes from before a run. A file may be put back only when it
 * still holds exactly what the run wrote; one that already is as before counts
 * as done, so that an undo cut short can be run again. */
#include "migrate/undo.h"

#include <stdlib.h>
#include <unistd.h>

struct changes {
    struct cn_change *at;
    size_t len, cap;
};

struct undo {
    struct cn_arena *arena;
    const char *root;
    struct cn_act *act;
    struct cn_note *note;
    struct changes changes;
};

static const char *absolute(const struct undo *u, struct cn_str path)
{
    if (cn_str_starts(path, CN_STR("/")))
        return cn_str_dup(u->arena, path);
    return cn_str_fmt(u->arena, "%s/%.*s", strcmp(u->root, "/") ? u->root : "",
                      CN_STR_ARG(path))
        .ptr;
}

static void refuse(struct undo *u, const struct cn_run_file *file,
                   const char *why)
{
    cn_vec_push(u->arena, &u->act->refused,
                cn_str_fmt(u->arena, "%.*s: %s", CN_STR_ARG(file->path), why));
}

/* The change that takes one file back; its texts are freed by free_texts. */
static int plan_file(struct undo *u, const struct cn_run *run,
                     const struct cn_run_file *file)
{
    struct cn_change change = {.path = absolute(u, file->path),
                               .shown = file->path,
                               .mtime = &file->mtime};
    char hash[33];
    int err = cn_read_file(change.path, &change.before);
    bool made = cn_run_made(file);

    if (made && err == -ENOENT)
        return 0; /* it is gone already */
    if (err) {
        refuse(u, file, err == -ENOENT ? "is gone" : cn_strerror(err));
        return 0;
    }
    cn_hash_hex(change.before, hash);
    if (strcmp(hash, file->after)) {
        if (strcmp(hash, file->before))
            refuse(u, file, "edited since that run");
        free((char *)change.before.ptr);
        return 0;
    }
    if (!made)
        err = cn_run_old_bytes(u->arena, u->root, run, file, &change.after);
    if (err) {
        free((char *)change.before.ptr);
        return cn_note_set(u->note, err, "the stored bytes of %.*s: %s",
                           CN_STR_ARG(file->path), cn_strerror(err));
    }
    cn_vec_push(u->arena, &u->changes, change);
    return 0;
}

static void free_texts(struct undo *u)
{
    cn_vec_for (change, &u->changes) {
        free((char *)change->before.ptr);
        free((char *)change->after.ptr);
    }
}

static const char *undo_tag(const struct undo *u, const struct cn_run *run)
{
    return cn_str_fmt(u->arena, "undo-%s", run->id).ptr;
}

/* What a crash left beside the files, of the run or of an earlier undo. */
static void remove_temps(struct undo *u, const struct cn_run *run)
{
    for (size_t i = 0; i < run->len; i++) {
        const char *path = absolute(u, run->at[i].path);

        unlink(cn_temp_path(u->arena, path, run->id));
        unlink(cn_temp_path(u->arena, path, undo_tag(u, run)));
    }
}

static void restore_modes(struct undo *u, const struct cn_run *run)
{
    for (size_t i = 0; i < run->len; i++) {
        const struct cn_run_file *file = &run->at[i];
        const char *path = absolute(u, file->path);
        struct stat st;

        if (!cn_run_made(file) && lstat(path, &st) == 0 &&
            S_ISREG(st.st_mode) && (st.st_mode & 07777) != file->mode &&
            chmod(path, file->mode))
            refuse(u, file, "its mode could not be set back");
    }
}

static int take_back(struct undo *u, struct cn_run *run)
{
    int err = 0;

    for (size_t i = 0; i < run->len && !err; i++)
        err = plan_file(u, run, &run->at[i]);
    if (!err && u->act->refused.len)
        err = cn_note_set(u->note, CN_ECHANGED,
                          "%zu of the %zu files of run %s were edited since; "
                          "nothing was changed",
                          u->act->refused.len, run->len, run->id);
    if (!err)
        err = cn_change_all(u->arena, u->changes.at, u->changes.len,
                            undo_tag(u, run), u->note);
    if (!err) {
        restore_modes(u, run);
        remove_temps(u, run);
        u->act->files += u->changes.len;
        err = cn_run_set_state(u->arena, u->root, run, CN_RUN_UNDONE);
    }
    free_texts(u);
    return err;
}

int cn_undo_unfinished(struct cn_arena *arena, const char *root,
                       struct cn_act *act, struct cn_note *note)
{
    struct cn_run_list runs = {0};
    int err = cn_runs_list(arena, root, &runs);

    for (size_t i = runs.len; i-- > 0 && !err;) {
        struct undo u = {arena, root, act, note, {0}};

        if (runs.at[i].state != CN_RUN_APPLYING)
            continue;
        err = take_back(&u, &runs.at[i]);
        if (err == CN_ECHANGED)
            cn_vec_push(arena, &act->remarks,
                        cn_str_fmt(arena,
                                   "run %s was cut short, and these files "
                                   "were edited since; to keep all as it is "
                                   "now, remove %s/.canyon/runs/%s",
                                   runs.at[i].id, root, runs.at[i].id));
        if (!err)
            cn_vec_push(arena, &act->remarks,
                        cn_str_fmt(arena,
                                   "run %s was cut short; its %zu files are "
                                   "back as they were",
                                   runs.at[i].id, runs.at[i].len));
    }
    act->files = 0;
    return err;
}

int cn_recover(struct cn_arena *arena, const char *root, struct cn_act *act,
               struct cn_note *note)
{
    int lock, err = cn_runs_open(arena, root, false, &lock);

    if (err == -ENOENT)
        return 0;
    if (err == CN_EBUSY)
        return cn_note_set(note, err, "another canyon is writing in %s", root);
    if (err)
        return cn_note_set(note, err, "%s/.canyon: %s", root, cn_strerror(err));
    err = cn_undo_unfinished(arena, root, act, note);
    cn_runs_close(lock);
    return err;
}

static int find_run(struct undo *u, const char *id, struct cn_run *out)
{
    struct cn_run_list runs = {0};
    int err = cn_runs_list(u->arena, u->root, &runs);

    if (err)
        return err;
    for (size_t i = runs.len; i-- > 0;) {
        bool wanted = id ? strcmp(runs.at[i].id, id) == 0
                         : runs.at[i].state != CN_RUN_UNDONE;

        if (wanted && runs.at[i].state == CN_RUN_UNDONE)
            return cn_note_set(u->note, -ENOENT,
                               "run %s was taken back already", id);
        if (wanted) {
            *out = runs.at[i];
            return 0;
        }
    }
    if (id)
        return cn_note_set(u->note, -ENOENT,
                           "there is no run %s; `canyon undo --list` shows "
                           "what there is",
                           id);
    return cn_note_set(u->note, -ENOENT, "there is no run to take back");
}

int cn_undo(struct cn_arena *arena, const char *root, const char *id,
            struct cn_act *act, struct cn_note *note)
{
    struct undo u = {arena, root, act, note, {0}};
    int lock, err = cn_runs_open(arena, root, false, &lock);

    if (err == CN_EBUSY)
        return cn_note_set(note, err, "another canyon is writing in %s", root);
    if (err == -ENOENT)
        return cn_note_set(note, err, "there is no run to take back here");
    if (err)
        return cn_note_set(note, err, "%s/.canyon: %s", root, cn_strerror(err));
    err = find_run(&u, id, &act->run);
    if (!err)
        err = take_back(&u, &act->run);
    cn_runs_close(lock);
    return err;
}
