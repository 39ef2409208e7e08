/* reads: the uses of a lock, semaphore, event or condition after it was made,
 * one method at a time. Not a rule: sync.c decides when to ask. Invariant: a
 * use that is not recognised here demotes the match. */
#include "migrate/rules/reads.h"

/* One object under examination. */
struct reads {
    struct cn_match *m;
    const struct cn_tree *t;
    const struct cn_primitive *p;
    const struct cn_object *o;
    bool escapes, cleared, bound; /* bound: a method taken as a value */
};

static bool is_method(const struct reads *r, cn_node attribute,
                      const char *name)
{
    return cn_text_is(r->t, cn_child(r->t, attribute, CN_F_ATTRIBUTE), name);
}

/* --- values of methods --------------------------------------------------------- */

enum value { VALUE_UNUSED, VALUE_MAYBE, VALUE_USED };

/* What becomes of the value of an awaitable call: directly awaited, or through
 * asyncio.wait_for(call, ...). */
static enum value value_of(const struct reads *r, cn_node call)
{
    cn_node await = cn_await_of(r->t, call);
    cn_node up = cn_parent(r->t, call);

    if (await)
        return cn_site_is_unused(r->t, await) ? VALUE_UNUSED : VALUE_USED;
    up = cn_is(r->t, up, CN_K_ARGUMENT_LIST) ? cn_parent(r->t, up) : 0;
    if (!cn_is(r->t, up, CN_K_CALL) ||
        !cn_resolves_to(r->m->module, cn_child(r->t, up, CN_F_FUNCTION),
                        "asyncio.wait_for"))
        return VALUE_MAYBE;
    await = cn_await_of(r->t, up);
    if (!await)
        return VALUE_MAYBE;
    return cn_site_is_unused(r->t, await) ? VALUE_UNUSED : VALUE_USED;
}

/* `x = await e.wait()` becomes `await e.wait()` and `x = True`. */
static bool give_true(struct reads *r, cn_node call)
{
    cn_node await = cn_await_of(r->t, call);
    cn_node whole = await ? cn_whole_statement(r->m, await) : 0;

    if (!await || (!whole && !cn_hoistable(r->m, await)) ||
        cn_is(r->t, cn_parent(r->t, await), CN_K_AUGMENTED_ASSIGNMENT))
        return false;
    cn_line_above(r->m, whole ? whole : cn_statement(r->t, await), "await %s",
                  cn_z(r->m, call));
    cn_replace(r->m, await, "True");
    return true;
}

/* asyncio's acquire() and wait() give True, AnyIO's None. */
static void value_is_none(struct reads *r, cn_node call, const char *reason)
{
    enum value value = value_of(r, call);

    if (value == VALUE_USED && !give_true(r, call))
        cn_demote_manual(r->m, reason);
    else if (value == VALUE_MAYBE)
        cn_demote_unsafe(r->m, reason);
}

/* --- acquire and release --------------------------------------------------------- */

/* Is there `<object>.<name>` in this function? */
static bool function_has(const struct reads *r, cn_node function,
                         const char *name)
{
    for (size_t i = 0; r->o && i < r->o->reads.len; i++) {
        cn_node attribute = cn_site_attribute_of(r->t, r->o->reads.at[i]);

        if (attribute && is_method(r, attribute, name) &&
            cn_function(r->t, attribute) == function)
            return true;
    }
    return false;
}

/* Only the task that acquired an AnyIO lock may release it. */
static void owned_by_task(struct reads *r, cn_node attribute,
                          const char *counterpart)
{
    if (r->p->kind == CN_SEMAPHORE || r->p->kind == CN_BOUNDED)
        return;
    if (!function_has(r, cn_function(r->t, attribute), counterpart))
        cn_demote_unsafe(r->m, "acquired and released in different functions: "
                               "only the task that acquired it may release it");
}

