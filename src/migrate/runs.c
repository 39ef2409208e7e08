/* The undo store: .canyon/ in the project's root.
 *
 *     .canyon/.gitignore             "*": the store hides itself
 *     .canyon/lock                   held (flock) by the canyon that writes
 *     .canyon/runs/20261120-1/pack       the old bytes of all files, joined
 *     .canyon/runs/20261120-1/manifest   text, one thing a line:
 *
 *         canyon-run 1
 *         state applying|done|undone
 *         when 2026-11-20 15:04:05
 *         command canyon migrate src
 *         file <offset> <size> <mode> <sec>.<nsec> <before> <after> <path>
 *
 * Mode is octal, <before> is - for a file that the run made, hashes are
 * XXH3-128 in hex, paths are relative to the root; in command and path \n and
 * \ are written as \n and \\. The manifest is replaced atomically; a run folder
 * without one never began. The invariant: when a project's file is changed, its
 * old bytes and a manifest that names them are on the disk. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <xxhash.h>

#include "migrate/apply.h"

static const char *const state_names[] = {
    [CN_RUN_APPLYING] = "applying",
    [CN_RUN_DONE] = "done",
    [CN_RUN_UNDONE] = "undone",
};

void cn_hash_hex(struct cn_str bytes, char out[33])
{
    XXH128_hash_t h = XXH3_128bits(bytes.ptr, bytes.len);

    snprintf(out, 33, "%016llx%016llx", (unsigned long long)h.high64,
             (unsigned long long)h.low64);
}

/* --- files of the store ---------------------------------------------------- */

static const char *run_path(struct cn_arena *arena, const char *root,
                            const char *id, const char *name)
{
    return cn_str_fmt(arena, "%s/.canyon/runs/%s%s%s", root, id,
                      *name ? "/" : "", name)
        .ptr;
}

static int sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    int err = fsync(fd) ? -errno : 0;

    close(fd);
    return err;
}

/* A new file with these bytes, on the disk, under its name atomically. */
static int put_file(struct cn_arena *arena, const char *path,
                    struct cn_str bytes)
{
    const char *temp = cn_str_fmt(arena, "%s.tmp", path).ptr;
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0)
        return -errno;
    int err = cn_write_all(fd, bytes);

    if (!err && fsync(fd))
        err = -errno;
    if (close(fd) && !err)
        err = -errno;
    if (!err && rename(temp, path))
        err = -errno;
    if (err)
        unlink(temp);
    return err;
}

/* --- the lock -------------------------------------------------------------- */

static int make_store(struct cn_arena *arena, const char *root)
{
    const char *store = cn_str_fmt(arena, "%s/.canyon", root).ptr;
    const char *hide = cn_str_fmt(arena, "%s/.gitignore", store).ptr;

    if (mkdir(store, 0777) && errno != EEXIST)
        return -errno;
    if (mkdir(cn_str_fmt(arena, "%s/runs", store).ptr, 0777) && errno != EEXIST)
        return -errno;
    return access(hide, F_OK) ? put_file(arena, hide, CN_STR("*\n")) : 0;
}

int cn_runs_open(struct cn_arena *arena, const char *root, bool make, int *lock)
{
    const char *path = cn_str_fmt(arena, "%s/.canyon/lock", root).ptr;
    int err = make ? make_store(arena, root) : 0;

    if (err)
        return err;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        err = errno == EWOULDBLOCK ? CN_EBUSY : -errno;
        close(fd);
        return err;
    }
    *lock = fd;
    return 0;
}

void cn_runs_close(int lock)
{
    if (lock >= 0)
        close(lock);
}

/* --- manifests ------------------------------------------------------------- */

static void add_escaped(struct cn_buf *b, struct cn_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\n')
            cn_buf_add_z(b, "\\n");
        else if (s.ptr[i] == '\\')
            cn_buf_add_z(b, "\\\\");
        else
            cn_buf_add_char(b, s.ptr[i]);
    }
}

static struct cn_str unescaped(struct cn_arena *arena, struct cn_str s)
{
    char *z = cn_str_dup(arena, s);
    size_t len = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (c == '\\' && i + 1 < s.len)
            c = s.ptr[++i] == 'n' ? '\n' : '\\';
        z[len++] = c;
    }
    z[len] = '\0';
    return (struct cn_str){z, len};
}

