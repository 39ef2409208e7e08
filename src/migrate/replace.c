/* One file's bytes replaced: the new ones are written beside it and renamed
 * over it, so that no reader ever sees half a file; mode, owner and extended
 * attributes are copied first. Where the copy could not look the same (hard
 * links, an owner whom we may not give files to, a folder that we may not
 * write to) the file is written in place instead; the old bytes are in the
 * undo store by then. Also here: many replacements as one act. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "migrate/apply.h"

/* --- checks ---------------------------------------------------------------- */

static int same_bytes(const char *path, struct cn_str want)
{
    struct cn_str now;
    int err = cn_read_file(path, &now);

    if (err)
        return err;
    err = cn_str_eq(now, want) ? 0 : CN_ECHANGED;
    free((char *)now.ptr);
    return err;
}

static bool creates(const struct cn_change *change)
{
    return !change->before.ptr;
}

static bool removes(const struct cn_change *change)
{
    return !change->after.ptr;
}

/* 0 when nothing has that name. */
static int nothing_there(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0)
        return CN_ECHANGED;
    return errno == ENOENT ? 0 : -errno;
}

static struct cn_str folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return (struct cn_str){path, slash == path ? 1 : (size_t)(slash - path)};
}

const char *cn_temp_path(struct cn_arena *arena, const char *path,
                         const char *tag)
{
    char hash[33];

    cn_hash_hex(cn_str_from(path), hash);
    return cn_str_fmt(arena, "%.*s/.canyon-%s-%.16s.tmp",
                      CN_STR_ARG(folder_of(path)), tag, hash)
        .ptr;
}

int cn_change_check(const struct cn_change *change)
{
    struct stat st;

    if (creates(change))
        return nothing_there(change->path);
    if (lstat(change->path, &st))
        return errno == ENOENT ? CN_ECHANGED : -errno;
    if (!S_ISREG(st.st_mode))
        return CN_ECHANGED;
    /* root may write anything, but a mode without `w` is somebody's wish */
    if (!(st.st_mode & 0222))
        return -EROFS;
    if (access(change->path, W_OK))
        return -errno;
    return same_bytes(change->path, change->before);
}

/* --- writing --------------------------------------------------------------- */

int cn_write_all(int fd, struct cn_str bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        bytes = cn_str_sub(bytes, (size_t)n, bytes.len);
    }
    return 0;
}

static int set_mtime(int fd, const struct timespec *mtime)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};

    if (!mtime)
        return 0;
    times[1] = *mtime;
    return futimens(fd, times) ? -errno : 0;
}

static int copy_xattr(const char *from, int to, const char *name)
{
    char stack[4096], *value = stack;
    ssize_t len = lgetxattr(from, name, stack, sizeof(stack));
    int err = 0;

    if (len < 0 && errno == ERANGE) {
        len = lgetxattr(from, name, NULL, 0);
        value = len > 0 ? malloc((size_t)len) : NULL;
        len = value ? lgetxattr(from, name, value, (size_t)len) : -1;
    }
    if (len < 0 || fsetxattr(to, name, value, (size_t)len, 0))
        err = -errno;
    if (value != stack)
        free(value);
    return err;
}

static int copy_xattrs(const char *from, int to)
{
    ssize_t len = llistxattr(from, NULL, 0);
    int err = 0;

    if (len <= 0)
        return 0; /* none, or the file system has no such thing */
    char *names = malloc((size_t)len);

    len = names ? llistxattr(from, names, (size_t)len) : 0;
    for (char *name = names; !err && name < names + len;
         name += strlen(name) + 1)
        err = copy_xattr(from, to, name);
    free(names);
    return err;
}

/* Everything but the bytes, as `like` has it. */
static int look_alike(int fd, const char *path, const struct stat *like)
{
    struct stat st;

    if (fstat(fd, &st))
        return -errno;
    if ((st.st_uid != like->st_uid || st.st_gid != like->st_gid) &&
        fchown(fd, like->st_uid, like->st_gid))
        return -errno;
    int err = copy_xattrs(path, fd);

    if (!err && fchmod(fd, like->st_mode & 07777))
        err = -errno;
    return err;
}

