/* project: which files, for which Python and AnyIO, and what they import.
 *
 * toml.c     just enough TOML: keys, values and their lines
 * config.c   [tool.canyon], requires-python, --config KEY=VALUE
 * glob.c     the patterns of .gitignore, for ignoring and excluding
 * walk.c     from paths on the command line to a sorted list of files
 * modules.c  what files are called when they are imported
 * facts.c    what one file may ask about the others
 *
 * Everything allocated lives in the arena given; paths are as people wrote
 * them, relative to the working directory where that is possible.
 */
#ifndef CN_MIGRATE_PROJECT_H
#define CN_MIGRATE_PROJECT_H

#include "migrate/rule.h"

struct cn_strs {
    struct cn_str *at;
    size_t len, cap;
};

/* --- TOML ---------------------------------------------------------------- */

enum cn_toml_kind {
    CN_TOML_STRING,
    CN_TOML_BOOL,
    CN_TOML_NUMBER,  /* str is the number as written: 4.10 stays 4.10 */
    CN_TOML_STRINGS, /* an array of nothing but strings */
    CN_TOML_OTHER,
};

/* One `key = value`, the key with the names of its tables: "tool.canyon.x". */
struct cn_toml_pair {
    struct cn_str key;
    enum cn_toml_kind kind;
    bool flag;
    struct cn_str str;
    struct cn_strs strs;
    uint32_t line; /* 1-based */
};

struct cn_toml {
    struct cn_toml_pair *at;
    size_t len, cap;
};

/* Read a document. Returns 0, or CN_ECONFIG with the line in the note. */
int cn_toml_read(struct cn_arena *arena, struct cn_str text,
                 struct cn_toml *out, struct cn_note *note);

/* --- configuration ------------------------------------------------------- */

struct cn_config {
    int anyio;  /* 400, 414, 415; 0: nobody said so yet */
    int python; /* 310; 0: nobody said so */
    bool idiomatic, fix_blocking, safe_only;
    bool no_gitignore;
    struct cn_strs select, ignore;
    struct cn_strs exclude;      /* patterns relative to the project */
    struct cn_strs keep_asyncio; /* the same; these files are never changed */
    struct cn_strs warnings;     /* for people, one line each */
    const char *python_from;     /* "requires-python in pyproject.toml" */
};

/* The lowest Python that a specifier lets in (">=3.9,<4", "^3.8", "~=3.10"),
 * as 309; 0 when it says nothing about a lowest one. */
int cn_python_floor(struct cn_str specifier);

/* Read `root`/pyproject.toml, and setup.cfg for what it does not say. A
 * missing file is an empty one. Returns 0, or CN_ECONFIG with a note that
 * names the file and the line. */
int cn_config_read(struct cn_arena *arena, const char *root,
                   struct cn_config *config, struct cn_note *note);
/* Set one value as TOML, "select=['CN1']"; bare words are strings. */
int cn_config_set(struct cn_arena *arena, struct cn_config *config,
                  struct cn_str key_value, struct cn_note *note);
/* The same with a value that is text, a comma-separated list or "true". */
int cn_config_set_text(struct cn_arena *arena, struct cn_config *config,
                       const char *key, struct cn_str value,
                       struct cn_note *note);
/* What the rules are told. An AnyIO that nobody chose follows from the lowest
 * Python: 4.14 from 3.10 on (or unknown), 4.0 below. */
struct cn_target cn_config_target(const struct cn_config *config);

/* --- patterns ------------------------------------------------------------ */

/* Does `path` match a glob: * and ? stop at '/', ** does not, [a-z] [!a]. */
bool cn_glob_match(struct cn_str glob, struct cn_str path);

/* Patterns with gitignore's meaning, from one file or list. */
struct cn_ignores {
    struct cn_ignores *outer; /* asked when nothing here matches */
    struct cn_str base;       /* absolute folder, without the last '/' */
    struct cn_strs patterns;
};

/* Add the patterns of a .gitignore text: comments and blank lines fall out. */
void cn_ignores_add_text(struct cn_arena *arena, struct cn_ignores *ignores,
                         struct cn_str text);
/* Is an absolute path ignored, by itself (not through its parents)? The last
 * matching pattern of the innermost list wins. */
bool cn_ignored(const struct cn_ignores *ignores, struct cn_str path,
                bool is_folder);

/* --- walking ------------------------------------------------------------- */

struct cn_source {
    struct cn_str path;   /* as shown: relative to the working directory */
    const char *real;     /* absolute, symbolic links resolved */
    struct cn_str text;   /* the bytes as read; empty when error is set */
    int error;            /* 0, or why it could not be read: -EACCES */
    const char *reason;   /* more words for the error, or NULL */
    bool kept;            /* keep-asyncio: reported, never changed */
    bool background;      /* not asked for: read for what it says of others */
    struct cn_str module; /* "pkg.mod"; "" when it has no importable name */
    bool is_package;
    bool is_support;       /* a support module that canyon wrote */
    struct cn_str support; /* how it would import one, "pkg._anyio_support"; ""
                              when there is no sure place */
    const char *support_path; /* absolute; set with support */
};

struct cn_project {
    struct cn_arena *arena;
    const char *root; /* absolute; where .canyon/ lives */
    const char *cwd;  /* absolute */
    struct cn_config config;
    struct cn_source *at; /* by path; unreadable ones included */
    size_t len, cap;
    struct cn_strs warnings;
};

/* The folder that holds a path's pyproject.toml, setup.cfg, setup.py or .git,
 * searched upwards from the deepest folder that all paths share; that folder
 * itself when there is none. Absolute. Returns 0 or CN_EUSAGE with a note when
 * a path does not exist. */
int cn_project_root(struct cn_arena *arena, char *const *paths, size_t count,
                    const char **root, struct cn_note *note);

/* Find the Python files below the paths and read them; the other files of the
 * project are read as background, for facts: what a file may become depends on
 * who uses it. project->arena, root,
 * cwd and config are set by the caller. Folders that cannot be listed and
 * files that cannot be read become sources with an error; only a path that
 * does not exist fails: CN_EUSAGE. */
int cn_project_walk(struct cn_project *project, char *const *paths,
                    size_t count, const struct cn_strs *excludes_from_cwd,
                    struct cn_note *note);
/* The background alone: for a text that comes from elsewhere. The file at
 * `except` (absolute, or NULL) is left out. Cannot fail. */
void cn_project_walk_background(struct cn_project *project, const char *except);
/* Give every source its module name, from the packages around it, or by its
 * place below the root or its src/ folder. Called by cn_project_walk. */
void cn_project_name_modules(struct cn_project *project);
/* Free the texts; the rest belongs to the arena. */
void cn_project_done(struct cn_project *project);

/* Is there anything here to parse for: asyncio, anyio, async or await? */
bool cn_worth_parsing(struct cn_str text);

/* A whole file, malloc()ed with a NUL behind. Returns 0 or a negative errno;
 * files over 2 GiB give CN_ETOOBIG, things that are no files -EINVAL. */
int cn_read_file(const char *path, struct cn_str *out);

/* --- facts across files -------------------------------------------------- */

struct cn_facts;

/* Facts that stay valid as long as the project's texts. They bring a parser of
 * their own: callbacks run while the caller's is busy. */
struct cn_facts *cn_facts_open(const struct cn_project *project);
void cn_facts_close(struct cn_facts *facts);
const struct cn_project_facts *cn_facts_get(struct cn_facts *facts);

#endif
