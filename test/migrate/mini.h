/* A few made-up rules that use every part of the engine, and a way to run
 * them over a text. The real rules are tested by their pages. */
#ifndef CN_TEST_MINI_H
#define CN_TEST_MINI_H

#include "test.h"

#include "migrate/engine.h"

/* asyncio.sleep -> anyio.sleep */
static enum cn_verdict mini_sleep(struct cn_match *m)
{
    cn_replace(m, m->node, "%s", cn_name(m, "anyio.sleep"));
    return cn_safe(m);
}

/* asyncio.to_thread -> to_thread.run_sync */
static enum cn_verdict mini_to_thread(struct cn_match *m)
{
    cn_replace(m, m->node, "%s", cn_name(m, "anyio.to_thread.run_sync"));
    return cn_unsafe(m, "threads %s", "differ");
}

/* await asyncio.wait_for(f(), t) -> with anyio.fail_after(t): await f() */
static enum cn_verdict mini_wait_for(struct cn_match *m)
{
    cn_node call = cn_call_of(m->tree, m->node);
    cn_node await = call ? cn_await_of(m->tree, call) : 0;
    cn_node what = call ? cn_arg_value(m->tree, call, 0, "fut") : 0;
    cn_node limit = call ? cn_arg_value(m->tree, call, 1, "timeout") : 0;

    if (!await || !what || !limit)
        return cn_manual(m, "by hand", "no plain call");
    if (!cn_hoistable(m, await))
        return cn_manual(m, "by hand", "not hoistable");
    cn_wrap_statement(m, cn_statement(m->tree, await),
                      "with %s(%s):", cn_name(m, "anyio.fail_after"),
                      cn_z(m, limit));
    cn_unwrap(m, call, what);
    return cn_safe(m);
}

/* asyncio.run(f(a)) -> anyio.run(f, a) */
static enum cn_verdict mini_run(struct cn_match *m)
{
    cn_node call = cn_call_of(m->tree, m->node);
    struct cn_arg arg;

    if (!call || !cn_arg(m->tree, call, 0, &arg))
        return cn_manual(m, NULL, "no call");
    const char *text = cn_as_function_and_args(m, arg.value);

    if (text)
        cn_replace(m, arg.node, "%s", text);
    cn_replace(m, m->node, "%s", cn_name(m, "anyio.run"));
    return cn_safe(m);
}

/* asyncio.set_event_loop(x) goes; the line is dropped. */
static enum cn_verdict mini_drop(struct cn_match *m)
{
    cn_drop_statement(m, cn_statement(m->tree, m->node));
    return cn_safe(m);
}

/* asyncio.get_event_loop(): lines around, and the name replaced. */
static enum cn_verdict mini_lines(struct cn_match *m)
{
    cn_node statement = cn_statement(m->tree, m->node);

    cn_line_above(m, statement, "print('above')");
    cn_line_below(m, statement, "print('below')");
    cn_replace(m, m->node, "print");
    return cn_safe(m);
}

/* asyncio.Semaphore(1, loop=x) -> anyio.Semaphore(1) */
static enum cn_verdict mini_argument(struct cn_match *m)
{
    cn_node call = cn_call_of(m->tree, m->node);
    struct cn_arg arg;

    if (!call)
        return cn_pass(m);
    for (uint32_t i = 0; cn_arg(m->tree, call, i, &arg); i++)
        if (cn_str_is(arg.name, "loop") || cn_str_is(arg.name, "old"))
            cn_drop_argument(m, call, arg.node);
    cn_replace(m, m->node, "%s", cn_name(m, "anyio.Semaphore"));
    return cn_safe(m);
}

/* asyncio.Event -> asyncio.Barrier -> ...: rules that never come to an end. */
static enum cn_verdict mini_loop(struct cn_match *m)
{
    cn_replace(m, m->node, "asyncio.%s",
               cn_str_is(m->use->name, "asyncio.Event") ? "Barrier" : "Event");
    return cn_safe(m);
}

/* asyncio.shield -> (: a rule that breaks the text. */
static enum cn_verdict mini_break(struct cn_match *m)
{
    cn_replace(m, m->node, "(");
    return cn_safe(m);
}

/* asyncio.current_task -> nobody.sleep: a rule that forgets an import. */
static enum cn_verdict mini_unbound(struct cn_match *m)
{
    cn_replace(m, m->node, "nobody.sleep");
    return cn_safe(m);
}

/* asyncio.wait(x): claims the site of its first argument. */
static enum cn_verdict mini_claim(struct cn_match *m)
{
    cn_node call = cn_call_of(m->tree, m->node);
    cn_node first = cn_arg_value(m->tree, call, 0, NULL);

    cn_claim(m, first);
    cn_replace(m, call, "print()");
    return cn_unsafe(m, "both");
}

/* asyncio.as_completed -> that of the support module */
static enum cn_verdict mini_support(struct cn_match *m)
{
    cn_replace(m, m->node, "%s", cn_name(m, CN_SUPPORT_NAME ".as_completed"));
    return cn_safe(m);
}

static enum cn_verdict mini_manual(struct cn_match *m)
{
    cn_replace(m, m->node, "nothing");
    return cn_manual(m, NULL, "left %d", 1);
}