static int write_temp(struct cn_replacement *r, const char *temp)
{
    const struct cn_change *c = r->change;
    mode_t mode = creates(c) ? 0666 : 0600;

    unlink(temp); /* a crash may have left one */
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (fd < 0 && creates(c))
        return -errno;
    if (fd < 0)
        return errno == EACCES || errno == EPERM ? 0 : -errno;
    bool alike = creates(c) || look_alike(fd, c->path, &r->before) == 0;
    int err = alike ? cn_write_all(fd, c->after) : 0;

    if (alike && !err)
        err = set_mtime(fd, c->mtime);
    if (close(fd) && !err)
        err = -errno;
    if (err || !alike)
        unlink(temp);
    else
        r->temp = temp;
    return err;
}

int cn_replacement_prepare(struct cn_replacement *r,
                           const struct cn_change *change, const char *temp)
{
    *r = (struct cn_replacement){.change = change};
    if (creates(change))
        return write_temp(r, temp);
    if (lstat(change->path, &r->before))
        return -errno;
    return r->before.st_nlink > 1 || removes(change) ? 0 : write_temp(r, temp);
}

static int write_in_place(const char *path, struct cn_str bytes,
                          const struct timespec *mtime)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return -errno;
    int err = cn_write_all(fd, bytes);

    if (!err && ftruncate(fd, (off_t)bytes.len))
        err = -errno;
    if (!err)
        err = set_mtime(fd, mtime);
    if (!err && fsync(fd))
        err = -errno;
    close(fd);
    return err;
}

/* Give the waiting bytes their name, if nothing has it. */
static int commit_new(struct cn_replacement *r)
{
    const char *path = r->change->path;
    int err = renameat2(AT_FDCWD, r->temp, AT_FDCWD, path, RENAME_NOREPLACE)
                  ? -errno
                  : 0;

    if (err == -EINVAL || err == -ENOSYS) { /* this file system cannot */
        err = nothing_there(path);
        if (!err && rename(r->temp, path))
            err = -errno;
    }
    if (err)
        return err == -EEXIST ? CN_ECHANGED : err;
    r->temp = NULL;
    r->written = true;
    return 0;
}

int cn_replacement_commit(struct cn_replacement *r)
{
    const struct cn_change *c = r->change;
    int err = creates(c) ? 0 : same_bytes(c->path, c->before);

    if (err)
        return err;
    if (creates(c))
        return commit_new(r);
    if (removes(c)) {
        r->written = unlink(c->path) == 0;
        return r->written ? 0 : -errno;
    }
    if (!r->temp) {
        r->written = true; /* even when it fails half way */
        return write_in_place(c->path, c->after, c->mtime);
    }
    if (rename(r->temp, c->path))
        return -errno;
    r->temp = NULL;
    r->written = true;
    return 0;
}

/* Make a file again that was removed. */
static int write_again(const struct cn_replacement *r)
{
    const char *path = r->change->path;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                  r->before.st_mode & 07777);

    if (fd < 0)
        return -errno;
    close(fd);
    return write_in_place(path, r->change->before, &r->before.st_mtim);
}

int cn_replacement_undo(struct cn_replacement *r)
{
    const struct cn_change *c = r->change;

    if (r->temp)
        unlink(r->temp);
    r->temp = NULL;
    if (!r->written)
        return 0;
    r->written = false;
    if (creates(c)) {
        int err = same_bytes(c->path, c->after);

        return err ? err : unlink(c->path) ? -errno : 0;
    }
    if (removes(c))
        return write_again(r);
    return write_in_place(c->path, c->before, &r->before.st_mtim);
}

/* --- many ------------------------------------------------------------------ */

struct batch {
    struct cn_arena *arena;
    const struct cn_change *changes;
    struct cn_replacement *at;
    size_t count;
    sigset_t signals;
    struct cn_note *note;
};

