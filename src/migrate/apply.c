/* All changes or none: check every file, store the old bytes, write. The run's
 * manifest says "applying" for as long as files may be half done, so that the
 * next canyon knows what a crash left behind and takes it back first. */
#include "migrate/apply.h"

#include <stdlib.h>
#include <unistd.h>

#include "migrate/undo.h"

static void refuse(struct cn_arena *arena, struct cn_act *act,
                   const struct cn_change *change, int err)
{
    const char *why = err == CN_ECHANGED ? "changed since it was read"
                      : err == -EROFS    ? "is read-only (chmod u+w to allow)"
                                         : cn_strerror(err);

    cn_vec_push(arena, &act->refused,
                cn_str_fmt(arena, "%.*s: %s", CN_STR_ARG(change->shown), why));
}

static int check_all(struct cn_arena *arena, const struct cn_change *changes,
                     size_t count, struct cn_act *act, struct cn_note *note)
{
    for (size_t i = 0; i < count; i++) {
        int err = cn_change_check(&changes[i]);

        if (err)
            refuse(arena, act, &changes[i], err);
    }
    if (!act->refused.len)
        return 0;
    return cn_note_set(note, CN_ECHANGED,
                       "%zu of %zu files cannot be written; nothing was",
                       act->refused.len, count);
}

static int apply_locked(struct cn_arena *arena, const char *root,
                        const char *command, const struct cn_change *changes,
                        size_t count, struct cn_act *act, struct cn_note *note)
{
    int err = cn_undo_unfinished(arena, root, act, note);

    if (!err && act->remarks.len) /* the changes were made for a mixed tree */
        err = cn_note_set(note, CN_ECHANGED,
                          "files were put back while canyon read them; "
                          "please run it again");
    if (!err)
        err = check_all(arena, changes, count, act, note);
    if (err)
        return err;
    err = cn_run_begin(arena, root, command, changes, count, &act->run);
    if (err)
        return cn_note_set(note, err, "%s/.canyon: %s", root, cn_strerror(err));
    err = cn_change_all(arena, changes, count, act->run.id, note);
    if (err == CN_EBROKEN)
        return err; /* the store is the only way back: keep it */
    if (err) {
        cn_run_drop(arena, root, &act->run);
        return err;
    }
    act->files = count;
    return cn_run_set_state(arena, root, &act->run, CN_RUN_DONE);
}

int cn_apply(struct cn_arena *arena, const char *root, const char *command,
             const struct cn_change *changes, size_t count, struct cn_act *act,
             struct cn_note *note)
{
    int lock;
    int err = cn_runs_open(arena, root, true, &lock);

    if (err == CN_EBUSY)
        return cn_note_set(note, err, "another canyon is writing in %s", root);
    if (err)
        return cn_note_set(note, err, "cannot make the undo store in %s: %s",
                           root, cn_strerror(err));
    err = apply_locked(arena, root, command, changes, count, act, note);
    cn_runs_close(lock);
    return err;
}
