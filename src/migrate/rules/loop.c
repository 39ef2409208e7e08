/* loop: variables that hold an event loop. One match, at the first place that
 * gives the variable a loop, looks at every read. Either all of them have a
 * counterpart, then they are edited here, their sites claimed and the variable
 * deleted; or the variable stays, and other rules change what they can. Two
 * shapes are known: in an `async def` the clock and worker threads; in a plain
 * function one run_until_complete with what goes round it ("plumbing": making,
 * setting, closing). Invariant: no read of a deleted variable is left. */
#include "migrate/rules/loop.h"
#include "migrate/rules/plumbing.h"

struct loop {
    struct cn_match *m;
    const struct cn_tree *t;
    const struct cn_object *o;
    struct cn_plumbing plumbing;
    cn_node main; /* the attribute run_until_complete */
    uint32_t mains, others;
    cn_node other;         /* the first read that is nothing of this */
    CN_VEC(cn_node) inner; /* the clock and worker threads */
    CN_VEC(cn_node) tests; /* if statements that go */
    bool closed, lives_on;
};

static bool is_method(const struct cn_tree *t, cn_node attribute,
                      const char *name)
{
    return cn_text_is(t, cn_child(t, attribute, CN_F_ATTRIBUTE), name);
}

/* A statement that is nothing but this call goes. */
static bool add_plumbing(struct loop *l, cn_node call)
{
    cn_node statement = cn_statement(l->t, call);

    if (!call || !cn_site_is_unused(l->t, call))
        return false;
    cn_plumbing_add(&l->plumbing, statement);
    return true;
}

/* --- reads ---------------------------------------------------------------- */

static bool is_shutdown(const struct cn_tree *t, cn_node call)
{
    cn_node attribute =
        cn_is(t, call, CN_K_CALL) ? cn_child(t, call, CN_F_FUNCTION) : 0;

    return cn_is(t, attribute, CN_K_ATTRIBUTE) &&
           (is_method(t, attribute, "shutdown_asyncgens") ||
            is_method(t, attribute, "shutdown_default_executor"));
}

/* loop.run_until_complete(...): the main one, or of loop.shutdown_...(). */
static bool read_run(struct loop *l, cn_node attribute, cn_node call)
{
    cn_node what = cn_arg_value(l->t, call, 0, NULL);

    if (is_shutdown(l->t, what))
        return add_plumbing(l, call);
    l->main = attribute;
    l->mains++;
    return true;
}

/* `if not loop.is_closed():`, with nothing below it but what goes. */
static bool read_closed(struct loop *l, cn_node call)
{
    cn_node up = cn_parent(l->t, call);
    cn_node test = cn_is(l->t, up, CN_K_NOT_OPERATOR) ? cn_parent(l->t, up) : 0;

    if (!cn_is(l->t, test, CN_K_IF_STATEMENT) ||
        cn_child(l->t, test, CN_F_CONDITION) != up ||
        cn_child(l->t, test, CN_F_ALTERNATIVE))
        return false;
    cn_plumbing_add(&l->plumbing, test);
    cn_vec_push(l->m->arena, &l->tests, test);
    return true;
}

static bool read_method(struct loop *l, cn_node attribute)
{
    cn_node call = cn_call_of(l->t, attribute);

    if (!call)
        return false;
    if (is_method(l->t, attribute, "run_until_complete"))
        return read_run(l, attribute, call);
    if (is_shutdown(l->t, call))
        return cn_is(l->t, cn_parent(l->t, call), CN_K_ARGUMENT_LIST) &&
               is_method(l->t,
                         cn_child(l->t, cn_parent(l->t, cn_parent(l->t, call)),
                                  CN_F_FUNCTION),
                         "run_until_complete");
    if (is_method(l->t, attribute, "close")) {
        l->closed = true;
        return add_plumbing(l, call);
    }
    if (is_method(l->t, attribute, "is_closed"))
        return read_closed(l, call);
    if (!is_method(l->t, attribute, "time") &&
        !is_method(l->t, attribute, "run_in_executor"))
        return false;
    cn_vec_push(l->m->arena, &l->inner, attribute);
    return true;
}

