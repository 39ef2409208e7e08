/* floor [-a] DIR...: the least that finding asyncio in a Python tree can cost.
 *
 * One thread: list the folders, read each .py file, look for a trace of async
 * code, parse what has one with tree-sitter, and walk the tree once for
 * `asyncio.<name>`. No scopes, no aliases, no verdicts, no report. `make
 * bench` holds `canyon scan` against it. With -a the parser allocates by
 * bumping a pointer that is reset for every file. */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tree_sitter/api.h>

const TSLanguage *tree_sitter_python(void);

static size_t files, parsed, hits;
static TSParser *parser;
static TSSymbol attribute, identifier;

/* --- a bump allocator ------------------------------------------------------ */

static char *heap, *heap_next;
static const size_t heap_size = (size_t)4 << 30; /* address space only */

static void *bump(size_t size)
{
    size = (size + 31) & ~(size_t)15;
    char *at = heap_next;

    if ((size_t)(heap + heap_size - at) < size)
        abort();
    *(size_t *)(void *)at = size - 16;
    heap_next += size;
    return at + 16;
}

static void *bump_zeroed(size_t count, size_t size)
{
    return memset(bump(count * size), 0, count * size);
}

static void *bump_again(void *old, size_t size)
{
    size_t had = old ? ((size_t *)old)[-2] : 0;

    if (size <= had)
        return old;
    void *new_ = bump(size);

    return had ? memcpy(new_, old, had) : new_;
}

static void bump_free(void *unused)
{
    (void)unused;
}

/* --- one file --------------------------------------------------------------- */

static void search(TSNode root, const char *text)
{
    TSTreeCursor c = ts_tree_cursor_new(root);

    for (;;) {
        TSNode n = ts_tree_cursor_current_node(&c);

        if (ts_node_symbol(n) == attribute) {
            TSNode object = ts_node_child(n, 0);
            uint32_t at = ts_node_start_byte(object);

            if (ts_node_symbol(object) == identifier &&
                ts_node_end_byte(object) - at == 7 &&
                memcmp(text + at, "asyncio", 7) == 0)
                hits++;
        }
        if (ts_tree_cursor_goto_first_child(&c))
            continue;
        while (!ts_tree_cursor_goto_next_sibling(&c))
            if (!ts_tree_cursor_goto_parent(&c)) {
                ts_tree_cursor_delete(&c);
                return;
            }
    }
}

static bool worth_parsing(const char *text, size_t len)
{
    return memmem(text, len, "asyncio", 7) || memmem(text, len, "await", 5) ||
           memmem(text, len, "async ", 6);
}

static void parse(const char *text, size_t len)
{
    if (heap) {
        heap_next = heap;
        parser = ts_parser_new();
        ts_parser_set_language(parser, tree_sitter_python());
    }
    TSTree *tree = ts_parser_parse_string(parser, NULL, text, (uint32_t)len);

    parsed++;
    search(ts_tree_root_node(tree), text);
    ts_tree_delete(tree);
    if (heap)
        ts_parser_delete(parser);
}

static void scan_file(int folder, const char *name)
{
    static char *text;
    static size_t room;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return;
    if ((size_t)st.st_size + 1 > room)
        text = realloc(text, room = (size_t)st.st_size * 2 + 1);
    ssize_t len = read(fd, text, room);

    close(fd);
    files++;
    if (len > 0 && worth_parsing(text, (size_t)len))
        parse(text, (size_t)len);
}

static void scan_folder(int fd)
{
    DIR *dir = fdopendir(fd);
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        size_t len = strlen(e->d_name);

        if (e->d_type == DT_DIR && strcmp(e->d_name, ".") != 0 &&
            strcmp(e->d_name, "..") != 0)
            scan_folder(openat(fd, e->d_name, O_RDONLY | O_DIRECTORY));
        else if (e->d_type == DT_REG && len > 3 &&
                 strcmp(e->d_name + len - 3, ".py") == 0)
            scan_file(fd, e->d_name);
    }
    if (dir)
        closedir(dir);
}

int main(int argc, char **argv)
{
    int first = 1;

    if (argc > 1 && strcmp(argv[1], "-a") == 0) {
        heap = heap_next = malloc(heap_size);
        if (!heap)
            abort();
        ts_set_allocator(bump, bump_zeroed, bump_again, bump_free);
        first = 2;
    }
    const TSLanguage *python = tree_sitter_python();

    parser = ts_parser_new();
    if (!ts_parser_set_language(parser, python))
        return 3;
    attribute = ts_language_symbol_for_name(python, "attribute", 9, true);
    identifier = ts_language_symbol_for_name(python, "identifier", 10, true);
    for (int i = first; i < argc; i++)
        scan_folder(open(argv[i], O_RDONLY | O_DIRECTORY));
    printf("%zu files, %zu parsed, %zu uses\n", files, parsed, hits);
    return 0;
}