static int write_manifest(struct cn_arena *arena, const char *root,
                          const struct cn_run *run)
{
    struct cn_buf b;

    cn_buf_init(&b, SIZE_MAX);
    cn_buf_fmt(&b, "canyon-run 1\nstate %s\nwhen %.*s\ncommand ",
               state_names[run->state], CN_STR_ARG(run->when));
    add_escaped(&b, run->command);
    cn_buf_add_char(&b, '\n');
    for (const struct cn_run_file *f = run->at; f < run->at + run->len; f++) {
        cn_buf_fmt(&b, "file %llu %llu %o %lld.%09ld %s %s ",
                   (unsigned long long)f->offset, (unsigned long long)f->size,
                   (unsigned)f->mode, (long long)f->mtime.tv_sec,
                   f->mtime.tv_nsec, f->before, f->after);
        add_escaped(&b, f->path);
        cn_buf_add_char(&b, '\n');
    }
    const char *folder = run_path(arena, root, run->id, "");
    int err = b.err
                  ? b.err
                  : put_file(arena, run_path(arena, root, run->id, "manifest"),
                             cn_buf_str(&b));

    cn_buf_done(&b);
    return err ? err : sync_folder(folder);
}

static int read_file_line(struct cn_arena *arena, struct cn_str line,
                          struct cn_run *run)
{
    struct cn_run_file f = {.offset = 0};
    unsigned long long offset, size;
    unsigned mode;
    long long seconds;
    int at = 0;

    /* The line ends in \n or NUL, so sscanf cannot run past the text. */
    if (sscanf(line.ptr, "file %llu %llu %o %lld.%ld %32s %32s%n", &offset,
               &size, &mode, &seconds, &f.mtime.tv_nsec, f.before, f.after,
               &at) != 7 ||
        (size_t)at + 1 >= line.len)
        return CN_EBROKEN;
    f.offset = offset;
    f.size = size;
    f.mode = (mode_t)mode;
    f.mtime.tv_sec = seconds;
    f.path = unescaped(arena, cn_str_sub(line, (size_t)at + 1, line.len));
    cn_vec_push(arena, run, f);
    return 0;
}

static int read_line(struct cn_arena *arena, struct cn_str line,
                     struct cn_run *run)
{
    if (cn_str_starts(line, CN_STR("file ")))
        return read_file_line(arena, line, run);
    if (cn_str_starts(line, CN_STR("when ")))
        run->when = unescaped(arena, cn_str_sub(line, 5, line.len));
    if (cn_str_starts(line, CN_STR("command ")))
        run->command = unescaped(arena, cn_str_sub(line, 8, line.len));
    if (!cn_str_starts(line, CN_STR("state ")))
        return 0;
    for (size_t i = 0; i < CN_COUNT(state_names); i++)
        if (cn_str_is(cn_str_sub(line, 6, line.len), state_names[i])) {
            run->state = (enum cn_run_state)i;
            return 0;
        }
    return CN_EBROKEN;
}

int cn_run_load(struct cn_arena *arena, const char *root, const char *id,
                struct cn_run *out)
{
    struct cn_run run = {.state = CN_RUN_DONE};
    struct cn_str text, rest, line;

    if (strlen(id) >= sizeof(run.id) || strchr(id, '/') || id[0] == '.')
        return -ENOENT;
    int err = cn_read_file(run_path(arena, root, id, "manifest"), &text);

    if (err)
        return err;
    snprintf(run.id, sizeof(run.id), "%s", id);
    rest = text;
    if (!cn_str_starts(text, CN_STR("canyon-run 1\n")))
        err = CN_EBROKEN;
    while (!err && cn_str_cut(&rest, '\n', &line))
        err = read_line(arena, line, &run);
    free((char *)text.ptr);
    if (!err)
        *out = run;
    return err;
}

/* --- a new run ------------------------------------------------------------- */

/* Today's date and the next number that no run has. */
static int make_run_folder(struct cn_arena *arena, const char *root,
                           struct cn_run *run)
{
    time_t now = time(NULL);
    struct tm tm;
    char day[16], when[32];

    localtime_r(&now, &tm);
    strftime(day, sizeof(day), "%Y%m%d", &tm);
    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
    run->when = cn_str_fmt(arena, "%s", when);
    for (int n = 1; n < 100000; n++) {
        snprintf(run->id, sizeof(run->id), "%s-%d", day, n);
        if (mkdir(run_path(arena, root, run->id, ""), 0777) == 0)
            return 0;
        if (errno != EEXIST)
            return -errno;
    }
    return -EEXIST;
}

static int note_file(struct cn_arena *arena, const char *root,
                     const struct cn_change *change, uint64_t offset,
                     struct cn_run *run)
{
    struct cn_str path = cn_str_from(change->path);
    struct cn_run_file f = {.offset = offset, .size = change->before.len};
    size_t root_len = strcmp(root, "/") ? strlen(root) : 0;
    struct stat st;

