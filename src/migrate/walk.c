/* From paths on the command line to files with their bytes. Folders are
 * walked in the order of names; .gitignore files are honoured as git does;
 * links to folders are never followed, links to files are, and a file that is
 * reached twice is read once. What cannot be read is kept with its error, so
 * that it is reported and never silently left out. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/project.h"

/* Folders that hold nobody's own source, whatever .gitignore says. */
static const char *const never[] = {
    ".bzr",
    ".canyon",
    ".direnv",
    ".eggs",
    ".git",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pyenv",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    "__pycache__",
    "__pypackages__",
    "node_modules",
    "site-packages",
    "venv",
};

struct walk {
    struct cn_project *project;
    struct cn_ignores *excludes; /* innermost first: command line, config */
    struct cn_ignores keep;
    struct cn_map seen; /* device and inode -> index */
    bool background;    /* now walking what was not asked for */
};

/* --- reading --------------------------------------------------------------- */

static int read_all(int fd, size_t size, struct cn_str *out)
{
    size_t len = 0, cap = size + 1;
    char *bytes = malloc(cap + 1);

    while (bytes) {
        ssize_t n = read(fd, bytes + len, cap - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int err = -errno;

            free(bytes);
            return err;
        }
        len += (size_t)n;
        if (n == 0)
            break;
        if (len == cap) { /* it grew while we read */
            char *more = realloc(bytes, (cap *= 2) + 1);

            if (!more)
                free(bytes);
            bytes = more;
        }
    }
    if (!bytes)
        return CN_ENOMEM;
    bytes[len] = '\0';
    *out = (struct cn_str){bytes, len};
    return 0;
}

int cn_read_file(const char *path, struct cn_str *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    int err;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st))
        err = -errno;
    else if (S_ISDIR(st.st_mode))
        err = -EISDIR;
    else if (!S_ISREG(st.st_mode))
        err = -EINVAL;
    else if (st.st_size > INT32_MAX)
        err = CN_ETOOBIG;
    else
        err = read_all(fd, (size_t)st.st_size, out);
    close(fd);
    return err;
}

static bool has(struct cn_str text, const char *needle)
{
    return cn_str_find(text, cn_str_from(needle)) >= 0;
}

bool cn_worth_parsing(struct cn_str text)
{
    return has(text, "asyncio") || has(text, "anyio") || has(text, "async ") ||
           has(text, "await ") || has(text, "async\t") || has(text, "await(");
}

/* --- paths ----------------------------------------------------------------- */

/* `real` as people read it: relative to the working directory if below. */
static struct cn_str shown_path(const struct cn_project *p, struct cn_str path)
{
    struct cn_str cwd = cn_str_from(p->cwd);

    if (cn_str_is(cwd, "/"))
        return cn_str_sub(path, 1, path.len);
    if (cn_str_starts(path, cwd) && path.len > cwd.len + 1 &&
        path.ptr[cwd.len] == '/')
        return cn_str_sub(path, cwd.len + 1, path.len);
    return path;
}

static struct cn_str folder_of(struct cn_str path)
{
    ptrdiff_t slash = cn_str_rfind(path, CN_STR("/"));

    return cn_str_sub(path, 0, slash > 0 ? (size_t)slash : 1);
}

/* The absolute path of an existing thing: links in its folder resolved, a link
 * in its last name kept. */
static int absolute(struct cn_arena *arena, const char *path, bool is_folder,
                    struct cn_str *out)
{
    struct cn_str given = cn_str_from(path);
    char real[PATH_MAX];

    if (is_folder) {
        if (!realpath(path, real))
            return -errno;
        *out = cn_str_fmt(arena, "%s", real);
        return 0;
    }
    ptrdiff_t slash = cn_str_rfind(given, CN_STR("/"));
    struct cn_str folder = cn_str_sub(given, 0, (size_t)(slash + 1));

    if (!realpath(slash < 0 ? "." : cn_str_dup(arena, folder), real))
        return -errno;
    *out = cn_str_fmt(arena, "%s/%s", strcmp(real, "/") ? real : "",
                      path + slash + 1);
    return 0;
}

