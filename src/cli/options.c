/* The options: one table for reading argv, for help, for completions and for
 * the man page. Reading takes `--name value`, `--name=value`, `-n value` and
 * `-nvalue`, in any order with the arguments; `--` ends the options. */
#include "cli/cli.h"

#define FIELD(name) offsetof(struct cn_cli, name)

const struct cn_option cn_options[] = {
    {"diff", 0, CN_OPT_FLAG, FIELD(diff), CN_ON_MIGRATE, NULL, NULL,
     "print a unified diff and write nothing"},
    {"check", 0, CN_OPT_FLAG, FIELD(check), CN_ON_MIGRATE, NULL, NULL,
     "write nothing; exit 1 if something would be changed"},
    {"safe-only", 0, CN_OPT_FLAG, FIELD(safe_only), CN_ON_BOTH, NULL, NULL,
     "leave uses whose migration may change behaviour"},
    {"select", 0, CN_OPT_LIST, FIELD(select), CN_ON_BOTH, "RULES", NULL,
     "only these rules: codes, names or prefixes, comma-separated"},
    {"ignore", 0, CN_OPT_LIST, FIELD(ignore), CN_ON_BOTH, "RULES", NULL,
     "not these rules"},
    {"exclude", 0, CN_OPT_LIST, FIELD(exclude), CN_ON_BOTH, "GLOB", NULL,
     "leave out files and folders, as a line of .gitignore would"},
    {"no-gitignore", 0, CN_OPT_FLAG, FIELD(no_gitignore), CN_ON_BOTH, NULL,
     NULL, "look at files that .gitignore names as well"},
    {"target-anyio", 0, CN_OPT_TEXT, FIELD(target_anyio), CN_ON_BOTH, "VERSION",
     "4.0|4.14|4.15", "the lowest AnyIO that the result must run on"},
    {"target-python", 0, CN_OPT_TEXT, FIELD(target_python), CN_ON_BOTH,
     "VERSION", NULL, "the lowest Python; default: requires-python"},
    {"style", 0, CN_OPT_TEXT, FIELD(style), CN_ON_BOTH, "STYLE",
     "faithful|idiomatic",
     "keep behaviour by the support module, or leave it for a person"},
    {"fix-blocking", 0, CN_OPT_FLAG, FIELD(fix_blocking), CN_ON_BOTH, NULL,
     NULL, "also migrate blocking calls in async functions (no rule yet)"},
    {"output-format", 0, CN_OPT_TEXT, FIELD(output_format), CN_ON_BOTH,
     "FORMAT", "text|concise|json|sarif|github", "how to report"},
    {"output-file", 'o', CN_OPT_TEXT, FIELD(output_file), CN_ON_BOTH, "FILE",
     NULL, "write the report there"},
    {"statistics", 0, CN_OPT_FLAG, FIELD(statistics), CN_ON_BOTH, NULL, NULL,
     "a table of counts by rule instead of the findings"},
    {"exit-zero", 0, CN_OPT_FLAG, FIELD(exit_zero), CN_ON_BOTH, NULL, NULL,
     "exit 0 even when findings remain"},
    {"stdin-filename", 0, CN_OPT_TEXT, FIELD(stdin_filename), CN_ON_BOTH,
     "NAME", NULL, "what to call standard input (the path `-`)"},
    {"config", 0, CN_OPT_LIST, FIELD(config), CN_ON_BOTH, "KEY=VALUE", NULL,
     "override one key of [tool.canyon]"},
    {"isolated", 0, CN_OPT_FLAG, FIELD(isolated), CN_ON_BOTH, NULL, NULL,
     "read no configuration file"},
    {"jobs", 'j', CN_OPT_TEXT, FIELD(jobs), CN_ON_BOTH, "N", NULL,
     "threads to use (accepted; one is used for now)"},
    {"list", 0, CN_OPT_FLAG, FIELD(list), CN_ON_UNDO, NULL, NULL,
     "list the runs that can be taken back"},
    {"project", 0, CN_OPT_TEXT, FIELD(project), CN_ON_UNDO, "DIR", NULL,
     "the project whose run is meant; default: the one around here"},
    {"man", 0, CN_OPT_FLAG, FIELD(man), CN_ON_HELP, NULL, NULL,
     "print the manual page (roff)"},
    {"color", 0, CN_OPT_TEXT, FIELD(color), CN_ON_ALL, "WHEN",
     "auto|always|never", "colour the output; NO_COLOR and FORCE_COLOR count"},
    {"quiet", 'q', CN_OPT_FLAG, FIELD(quiet), CN_ON_ALL, NULL, NULL,
     "findings only, one line each, no summary"},
    {"verbose", 'v', CN_OPT_FLAG, FIELD(verbose), CN_ON_ALL, NULL, NULL,
     "also say what was fixed, suppressed or not selected, and why"},
    {"help", 'h', CN_OPT_FLAG, FIELD(help), CN_ON_ALL, NULL, NULL,
     "print help"},
    {"version", 'V', CN_OPT_FLAG, FIELD(version), CN_ON_ALL, NULL, NULL,
     "print the version"},
};
const size_t cn_option_count = CN_COUNT(cn_options);

/* --- messages --------------------------------------------------------------- */

static int unknown_command(const char *name)
{
    const char *names[32];
    size_t n = 0;

    for (; n < cn_command_count && n < CN_COUNT(names); n++)
        names[n] = cn_commands[n].name;
    const char *near = cn_suggest(cn_str_from(name), names, n);

    if (near)
        return cn_fail(CN_EUSAGE, "no command '%s'; did you mean '%s'?", name,
                       near);
    return cn_fail(CN_EUSAGE,
                   "no command '%s'; to look at files: canyon scan %s", name,
                   name);
}