static bool interrupted(const struct batch *b)
{
    sigset_t pending;

    sigpending(&pending);
    return (sigismember(&pending, SIGINT) &&
            sigismember(&b->signals, SIGINT)) ||
           (sigismember(&pending, SIGTERM) &&
            sigismember(&b->signals, SIGTERM)) ||
           (sigismember(&pending, SIGHUP) && sigismember(&b->signals, SIGHUP));
}

static int failed(const struct batch *b, size_t i, int err)
{
    if (err == CN_ECANCELED)
        return cn_note_set(b->note, err, "interrupted");
    return cn_note_set(b->note, err, "%.*s: %s",
                       CN_STR_ARG(b->changes[i].shown), cn_strerror(err));
}

static int prepare_all(struct batch *b, const char *tag)
{
    for (size_t i = 0; i < b->count; i++) {
        const char *temp = cn_temp_path(b->arena, b->changes[i].path, tag);
        int err = CN_ECANCELED;

        if (!interrupted(b))
            err = cn_replacement_prepare(&b->at[i], &b->changes[i], temp);
        if (err)
            return failed(b, i, err);
    }
    return 0;
}

/* The new bytes must be on the disk before any name points to them. One sync
 * of a file system is cheaper than one for each of many files. */
static int sync_temps(struct batch *b)
{
    dev_t synced = 0;
    bool any = false;

    for (size_t i = 0; i < b->count; i++) {
        struct cn_replacement *r = &b->at[i];

        if (!r->temp || (any && b->count > 4 && r->before.st_dev == synced))
            continue;
        int fd = open(r->temp, O_RDONLY | O_CLOEXEC);
        int bad = fd < 0 || (b->count > 4 ? syncfs(fd) : fsync(fd));
        int err = bad ? -errno : 0;

        if (fd >= 0)
            close(fd);
        if (err)
            return failed(b, i, err);
        synced = r->before.st_dev;
        any = true;
    }
    return 0;
}

static int commit_all(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        int err = CN_ECANCELED;

        if (!interrupted(b))
            err = cn_replacement_commit(&b->at[i]);
        if (err)
            return failed(b, i, err);
    }
    return 0;
}

static void sync_folders(const struct batch *b)
{
    struct cn_str last = {NULL, 0};

    for (size_t i = 0; i < b->count; i++) {
        struct cn_str folder = folder_of(b->changes[i].path);

        if (last.ptr && cn_str_eq(folder, last))
            continue;
        int fd = open(cn_str_dup(b->arena, folder), O_RDONLY | O_CLOEXEC);

        if (fd >= 0) {
            fsync(fd);
            close(fd);
        }
        last = folder;
    }
}

/* Put back what was written; a file that cannot be is named. */
static int roll_back(struct batch *b, int err)
{
    for (size_t i = 0; i < b->count; i++) {
        int bad = cn_replacement_undo(&b->at[i]);

        if (bad)
            err = cn_note_set(
                b->note, CN_EBROKEN, "%.*s could not be put back: %s",
                CN_STR_ARG(b->changes[i].shown), cn_strerror(bad));
    }
    return err;
}

int cn_change_all(struct cn_arena *arena, const struct cn_change *changes,
                  size_t count, const char *tag, struct cn_note *note)
{
    struct batch b = {.arena = arena,
                      .changes = changes,
                      .count = count,
                      .at = CN_NEW_ARRAY(arena, struct cn_replacement, count),
                      .note = note};
    static const struct timespec now = {0, 0};
    sigset_t before;

    sigemptyset(&b.signals);
    sigaddset(&b.signals, SIGINT);
    sigaddset(&b.signals, SIGTERM);
    sigaddset(&b.signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &b.signals, &before);
    int err = prepare_all(&b, tag);

    if (!err)
        err = sync_temps(&b);
    if (!err)
        err = commit_all(&b);
    if (err)
        err = roll_back(&b, err);
    sync_folders(&b);
    /* A signal that came too late, or that we answered, must not kill. */
    while (sigtimedwait(&b.signals, NULL, &now) > 0)
        ;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return err;
}