/* asyncio.set_event_loop(loop), as a statement. */
static bool read_argument(struct loop *l, cn_node read)
{
    cn_node list = cn_parent(l->t, read);
    cn_node call =
        cn_is(l->t, list, CN_K_ARGUMENT_LIST) ? cn_parent(l->t, list) : 0;

    return cn_is(l->t, call, CN_K_CALL) &&
           cn_resolves_to(l->m->module, cn_child(l->t, call, CN_F_FUNCTION),
                          "asyncio.set_event_loop") &&
           add_plumbing(l, call);
}

static void read_all(struct loop *l)
{
    for (size_t i = 0; i < l->o->reads.len; i++) {
        cn_node read = l->o->reads.at[i];
        cn_node attribute = cn_site_attribute_of(l->t, read);

        if (attribute ? read_method(l, attribute) : read_argument(l, read))
            continue;
        l->others++;
        if (!l->other)
            l->other = attribute ? attribute : read;
    }
}

/* --- writes --------------------------------------------------------------- */

/* What gives the variable its loop, as a canonical name; "" when unknown. */
static struct cn_str maker(const struct cn_match *m, cn_node value)
{
    struct cn_str name = CN_STR("");

    if (!value || !cn_is(m->tree, value, CN_K_CALL) ||
        cn_arg_count(m->tree, value) ||
        cn_resolve(m->module, cn_child(m->tree, value, CN_F_FUNCTION), &name) !=
            CN_SURE)
        return CN_STR("");
    return cn_str_is(name, "asyncio.get_running_loop") ||
                   cn_str_is(name, "asyncio.get_event_loop") ||
                   cn_str_is(name, "asyncio.new_event_loop")
               ? name
               : CN_STR("");
}

/* `loop = asyncio.get_running_loop()` in a plain function: asks whether a loop
 * runs; not where the variable has no other loop and is read. */
static bool is_probe(const struct cn_match *m, const struct cn_binding *b)
{
    const struct cn_object *o = cn_object_at(m->module, b->name);

    if (o && o->writes.len == 1 && o->reads.len)
        return false;
    return cn_str_is(maker(m, b->value), "asyncio.get_running_loop") &&
           !cn_in_async(m->tree, b->value);
}

/* The first write that is no probe, or NULL. */
static const struct cn_binding *first_write(const struct cn_match *m,
                                            const struct cn_object *o)
{
    for (size_t i = 0; i < o->writes.len; i++)
        if (!is_probe(m, &o->writes.at[i]))
            return &o->writes.at[i];
    return NULL;
}

/* No read sees what a probe gave: there is none, or all of them stand behind
 * the first other write, in its block, where no probe is. */
static bool probes_are_unread(const struct cn_match *m,
                              const struct cn_object *o)
{
    const struct cn_tree *t = m->tree;
    const struct cn_binding *first = first_write(m, o);
    cn_node block = first ? cn_parent(t, cn_statement(t, first->value)) : 0;

    if (o->reads.len && !first)
        return false;
    for (size_t i = 0; i < o->reads.len; i++)
        if (!cn_within(t, o->reads.at[i], block) ||
            o->reads.at[i] < first->value)
            return false;
    for (size_t i = 0; i < o->writes.len; i++)
        if (is_probe(m, &o->writes.at[i]) &&
            cn_within(t, o->writes.at[i].value, block))
            return false;
    return true;
}

/* All writes make loops, in statements of one function. */
static bool writes_are_known(struct loop *l)
{
    cn_node function = cn_function(l->t, l->m->node);
    bool probed = false;

    for (size_t i = 0; i < l->o->writes.len; i++) {
        const struct cn_binding *b = &l->o->writes.at[i];
        struct cn_str name = maker(l->m, b->value);
        cn_node up = b->value ? cn_parent(l->t, b->value) : 0;

        if (!name.len || cn_function(l->t, b->value) != function ||
            !cn_is(l->t, up, CN_K_ASSIGNMENT) ||
            !cn_is(l->t, cn_parent(l->t, up), CN_K_EXPRESSION_STATEMENT))
            return false;
        if (is_probe(l->m, b)) {
            probed = true;
            continue;
        }
        l->lives_on |= !cn_str_is(name, "asyncio.new_event_loop");
        cn_plumbing_add(&l->plumbing, cn_statement(l->t, b->value));
    }
    return !probed || probes_are_unread(l->m, l->o);
}