static bool exists_in(struct cn_arena *arena, struct cn_str folder,
                      const char *name)
{
    struct cn_str path = cn_str_fmt(arena, "%.*s/%s", CN_STR_ARG(folder), name);

    return access(path.ptr, F_OK) == 0;
}

/* --- the root -------------------------------------------------------------- */

static struct cn_str common_folder(struct cn_str a, struct cn_str b)
{
    while (!cn_str_is(a, "/") &&
           !(cn_str_starts(b, a) && (b.len == a.len || b.ptr[a.len] == '/')))
        a = folder_of(a);
    return a;
}

static bool is_root(struct cn_arena *arena, struct cn_str folder)
{
    static const char *const marks[] = {"pyproject.toml", "setup.cfg",
                                        "setup.py", ".git", ".canyon"};

    for (size_t i = 0; i < CN_COUNT(marks); i++)
        if (exists_in(arena, folder, marks[i]))
            return true;
    return false;
}

int cn_project_root(struct cn_arena *arena, char *const *paths, size_t count,
                    const char **root, struct cn_note *note)
{
    struct cn_str folder = {NULL, 0};

    for (size_t i = 0; i < count; i++) {
        char real[PATH_MAX];
        struct stat st;

        if (!realpath(paths[i], real) || stat(real, &st))
            return cn_note_set(note, CN_EUSAGE, "%s: %s", paths[i],
                               cn_strerror(-errno));
        struct cn_str path = {cn_str_dup(arena, cn_str_from(real)),
                              strlen(real)};

        if (!S_ISDIR(st.st_mode))
            path = folder_of(path);
        folder = folder.ptr ? common_folder(folder, path) : path;
    }
    struct cn_str up = folder;

    while (!is_root(arena, up) && !cn_str_is(up, "/"))
        up = folder_of(up);
    *root = cn_str_dup(arena, is_root(arena, up) ? up : folder);
    return 0;
}

/* --- sources --------------------------------------------------------------- */

static void warn(struct cn_project *p, const char *fmt, struct cn_str path)
{
    cn_vec_push(p->arena, &p->warnings,
                cn_str_fmt(p->arena, fmt, CN_STR_ARG(path)));
}

static void add_error(struct walk *w, struct cn_str path, int err)
{
    struct cn_project *p = w->project;
    struct cn_source source = {
        .path = shown_path(p, path), .text = {"", 0}, .error = err};

    if (!w->background)
        cn_vec_push(p->arena, p, source);
}

/* The index that a file has, or will have; *fresh: not seen before. */
static size_t see(struct walk *w, const struct stat *st, bool *fresh)
{
    struct cn_project *p = w->project;
    struct cn_str id =
        cn_str_fmt(p->arena, "%lx:%lx", (long)st->st_dev, (long)st->st_ino);
    union cn_value *value = cn_map_put(p->arena, &w->seen, id, fresh);

    if (*fresh)
        value->num = p->len;
    return value->num;
}

/* A file reached by two names is one file: the name that is no link wins. */
static bool seen_before(struct walk *w, const struct stat *st,
                        struct cn_str path, bool is_link)
{
    struct cn_project *p = w->project;
    bool fresh;
    size_t index = see(w, st, &fresh);

    if (fresh)
        return false;
    if (!is_link && !w->background)
        p->at[index].path = shown_path(p, path);
    return true;
}

static void add_file(struct walk *w, struct cn_str path, bool is_link)
{
    struct cn_project *p = w->project;
    struct stat st;
    char real[PATH_MAX];

    if (stat(path.ptr, &st) || !realpath(path.ptr, real)) {
        add_error(w, path, -errno);
        return;
    }
    if (!S_ISREG(st.st_mode) || seen_before(w, &st, path, is_link))
        return;
    struct cn_source source = {.path = shown_path(p, path), .text = {"", 0}};

    source.real = cn_str_dup(p->arena, cn_str_from(real));
    source.kept = cn_ignored(&w->keep, path, false);
    source.background = w->background;
    source.error = cn_read_file(real, &source.text);
    cn_vec_push(p->arena, p, source);
}

