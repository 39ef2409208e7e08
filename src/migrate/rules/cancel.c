/* Cancellation: handlers of asyncio.CancelledError. Shields around cleanup are
 * in cleanup.c, asyncio.shield in shield.c.
 *
 * On asyncio anyio.get_cancelled_exc_class() *is* asyncio.CancelledError, so a
 * rewritten handler means the same there. What changes is what AnyIO's scopes
 * do around it: they cancel again at every await. Invariant: a handler that
 * swallows the cancellation and lets the function wait again stays as it is,
 * and so does one that waits for somebody else's task. */
#include "migrate/rules/cancel.h"

#include "migrate/rules/flow.h"

#define SCOPE_ADVICE                                                           \
    "give the part that is to be stopped a scope of its own, with "            \
    "anyio.CancelScope() as scope:, and call scope.cancel() instead"
#define REAP_ADVICE                                                            \
    "it waits for a task that was cancelled: goes with the task, when that "   \
    "becomes one of a task group"

/* --- shared ------------------------------------------------------------- */

bool cn_is_cancelled_class(const struct cn_match *m, cn_node n)
{
    n = cn_bare(m->tree, n);
    if (cn_is(m->tree, n, CN_K_CALL))
        return cn_resolves_to(m->module, cn_child(m->tree, n, CN_F_FUNCTION),
                              "anyio.get_cancelled_exc_class");
    return cn_resolves_to(m->module, n, "asyncio.CancelledError");
}

static bool is_task_call(const struct cn_match *m, cn_node call)
{
    static const char *const names[] = {
        "asyncio.gather",        "asyncio.wait",        "asyncio.shield",
        "asyncio.ensure_future", "asyncio.create_task", "asyncio.wrap_future",
        "asyncio.Future"};
    const struct cn_tree *t = m->tree;
    cn_node function = cn_child(t, call, CN_F_FUNCTION);
    struct cn_str name;

    if (cn_resolve(m->module, function, &name) == CN_UNKNOWN)
        return false;
    for (size_t i = 0; i < CN_COUNT(names); i++)
        if (cn_str_is(name, names[i]))
            return true;
    if (!cn_str_is(name, "asyncio.wait_for"))
        return false;
    cn_node inner = cn_bare(t, cn_arg_value(t, call, 0, "fut"));

    return !cn_is(t, inner, CN_K_CALL) || is_task_call(m, inner);
}

bool cn_awaits_task(const struct cn_match *m, cn_node n)
{
    const struct cn_tree *t = m->tree;

    if (!n)
        return false;
    for (cn_node i = n; i < t->at[n].after; i++) {
        if (!cn_is(t, i, CN_K_AWAIT) || cn_function(t, i) != cn_function(t, n))
            continue;
        cn_node what = cn_bare(t, cn_named(t, i, 0));

        if (!cn_is(t, what, CN_K_CALL) || is_task_call(m, what))
            return true;
    }
    return false;
}

/* --- where the name stands ---------------------------------------------- */

/* What every form needs: the class is looked up while a loop runs. */
static const char *check_use(const struct cn_match *m)
{
    if (m->use->in_string || m->use->certainty != CN_SURE)
        return "the name may stand for something else";
    if (!cn_function(m->tree, m->node))
        return "outside of a function no loop runs, and the class is known "
               "only in one";
    if (!cn_in_async(m->tree, m->node))
        return "in a function that is not async maybe no loop runs, and the "
               "class is known only in one";
    return NULL;
}

static void replace_class(struct cn_match *m)
{
    cn_replace(m, m->node, "%s()", cn_name(m, "anyio.get_cancelled_exc_class"));
}

/* The handler may see a task of the support module that was cancelled, too:
 * that is told apart on trio (futures.py), so both are caught, as before. */
static enum cn_verdict replace_by_both(struct cn_match *m)
{
    enum cn_kind up = cn_kind(m->tree, cn_parent(m->tree, m->node));
    bool listed = up == CN_K_TUPLE || up == CN_K_ARGUMENT_LIST;
    const char *own = cn_name(m, "anyio.get_cancelled_exc_class");