static void on_acquire(struct reads *r, cn_node attribute, cn_node call)
{
    value_is_none(r, call, "acquire() gives None, no longer True");
    owned_by_task(r, attribute, "release");
}

static void on_release(struct reads *r, cn_node attribute, cn_node call)
{
    (void)call;
    owned_by_task(r, attribute, "acquire");
}

static void on_locked(struct reads *r, cn_node attribute, cn_node call)
{
    cn_node up = cn_parent(r->t, call);
    bool bare = cn_is(r->t, up, CN_K_IF_STATEMENT) ||
                cn_is(r->t, up, CN_K_WHILE_STATEMENT) ||
                cn_is(r->t, up, CN_K_NOT_OPERATOR) ||
                cn_is(r->t, up, CN_K_BOOLEAN_OPERATOR) ||
                cn_is(r->t, up, CN_K_RETURN_STATEMENT) ||
                cn_is(r->t, up, CN_K_ASSIGNMENT) ||
                cn_is(r->t, up, CN_K_ARGUMENT_LIST);

    if (r->p->kind == CN_LOCK || r->p->kind == CN_CONDITION) {
        if (!cn_in_async(r->t, attribute))
            cn_demote_unsafe(r->m, "locked() needs a running loop before "
                                   "AnyIO 4.15");
        return;
    }
    if (!bare)
        cn_insert(r->m, cn_start(r->t, call), "(");
    cn_replace_span(r->m,
                    cn_start(r->t, cn_child(r->t, attribute, CN_F_ATTRIBUTE)),
                    cn_end(r->t, call), bare ? "value == 0" : "value == 0)");
}

/* --- events ------------------------------------------------------------------------- */

/* Is one of them made where perhaps no loop runs? */
static bool is_made_outside(const struct reads *r)
{
    for (size_t i = 0; i < r->o->writes.len; i++)
        if (r->o->writes.at[i].value &&
            cn_is(r->t, r->o->writes.at[i].value, CN_K_CALL) &&
            !cn_in_async(r->t, r->o->writes.at[i].value))
            return true;
    return false;
}

static void on_set(struct reads *r, cn_node attribute, cn_node call)
{
    (void)call;
    if (r->m->target->anyio < 414 && !cn_in_async(r->t, attribute) &&
        is_made_outside(r))
        cn_demote_unsafe(r->m, "set() needs a running loop in old AnyIO");
}

static void on_is_set(struct reads *r, cn_node attribute, cn_node call)
{
    (void)r, (void)attribute, (void)call;
}

static void on_wait(struct reads *r, cn_node attribute, cn_node call)
{
    (void)attribute;
    value_is_none(r, call, "wait() gives None, no longer True");
}

/* May the place bind the variable anew: a plain local of this very function,
 * or an attribute? */
static bool can_rebind(const struct reads *r, cn_node receiver)
{
    const struct cn_symbol *s = r->o->symbol;

    if (!s)
        return cn_is(r->t, receiver, CN_K_ATTRIBUTE);
    return !s->is_parameter && s->scope->kind == CN_SCOPE_FUNCTION &&
           cn_scope_at(r->m->module, receiver) == s->scope;
}

/* e.clear() becomes `if e.is_set(): e = anyio.Event()`. */
static void on_clear(struct reads *r, cn_node attribute, cn_node call)
{
    cn_node receiver = cn_child(r->t, attribute, CN_F_OBJECT);

    r->cleared = true;
    if (!cn_site_is_unused(r->t, call) || !r->o || !can_rebind(r, receiver)) {
        cn_demote_manual(r->m, "it is cleared where it cannot be replaced");
        return;
    }
    cn_wrap_statement(r->m, cn_statement(r->t, call),
                      "if %s.is_set():", cn_z(r->m, receiver));
    cn_replace(r->m, call, "%s = %s()", cn_z(r->m, receiver),
               cn_name(r->m, "anyio.Event"));
}

/* --- conditions ----------------------------------------------------------------------- */