static bool is_python(struct cn_str name)
{
    return cn_str_ends(name, CN_STR(".py")) ||
           cn_str_ends(name, CN_STR(".pyw"));
}

/* A link to a file is followed only when the file is part of the project. */
static void add_link(struct walk *w, struct cn_str path)
{
    struct cn_str root = cn_str_from(w->project->root);
    char real[PATH_MAX];
    struct stat st;

    if (!is_python(path) || !realpath(path.ptr, real) || stat(real, &st) ||
        !S_ISREG(st.st_mode))
        return; /* to a folder, to nothing, or a loop */
    if (cn_str_is(root, "/") ||
        (cn_str_starts(cn_str_from(real), root) && real[root.len] == '/'))
        add_file(w, path, true);
    else if (!w->background)
        warn(w->project, "%.*s: skipped, a link that leads out of the project",
             shown_path(w->project, path));
}

/* --- folders --------------------------------------------------------------- */

struct entry {
    struct cn_str path; /* absolute, with a NUL behind */
    unsigned char type; /* DT_* */
};

struct entries {
    struct entry *at;
    size_t len, cap;
};

static int by_path(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return cn_str_cmp(x->path, y->path);
}

static int list(struct cn_arena *arena, struct cn_str folder,
                struct entries *out)
{
    DIR *dir = opendir(folder.ptr);

    if (!dir)
        return -errno;
    for (struct dirent *d; (d = readdir(dir));) {
        struct entry e = {.type = d->d_type};
        struct stat st;

        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        e.path = cn_str_fmt(arena, "%s/%s", folder.len > 1 ? folder.ptr : "",
                            d->d_name);
        if (e.type == DT_UNKNOWN && lstat(e.path.ptr, &st) == 0)
            e.type = (unsigned char)IFTODT(st.st_mode);
        cn_vec_push(arena, out, e);
    }
    closedir(dir);
    if (out->len)
        qsort(out->at, out->len, sizeof(out->at[0]), by_path);
    return 0;
}

/* The patterns of a file on top of the outer ones. */
static struct cn_ignores *read_ignores(struct walk *w, struct cn_str folder,
                                       const char *name,
                                       struct cn_ignores *outer)
{
    struct cn_arena *arena = w->project->arena;
    struct cn_str path = cn_str_fmt(arena, "%.*s/%s", CN_STR_ARG(folder), name);
    struct cn_str text;

    if (w->project->config.no_gitignore || cn_read_file(path.ptr, &text))
        return outer;
    struct cn_ignores *own = CN_NEW(arena, struct cn_ignores);
    struct cn_str copy = {cn_str_dup(arena, text), text.len};

    free((char *)text.ptr);
    own->outer = outer;
    own->base = folder;
    cn_ignores_add_text(arena, own, copy);
    return own;
}

static bool is_never(struct cn_arena *arena, struct cn_str folder)
{
    ptrdiff_t slash = cn_str_rfind(folder, CN_STR("/"));
    struct cn_str name = cn_str_sub(folder, (size_t)slash + 1, folder.len);

    for (size_t i = 0; i < CN_COUNT(never); i++)
        if (cn_str_is(name, never[i]))
            return true;
    return exists_in(arena, folder, "pyvenv.cfg"); /* a virtual environment */
}

static void walk_folder(struct walk *w, struct cn_str folder,
                        struct cn_ignores *outer)
{
    struct cn_project *p = w->project;
    struct entries entries = {0};
    int err = list(p->arena, folder, &entries);

    if (err) {
        add_error(w, folder, err);
        return;
    }
    struct cn_ignores *ignores = read_ignores(w, folder, ".gitignore", outer);

