/* apply: carry out a set of file changes, show it, and take it back.
 *
 * diff.c      unified diffs
 * replace.c   one file's bytes replaced atomically, all else about it kept
 * runs.c      the undo store, .canyon/runs/<id>/
 * apply.c     all changes or none
 * undo.c      back to the bytes from before a run
 *
 * None of this needs more than POSIX; everything is done by the calling
 * thread, with SIGINT, SIGTERM and SIGHUP held back while files are written.
 */
#ifndef CN_MIGRATE_APPLY_H
#define CN_MIGRATE_APPLY_H

#include <sys/stat.h>

#include "migrate/project.h"

/* --- diffs --------------------------------------------------------------- */

/* Append a unified diff with three lines of context that `git apply` and
 * `patch -p1` take, byte for byte; nothing when the texts are equal. A `before`
 * without bytes (ptr == NULL) is a file that is made. Lines
 * end in \n; a \r before it is part of the line. Cannot fail but by the
 * buffer's own error. */
void cn_diff(struct cn_buf *out, struct cn_str path, struct cn_str before,
             struct cn_str after, bool colour);

/* --- one file ------------------------------------------------------------ */

/* One file to be changed from exactly `before` to `after`. A text without
 * bytes (ptr == NULL, not "") means no file: from it, the file is made; to it,
 * the file is removed. */
struct cn_change {
    const char *path;    /* absolute, without symbolic links */
    struct cn_str shown; /* for people */
    struct cn_str before, after;
    const struct timespec *mtime; /* to be set, or NULL: now */
};

/* A change that is ready: the new bytes wait beside the file. */
struct cn_replacement {
    const struct cn_change *change;
    const char *temp; /* NULL: to be written in place (hard links, or another
                         owner whom we may not give the file to) */
    struct stat before;
    bool written;
};

/* Where the new bytes of a file wait, in its folder: the same name every time
 * for the same file and tag, so that what a crash leaves can be found. */
const char *cn_temp_path(struct cn_arena *arena, const char *path,
                         const char *tag);
/* Write all bytes, however often that takes. 0 or a negative errno. */
int cn_write_all(int fd, struct cn_str bytes);
/* May this file be changed now? Returns 0, CN_ECHANGED when its bytes are not
 * `before`, -EROFS when it is marked read-only, or a negative errno. */
int cn_change_check(const struct cn_change *change);
/* Write the new bytes to `temp`, with the file's mode, owner and extended
 * attributes. The file itself is not touched. */
int cn_replacement_prepare(struct cn_replacement *r,
                           const struct cn_change *change, const char *temp);
/* Put the new bytes in their place, if the file still is as it was. */
int cn_replacement_commit(struct cn_replacement *r);
/* Back to the bytes and times from before; also removes what waits. */
int cn_replacement_undo(struct cn_replacement *r);

/* All of them or none: when one fails, or a signal arrives, those written are
 * put back. `tag` makes the names of temporary files. Returns 0; CN_ECANCELED
 * after a signal; CN_ECHANGED; a negative errno; the note names the file.
 * CN_EBROKEN: a file could not even be put back (the note says which). */
int cn_change_all(struct cn_arena *arena, const struct cn_change *changes,
                  size_t count, const char *tag, struct cn_note *note);

/* --- runs ---------------------------------------------------------------- */

enum cn_run_state {
    CN_RUN_APPLYING, /* begun; after a crash, not finished */
    CN_RUN_DONE,
    CN_RUN_UNDONE,
};

struct cn_run_file {
    struct cn_str path;         /* relative to the root */
    uint64_t offset, size;      /* of the old bytes in the pack */
    char before[33], after[33]; /* XXH3-128 of the bytes, in hex; before is
                                   "-" for a file that the run made */
    mode_t mode;
    struct timespec mtime;
};

struct cn_run {
    char id[32]; /* "20261120-1" */
    enum cn_run_state state;
    struct cn_str when;    /* "2026-11-20 15:04:05" */
    struct cn_str command; /* what was typed */
    struct cn_run_file *at;
    size_t len, cap;
};

void cn_hash_hex(struct cn_str bytes, char out[33]);

/* The store of a project, locked for this process; closing unlocks. Returns 0,
 * CN_EBUSY when another canyon works there, or a negative errno. With `make`
 * unset a missing store gives -ENOENT. */
int cn_runs_open(struct cn_arena *arena, const char *root, bool make,
                 int *lock);
void cn_runs_close(int lock);
/* A run of this moment with the next free number of the day, its old bytes
 * and manifest on the disk, in state APPLYING. */
int cn_run_begin(struct cn_arena *arena, const char *root, const char *command,
                 const struct cn_change *changes, size_t count,
                 struct cn_run *out);
int cn_run_set_state(struct cn_arena *arena, const char *root,
                     struct cn_run *run, enum cn_run_state state);
/* Forget a run and its bytes. */
void cn_run_drop(struct cn_arena *arena, const char *root,
                 const struct cn_run *run);
int cn_run_load(struct cn_arena *arena, const char *root, const char *id,
                struct cn_run *out);
/* The old bytes of one file, malloc()ed. CN_EBROKEN when their hash differs. */
int cn_run_old_bytes(struct cn_arena *arena, const char *root,
                     const struct cn_run *run, const struct cn_run_file *file,
                     struct cn_str *out);
/* Was the file not there before the run? */
bool cn_run_made(const struct cn_run_file *file);
/* All runs, oldest first; those that cannot be read are left out. */
struct cn_run_list {
    struct cn_run *at;
    size_t len, cap;
};
int cn_runs_list(struct cn_arena *arena, const char *root,
                 struct cn_run_list *out);

/* --- the two acts -------------------------------------------------------- */

struct cn_act {
    struct cn_run run;
    size_t files;           /* that were written */
    struct cn_strs refused; /* for people: "src/a.py: changed since ..." */
    struct cn_strs remarks; /* "took back the unfinished run ..." */
};

/* Take back what a crash left unfinished; to be called before files are read
 * for a migration. act->remarks says what was done. Returns 0 (also when there
 * was nothing), CN_EBUSY, or as cn_undo. */
int cn_recover(struct cn_arena *arena, const char *root, struct cn_act *act,
               struct cn_note *note);

/* Apply changes as one run that cn_undo can take back. Returns 0; CN_ECHANGED
 * with act->refused (nothing was written); CN_ECANCELED after a signal (nothing
 * is left written); CN_EBUSY; a negative errno. */
int cn_apply(struct cn_arena *arena, const char *root, const char *command,
             const struct cn_change *changes, size_t count, struct cn_act *act,
             struct cn_note *note);

/* Take back the run `id`, or the last one that stands when NULL: bytes, mode
 * and modification time. Files that already are as before count as done.
 * Returns 0; -ENOENT when there is no such run; CN_ECHANGED with act->refused
 * when files were edited since; else as cn_apply. */
int cn_undo(struct cn_arena *arena, const char *root, const char *id,
            struct cn_act *act, struct cn_note *note);

#endif