static void on_notify(struct reads *r, cn_node attribute, cn_node call)
{
    (void)r, (void)attribute, (void)call;
}

/* await c.wait_for(p), before AnyIO 4.11: `while not p(): await c.wait()`. */
static void on_wait_for(struct reads *r, cn_node attribute, cn_node call)
{
    cn_node await = cn_await_of(r->t, call);
    cn_node predicate = cn_arg_value(r->t, call, 0, "predicate");
    bool lambda = cn_is(r->t, predicate, CN_K_LAMBDA);

    if (r->m->target->anyio >= 411)
        return;
    if (!await || !cn_site_is_unused(r->t, await) || !predicate ||
        cn_arg_count(r->t, call) != 1) {
        cn_demote_manual(r->m, "wait_for() came with AnyIO 4.11");
        return;
    }
    cn_wrap_statement(
        r->m, cn_statement(r->t, call),
        lambda ? "while not (%s):" : "while not %s():",
        cn_z(r->m, lambda ? cn_child(r->t, predicate, CN_F_BODY) : predicate));
    cn_replace_span(r->m,
                    cn_start(r->t, cn_child(r->t, attribute, CN_F_ATTRIBUTE)),
                    cn_end(r->t, call), "wait()");
}

/* --- which method ------------------------------------------------------------------------ */

enum {
    L = 1 << CN_LOCK,
    S = 1 << CN_SEMAPHORE | 1 << CN_BOUNDED,
    E = 1 << CN_EVENT,
    C = 1 << CN_CONDITION
};

static const struct method {
    const char *name;
    unsigned kinds;
    void (*called)(struct reads *r, cn_node attribute, cn_node call);
    const char *as_value; /* why not to take it as a value; or NULL */
} methods[] = {
    {"acquire", L | S | C, on_acquire, "acquire() gives None, no longer True"},
    {"release", L | S | C, on_release,
     "only the task that acquired a lock may "
     "release it"},
    {"locked", L | S | C, on_locked, "locked() needs a running loop"},
    {"set", E, on_set, NULL},
    {"is_set", E, on_is_set, NULL},
    {"wait", E | C, on_wait, "wait() gives None, no longer True"},
    {"clear", E, on_clear, NULL},
    {"notify", C, on_notify, NULL},
    {"notify_all", C, on_notify, NULL},
    {"wait_for", C, on_wait_for, "wait_for() came with AnyIO 4.11"},
};

static const struct method *method_of(const struct reads *r, cn_node attribute)
{
    for (size_t i = 0; i < CN_COUNT(methods); i++)
        if (methods[i].kinds & 1u << r->p->kind &&
            is_method(r, attribute, methods[i].name))
            return &methods[i];
    return NULL;
}

static void method_as_value(struct reads *r, const struct method *method)
{
    r->bound = true;
    if (r->p->lacks && !strcmp(method->name, r->p->lacks))
        cn_demote_manual(r->m, "a method is handed on that AnyIO has not");
    else if (method->as_value)
        cn_demote_unsafe(r->m, method->as_value);
}

static void read_method(struct reads *r, cn_node attribute)
{
    const struct method *method = method_of(r, attribute);
    cn_node call = cn_call_of(r->t, attribute);
    bool semaphore = r->p->kind == CN_SEMAPHORE || r->p->kind == CN_BOUNDED;

    cn_site_claim(r->m, attribute);
    if (method && call) {
        method->called(r, attribute, call);
    } else if (method) {
        method_as_value(r, method);
    } else if (semaphore && is_method(r, attribute, "_value") &&
               !cn_site_is_stored(r->t, attribute)) {
        cn_replace(r->m, cn_child(r->t, attribute, CN_F_ATTRIBUTE), "value");
    } else {
        cn_demote_manual(r->m, "an attribute is used that AnyIO's class has "
                               "not");
    }
}

/* --- reads that are no methods --------------------------------------------------------------- */