/* asyncio.set_event_loop(None) in the same function. */
static void find_unsetting(struct loop *l)
{
    for (size_t i = 0; i < l->m->module->uses.len; i++) {
        const struct cn_use *use = &l->m->module->uses.at[i];
        cn_node call = cn_call_of(l->t, use->node);

        if (use->in_string || !call ||
            !cn_str_is(use->name, "asyncio.set_event_loop") ||
            cn_function(l->t, use->node) != cn_function(l->t, l->m->node))
            continue;
        if (cn_is(l->t, cn_arg_value(l->t, call, 0, "loop"), CN_K_NONE))
            add_plumbing(l, call);
    }
}

static void claim_all(struct loop *l)
{
    for (size_t i = 0; i < l->m->module->uses.len; i++) {
        const struct cn_use *use = &l->m->module->uses.at[i];

        for (size_t k = 0; k < l->plumbing.statements.len; k++)
            if (cn_within(l->t, use->node, l->plumbing.statements.at[k]) &&
                use != l->m->use)
                cn_claim(l->m, use->node);
    }
}

/* --- in a plain function: one run ------------------------------------------ */

/* Is the run repeated on the same loop? */
static bool is_repeated(const struct loop *l)
{
    for (cn_node up = cn_parent(l->t, l->main);
         up && !cn_within(l->t, l->m->node, up); up = cn_parent(l->t, up)) {
        enum cn_kind kind = cn_kind(l->t, up);

        if (kind == CN_K_FOR_STATEMENT || kind == CN_K_WHILE_STATEMENT ||
            kind == CN_K_LIST_COMPREHENSION || kind == CN_K_LAMBDA ||
            kind == CN_K_GENERATOR_EXPRESSION ||
            kind == CN_K_DICTIONARY_COMPREHENSION ||
            kind == CN_K_SET_COMPREHENSION)
            return true;
    }
    return false;
}

static enum cn_verdict one_run(struct loop *l)
{
    struct cn_match *m = l->m;

    if (l->inner.len)
        return cn_manual(m, NULL,
                         "the loop is used from outside while it does "
                         "not run");
    if (l->mains > 1 || is_repeated(l))
        return cn_manual(m, NULL, "several runs share the loop");
    if (cn_function(l->t, l->main) != cn_function(l->t, m->node))
        return cn_manual(m, NULL, "the loop is run in another function");
    if (l->o->symbol && l->o->symbol->scope->kind == CN_SCOPE_MODULE)
        cn_demote_unsafe(m, "the module has no such variable any more");
    find_unsetting(l);
    for (size_t i = 0; i < l->tests.len; i++)
        if (!cn_plumbing_goes(&l->plumbing,
                              cn_child(l->t, l->tests.at[i], CN_F_CONSEQUENCE)))
            return cn_manual(m, NULL, "the loop is asked whether it is closed");
    claim_all(l);
    cn_site_claim(m, l->main);
    cn_plumbing_drop(&l->plumbing);
    if (!cn_entry_until_complete(m, l->main))
        return cn_manual(m, NULL, "what is waited for may belong to the loop");
    if (l->lives_on)
        return cn_unsafe(m, "the loop no longer lives on after the call");
    if (!l->closed)
        return cn_unsafe(m, "the loop was never closed: tasks that are left "
                            "over are cancelled now");
    return cn_safe(m);
}

/* --- in an async function -------------------------------------------------- */

/* Make the edits that the use's own rule makes as well: applied together with
 * it, or instead of it. A reason why not, or NULL. */
static const char *change_inner(struct loop *l, cn_node attribute)
{
    bool clock = is_method(l->t, attribute, "time");

    if (!cn_may_fix(l->m, attribute, clock ? "CN103" : "CN402"))
        return "it is to stay";
    if (!clock)
        return cn_threads_executor(l->m, attribute);
    cn_names_time(l->m, attribute);
    return NULL;
}

static enum cn_verdict running_loop(struct loop *l)
{
    struct cn_match *m = l->m;

    if (l->mains || l->plumbing.statements.len != 1 || l->tests.len ||
        !l->lives_on)
        return cn_manual(m, NULL, "a second loop beside the running one");
    for (size_t i = 0; i < l->inner.len; i++) {
        const char *reason = change_inner(l, l->inner.at[i]);

        if (reason)
            return cn_manual(
                m, NULL, "still needed for `%s` on line %u: %s",
                cn_z(m, l->inner.at[i]),
                cn_place_of(l->t, cn_start(l->t, l->inner.at[i])).line, reason);
    }
    claim_all(l);
    if (cn_plumbing_goes(&l->plumbing,
                         cn_parent(l->t, l->plumbing.statements.at[0])))
        cn_demote_manual(m, "a block would be left empty");
    cn_drop_statement(m, l->plumbing.statements.at[0]);
    return cn_safe(m);
}

