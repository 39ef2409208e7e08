/* canyon: the table of commands and the way into them. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"

static int cmd_help(struct cn_cli *cli)
{
    const struct cn_command *command;

    if (cli->man) {
        cn_print_man(stdout);
        return CN_EXIT_OK;
    }
    if (!cli->arg_count) {
        cn_print_usage(stdout);
        return CN_EXIT_OK;
    }
    command = cn_command_find(cli->args[0]);
    if (!command)
        return cn_fail(CN_EXIT_FAILED,
                       "no command '%s'; 'canyon help' lists them",
                       cli->args[0]);
    cn_print_help(stdout, command);
    return CN_EXIT_OK;
}

static int cmd_version(struct cn_cli *cli)
{
    (void)cli;
    printf("canyon %s\n", CN_VERSION);
    return CN_EXIT_OK;
}

static int cmd_completions(struct cn_cli *cli)
{
    const char *shell = cli->arg_count ? cli->args[0] : "";

    if (cli->arg_count != 1 || cn_print_completions(stdout, shell))
        return cn_fail(CN_EXIT_FAILED, "completions for which shell? bash, "
                                       "zsh or fish");
    return CN_EXIT_OK;
}

const struct cn_command cn_commands[] = {
    {"scan", "[PATH...]",
     "find the uses of asyncio and say what can be done about each",
     "Reads every Python file below the paths (default: this folder) and "
     "writes nothing. Each use of asyncio is marked [*] safe: migrated with "
     "the same behaviour, [!] unsafe: migrated, but something may differ, "
     "[-] manual: a person must look at it, or [x] wrong: broken already.\n\n"
     "Exit status: 0 when nothing was found, 1 when something was, 2 on bad "
     "usage or bad configuration.",
     CN_ON_SCAN, cn_cmd_scan},
    {"migrate", "[PATH...]", "migrate asyncio to AnyIO in place",
     "Changes the files below the paths (default: this folder), all of them "
     "or none. What is left alone is listed with the reason. The old bytes "
     "are kept in .canyon/ in the project's root; `canyon undo` brings them "
     "back. With --diff or --check nothing is written. The path `-` migrates "
     "standard input to standard output.\n\n"
     "Exit status: 0 when nothing is left to do, 1 when findings remain (with "
     "--check: when something would be changed), 2 on bad usage, bad "
     "configuration or an internal error, 4 when a file cannot be changed "
     "(read-only, or it changed while canyon worked; nothing was written "
     "then), 130 when interrupted (nothing is half done).",
     CN_ON_MIGRATE, cn_cmd_migrate},
    {"undo", "[RUN]", "take back a migration, byte for byte",
     "Brings back the files of the last run, or of the named one: their "
     "bytes, mode and modification time. Files that were edited since are "
     "never overwritten: then nothing is changed and the exit status is 4.",
     CN_ON_UNDO, cn_cmd_undo},
    {"explain", "RULE...", "show the page of a rule",
     "The rule is named by its code (CN101) or its name (sleep).", CN_ON_RULES,
     cn_cmd_explain},
    {"rules", "", "list all rules",
     "One line for each rule: code, name, what "
     "it does.",
     CN_ON_RULES, cn_cmd_rules},
    {"version", "", "print the version", "", CN_ON_RULES, cmd_version},
    {"help", "[COMMAND]", "help on canyon or on one command", "", CN_ON_HELP,
     cmd_help},
    {"completions", "SHELL", "print completions for bash, zsh or fish",
     "For bash: canyon completions bash > "
     "~/.local/share/bash-completion/completions/canyon",
     CN_ON_RULES, cmd_completions},
};
const size_t cn_command_count = CN_COUNT(cn_commands);

const struct cn_command *cn_command_find(const char *name)
{
    for (size_t i = 0; i < CN_COUNT(cn_commands); i++)
        if (strcmp(cn_commands[i].name, name) == 0)
            return &cn_commands[i];
    return NULL;
}

static void say(const char *fmt, va_list ap)
{
    fflush(stdout);
    fputs("canyon: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
}

int cn_fail(int status, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    return status;
}

void cn_warn(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
}

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);

    return value && *value;
}

bool cn_coloured(const struct cn_cli *cli, FILE *stream)
{
    const char *term = getenv("TERM");

    if (cn_str_is(cli->color, "always"))
        return true;
    if (cn_str_is(cli->color, "never") || is_set("NO_COLOR"))
        return false;
    if (is_set("FORCE_COLOR"))
        return strcmp(getenv("FORCE_COLOR"), "0") != 0;
    return isatty(fileno(stream)) && term && strcmp(term, "dumb") != 0;
}

int cn_put(FILE *stream, const struct cn_buf *buf)
{
    if (buf->err)
        return buf->err;
    if (buf->len && fwrite(buf->ptr, 1, buf->len, stream) != buf->len)
        return -errno;
    return fflush(stream) ? -errno : 0;
}

static int run(struct cn_cli *cli)
{
    if (cli->version)
        return cmd_version(cli);
    if (!cli->command) {
        cn_print_usage(cli->help ? stdout : stderr);
        return cli->help ? CN_EXIT_OK : CN_EXIT_FAILED;
    }
    if (cli->help) {
        cn_print_help(stdout, cli->command);
        return CN_EXIT_OK;
    }
    return cli->command->run(cli);
}

int main(int argc, char **argv)
{
    struct cn_cli cli = {.command = NULL};

    cn_arena_init(&cli.arena);
    int status = cn_cli_parse(&cli, argc, argv) ? CN_EXIT_FAILED : run(&cli);

    cn_arena_done(&cli.arena);
    if (fflush(stdout) || ferror(stdout))
        return cn_fail(CN_EXIT_FAILED, "cannot write the output: %s",
                       cn_strerror(-errno));
    return status;
}