/* `async with lock:`, also one of several. */
static bool is_entered(const struct cn_tree *t, cn_node read)
{
    cn_node up = cn_parent(t, read);

    while (cn_is(t, up, CN_K_AS_PATTERN) || cn_is(t, up, CN_K_WITH_ITEM) ||
           cn_is(t, up, CN_K_WITH_CLAUSE) ||
           cn_is(t, up, CN_K_PARENTHESIZED_EXPRESSION))
        up = cn_parent(t, up);
    return cn_is(t, up, CN_K_WITH_STATEMENT) && cn_is_async(t, up) &&
           !cn_within(t, read, cn_child(t, up, CN_F_BODY));
}

/* `if x:`, `x is None`, `not x`, `x and x.wait()`: true or false, no more. */
static bool is_tested(const struct cn_tree *t, cn_node read)
{
    cn_node up = cn_parent(t, read);

    if (cn_is(t, up, CN_K_COMPARISON_OPERATOR))
        return cn_child_of_kind(t, up, CN_K_NONE) != 0;
    if (cn_is(t, up, CN_K_BOOLEAN_OPERATOR))
        return cn_child(t, up, CN_F_LEFT) == read &&
               cn_child_of_kind(t, up, CN_T_AND);
    return cn_is(t, up, CN_K_NOT_OPERATOR) || cn_is(t, up, CN_K_IF_STATEMENT) ||
           cn_is(t, up, CN_K_WHILE_STATEMENT) || cn_is(t, up, CN_K_ELIF_CLAUSE);
}

/* Does the text call the method that AnyIO lacks on anything that is not
 * known to be something else? */
static bool lacks_is_called(const struct reads *r)
{
    const char *call = cn_str_fmt(r->m->arena, ".%s()", r->p->lacks).ptr;

    return r->p->lacks &&
           (cn_site_text_has(r->m, call) || cn_site_others_have(r->m, call));
}

/* Does anything here use the value of a wait() or acquire()? */
static bool value_is_used(const struct reads *r)
{
    for (cn_node n = 1; n < r->t->count; n++) {
        cn_node call = cn_is(r->t, n, CN_K_ATTRIBUTE) ? cn_call_of(r->t, n) : 0;

        if (call && (is_method(r, n, "wait") || is_method(r, n, "acquire")) &&
            value_of(r, call) != VALUE_UNUSED)
            return true;
    }
    return false;
}

/* Handed to a function of this module, whose text we have. */
static bool stays_in_module(const struct reads *r, cn_node read)
{
    cn_node up = cn_parent(r->t, read);

    if (cn_is(r->t, up, CN_K_KEYWORD_ARGUMENT))
        up = cn_parent(r->t, up);
    up = cn_is(r->t, up, CN_K_ARGUMENT_LIST) ? cn_parent(r->t, up) : 0;
    return cn_is(r->t, up, CN_K_CALL) &&
           cn_definition_of(r->m->module, cn_child(r->t, up, CN_F_FUNCTION));
}

/* A lock that a condition shares with other code stays with it. */
static bool is_of_condition(const struct reads *r, cn_node read)
{
    cn_node up = cn_parent(r->t, read);

    up = cn_is(r->t, up, CN_K_ARGUMENT_LIST) ? cn_parent(r->t, up) : 0;
    return cn_is(r->t, up, CN_K_CALL) &&
           cn_resolves_to(r->m->module, cn_child(r->t, up, CN_F_FUNCTION),
                          "asyncio.Condition");
}

static void read_escapes(struct reads *r, cn_node read)
{
    r->escapes = true;
    if (is_of_condition(r, read) && r->o->reads.len > 1)
        cn_demote_manual(r->m, "a condition shares it with other code");
    if (stays_in_module(r, read) && r->p->lacks && !lacks_is_called(r) &&
        !value_is_used(r))
        return;
    cn_demote_unsafe(
        r->m,
        cn_str_fmt(r->m->arena, "it is handed on: %s", r->p->differs).ptr);
}