/* --- the rule -------------------------------------------------------------- */

/* A call whose value nobody reads: it is there for its RuntimeError. */
static enum cn_verdict ask_for_loop(struct cn_match *m, cn_node expression)
{
    if (!cn_str_is(m->use->name, "asyncio.get_running_loop") ||
        m->target->anyio < 411)
        return cn_manual(m,
                         "anyio.get_current_task() raises RuntimeError, too, "
                         "where no loop runs",
                         "asks whether a loop runs");
    if (cn_site_text_has(m, "sniffio") || cn_site_text_has(m, "trio"))
        return cn_manual(m,
                         "ask sniffio.current_async_library() or "
                         "anyio.lowlevel.current_token(), as it is meant",
                         "it may ask which library runs");
    cn_replace(m, expression, "%s()",
               cn_name(m, "anyio.lowlevel.current_token"));
    return cn_unsafe(m, "in a callback of the loop AnyIO may see no loop");
}

static enum cn_verdict leave_value(struct cn_match *m, cn_node call)
{
    cn_node attribute = call ? cn_site_attribute_of(m->tree, call) : 0;

    if (attribute)
        return cn_manual(m, NULL, "needed for its %s",
                         cn_z(m, cn_child(m->tree, attribute, CN_F_ATTRIBUTE)));
    if (call && cn_site_is_unused(m->tree, call))
        return ask_for_loop(m, call);
    return cn_manual(m, NULL, "the loop is used as a value");
}

/* Can other functions or modules see the variable? */
static bool is_shared(const struct loop *l)
{
    const struct cn_symbol *s = l->o->symbol;

    if (!s || s->string_uses)
        return true;
    if (s->scope->kind == CN_SCOPE_FUNCTION)
        return false;
    return s->scope->kind != CN_SCOPE_MODULE ||
           cn_function(l->t, l->m->node) != 0; /* `global loop` */
}

/* The variable's loop is followed from its first write. */
static enum cn_verdict follow_variable(struct loop *l)
{
    struct cn_match *m = l->m;

    if (is_shared(l))
        return cn_manual(m, NULL, "the loop is kept for other code");
    read_all(l);
    if (l->other)
        return cn_manual(m, NULL, "still needed for `%s` on line %u",
                         cn_z(m, l->other),
                         cn_place_of(l->t, cn_start(l->t, l->other)).line);
    if (cn_in_async(l->t, m->node) ||
        cn_str_is(m->use->name, "asyncio.get_running_loop"))
        return running_loop(l);
    if (l->mains)
        return one_run(l);
    return cn_manual(m, NULL, "nothing here says which loop it is");
}

enum cn_verdict cn_loop_check(struct cn_match *m)
{
    const struct cn_tree *t = m->tree;
    struct loop l = {.m = m, .t = t, .plumbing = {.m = m, .t = t}};
    cn_node call = cn_call_of(t, m->node);
    cn_node up = call ? cn_parent(t, call) : 0;
    cn_node left =
        cn_is(t, up, CN_K_ASSIGNMENT) ? cn_child(t, up, CN_F_LEFT) : 0;
    const struct cn_binding *first;

    if (cn_site_unsure(m))
        return cn_site_leave_unsure(m);
    if (cn_str_is(m->use->name, "asyncio.set_event_loop"))
        return cn_manual(m, NULL, "goes with the loop that it sets");
    if (left && !cn_is(t, left, CN_K_IDENTIFIER))
        return cn_manual(m, NULL, "the loop is kept in `%s`", cn_z(m, left));
    if (!left || cn_child(t, up, CN_F_RIGHT) != call)
        return leave_value(m, call);
    l.o = cn_object_at(m->module, left);
    if (!l.o || !writes_are_known(&l))
        return leave_value(m, 0);
    first = first_write(m, l.o);
    if (!first || (first->value != call && !cn_in_async(t, call) &&
                   cn_str_is(m->use->name, "asyncio.get_running_loop")))
        return cn_child(t, up, CN_F_TYPE) ? leave_value(m, 0)
                                          : ask_for_loop(m, up);
    if (first->value != call)
        return cn_manual(m, NULL, "goes with the loop of line %u",
                         cn_place_of(t, cn_start(t, first->value)).line);
    return follow_variable(&l);
}
