/* undo: take a run back, or list the runs. */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"

/* The nearest folder, from the working directory up, that has an undo store. */
static const char *find_project(struct cn_cli *cli)
{
    char path[PATH_MAX];

    if (cli->project.len) {
        const char *given = cn_str_dup(&cli->arena, cli->project);

        return realpath(given, path)
                   ? cn_str_dup(&cli->arena, cn_str_from(path))
                   : NULL;
    }
    if (!getcwd(path, sizeof(path)))
        return NULL;
    for (;;) {
        struct cn_str store = cn_str_fmt(&cli->arena, "%s/.canyon/runs", path);
        char *slash = strrchr(path, '/');

        if (access(store.ptr, F_OK) == 0)
            return cn_str_dup(&cli->arena, cn_str_from(*path ? path : "/"));
        if (!slash)
            return NULL;
        *slash = '\0';
    }
}

static int list(struct cn_cli *cli, const char *root)
{
    static const char *const states[] = {"cut short", "stands", "taken back"};
    struct cn_run_list runs = {0};
    int err = cn_runs_list(&cli->arena, root, &runs);

    if (err || !runs.len) {
        printf("No runs in %s.\n", root);
        return CN_EXIT_OK;
    }
    for (size_t i = runs.len; i-- > 0;) {
        const struct cn_run *run = &runs.at[i];

        printf("%-12s %-10s %.*s  %4zu %-5s  %.*s\n", run->id,
               states[run->state], CN_STR_ARG(run->when), run->len,
               cn_plural(run->len, "file", "files"), CN_STR_ARG(run->command));
    }
    return CN_EXIT_OK;
}

static int exit_status(int err)
{
    switch (err) {
    case CN_ECHANGED:
    case CN_EBUSY: return CN_EXIT_REFUSED;
    case CN_ECANCELED: return CN_EXIT_INTERRUPTED;
    default: return CN_EXIT_FAILED;
    }
}

int cn_cmd_undo(struct cn_cli *cli)
{
    const char *root = find_project(cli);
    const char *id = cli->arg_count ? cli->args[0] : NULL;
    struct cn_act act = {.files = 0};
    struct cn_note note = {.code = 0};

    if (cli->arg_count > 1)
        return cn_fail(CN_EXIT_FAILED, "one run at a time, please");
    if (!root)
        return cn_fail(CN_EXIT_FAILED,
                       "nothing to take back: no .canyon folder here or above");
    if (cli->list)
        return list(cli, root);
    int err = cn_undo(&cli->arena, root, id, &act, &note);

    for (size_t i = 0; i < act.refused.len; i++)
        cn_warn("%.*s", CN_STR_ARG(act.refused.at[i]));
    if (err)
        return cn_fail(exit_status(err), "%s",
                       note.message[0] ? note.message : cn_strerror(err));
    if (!cli->quiet)
        printf("Took back run %s: %zu %s as before it.\n", act.run.id,
               act.run.len, cn_plural(act.run.len, "file is", "files are"));
    return CN_EXIT_OK;
}