static void read_one(struct reads *r, cn_node read)
{
    cn_node attribute = cn_site_attribute_of(r->t, read);

    if (attribute)
        read_method(r, attribute);
    else if (!is_tested(r->t, read) &&
             !(is_entered(r->t, read) && r->p->kind != CN_EVENT))
        read_escapes(r, read);
}

/* --- attributes that others may touch ----------------------------------------------------------- */

/* Is there an attribute of this name on something else than self? */
static bool is_touched_here(const struct reads *r)
{
    bool found = false;

    for (cn_node n = 1; n < r->t->count; n++) {
        const struct cn_object *o;

        if (!cn_is(r->t, n, CN_K_ATTRIBUTE) ||
            !cn_str_eq(cn_text(r->t, cn_child(r->t, n, CN_F_ATTRIBUTE)),
                       r->o->name))
            continue;
        o = cn_object_at(r->m->module, n);
        if (o == r->o || (o && o->writes.len))
            continue;
        if (r->p->lacks && cn_site_method_call(r->t, n, r->p->lacks))
            cn_demote_manual(r->m, "a method that AnyIO lacks is called on it "
                                   "elsewhere");
        found = true;
    }
    return found;
}

/* P-OWNER: an attribute that other code may call methods on. */
static void check_owner(struct reads *r)
{
    struct cn_str name = r->o->name;
    bool private = name.len && name.ptr[0] == '_';
    const char *probe;

    if (r->o->symbol)
        return;
    probe =
        cn_str_fmt(r->m->arena, ".%.*s%s", CN_STR_ARG(name), private ? "." : "")
            .ptr;
    if (private && r->p->lacks)
        probe =
            cn_str_fmt(r->m->arena, ".%.*s.%s(", CN_STR_ARG(name), r->p->lacks)
                .ptr;
    else if (private)
        probe = cn_str_fmt(r->m->arena, ".%.*s.release(", CN_STR_ARG(name)).ptr;
    if (!is_touched_here(r) && !cn_site_others_have(r->m, probe))
        return;
    if (r->cleared)
        cn_demote_manual(r->m, "it is cleared, and other code may hold it");
    cn_demote_unsafe(r->m, cn_str_fmt(r->m->arena, "other code may use it: %s",
                                      r->p->differs)
                               .ptr);
}

/* Was every object that the variable holds made by its owner, for itself? A
 * class attribute is made for all instances. */
static bool is_own(const struct reads *r)
{
    for (size_t i = 0; i < r->o->writes.len; i++) {
        const struct cn_binding *b = &r->o->writes.at[i];
        cn_node value = b->value;

        if (b->kind == CN_BIND_ANNOTATION || b->kind == CN_BIND_DELETE ||
            (value && cn_is(r->t, value, CN_K_NONE)))
            continue;
        if (!value || !cn_is(r->t, value, CN_K_CALL) ||
            !cn_resolves_to(r->m->module, cn_child(r->t, value, CN_F_FUNCTION),
                            r->p->asyncio) ||
            cn_is(r->t, cn_function(r->t, value), CN_K_CLASS_DEFINITION))
            return false;
    }
    return true;
}

static bool is_read_of(const struct cn_object *o, cn_node receiver)
{
    for (size_t i = 0; i < o->reads.len; i++)
        if (o->reads.at[i] == receiver)
            return true;
    return false;
}

/* Is the method that AnyIO lacks called through another name, which may stand
 * for this object? */
static bool lacks_through_alias(const struct reads *r)
{
    struct cn_str name =
        cn_str_fmt(r->m->arena, "%s.%s", r->p->asyncio, r->p->lacks);

    for (size_t i = 0; i < r->m->module->uses.len; i++) {
        const struct cn_use *use = &r->m->module->uses.at[i];
        const struct cn_object *o;

        if (!use->method || !cn_str_eq(use->name, name) ||
            is_read_of(r->o, use->receiver))
            continue;
        o = cn_object_at(r->m->module, use->receiver);
        if (!o ||
            !is_own(&(struct reads){.m = r->m, .t = r->t, .p = r->p, .o = o}))
            return true;
    }
    return false;
}