static int unknown_option(const struct cn_cli *cli, struct cn_str name)
{
    const char *names[CN_COUNT(cn_options)];
    const char *command = cli->command ? cli->command->name : "";
    size_t n = 0;

    for (size_t i = 0; i < CN_COUNT(cn_options); i++) {
        const struct cn_option *o = &cn_options[i];

        if (!cli->command || o->on & cli->command->on)
            names[n++] = o->name;
        if (!cli->command || !cn_str_is(name, o->name))
            continue;
        for (size_t k = 0; k < cn_command_count; k++)
            if (cn_commands[k].on & o->on)
                return cn_fail(CN_EUSAGE,
                               "'%s' has no option --%s; 'canyon %s' has",
                               command, o->name, cn_commands[k].name);
    }
    const char *near = cn_suggest(name, names, n);

    return cn_fail(CN_EUSAGE, "no option --%.*s%s%s%s", CN_STR_ARG(name),
                   near ? "; did you mean --" : "", near ? near : "",
                   near ? "?" : "");
}

/* --- reading ---------------------------------------------------------------- */

static const struct cn_option *find_option(const struct cn_cli *cli,
                                           struct cn_str name, char letter)
{
    for (size_t i = 0; i < CN_COUNT(cn_options); i++) {
        const struct cn_option *o = &cn_options[i];

        if (cli->command && !(o->on & cli->command->on))
            continue;
        if (letter ? o->letter == letter : cn_str_is(name, o->name))
            return o;
    }
    return NULL;
}

static int check_choice(const struct cn_option *o, struct cn_str value)
{
    struct cn_str rest = cn_str_from(o->choices), choice;
    const char *names[16];
    char copy[128];
    size_t n = 0;

    snprintf(copy, sizeof(copy), "%s", o->choices);
    while (cn_str_cut(&rest, '|', &choice)) {
        if (cn_str_eq(choice, value))
            return 0;
        char *at = copy + (choice.ptr - o->choices);

        at[choice.len] = '\0';
        names[n++] = at;
    }
    const char *near = cn_suggest(value, names, n);

    if (near)
        return cn_fail(CN_EUSAGE, "--%s cannot be '%.*s'; did you mean '%s'?",
                       o->name, CN_STR_ARG(value), near);
    return cn_fail(CN_EUSAGE, "--%s cannot be '%.*s'; choose from %s", o->name,
                   CN_STR_ARG(value), o->choices);
}

static int store(struct cn_cli *cli, const struct cn_option *o,
                 struct cn_str value)
{
    void *at = (char *)cli + o->offset;

    if (!value.len && o->type != CN_OPT_FLAG)
        return cn_fail(CN_EUSAGE, "--%s needs a %s", o->name, o->value);
    if (o->choices && strcmp(o->name, "target-anyio") != 0 &&
        check_choice(o, value))
        return CN_EUSAGE;
    switch (o->type) {
    case CN_OPT_FLAG: *(bool *)at = true; break;
    case CN_OPT_TEXT: *(struct cn_str *)at = value; break;
    case CN_OPT_LIST:
        cn_vec_push(&cli->arena, (struct cn_strs *)at, value);
        break;
    }
    return 0;
}

/* The option at argv[*i], with its value there or in argv[*i + 1]. */
static int read_long(struct cn_cli *cli, char **argv, int *i)
{
    struct cn_str rest = cn_str_from(argv[*i] + 2), name;

    cn_str_cut(&rest, '=', &name);
    bool has_value = rest.ptr != NULL;
    const struct cn_option *o = find_option(cli, name, 0);

    if (!o)
        return unknown_option(cli, name);
    if (o->type == CN_OPT_FLAG && has_value)
        return cn_fail(CN_EUSAGE, "--%s takes no value", o->name);
    if (o->type != CN_OPT_FLAG && !has_value) {
        if (!argv[*i + 1])
            return cn_fail(CN_EUSAGE, "--%s needs a %s", o->name, o->value);
        rest = cn_str_from(argv[++*i]);
    }
    return store(cli, o, rest);
}

static int read_letters(struct cn_cli *cli, char **argv, int *i)
{
    const char *at = argv[*i] + 1;

    for (; *at; at++) {
        const struct cn_option *o = find_option(cli, CN_STR(""), *at);

        if (!o)
            return cn_fail(CN_EUSAGE, "no option -%c; see 'canyon help%s%s'",
                           *at, cli->command ? " " : "",
                           cli->command ? cli->command->name : "");
        if (o->type == CN_OPT_FLAG) {
            store(cli, o, CN_STR(""));
            continue;
        }
        if (!at[1] && !argv[*i + 1])
            return cn_fail(CN_EUSAGE, "-%c needs a %s", *at, o->value);
        return store(cli, o, cn_str_from(at[1] ? at + 1 : argv[++*i]));
    }
    return 0;
}

static int read_argument(struct cn_cli *cli, char *arg)
{
    if (cli->command) {
        cli->args[cli->arg_count++] = arg;
        return 0;
    }
    cli->command = cn_command_find(arg);
    return cli->command ? 0 : unknown_command(arg);
}

int cn_cli_parse(struct cn_cli *cli, int argc, char **argv)
{
    bool options = true;
    int err = 0;

    cli->args = CN_NEW_ARRAY(&cli->arena, char *, (size_t)argc + 1);
    for (int i = 1; i < argc && !err; i++) {
        char *arg = argv[i];

        if (options && strcmp(arg, "--") == 0)
            options = false;
        else if (options && strncmp(arg, "--", 2) == 0)
            err = read_long(cli, argv, &i);
        else if (options && arg[0] == '-' && arg[1])
            err = read_letters(cli, argv, &i);
        else
            err = read_argument(cli, arg);
    }
    return err;
}
