/* scan and migrate: set up the project as the options say, run the engine over
 * it, write what is to be written, report. The order matters: files are
 * changed before anything is printed, so that a reader who goes away (`| head`)
 * cannot leave a change half done. */
#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

struct job {
    struct cn_cli *cli;
    struct cn_arena *arena;
    struct cn_project project;
    struct cn_rules_filter *filter;
    struct cn_report report;
    const struct cn_report_format *format;
    bool from_stdin;
    bool writes; /* files will be changed */
    struct cn_note note;
};

static int failed(const struct job *job, int err)
{
    int status = err == CN_ECHANGED || err == CN_EBUSY ? CN_EXIT_REFUSED
                 : err == CN_ECANCELED                 ? CN_EXIT_INTERRUPTED
                                                       : CN_EXIT_FAILED;

    return cn_fail(status, "%s",
                   job->note.message[0] ? job->note.message : cn_strerror(err));
}

static void say_all(const struct cn_strs *lines)
{
    for (size_t i = 0; i < lines->len; i++)
        cn_warn("%.*s", CN_STR_ARG(lines->at[i]));
}

/* --- setting up ------------------------------------------------------------- */

static struct cn_str joined(struct cn_arena *arena, const struct cn_strs *list)
{
    struct cn_str out = {"", 0};

    for (size_t i = 0; i < list->len; i++)
        out = cn_str_fmt(arena, "%.*s%s%.*s", CN_STR_ARG(out), i ? "," : "",
                         CN_STR_ARG(list->at[i]));
    return out;
}

/* What the command line says about the configuration. */
static int configure(struct job *job)
{
    struct cn_config *config = &job->project.config;
    struct cn_cli *cli = job->cli;
    const struct {
        const char *key;
        struct cn_str value;
    } texts[] = {
        {"target-anyio", cli->target_anyio},
        {"target-python", cli->target_python},
        {"style", cli->style},
        {"select", joined(job->arena, &cli->select)},
        {"safe-only", cli->safe_only ? CN_STR("true") : CN_STR("")},
        {"fix-blocking", cli->fix_blocking ? CN_STR("true") : CN_STR("")},
        {"no-gitignore", cli->no_gitignore ? CN_STR("true") : CN_STR("")},
    };
    int err = 0;

    for (size_t i = 0; i < cli->config.len && !err; i++)
        err = cn_config_set(job->arena, config, cli->config.at[i], &job->note);
    for (size_t i = 0; i < CN_COUNT(texts) && !err; i++)
        if (texts[i].value.len)
            err = cn_config_set_text(job->arena, config, texts[i].key,
                                     texts[i].value, &job->note);
    for (size_t i = 0; i < cli->ignore.len; i++)
        cn_vec_push(job->arena, &config->ignore, cli->ignore.at[i]);
    return err;
}

static int make_filter(struct job *job)
{
    const struct cn_config *config = &job->project.config;

    if (!config->select.len && !config->ignore.len)
        return 0;
    return cn_rules_filter_make(job->arena, joined(job->arena, &config->select),
                                joined(job->arena, &config->ignore),
                                &job->filter, &job->note);
}

static int split_excludes(struct job *job, struct cn_strs *out)
{
    for (size_t i = 0; i < job->cli->exclude.len; i++) {
        struct cn_str rest = job->cli->exclude.at[i], one;

        while (cn_str_cut(&rest, ',', &one))
            if (one.len)
                cn_vec_push(job->arena, out, one);
    }
    return 0;
}

/* Standard input as the only file of a project. */
static int read_stdin(struct job *job)
{
    struct cn_str name = job->cli->stdin_filename;
    struct cn_source source = {.path = name.len ? name : CN_STR("-")};
    struct cn_buf b;
    char chunk[65536];
    size_t n;

    cn_buf_init(&b, INT32_MAX);
    while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
        cn_buf_add(&b, chunk, n);
    if (ferror(stdin) || b.err)
        return cn_note_set(&job->note, b.err ? b.err : -EIO,
                           "cannot read standard input: %s",
                           cn_strerror(b.err ? b.err : -EIO));
    source.text =
        (struct cn_str){cn_str_dup(job->arena, cn_buf_str(&b)), b.len};
    cn_buf_done(&b);
    cn_vec_push(job->arena, &job->project, source);
    if (!name.len)
        return 0;
    /* It is not the file on the disk, but it has that file's place among the
     * others. */
    struct cn_str real =
        cn_str_fmt(job->arena, name.ptr[0] == '/' ? "%.0s%.*s" : "%s/%.*s",
                   job->project.cwd, CN_STR_ARG(name));

    job->project.at[0].real = real.ptr;
    cn_project_walk_background(&job->project, real.ptr);
    cn_vec_for (at, &job->project)
        if (!at->background)
            at->real = NULL;
    return 0;
}

