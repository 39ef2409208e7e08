/* What a file is called when it is imported. The folders with an __init__.py
 * around it make its package; a file outside of any package is named by its
 * place below the project's root, or below src/ there. */
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "migrate/project.h"

#define SUPPORT_MARK "# canyon: support-module\n"

struct namer {
    struct cn_project *project;
    struct cn_map packages; /* folder -> 1: has an __init__.py, 2: has not */
};

static bool is_package_folder(struct namer *n, struct cn_str folder)
{
    struct cn_arena *arena = n->project->arena;
    union cn_value *known = cn_map_put(arena, &n->packages, folder, NULL);

    if (!known->num) {
        struct cn_str path =
            cn_str_fmt(arena, "%.*s/__init__.py", CN_STR_ARG(folder));

        known->num = access(path.ptr, F_OK) == 0 ? 1 : 2;
    }
    return known->num == 1;
}

static bool is_identifier(struct cn_str name)
{
    if (!name.len || isdigit((unsigned char)name.ptr[0]))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];

        if (c < 0x80 && !isalnum(c) && c != '_')
            return false;
    }
    return true;
}

static struct cn_str folder_of(struct cn_str path)
{
    ptrdiff_t slash = cn_str_rfind(path, CN_STR("/"));

    return cn_str_sub(path, 0, slash > 0 ? (size_t)slash : 0);
}

/* "a/b/c" -> "a.b.c"; "" when a part is no identifier. */
static struct cn_str dotted(struct cn_arena *arena, struct cn_str path)
{
    char *z = cn_str_dup(arena, path);
    struct cn_str rest = path, part;

    while (cn_str_cut(&rest, '/', &part))
        if (!is_identifier(part))
            return (struct cn_str){"", 0};
    for (size_t i = 0; i < path.len; i++)
        if (z[i] == '/')
            z[i] = '.';
    return (struct cn_str){z, path.len};
}

/* The folder that would be on sys.path for this file. */
static struct cn_str import_root(struct namer *n, struct cn_str path)
{
    struct cn_str root = cn_str_from(n->project->root);
    struct cn_str src = cn_str_fmt(n->project->arena, "%s/src", root.ptr);
    struct cn_str folder = folder_of(path);

    if (is_package_folder(n, folder)) {
        while (folder.len && is_package_folder(n, folder))
            folder = folder_of(folder);
        return folder;
    }
    if (cn_str_starts(path, src) && path.ptr[src.len] == '/')
        return src;
    return cn_str_starts(path, root) ? root : folder;
}

static void name_module(struct namer *n, struct cn_source *source)
{
    struct cn_str path = cn_str_from(source->real);
    struct cn_str from = import_root(n, path);
    struct cn_str below = cn_str_sub(path, from.len + 1, path.len);
    ptrdiff_t dot = cn_str_rfind(below, CN_STR("."));

    below = cn_str_sub(below, 0, dot < 0 ? below.len : (size_t)dot);
    source->is_package = cn_str_ends(below, CN_STR("/__init__"));
    if (source->is_package)
        below.len -= strlen("/__init__");
    source->module = dotted(n->project->arena, below);
}

/* --- the support module ---------------------------------------------------- */

/* Is it run by itself, or by pytest, so that its own folder is on sys.path? */
static bool is_script(struct cn_str name, struct cn_str text)
{
    return cn_str_starts(name, CN_STR("test_")) ||
           cn_str_ends(name, CN_STR("_test.py")) ||
           cn_str_is(name, "conftest.py") ||
           cn_str_find(text, CN_STR("__main__")) >= 0;
}

/* Is there something of that name that canyon did not write? */
static bool is_foreign(const char *path)
{
    struct cn_str text;

    if (access(path, F_OK))
        return false;
    if (cn_read_file(path, &text))
        return true;
    bool ours = cn_str_starts(text, CN_STR(SUPPORT_MARK));

    free((char *)text.ptr);
    return !ours;
}

/* In a package: beside the other modules of its outermost folder. Elsewhere
 * beside the file, if that folder is surely where Python looks. */
static void place_support(struct namer *n, struct cn_source *source)
{
    struct cn_arena *arena = n->project->arena;
    struct cn_str path = cn_str_from(source->real), folder = folder_of(path);
    struct cn_str package = {NULL, 0};
    struct cn_str name = cn_str_sub(path, folder.len + 1, path.len);

    for (struct cn_str f = folder; f.len && is_package_folder(n, f);
         f = folder_of(f))
        package = f;
    if (package.ptr) {
        size_t above = folder_of(package).len + 1;

        source->support =
            cn_str_fmt(arena, "%.*s." CN_SUPPORT_NAME,
                       CN_STR_ARG(cn_str_sub(package, above, package.len)));
        folder = package;
    } else if (is_script(name, source->text) ||
               cn_str_find(source->module, CN_STR(".")) < 0) {
        source->support = CN_STR(CN_SUPPORT_NAME);
    }
    source->support_path =
        cn_str_fmt(arena, "%.*s/" CN_SUPPORT_NAME ".py", CN_STR_ARG(folder))
            .ptr;
    source->is_support = cn_str_is(name, CN_SUPPORT_NAME ".py") &&
                         cn_str_starts(source->text, CN_STR(SUPPORT_MARK));
    if (source->support.len && is_foreign(source->support_path))
        source->support.len = 0;
}

void cn_project_name_modules(struct cn_project *project)
{
    struct namer n = {.project = project};

    cn_vec_for (source, project)
        if (source->real) {
            name_module(&n, source);
            place_support(&n, source);
        }
}
