/* dropin: replace a name of asyncio by the support module's name of the same
 * meaning. What is done with the object is not looked at: its interface is
 * asyncio's, which is the point (support/README.md). Not here: names that
 * AnyIO has itself. Invariant: in --style idiomatic nothing is touched. */
#include "migrate/rules/dropin.h"

void cn_dropin_rename(struct cn_match *m, const char *name)
{
    struct cn_str old = cn_str_sub(m->tree->text, m->use->start, m->use->end);

    if (cn_str_find(old, CN_STR("#")) >= 0) {
        cn_demote_manual(m, "a comment stands inside the name");
        return;
    }
    cn_replace_span(m, m->use->start, m->use->end, "%s",
                    strchr(name, '.') ? cn_name(m, name) : cn_support(m, name));
}

static const struct cn_dropin *find(const struct cn_match *m)
{
    const struct cn_dropin_row *row = m->rule->data;

    for (const struct cn_dropin *d = row->names; d->asyncio; d++)
        if (cn_str_is(m->use->name, d->asyncio))
            return d;
    cn_unreachable();
}

/* Something in the file needs more than the support module's class has. */
static const char *needs_more(const struct cn_match *m)
{
    const struct cn_dropin_row *row = m->rule->data;

    for (size_t i = 0; row->not_beside && row->not_beside[i]; i++)
        if (cn_site_text_has(m, row->not_beside[i]))
            return row->not_beside[i];
    return NULL;
}

/* asyncio.get_running_loop().create_task: the getter goes with the method. */
static void claim_getter(struct cn_match *m)
{
    cn_node receiver = m->use->method ? cn_bare(m->tree, m->use->receiver) : 0;

    if (cn_is(m->tree, receiver, CN_K_CALL))
        cn_site_claim(m, cn_child(m->tree, receiver, CN_F_FUNCTION));
}

enum cn_verdict cn_dropin_check(struct cn_match *m)
{
    const struct cn_dropin_row *row = m->rule->data;
    const struct cn_dropin *d = find(m);
    cn_node call = cn_call_of(m->tree, m->node);
    const char *more = needs_more(m);

    if (m->target->idiomatic)
        return cn_manual(m, NULL, "%s", row->reason);
    if (cn_site_unsure(m))
        return cn_site_leave_unsure(m);
    if (cn_site_is_stored(m->tree, m->node))
        return cn_manual(m, NULL, "the name itself is given another value");
    if (call && cn_arg_value(m->tree, call, -1, "loop"))
        return cn_manual(m, NULL, "it is bound to a loop by loop=");
    if (more)
        return cn_manual(m, NULL, "the file also uses `%s`", more);
    if (d->place == CN_DROPIN_IN_LOOP && call && !cn_in_async(m->tree, call))
        return cn_manual(m, NULL,
                         "nothing says that a loop runs here: it is not in "
                         "an async function");
    cn_dropin_rename(m, d->support);
    claim_getter(m);
    if (d->unsafe && !cn_site_is_annotation(m->tree, m->use))
        return cn_unsafe(m, "%s", d->unsafe);
    return cn_safe(m);
}