    if (!change->before.ptr)
        st = (struct stat){.st_mode = 0};
    else if (lstat(change->path, &st))
        return -errno;
    bool below =
        cn_str_starts(path, cn_str_sub(cn_str_from(root), 0, root_len));

    f.path = below && path.ptr[root_len] == '/'
                 ? cn_str_sub(path, root_len + 1, path.len)
                 : path;
    f.mode = st.st_mode & 07777;
    f.mtime = st.st_mtim;
    if (change->before.ptr)
        cn_hash_hex(change->before, f.before);
    else
        strcpy(f.before, "-");
    cn_hash_hex(change->after, f.after);
    cn_vec_push(arena, run, f);
    return 0;
}

static int write_pack(const char *path, const struct cn_change *changes,
                      size_t count)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int err = fd < 0 ? -errno : 0;

    for (size_t i = 0; i < count && !err; i++)
        err = cn_write_all(fd, changes[i].before);
    if (!err && fsync(fd))
        err = -errno;
    if (fd >= 0 && close(fd) && !err)
        err = -errno;
    return err;
}

int cn_run_begin(struct cn_arena *arena, const char *root, const char *command,
                 const struct cn_change *changes, size_t count,
                 struct cn_run *out)
{
    struct cn_run run = {.state = CN_RUN_APPLYING,
                         .command = cn_str_from(command)};
    uint64_t offset = 0;
    int err = make_run_folder(arena, root, &run);

    if (err)
        return err;
    for (size_t i = 0; i < count && !err; i++) {
        err = note_file(arena, root, &changes[i], offset, &run);
        offset += changes[i].before.len;
    }
    if (!err)
        err = write_pack(run_path(arena, root, run.id, "pack"), changes, count);
    if (!err)
        err = write_manifest(arena, root, &run);
    if (!err)
        err = sync_folder(cn_str_fmt(arena, "%s/.canyon/runs", root).ptr);
    if (err)
        cn_run_drop(arena, root, &run);
    else
        *out = run;
    return err;
}

int cn_run_set_state(struct cn_arena *arena, const char *root,
                     struct cn_run *run, enum cn_run_state state)
{
    run->state = state;
    return write_manifest(arena, root, run);
}

void cn_run_drop(struct cn_arena *arena, const char *root,
                 const struct cn_run *run)
{
    unlink(run_path(arena, root, run->id, "manifest"));
    unlink(run_path(arena, root, run->id, "manifest.tmp"));
    unlink(run_path(arena, root, run->id, "pack"));
    rmdir(run_path(arena, root, run->id, ""));
}

bool cn_run_made(const struct cn_run_file *file)
{
    return strcmp(file->before, "-") == 0;
}

int cn_run_old_bytes(struct cn_arena *arena, const char *root,
                     const struct cn_run *run, const struct cn_run_file *file,
                     struct cn_str *out)
{
    int fd = open(run_path(arena, root, run->id, "pack"), O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    char *bytes = malloc(file->size + 1), hash[33];
    size_t len = 0;
    ssize_t n = 1;

    while (bytes && len < file->size && n > 0) {
        n = pread(fd, bytes + len, file->size - len,
                  (off_t)(file->offset + len));
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    if (!bytes)
        return CN_ENOMEM;
    bytes[len] = '\0';
    cn_hash_hex((struct cn_str){bytes, len}, hash);
    if (len != file->size || strcmp(hash, file->before)) {
        free(bytes);
        return CN_EBROKEN;
    }
    *out = (struct cn_str){bytes, len};
    return 0;
}

/* --- all runs -------------------------------------------------------------- */

/* 20261120-2 before 20261120-10. */
static int by_id(const void *a, const void *b)
{
    const struct cn_run *x = a, *y = b;

    return strverscmp(x->id, y->id);
}

int cn_runs_list(struct cn_arena *arena, const char *root,
                 struct cn_run_list *out)
{
    DIR *dir = opendir(cn_str_fmt(arena, "%s/.canyon/runs", root).ptr);

    if (!dir)
        return -errno;
    for (struct dirent *d; (d = readdir(dir));) {
        struct cn_run run;

        if (cn_run_load(arena, root, d->d_name, &run) == 0)
            cn_vec_push(arena, out, run);
    }
    closedir(dir);
    if (out->len)
        qsort(out->at, out->len, sizeof(out->at[0]), by_id);
    return 0;
}