static bool is_stdin(const struct cn_cli *cli)
{
    return cli->arg_count == 1 && strcmp(cli->args[0], "-") == 0;
}

static size_t count_asked(const struct cn_project *project)
{
    size_t count = 0;

    for (size_t i = 0; i < project->len; i++)
        count += !project->at[i].background;
    return count;
}

static int find_files(struct job *job, char **paths, size_t count)
{
    struct cn_strs excludes = {0};
    int err;

    if (job->from_stdin)
        return read_stdin(job);
    split_excludes(job, &excludes);
    err = cn_project_walk(&job->project, paths, count, &excludes, &job->note);
    say_all(&job->project.warnings);
    if (!err && !count_asked(&job->project))
        cn_warn("no Python files below the given paths");
    return err;
}

static void say_targets(const struct job *job)
{
    const struct cn_config *config = &job->project.config;
    struct cn_target target = cn_config_target(config);

    if (!job->cli->verbose)
        return;
    cn_warn("project %s", job->project.root);
    if (target.python)
        cn_warn("lowest Python %d.%d (%s)", target.python / 100,
                target.python % 100, config->python_from);
    else
        cn_warn("lowest Python unknown: neither pyproject.toml nor setup.cfg "
                "names one");
    cn_warn("writing for AnyIO 4.%d and above", target.anyio - 400);
}

/* Before anything is read: nothing of an earlier run may be half done. */
static int recover(struct job *job)
{
    struct cn_act act = {.files = 0};
    int err = 0;

    if (job->writes)
        err = cn_recover(job->arena, job->project.root, &act, &job->note);
    say_all(&act.remarks);
    say_all(&act.refused);
    return err;
}

/* The paths as they were typed, each behind a blank; quoted where a shell
 * would not leave them alone. */
static const char *arguments(struct job *job)
{
    struct cn_str line = {"", 0};

    for (size_t i = 0; i < job->cli->arg_count; i++) {
        const char *arg = job->cli->args[i];
        bool plain = !arg[strcspn(arg, " \t\n\"'$`\\*?[]{}()<>|&;~#!")];

        line = cn_str_fmt(job->arena, plain ? "%.*s %s" : "%.*s '%s'",
                          CN_STR_ARG(line), arg);
    }
    return line.ptr;
}

static int set_up(struct job *job)
{
    static char here[] = ".";
    static char *const default_paths[] = {here};
    struct cn_cli *cli = job->cli;
    char **paths = cli->arg_count ? cli->args : (char **)default_paths;
    size_t count = cli->arg_count ? cli->arg_count : 1;
    char cwd[PATH_MAX];
    int err = 0;

    if (!getcwd(cwd, sizeof(cwd)))
        return cn_note_set(&job->note, -errno, "no working directory: %s",
                           cn_strerror(-errno));
    job->project.arena = job->arena;
    job->project.cwd = cn_str_dup(job->arena, cn_str_from(cwd));
    job->from_stdin = is_stdin(cli);
    if (job->from_stdin)
        err = cn_project_root(job->arena, default_paths, 1, &job->project.root,
                              &job->note);
    else
        err = cn_project_root(job->arena, paths, count, &job->project.root,
                              &job->note);
    if (!err && !cli->isolated)
        err = cn_config_read(job->arena, job->project.root,
                             &job->project.config, &job->note);
    if (!err)
        err = configure(job);
    if (!err)
        err = make_filter(job);
    if (!err) {
        say_all(&job->project.config.warnings);
        err = recover(job);
    }
    if (err)
        return err;
    say_targets(job);
    return find_files(job, paths, count);
}

static int check_usage(struct job *job)
{
    struct cn_cli *cli = job->cli;
    struct cn_str name = cli->output_format;

    job->format = cn_report_format_find(name.len ? name : CN_STR("text"));
    cn_assert(job->format); /* the option table lists them all */
    for (size_t i = 0; i < cli->arg_count; i++)
        if (strcmp(cli->args[i], "-") == 0 && cli->arg_count > 1)
            return cn_fail(CN_EXIT_FAILED,
                           "'-' cannot be given together with other paths");
    if (cli->jobs.len && (atoi(cli->jobs.ptr) < 1))
        return cn_fail(CN_EXIT_FAILED, "--jobs needs a number above 0");
    if (cli->diff && name.len && !cli->output_file.len &&
        !cn_str_is(name, "text") && !cn_str_is(name, "concise"))
        return cn_fail(CN_EXIT_FAILED,
                       "--diff fills standard output; give the %s report a "
                       "place with --output-file FILE",
                       name.ptr);
    return 0;
}