    cn_vec_for (e, &entries) {
        bool is_folder = e->type == DT_DIR;

        if (!is_folder && !is_python(e->path))
            continue;
        if (cn_ignored(w->excludes, e->path, is_folder) ||
            cn_ignored(ignores, e->path, is_folder))
            continue;
        if (is_folder && !is_never(p->arena, e->path))
            walk_folder(w, e->path, ignores);
        else if (e->type == DT_REG)
            add_file(w, e->path, false);
        else if (e->type == DT_LNK)
            add_link(w, e->path);
    }
}

/* The .gitignore files above a folder, from the repository's top down. */
static struct cn_ignores *ignores_above(struct walk *w, struct cn_str folder)
{
    struct cn_arena *arena = w->project->arena;
    struct cn_str top = folder;
    struct cn_ignores *ignores = NULL;

    while (!exists_in(arena, top, ".git") && !cn_str_is(top, "/"))
        top = folder_of(top);
    if (!exists_in(arena, top, ".git"))
        return NULL;
    ignores = read_ignores(w, top, ".git/info/exclude", NULL);
    for (size_t len = top.len; len < folder.len;) {
        ignores =
            read_ignores(w, cn_str_sub(folder, 0, len), ".gitignore", ignores);
        do
            len++;
        while (len < folder.len && folder.ptr[len] != '/');
    }
    return ignores;
}

/* --- all of it ------------------------------------------------------------- */

static int by_shown_path(const void *a, const void *b)
{
    const struct cn_source *x = a, *y = b;

    return cn_str_cmp(x->path, y->path);
}

static int walk_path(struct walk *w, const char *path, struct cn_note *note)
{
    struct cn_project *p = w->project;
    struct cn_str abs;
    struct stat st;
    int err = stat(path, &st) ? -errno : 0;

    if (!err)
        err = absolute(p->arena, path, S_ISDIR(st.st_mode), &abs);
    if (err)
        return cn_note_set(note, CN_EUSAGE, "%s: %s", path, cn_strerror(err));
    if (S_ISDIR(st.st_mode)) {
        walk_folder(w, abs, ignores_above(w, abs));
        return 0;
    }
    if (!S_ISREG(st.st_mode))
        return cn_note_set(note, CN_EUSAGE, "%s: neither a file nor a folder",
                           path);
    add_file(w, abs, lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
    return 0;
}

static void sort(struct cn_project *project)
{
    if (project->len)
        qsort(project->at, project->len, sizeof(project->at[0]), by_shown_path);
    cn_project_name_modules(project);
}

/* The rest of the project, by .gitignore only: what is excluded from the
 * migration still uses what is migrated. */
static void walk_background(struct walk *w)
{
    struct cn_str root = cn_str_from(w->project->root);

    w->background = true;
    w->excludes = NULL;
    walk_folder(w, root, ignores_above(w, root));
}

int cn_project_walk(struct cn_project *project, char *const *paths,
                    size_t count, const struct cn_strs *excludes_from_cwd,
                    struct cn_note *note)
{
    struct cn_ignores config = {.base = cn_str_from(project->root)};
    struct cn_ignores line = {.outer = &config,
                              .base = cn_str_from(project->cwd)};
    struct walk w = {.project = project, .excludes = &line};

    config.patterns = project->config.exclude;
    if (excludes_from_cwd)
        line.patterns = *excludes_from_cwd;
    w.keep.base = config.base;
    w.keep.patterns = project->config.keep_asyncio;
    for (size_t i = 0; i < count; i++) {
        int err = walk_path(&w, paths[i], note);

        if (err)
            return err;
    }
    walk_background(&w);
    sort(project);
    return 0;
}

void cn_project_walk_background(struct cn_project *project, const char *except)
{
    struct walk w = {.project = project};
    struct stat st;
    bool fresh;

    /* as if it had been read: its bytes on the disk are not what counts */
    if (except && stat(except, &st) == 0)
        see(&w, &st, &fresh);
    walk_background(&w);
    sort(project);
}

void cn_project_done(struct cn_project *project)
{
    cn_vec_for (source, project) {
        if (source->real && !source->error)
            free((char *)source->text.ptr);
        source->text = (struct cn_str){"", 0};
    }
}
