/* explain and rules: the pages inside the binary, on a terminal. */
#include "cli/cli.h"

/* --- explain ---------------------------------------------------------------- */

/* `code` and **strong** within a line of Markdown. */
static void coloured_inline(struct cn_str line)
{
    bool code = false, strong = false;

    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == '`') {
            code = !code;
            fputs(code ? "\033[36m" : "\033[0m", stdout);
        } else if (!code &&
                   cn_str_starts(cn_str_sub(line, i, line.len), CN_STR("**"))) {
            strong = !strong;
            fputs(strong ? "\033[1m" : "\033[0m", stdout);
            i++;
        } else {
            putchar(line.ptr[i]);
        }
    }
    if (code || strong)
        fputs("\033[0m", stdout);
    putchar('\n');
}

/* What the info string of a fence says about the block below it. */
static const char *block_title(struct cn_str fence)
{
    if (cn_str_find(fence, CN_STR("fixed")) >= 0)
        return "after";
    if (cn_str_find(fence, CN_STR("unchanged")) >= 0)
        return "unchanged";
    return cn_str_find(fence, CN_STR("py")) >= 0 ? "before" : "";
}

static void coloured_page(struct cn_str page)
{
    struct cn_str line;
    bool in_code = false;

    while (cn_str_cut(&page, '\n', &line)) {
        if (cn_str_starts(line, CN_STR("```"))) {
            in_code = !in_code;
            if (in_code)
                printf("    \033[2m%s\033[0m\n", block_title(line));
        } else if (in_code) {
            printf("    \033[32m%.*s\033[0m\n", CN_STR_ARG(line));
        } else if (cn_str_starts(line, CN_STR("#"))) {
            printf("\033[1m%.*s\033[0m\n", CN_STR_ARG(line));
        } else {
            coloured_inline(line);
        }
    }
}

static void explain(struct cn_cli *cli, const struct cn_rule *rule)
{
    struct cn_str page = cn_str_trim(cn_rule_page(rule));

    if (!page.len) {
        printf("%s %s\n\n%s.\n", rule->code, rule->name, rule->summary);
        if (rule->advice)
            printf("\n%s\n", rule->advice);
        return;
    }
    if (cn_coloured(cli, stdout))
        coloured_page(page);
    else
        printf("%.*s\n", CN_STR_ARG(page));
}

static int unknown_rule(const char *word)
{
    const struct cn_family *family;
    const char *names[1024];
    size_t n = 0;

    for (size_t i = 0; (family = cn_family_at(i)); i++)
        for (size_t k = 0; k < family->count && n + 2 < CN_COUNT(names); k++) {
            names[n++] = family->rules[k].name;
            names[n++] = family->rules[k].code;
        }
    const char *near = cn_suggest(cn_str_from(word), names, n);

    if (near)
        return cn_fail(CN_EXIT_FAILED, "no rule '%s'; did you mean '%s'?", word,
                       near);
    return cn_fail(CN_EXIT_FAILED, "no rule '%s'; 'canyon rules' lists them",
                   word);
}

int cn_cmd_explain(struct cn_cli *cli)
{
    if (!cli->arg_count)
        return cn_fail(CN_EXIT_FAILED, "explain which rule? for example: "
                                       "canyon explain CN101");
    for (size_t i = 0; i < cli->arg_count; i++) {
        const struct cn_rule *rule = cn_rule_find(cn_str_from(cli->args[i]));

        if (!rule)
            return unknown_rule(cli->args[i]);
        if (i)
            putchar('\n');
        explain(cli, rule);
    }
    return CN_EXIT_OK;
}

/* --- rules ------------------------------------------------------------------- */

int cn_cmd_rules(struct cn_cli *cli)
{
    bool colour = cn_coloured(cli, stdout);
    const struct cn_family *family;

    if (cli->arg_count)
        return cn_fail(CN_EXIT_FAILED,
                       "'rules' takes no argument; for one rule: canyon "
                       "explain %s",
                       cli->args[0]);
    for (size_t i = 0; (family = cn_family_at(i)); i++) {
        printf("%s%s%s%s\n", i ? "\n" : "", colour ? "\033[1m" : "",
               family->name, colour ? "\033[0m" : "");
        for (size_t k = 0; k < family->count; k++) {
            const struct cn_rule *rule = &family->rules[k];
            bool repeated = k && !strcmp(rule->code, family->rules[k - 1].code);

            if (!repeated)
                printf("  %-6s %-28s %s\n", rule->code, rule->name,
                       rule->summary);
        }
    }
    return CN_EXIT_OK;
}
