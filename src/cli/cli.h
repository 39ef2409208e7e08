/* cli: the command. It reads the command line, calls src/migrate and prints.
 *
 * main.c         the table of commands, and what a command is
 * options.c      the table of options, and reading argv by it
 * manual.c       help, completions and the man page, all made from the tables
 * cmd_migrate.c  scan and migrate
 * cmd_undo.c     undo
 * cmd_rules.c    explain and rules
 *
 * To add a command: a row in `cn_commands` (main.c) and a function. To add an
 * option: a member in struct cn_cli and a row in `cn_options` (options.c).
 */
#ifndef CN_CLI_CLI_H
#define CN_CLI_CLI_H

#include <stdio.h>

#include "migrate/migrate.h"

enum cn_exit {
    CN_EXIT_OK = 0,       /* nothing left to report */
    CN_EXIT_FINDINGS = 1, /* findings remain; --check: would change something */
    CN_EXIT_FAILED = 2,   /* bad usage, bad configuration, internal error */
    CN_EXIT_REFUSED = 4,  /* a file changed under us, an undo in conflict */
    CN_EXIT_INTERRUPTED = 130, /* nothing half done */
};

/* Which commands an option belongs to. */
enum {
    CN_ON_SCAN = 1,
    CN_ON_MIGRATE = 2,
    CN_ON_UNDO = 4,
    CN_ON_RULES = 8,
    CN_ON_HELP = 16,
    CN_ON_BOTH = CN_ON_SCAN | CN_ON_MIGRATE,
    CN_ON_ALL = 31,
};

struct cn_command;

/* One command line, read. Texts point into argv. */
struct cn_cli {
    struct cn_arena arena;
    const struct cn_command *command;
    char **args;
    size_t arg_count;
    /* options, in the order of the table */
    bool diff, check, safe_only, fix_blocking, statistics, exit_zero;
    bool no_gitignore, isolated, quiet, verbose, list, man, help, version;
    struct cn_str target_anyio, target_python, style;
    struct cn_str output_format, output_file, stdin_filename, color, jobs;
    struct cn_str project;
    struct cn_strs select, ignore, exclude, config;
};

struct cn_command {
    const char *name;
    const char *args;    /* "[PATH...]" */
    const char *summary; /* one line */
    const char *about;   /* paragraphs for help and the man page */
    int on;              /* CN_ON_*: which options it takes */
    int (*run)(struct cn_cli *cli);
};

enum cn_option_type { CN_OPT_FLAG, CN_OPT_TEXT, CN_OPT_LIST };

struct cn_option {
    const char *name; /* without the dashes */
    char letter;      /* or 0 */
    enum cn_option_type type;
    size_t offset; /* in struct cn_cli */
    int on;
    const char *value;   /* "FILE"; what stands for it in help */
    const char *choices; /* "text|json", or NULL: anything */
    const char *summary;
};

extern const struct cn_command cn_commands[];
extern const size_t cn_command_count;
extern const struct cn_option cn_options[];
extern const size_t cn_option_count;

const struct cn_command *cn_command_find(const char *name);

/* Read argv[1..] by the tables. Returns 0, or CN_EUSAGE after a message. */
int cn_cli_parse(struct cn_cli *cli, int argc, char **argv);

/* "canyon: ..." on stderr, one line. Returns `status`. */
int cn_fail(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void cn_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Should this stream be coloured: --color, NO_COLOR, FORCE_COLOR, a terminal?
 */
bool cn_coloured(const struct cn_cli *cli, FILE *stream);
/* All of a buffer to a stream. Returns 0 or a negative errno. */
int cn_put(FILE *stream, const struct cn_buf *buf);

/* manual.c */
void cn_print_usage(FILE *out);
void cn_print_help(FILE *out, const struct cn_command *command);
void cn_print_man(FILE *out);
int cn_print_completions(FILE *out, const char *shell);

/* cmd_*.c */
int cn_cmd_scan(struct cn_cli *cli);
int cn_cmd_migrate(struct cn_cli *cli);
int cn_cmd_undo(struct cn_cli *cli);
int cn_cmd_explain(struct cn_cli *cli);
int cn_cmd_rules(struct cn_cli *cli);

#endif