/* `global` statements are sites of a rule about syntax. */
static enum cn_verdict mini_syntax(struct cn_match *m)
{
    return cn_text_is(m->tree, m->node, "global wrong")
               ? cn_wrong(m, "do not", "wrong already")
               : cn_pass(m);
}

#define MINI_NAMES(...)                                                        \
    (const char *const[])                                                      \
    {                                                                          \
        __VA_ARGS__, NULL                                                      \
    }

static const struct cn_rule mini_rules[] = {
    {.code = "MI101",
     .name = "sleep",
     .names = MINI_NAMES("asyncio.sleep"),
     .check = mini_sleep},
    {.code = "MI102",
     .name = "to-thread",
     .names = MINI_NAMES("asyncio.to_thread"),
     .check = mini_to_thread},
    {.code = "MI103",
     .name = "wait-for",
     .names = MINI_NAMES("asyncio.wait_for"),
     .check = mini_wait_for},
    {.code = "MI104",
     .name = "run",
     .names = MINI_NAMES("asyncio.run"),
     .check = mini_run},
    {.code = "MI105",
     .name = "drop",
     .names = MINI_NAMES("asyncio.set_event_loop"),
     .check = mini_drop},
    {.code = "MI106",
     .name = "lines",
     .names = MINI_NAMES("asyncio.get_event_loop"),
     .check = mini_lines},
    {.code = "MI107",
     .name = "argument",
     .names = MINI_NAMES("asyncio.Semaphore"),
     .check = mini_argument},
    {.code = "MI108",
     .name = "loop",
     .names = MINI_NAMES("asyncio.Event", "asyncio.Barrier"),
     .check = mini_loop},
    {.code = "MI109",
     .name = "break",
     .names = MINI_NAMES("asyncio.shield"),
     .check = mini_break},
    {.code = "MI110",
     .name = "unbound",
     .names = MINI_NAMES("asyncio.current_task"),
     .check = mini_unbound},
    {.code = "MI111",
     .name = "claim",
     .names = MINI_NAMES("asyncio.wait"),
     .check = mini_claim},
    {.code = "MI112",
     .name = "left",
     .names = MINI_NAMES("asyncio.gather"),
     .check = mini_manual,
     .advice = "advice of the row"},
    {.code = "MI113",
     .name = "syntax",
     .kind = CN_K_GLOBAL_STATEMENT,
     .check = mini_syntax},
    {.code = "MI114",
     .name = "support",
     .names = MINI_NAMES("asyncio.as_completed"),
     .check = mini_support},
    {.code = "MI100",
     .name = "advice-only",
     .names = MINI_NAMES("asyncio.*"),
     .data = "no rule",
     .advice = "look it up"},
};

/* The same rules the other way round: the result must not change. */
static inline const struct cn_rule *mini_reversed(void)
{
    static struct cn_rule rules[CN_COUNT(mini_rules)];

    for (size_t i = 0; i < CN_COUNT(mini_rules); i++)
        rules[i] = mini_rules[CN_COUNT(mini_rules) - 1 - i];
    return rules;
}

struct mini {
    struct cn_arena arena;
    struct cn_parser *parser;
    struct cn_rules_filter *filter, *reversed;
    struct cn_text_options options;
    struct cn_project_facts *project;
    struct cn_str name;
    struct cn_text_result result;
    struct cn_note note;
    struct cn_family family, family_reversed;
    const struct cn_family *families[2], *families_reversed[2];
};

static inline void mini_open(struct mini *x)
{
    memset(x, 0, sizeof *x);
    cn_arena_init(&x->arena);
    x->parser = cn_parser_open();
    x->family = (struct cn_family){"mini", mini_rules, CN_COUNT(mini_rules)};
    x->family_reversed =
        (struct cn_family){"mini", mini_reversed(), CN_COUNT(mini_rules)};
    x->families[0] = &x->family;
    x->families_reversed[0] = &x->family_reversed;
    x->filter = cn_rules_filter_over(&x->arena, x->families);
    x->reversed = cn_rules_filter_over(&x->arena, x->families_reversed);
    x->options.filter = x->filter;
}

static inline void mini_close(struct mini *x)
{
    cn_parser_close(x->parser);
    cn_arena_done(&x->arena);
}

static inline int mini_migrate(struct mini *x, struct cn_str text)
{
    memset(&x->result, 0, sizeof x->result);
    memset(&x->note, 0, sizeof x->note);
    return cn_migrate_text(x->parser, &x->arena, text, x->name, false,
                           x->project, &x->options, &x->result, &x->note);
}

/* Migrate and compare; also with the rules in the other order. */
static inline void mini_check(struct mini *x, const char *before,
                              const char *after)
{
    for (int order = 0; order < 2; order++) {
        x->options.filter = order ? x->reversed : x->filter;
        int err = mini_migrate(x, cn_str_from(before));

        if (err)
            fail_msg("%s: %s, line %u\n%s", cn_errname(err), x->note.message,
                     x->note.line, before);
        struct cn_str got = x->result.text;

        if (!cn_str_is(got, after))
            fail_msg("got:\n%.*s\nwant:\n%s\nfrom:\n%s", CN_STR_ARG(got), after,
                     before);
    }
    x->options.filter = x->filter;
}

#endif
