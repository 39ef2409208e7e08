/* asyncio.shield. `await shield(f())` lets the caller go at once and f run on;
 * a shielded scope finishes f first. Invariant: only a coroutine call that owns
 * its statement is rewritten, never a task that somebody else may hold. */
#include "migrate/rules/cancel.h"
#include "migrate/rules/flow.h"

static const char *check(const struct cn_match *m, cn_node call, cn_node await)
{
    const struct cn_tree *t = m->tree;

    if (m->use->in_string || m->use->certainty != CN_SURE)
        return "the name may stand for something else";
    if (!call || !await)
        return "the shielded work is not awaited in place";
    if (!cn_args_plain(t, call) || cn_arg_count(t, call) != 1)
        return "the argument is not one awaitable";
    if (!cn_in_async(t, await))
        return "the await is not in an async function";
    return NULL;
}

static bool is_coroutine_call(const struct cn_match *m, cn_node inner)
{
    static const char *const tasks[] = {
        "asyncio.gather", "asyncio.wait", "asyncio.ensure_future",
        "asyncio.create_task", "asyncio.wrap_future"};
    struct cn_str name;

    if (!cn_is(m->tree, inner, CN_K_CALL))
        return false;
    if (cn_resolve(m->module, cn_child(m->tree, inner, CN_F_FUNCTION), &name) !=
        CN_UNKNOWN)
        for (size_t i = 0; i < CN_COUNT(tasks); i++)
            if (cn_str_is(name, tasks[i]))
                return false;
    return cn_is_plain_call(m, inner);
}

enum cn_verdict cn_asyncio_shield(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node);
    cn_node await = call ? cn_await_of(t, call) : 0;
    const char *problem = check(m, call, await);

    if (problem)
        return cn_manual(m, NULL, "%s", problem);
    cn_node inner = cn_arg_value(t, call, 0, "arg");
    cn_node statement = cn_whole_statement(m, await);

    if (!is_coroutine_call(m, cn_bare(t, inner)))
        return cn_manual(m, NULL, "what it shields may be a task");
    if (!statement)
        return cn_manual(m, NULL,
                         "it is awaited inside an expression where no block "
                         "fits");
    if (cn_has_yield(t, statement))
        return cn_manual(m, NULL, "there is a yield inside");
    cn_unwrap(m, call, inner);
    if (!cn_is_shielded(m->module, await))
        cn_wrap_statement(m, statement, "with %s(shield=True):",
                          cn_name(m, "anyio.CancelScope"));
    return cn_unsafe(m, "a cancelled caller now waits until the work is done, "
                        "instead of leaving it behind");
}