/* --- writing ---------------------------------------------------------------- */

static void print_diffs(struct job *job)
{
    bool colour = cn_coloured(job->cli, stdout);
    struct cn_buf b;

    cn_buf_init(&b, SIZE_MAX);
    cn_vec_for (file, &job->report) {
        if (!file->changed)
            continue;
        cn_diff(&b, file->source->path, file->source->text, file->after,
                colour);
        cn_put(stdout, &b);
        cn_buf_clear(&b);
    }
    cn_vec_for (made, &job->report.made)
        cn_diff(&b, made->shown, made->before, made->after, colour);
    cn_put(stdout, &b);
    cn_buf_done(&b);
}

static bool is_below(const char *path, const char *root)
{
    size_t len = strcmp(root, "/") ? strlen(root) : 0;

    return strncmp(path, root, len) == 0 &&
           (path[len] == '/' || path[len] == '\0');
}

/* What to type here to take the run back. */
static const char *undo_command(struct job *job, const char *id)
{
    const char *root = job->project.root;
    bool plain = is_below(job->project.cwd, root);

    if (plain)
        return cn_str_fmt(job->arena, "canyon undo %s", id).ptr;
    return cn_str_fmt(job->arena, "canyon undo %s --project '%s'", id, root)
        .ptr;
}

/* Returns 0 or an exit status, after a message. */
static int apply(struct job *job)
{
    struct cn_report *r = &job->report;
    size_t files = r->outcome.files_changed, n = 0;
    struct cn_act act = {.files = 0};

    if (!files)
        return 0;
    struct cn_change *changes =
        CN_NEW_ARRAY(job->arena, struct cn_change, files + r->made.len);

    cn_vec_for (file, r)
        if (file->changed)
            changes[n++] = (struct cn_change){.path = file->source->real,
                                              .shown = file->source->path,
                                              .before = file->source->text,
                                              .after = file->after};
    cn_vec_for (made, &r->made)
        changes[n++] = (struct cn_change){.path = made->path,
                                          .shown = made->shown,
                                          .before = made->before,
                                          .after = made->after};
    const char *command =
        cn_str_fmt(job->arena, "canyon migrate%s", arguments(job)).ptr;
    int err = cn_apply(job->arena, job->project.root, command, changes, n, &act,
                       &job->note);

    say_all(&act.remarks);
    say_all(&act.refused);
    if (err == CN_ECANCELED)
        return cn_fail(CN_EXIT_INTERRUPTED, "interrupted; nothing was changed");
    if (err)
        return failed(job, err);
    r->run_id = cn_str_fmt(job->arena, "%s", act.run.id).ptr;
    r->undo_command = undo_command(job, r->run_id);
    return 0;
}

static int write_report(struct job *job, FILE *out)
{
    struct cn_report *r = &job->report;
    struct cn_buf b;

    cn_buf_init(&b, SIZE_MAX);
    r->colour = cn_coloured(job->cli, out) && !job->cli->output_file.len;
    job->format->write(r, &b);
    int err = cn_put(out, &b);

    cn_buf_done(&b);
    return err;
}

static int write_report_file(struct job *job)
{
    const char *path = cn_str_dup(job->arena, job->cli->output_file);
    FILE *out = fopen(path, "w");
    int err = out ? write_report(job, out) : -errno;

    if (out && fclose(out) && !err)
        err = -errno;
    if (err)
        return cn_fail(CN_EXIT_FAILED, "%s: %s", path, cn_strerror(err));
    return 0;
}

/* The summary for eyes when standard output holds something else. */
static void closing_on_stderr(struct job *job)
{
    struct cn_report *r = &job->report;
    struct cn_buf b;

    if (job->cli->quiet)
        return;
    cn_buf_init(&b, SIZE_MAX);
    r->colour = cn_coloured(job->cli, stderr);
    cn_report_closing(r, &b);
    fflush(stdout);
    cn_put(stderr, &b);
    cn_buf_done(&b);
}