    cn_replace(m, m->node, "%s%s(), %s%s", listed ? "" : "(", own,
               cn_support(m, "TaskCancelled"), listed ? "" : ")");
    return cn_unsafe(m, "the cancellation of this task is caught beside that "
                        "of the one it waits for, as before");
}

/* --- except clauses ----------------------------------------------------- */

static struct cn_str handled_name(const struct cn_tree *t, cn_node clause)
{
    cn_node value = cn_named(t, clause, 0);

    if (!cn_is(t, value, CN_K_AS_PATTERN))
        return (struct cn_str){"", 0};
    return cn_text(t, cn_child(t, value, CN_F_ALIAS));
}

/* The verdict on code that catches a cancellation raised in `region` and is
 * left by `exits`; `statement` is the try or with. */
static enum cn_verdict judge(struct cn_match *m, cn_node region,
                             cn_node statement, unsigned exits,
                             bool handler_waits)
{
    const struct cn_tree *t = m->tree;
    unsigned swallowed = exits & ~(unsigned)(CN_EXIT_RERAISE | CN_EXIT_RAISE);

    if (cn_awaits_task(m, region) && m->support.len && !m->target->idiomatic)
        return replace_by_both(m);
    if (cn_awaits_task(m, region))
        return cn_manual(m, REAP_ADVICE,
                         "it may catch the cancellation of a task that it "
                         "waits for");
    if (!cn_waits(t, region))
        return cn_manual(m, REAP_ADVICE,
                         "nothing waits here: it catches the cancellation of "
                         "some task or future");
    if (swallowed && cn_waits_after(t, statement, swallowed))
        return cn_manual(m, SCOPE_ADVICE,
                         "it swallows the cancellation and waits again, "
                         "where a scope cancels again");
    replace_class(m);
    if (swallowed)
        return cn_unsafe(m, "it swallows the cancellation, which should be "
                            "raised again");
    if (exits & CN_EXIT_RAISE)
        return cn_unsafe(m, "it turns the cancellation into another "
                            "exception");
    if (handler_waits)
        return cn_unsafe(m, "the handler waits, under a shield from now on");
    return cn_safe(m);
}

static enum cn_verdict handler(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node clause = cn_around(t, m->node), body = cn_block_of(t, clause);
    const char *problem = check_use(m);

    if (!cn_is(t, clause, CN_K_EXCEPT_CLAUSE) || cn_within(t, m->node, body))
        return cn_pass(m);
    if (problem)
        return cn_manual(m, NULL, "%s", problem);
    cn_node statement = cn_parent(t, clause);

    return judge(m, cn_child(t, statement, CN_F_BODY), statement,
                 cn_exits(t, body, handled_name(t, clause)), cn_waits(t, body));
}

/* --- contextlib.suppress ------------------------------------------------ */

static enum cn_verdict suppress(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_parent(t, cn_around(t, m->node));
    cn_node function = cn_child(t, call, CN_F_FUNCTION);
    const char *problem = check_use(m);
    struct cn_item item;

    if (!cn_is(t, call, CN_K_CALL) ||
        !cn_resolves_to(m->module, function, "contextlib.suppress"))
        return cn_pass(m);
    if (problem)
        return cn_manual(m, NULL, "%s", problem);
    if (!cn_item_of(t, call, &item) ||
        cn_parent(t, m->node) != cn_child(t, call, CN_F_ARGUMENTS))
        return cn_manual(m, NULL, "suppress() is not the head of a with block");
    return judge(m, cn_child(t, item.statement, CN_F_BODY), item.statement,
                 CN_EXIT_END, false);
}

/* --- isinstance --------------------------------------------------------- */

static enum cn_verdict instance(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_parent(t, cn_around(t, m->node));
    cn_node function = cn_child(t, call, CN_F_FUNCTION);
    const char *problem = check_use(m);

    if (!cn_is(t, call, CN_K_CALL) ||
        !(cn_text_is(t, function, "isinstance") ||
          cn_text_is(t, function, "issubclass")) ||
        cn_symbol_at(m->module, function) ||
        !cn_within(t, m->node, cn_arg_value(t, call, 1, NULL)))
        return cn_pass(m);
    if (problem)
        return cn_manual(m, NULL, "%s", problem);
    replace_class(m);
    return cn_unsafe(m, "results and exceptions of tasks are tested against "
                        "the class of the running backend");
}

