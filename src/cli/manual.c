/* Help, completions and the man page: three views of the two tables. */
#include <ctype.h>

#include "cli/cli.h"

static bool takes(const struct cn_command *command, const struct cn_option *o)
{
    return (o->on & command->on) != 0;
}

/* --- help -------------------------------------------------------------------
 */

/* Text in lines of at most 78 columns, behind `indent` blanks. */
static void wrapped(FILE *out, const char *text, int indent)
{
    int column = 0;

    while (*text) {
        int len = (int)strcspn(text, " \n");

        if (column && column + 1 + len > 78) {
            fputc('\n', out);
            column = 0;
        }
        column += fprintf(out, "%*s%.*s", column ? 1 : indent, "", len, text);
        text += len;
        for (; *text == ' ' || *text == '\n'; text++)
            if (*text == '\n') {
                fputc('\n', out);
                column = 0;
            }
    }
    fputc('\n', out);
}

static void print_option(FILE *out, const struct cn_option *o)
{
    char head[80], letter[8] = "    ";

    if (o->letter)
        snprintf(letter, sizeof(letter), "-%c, ", o->letter);
    snprintf(head, sizeof(head), "%s--%s%s%s", letter, o->name,
             o->value ? " " : "", o->value ? o->value : "");
    fprintf(out, "  %-28s %s\n", head, o->summary);
    if (o->choices)
        fprintf(out, "  %-28s (%s)\n", "", o->choices);
}

void cn_print_usage(FILE *out)
{
    fputs("canyon: migrate Python code from asyncio to AnyIO\n\n"
          "Usage: canyon COMMAND [OPTION...] [ARGUMENT...]\n\nCommands:\n",
          out);
    for (size_t i = 0; i < cn_command_count; i++)
        fprintf(out, "  %-12s %s\n", cn_commands[i].name,
                cn_commands[i].summary);
    fputs("\nStart with:  canyon scan\n"
          "Then:        canyon migrate --diff\n"
          "More:        canyon help COMMAND\n",
          out);
}

void cn_print_help(FILE *out, const struct cn_command *command)
{
    fprintf(out, "canyon %s: %s\n\nUsage: canyon %s [OPTION...] %s\n\n",
            command->name, command->summary, command->name, command->args);
    if (*command->about) {
        wrapped(out, command->about, 0);
        fputc('\n', out);
    }
    fputs("Options:\n", out);
    for (size_t i = 0; i < cn_option_count; i++)
        if (takes(command, &cn_options[i]))
            print_option(out, &cn_options[i]);
}

/* --- the man page -----------------------------------------------------------
 */

/* roff reads backslashes, leading dots and quotes, and turns - into a hyphen */
static void roff(FILE *out, const char *text)
{
    for (bool start = true; *text; start = *text++ == '\n') {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\\\", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

static void man_option(FILE *out, const struct cn_option *o)
{
    fputs(".TP\n\\fB", out);
    if (o->letter)
        fprintf(out, "\\-%c\\fR, \\fB", o->letter);
    fputs("\\-\\-", out);
    roff(out, o->name);
    fputs("\\fR", out);
    if (o->value)
        fprintf(out, " \\fI%s\\fR", o->value);
    fputc('\n', out);
    roff(out, o->summary);
    if (o->choices) {
        fputs(" (", out);
        roff(out, o->choices);
        fputc(')', out);
    }
    fputc('\n', out);
}

static void man_command(FILE *out, const struct cn_command *c)
{
    fprintf(out, ".TP\n\\fBcanyon %s\\fR ", c->name);
    roff(out, c->args);
    fputc('\n', out);
    roff(out, *c->about ? c->about : c->summary);
    fputc('\n', out);
}

void cn_print_man(FILE *out)
{
    fprintf(out,
            ".TH CANYON 1 \"\" \"canyon %s\" \"User Commands\"\n"
            ".SH NAME\ncanyon \\- migrate Python code from asyncio to AnyIO\n"
            ".SH SYNOPSIS\n.B canyon\n\\fICOMMAND\\fR [\\fIOPTION\\fR...] "
            "[\\fIARGUMENT\\fR...]\n.SH COMMANDS\n",
            CN_VERSION);
    for (size_t i = 0; i < cn_command_count; i++)
        man_command(out, &cn_commands[i]);
    fputs(".SH OPTIONS\n", out);
    for (size_t i = 0; i < cn_option_count; i++)
        man_option(out, &cn_options[i]);
    fputs(".SH FILES\n.TP\n\\fIpyproject.toml\\fR\nThe table [tool.canyon] "
          "takes the long options select, ignore, exclude, target\\-anyio, "
          "target\\-python, style, fix\\-blocking, safe\\-only and "
          "no\\-gitignore as keys, and keep\\-asyncio, a list of globs of "
          "files that stay as they are.\n.TP\n\\fI.canyon/\\fR\n"
          "The bytes from before each run, for canyon undo.\n",
          out);
}

/* --- completions ------------------------------------------------------------
 */

static void words(FILE *out, const struct cn_command *command)
{
    for (size_t i = 0; i < cn_option_count; i++)
        if (takes(command, &cn_options[i]))
            fprintf(out, " --%s", cn_options[i].name);
}

static void choices(FILE *out, const struct cn_option *o)
{
    for (const char *c = o->choices; *c; c++)
        fputc(*c == '|' ? ' ' : *c, out);
}

static void bash(FILE *out)
{
    fputs("_canyon() {\n    local cur=${COMP_WORDS[COMP_CWORD]}\n"
          "    local prev=${COMP_WORDS[COMP_CWORD-1]} words=\n"
          "    case $prev in\n",
          out);
    for (size_t i = 0; i < cn_option_count; i++) {
        if (!cn_options[i].choices)
            continue;
        fprintf(out, "    --%s) COMPREPLY=($(compgen -W '", cn_options[i].name);
        choices(out, &cn_options[i]);
        fputs("' -- \"$cur\")); return ;;\n", out);
    }
    fputs("    esac\n    case ${COMP_WORDS[1]} in\n", out);
    for (size_t i = 0; i < cn_command_count; i++) {
        fprintf(out, "    %s) words='", cn_commands[i].name);
        words(out, &cn_commands[i]);
        fputs("' ;;\n", out);
    }
    fputs("    esac\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words='",
          out);
    for (size_t i = 0; i < cn_command_count; i++)
        fprintf(out, "%s ", cn_commands[i].name);
    fputs("'\n    elif [[ $cur != -* ]]; then\n"
          "        COMPREPLY=($(compgen -f -- \"$cur\")); return\n    fi\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
          "complete -o filenames -F _canyon canyon\n",
          out);
}

/* In single quotes for zsh: no quote may stay, brackets end the text. */
static void zsh_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '[' || *text == ']' || *text == ':')
            fputc('\\', out);
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fputc(*text, out);
    }
}