static void errors_on_stderr(const struct job *job)
{
    const struct cn_report *r = &job->report;

    for (size_t i = 0; i < r->len; i++)
        if (r->at[i].error)
            cn_warn("%.*s:%u: %s", CN_STR_ARG(r->at[i].source->path),
                    r->at[i].note.line, r->at[i].note.message);
}

static int print_report(struct job *job, bool stdout_taken)
{
    if (job->cli->output_file.len) {
        int status = write_report_file(job);

        if (status)
            return status;
    }
    if (stdout_taken)
        errors_on_stderr(job);
    if (stdout_taken || job->cli->output_file.len) {
        closing_on_stderr(job);
        return 0;
    }
    int err = write_report(job, stdout);

    return err ? cn_fail(CN_EXIT_FAILED, "cannot write the report: %s",
                         cn_strerror(err))
               : 0;
}

/* --- the commands ------------------------------------------------------------ */

static int exit_status(const struct job *job)
{
    const struct cn_report *r = &job->report;
    const struct cn_outcome *out = &r->outcome;
    size_t remaining = out->left + out->wrong + out->held + r->summary.errors;

    if (out->internal_error)
        return CN_EXIT_FAILED;
    if (r->act == CN_ACT_SCAN)
        remaining += out->fixed_safe + out->fixed_unsafe + out->fixed_wrong;
    if (job->cli->check)
        remaining = out->files_changed;
    return remaining && !job->cli->exit_zero ? CN_EXIT_FINDINGS : CN_EXIT_OK;
}

/* Standard input, migrated. */
static void print_text(const struct job *job)
{
    struct cn_str text = {"", 0};

    for (size_t i = 0; i < job->project.len; i++)
        if (!job->project.at[i].background)
            text = job->project.at[i].text;
    if (job->report.len)
        text = job->report.at[0].after;
    fwrite(text.ptr, 1, text.len, stdout);
}

static int migrate(struct job *job)
{
    struct cn_cli *cli = job->cli;
    int status = 0;

    if (cli->diff)
        print_diffs(job);
    else if (!cli->check && job->from_stdin)
        print_text(job);
    else if (!cli->check)
        status = apply(job);
    if (status)
        return status;
    return print_report(job, cli->diff || (job->from_stdin && !cli->check));
}

/* A line on the terminal that is gone when the report comes. */
struct sign_of_life {
    struct timespec last;
    bool shown;
};

static void show_progress(void *ctx, size_t done, size_t all)
{
    struct sign_of_life *sign = ctx;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    long ms = (long)(now.tv_sec - sign->last.tv_sec) * 1000 +
              (now.tv_nsec - sign->last.tv_nsec) / 1000000;

    if (!sign->last.tv_sec)
        sign->last = now;
    else if (ms >= 200) {
        fprintf(stderr, "\r%zu of %zu files", done, all);
        sign->last = now;
        sign->shown = true;
    }
}

static int run(struct job *job, enum cn_report_act act)
{
    struct cn_cli *cli = job->cli;
    struct cn_report *r = &job->report;
    int err;

    job->writes = act == CN_ACT_MIGRATE && !is_stdin(cli);
    err = set_up(job);
    if (err)
        return failed(job, err);
    *r = (struct cn_report){.act = act,
                            .quiet = cli->quiet,
                            .verbose = cli->verbose,
                            .statistics = cli->statistics,
                            .frames = !cli->quiet,
                            .arguments = arguments(job)};
    struct cn_scan_options options = {
        .filter = job->filter,
        .safe_only = job->project.config.safe_only,
        .scan_only = act == CN_ACT_SCAN,
    };
    struct sign_of_life sign = {.shown = false};

    if (isatty(STDERR_FILENO) && !cli->quiet) {
        options.progress = show_progress;
        options.ctx = &sign;
    }
    cn_project_scan(&job->project, &options, r);
    if (sign.shown)
        fputs("\r\033[K", stderr);
    int status = act == CN_ACT_SCAN ? print_report(job, false) : migrate(job);

    return status ? status : exit_status(job);
}

static int start(struct cn_cli *cli, enum cn_report_act act)
{
    struct job job = {.cli = cli, .arena = &cli->arena};
    int status = check_usage(&job);

    if (status)
        return status;
    status = run(&job, act);
    cn_project_done(&job.project);
    return status;
}

int cn_cmd_scan(struct cn_cli *cli)
{
    return start(cli, CN_ACT_SCAN);
}

int cn_cmd_migrate(struct cn_cli *cli)
{
    bool dry = cli->diff || cli->check;

    return start(cli, dry ? CN_ACT_PREVIEW : CN_ACT_MIGRATE);
}