/* --- everything else ---------------------------------------------------- */

static enum cn_verdict other(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node up = cn_parent(t, m->node);

    if (cn_is(t, up, CN_K_RAISE_STATEMENT) || cn_call_of(t, m->node))
        return cn_manual(m,
                         "cancel a scope instead; only the backend makes "
                         "cancellations",
                         "a cancellation cannot be made by hand: trio's has "
                         "no public constructor");
    if (cn_is(t, cn_parent(t, up), CN_K_CLASS_DEFINITION))
        return cn_manual(m, NULL, "it is subclassed");
    if (m->use->in_string || cn_is(t, up, CN_K_TYPE))
        return cn_manual(m, NULL, "it is named in an annotation");
    return cn_manual(m, NULL,
                     "the class is passed around, and depends on the loop "
                     "that runs");
}

/* --- the table ---------------------------------------------------------- */

static const char *const n_cancelled[] = {"asyncio.CancelledError", NULL};
static const char *const n_shield[] = {"asyncio.shield", NULL};

static const struct cn_rule rules[] = {
    {.code = "CN501",
     .name = "cancelled-handler",
     .summary = "except asyncio.CancelledError asks AnyIO for the class",
     .names = n_cancelled,
     .check = handler,
     .advice = "in async code: except anyio.get_cancelled_exc_class():, and "
               "raise again"},
    {.code = "CN502",
     .name = "cancelled-suppress",
     .summary = "suppress(asyncio.CancelledError) asks AnyIO for the class",
     .names = n_cancelled,
     .check = suppress,
     .advice = SCOPE_ADVICE},
    {.code = "CN503",
     .name = "cancelled-isinstance",
     .summary = "isinstance(e, asyncio.CancelledError) asks AnyIO for the "
                "class",
     .names = n_cancelled,
     .check = instance,
     .advice = "ask in async code: isinstance(e, "
               "anyio.get_cancelled_exc_class())"},
    {.code = "CN504",
     .name = "cancelled-other",
     .summary = "asyncio.CancelledError is raised, made or passed around",
     .names = n_cancelled,
     .check = other,
     .advice = "call anyio.get_cancelled_exc_class() where a loop runs"},
    {.code = "CN505",
     .name = "shield",
     .summary = "await asyncio.shield(f()) becomes a shielded scope",
     .names = n_shield,
     .check = cn_asyncio_shield,
     .advice = "start it in a task group that outlives the caller and wait "
               "for it there; for a critical section: with "
               "anyio.CancelScope(shield=True):"},
    {.code = "CN511",
     .name = "shield-finally",
     .summary = "awaits in a finally get a shield",
     .kind = CN_K_FINALLY_CLAUSE,
     .check = cn_shield_finally,
     .advice = "put the awaits under with anyio.CancelScope(shield=True):"},
    {.code = "CN512",
     .name = "shield-handler",
     .summary = "awaits in a handler that catches cancellation get a shield",
     .kind = CN_K_EXCEPT_CLAUSE,
     .check = cn_shield_handler,
     .advice = "put the awaits under with anyio.CancelScope(shield=True):, "
               "and raise again"},
    {.code = "CN513",
     .name = "shield-exit",
     .summary = "awaits in __aexit__ and aclose get a shield",
     .kind = CN_K_FUNCTION_DEFINITION,
     .check = cn_shield_exit_method,
     .advice = "put the awaits that clean up under with "
               "anyio.CancelScope(shield=True):"},
    {.code = "CN514",
     .name = "shield-after-yield",
     .summary = "awaits after the yield of a context manager get a shield",
     .kind = CN_K_FUNCTION_DEFINITION,
     .check = cn_shield_after_yield,
     .advice = "put the awaits that clean up under with "
               "anyio.CancelScope(shield=True):"},
};

CN_FAMILY(cancel);