static void zsh_option(FILE *out, const struct cn_option *o)
{
    fprintf(out, "        '--%s%s[", o->name,
            o->type == CN_OPT_FLAG ? "" : "=");
    zsh_text(out, o->summary);
    fputc(']', out);
    if (o->choices) {
        fprintf(out, ":%s:(", o->value);
        choices(out, o);
        fputc(')', out);
    } else if (o->value) {
        fprintf(out, ":%s:_files", o->value);
    }
    fputs("'\n", out);
}

static void zsh(FILE *out)
{
    fputs("#compdef canyon\n_canyon() {\n    local -a commands opts\n"
          "    commands=(\n",
          out);
    for (size_t i = 0; i < cn_command_count; i++) {
        fprintf(out, "        '%s:", cn_commands[i].name);
        zsh_text(out, cn_commands[i].summary);
        fputs("'\n", out);
    }
    fputs("    )\n    if (( CURRENT == 2 )); then\n"
          "        _describe command commands\n        return\n    fi\n"
          "    case $words[2] in\n",
          out);
    for (size_t i = 0; i < cn_command_count; i++) {
        fprintf(out, "    %s) opts=(\n", cn_commands[i].name);
        for (size_t k = 0; k < cn_option_count; k++)
            if (takes(&cn_commands[i], &cn_options[k]))
                zsh_option(out, &cn_options[k]);
        fputs("    ) ;;\n", out);
    }
    fputs("    esac\n    shift words\n    (( CURRENT-- ))\n"
          "    _arguments $opts '*:file:_files'\n}\n_canyon \"$@\"\n",
          out);
}

static void fish_text(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('\'', out);
}

static void fish(FILE *out)
{
    for (size_t i = 0; i < cn_command_count; i++) {
        fprintf(out, "complete -c canyon -n __fish_use_subcommand -a %s -d ",
                cn_commands[i].name);
        fish_text(out, cn_commands[i].summary);
        fputc('\n', out);
    }
    for (size_t k = 0; k < cn_option_count; k++) {
        const struct cn_option *o = &cn_options[k];

        fputs("complete -c canyon -n '__fish_seen_subcommand_from", out);
        for (size_t i = 0; i < cn_command_count; i++)
            if (takes(&cn_commands[i], o))
                fprintf(out, " %s", cn_commands[i].name);
        fprintf(out, "' -l %s%s", o->name, o->value ? " -r" : "");
        if (o->letter)
            fprintf(out, " -s %c", o->letter);
        if (o->choices) {
            fputs(" -f -a '", out);
            choices(out, o);
            fputc('\'', out);
        }
        fputs(" -d ", out);
        fish_text(out, o->summary);
        fputc('\n', out);
    }
}

int cn_print_completions(FILE *out, const char *shell)
{
    static const struct {
        const char *name;
        void (*print)(FILE *out);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

    for (size_t i = 0; i < CN_COUNT(shells); i++)
        if (strcmp(shells[i].name, shell) == 0) {
            shells[i].print(out);
            return 0;
        }
    return CN_EUSAGE;
}