void cn_reads_change(struct cn_match *m, const struct cn_primitive *p,
                     const struct cn_object *o)
{
    struct reads r = {.m = m, .t = m->tree, .p = p, .o = o};

    for (size_t i = 0; i < o->reads.len; i++)
        read_one(&r, o->reads.at[i]);
    if (r.cleared && (r.escapes || r.bound || !is_own(&r)))
        cn_demote_manual(m, "it is cleared, and other code may hold it");
    if (r.escapes && p->lacks && lacks_through_alias(&r))
        cn_demote_manual(m, "a method that AnyIO lacks is called through "
                            "another name");
    check_owner(&r);
}

/* --- objects without a variable --------------------------------------------------------------------- */

/* Is `receiver` written with this last name: `name`, `x.name`? */
static bool ends_in(const struct cn_tree *t, cn_node receiver,
                    struct cn_str name)
{
    if (cn_is(t, receiver, CN_K_ATTRIBUTE))
        receiver = cn_child(t, receiver, CN_F_ATTRIBUTE);
    return cn_str_eq(cn_text(t, receiver), name);
}

/* `name.wait()`, `x.name.acquire()`: whose value is None now. */
static void values_by_name(struct reads *r, struct cn_str name)
{
    for (cn_node n = 1; n < r->t->count; n++) {
        const struct method *method;
        cn_node call = cn_is(r->t, n, CN_K_ATTRIBUTE) ? cn_call_of(r->t, n) : 0;

        if (!call || !ends_in(r->t, cn_child(r->t, n, CN_F_OBJECT), name))
            continue;
        method = method_of(r, n);
        if (method && method->as_value &&
            (method->called == on_wait || method->called == on_acquire))
            value_is_none(r, call, method->as_value);
    }
}

static void claim_by_name(struct reads *r, struct cn_str name)
{
    struct cn_str class_ = cn_str_fmt(r->m->arena, "%s.", r->p->asyncio);

    for (size_t i = 0; i < r->m->module->uses.len; i++) {
        const struct cn_use *use = &r->m->module->uses.at[i];

        if (use->method && cn_str_starts(use->name, class_) &&
            ends_in(r->t, use->receiver, name))
            cn_claim(r->m, use->node);
    }
}

static bool is_mentioned(const struct cn_match *m, const char *bytes)
{
    return cn_site_text_has(m, bytes) || cn_site_others_have(m, bytes);
}

void cn_reads_by_name(struct cn_match *m, const struct cn_primitive *p,
                      struct cn_str name)
{
    struct reads r = {.m = m, .t = m->tree, .p = p};
    struct cn_str call;

    if (name.len) {
        claim_by_name(&r, name);
        values_by_name(&r, name);
    }
    if (!p->lacks)
        return;
    if (p->kind != CN_EVENT && cn_site_text_has(m, "._value"))
        cn_demote_manual(m, "its private value may be read");
    call = cn_str_fmt(m->arena, "%.*s.%s(", CN_STR_ARG(name), p->lacks);
    if (name.len ? is_mentioned(m, call.ptr) : cn_site_text_has(m, call.ptr))
        cn_demote_manual(
            m, cn_str_fmt(m->arena, "%s() may be called on it", p->lacks).ptr);
}

void cn_reads_elsewhere(struct cn_match *m, const struct cn_primitive *p,
                        struct cn_str name)
{
    if (p->lacks &&
        cn_site_others_have(
            m,
            cn_str_fmt(m->arena, "%.*s.%s(", CN_STR_ARG(name), p->lacks).ptr))
        cn_demote_manual(m, cn_str_fmt(m->arena,
                                       "%s() may be called on it in "
                                       "another file",
                                       p->lacks)
                                .ptr);
}
