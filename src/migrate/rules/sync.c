/* sync: locks, semaphores, events and conditions.
 *
 * The verdict is about an object as a whole: the place that makes it, every
 * place that reads it, its annotations. One match, at the first place that
 * makes it, looks at all of them, edits all of them and claims their sites;
 * what cannot be followed (an element of a dict, a parameter) is renamed
 * alone, as UNSAFE. Invariant: an object is renamed only when no method is
 * called on it that AnyIO's class lacks, as far as the text can tell; and
 * either all places of a variable change or none. */
#include "migrate/rules/reads.h"

/* --- the four ---------------------------------------------------------- */

static const struct cn_primitive primitives[] = {
    {CN_LOCK, "asyncio.Lock", "anyio.Lock",
     "only the task that acquired it may release it, acquire() gives None",
     NULL},
    {CN_SEMAPHORE, "asyncio.Semaphore", "anyio.Semaphore",
     "it has value instead of locked(), acquire() gives None", "locked"},
    {CN_BOUNDED, "asyncio.BoundedSemaphore", "anyio.Semaphore",
     "it has value instead of locked(), acquire() gives None", "locked"},
    {CN_EVENT, "asyncio.Event", "anyio.Event",
     "it has no clear(), wait() gives None", "clear"},
    {CN_CONDITION, "asyncio.Condition", "anyio.Condition",
     "only the task that acquired it may release it, acquire() gives None",
     NULL},
};

const struct cn_primitive *cn_primitive_named(struct cn_str name)
{
    for (size_t i = 0; i < CN_COUNT(primitives); i++)
        if (cn_str_is(name, primitives[i].asyncio))
            return &primitives[i];
    return NULL;
}

bool cn_site_has_division(const struct cn_tree *t, cn_node n)
{
    for (cn_node i = n; i < t->at[n].after; i++)
        if (cn_is(t, i, CN_K_BINARY_OPERATOR) &&
            cn_text_is(t, cn_child(t, i, CN_F_OPERATOR), "/"))
            return true;
    return false;
}

/* --- making one ------------------------------------------------------------- */

static void drop_loop(struct cn_match *m, cn_node call)
{
    struct cn_arg arg;

    for (uint32_t i = 0; cn_arg(m->tree, call, i, &arg); i++)
        if (cn_str_is(arg.name, "loop"))
            cn_drop_argument(m, call, arg.node);
}

/* How many arguments besides loop=? */
static uint32_t count_arguments(const struct cn_tree *t, cn_node call)
{
    uint32_t count = 0;
    struct cn_arg arg;

    for (uint32_t i = 0; cn_arg(t, call, i, &arg); i++)
        count += !cn_str_is(arg.name, "loop");
    return count;
}

/* Semaphore(), Semaphore(n), Semaphore(value=n) and the bounded ones. */
static void make_semaphore(struct cn_match *m, cn_node call, bool bounded)
{
    const struct cn_tree *t = m->tree;
    cn_node value = cn_arg_value(t, call, 0, "value");
    cn_node argument = value ? cn_parent(t, value) : 0;

    if (count_arguments(t, call) > (value ? 1u : 0u)) {
        cn_demote_manual(m, "not a call that asyncio.Semaphore() takes");
        return;
    }
    if (!value) {
        cn_replace(m, cn_child(t, call, CN_F_ARGUMENTS), "%s",
                   bounded ? "(1, max_value=1)" : "(1)");
        return;
    }
    drop_loop(m, call);
    if (cn_is(t, argument, CN_K_KEYWORD_ARGUMENT))
        cn_replace(m, cn_child(t, argument, CN_F_NAME), "initial_value");
    if (!cn_is(t, value, CN_K_INTEGER) && cn_site_has_division(t, value))
        cn_demote_unsafe(m, "anyio.Semaphore() takes int only");
    if (!bounded)
        return;
    if (!cn_is(t, value, CN_K_INTEGER) && !cn_is(t, value, CN_K_IDENTIFIER) &&
        !cn_is(t, value, CN_K_ATTRIBUTE))
        cn_demote_manual(m, "the bound would be computed twice");
    cn_insert(
        m,
        cn_end(t, cn_is(t, argument, CN_K_KEYWORD_ARGUMENT) ? argument : value),
        ", max_value=%s", cn_z(m, value));
}

/* Condition(lock): the lock must serve this condition only. */
static void make_condition(struct cn_match *m, cn_node call)
{
    const struct cn_tree *t = m->tree;
    cn_node lock = cn_arg_value(t, call, 0, "lock");
    const struct cn_object *o;

    if (!lock || cn_is(t, lock, CN_K_NONE) || cn_is(t, lock, CN_K_CALL))
        return;
    o = cn_object_at(m->module, lock);
    if (!o || o->reads.len != 1)
        cn_demote_manual(m, "AnyIO's condition wants its lock for itself");
    cn_demote_unsafe(m, "the lock must be entered through the condition");
}

static void make(struct cn_match *m, const struct cn_primitive *p, cn_node call)
{
    const struct cn_tree *t = m->tree;
    const struct cn_use *use =
        cn_site_use_at(m->module, cn_child(t, call, CN_F_FUNCTION));

    if (!use || use->certainty != CN_SURE || !cn_args_plain(t, call)) {
        cn_demote_manual(m, "the arguments cannot be seen");
        return;
    }
    cn_site_rename_use(m, use, p->anyio);
    cn_site_claim(m, use->node);
    if (p->kind == CN_SEMAPHORE || p->kind == CN_BOUNDED) {
        make_semaphore(m, call, p->kind == CN_BOUNDED);
        return;
    }
    drop_loop(m, call);
    if (p->kind == CN_CONDITION)
        make_condition(m, call);
    else if (count_arguments(t, call))
        cn_demote_manual(m, "not a call that the class takes");
}

/* G11: made at import, it binds to the first backend that uses it. */
static void demote_shared(struct cn_match *m, cn_node call,
                          const struct cn_object *o)
{
    cn_node function = cn_function(m->tree, call);
    bool global = o && o->symbol && o->symbol->scope->kind == CN_SCOPE_MODULE;

    if (!function || cn_is(m->tree, function, CN_K_CLASS_DEFINITION) || global)
        cn_demote_unsafe(m, "lives as long as the module: it works with the "
                            "first backend that uses it only");
}

/* --- a variable --------------------------------------------------------------- */

static bool is_made_here(const struct cn_match *m, const struct cn_primitive *p,
                         cn_node value)
{
    return value && cn_is(m->tree, value, CN_K_CALL) &&
           cn_resolves_to(m->module, cn_child(m->tree, value, CN_F_FUNCTION),
                          p->asyncio);
}

/* The first call that makes the object, or 0. */
static cn_node first_made(const struct cn_match *m,
                          const struct cn_primitive *p,
                          const struct cn_object *o)
{
    for (size_t i = 0; i < o->writes.len; i++)
        if (is_made_here(m, p, o->writes.at[i].value))
            return o->writes.at[i].value;
    return 0;
}

/* The variable or parameter that an annotation is for, or 0. */
static cn_node annotated(const struct cn_tree *t, cn_node n)
{
    cn_node type = cn_is(t, n, CN_K_TYPE) ? n : cn_above(t, n, CN_K_TYPE);
    cn_node up;

    while (type && cn_above(t, type, CN_K_TYPE))
        type = cn_above(t, type, CN_K_TYPE);
    up = type ? cn_parent(t, type) : 0;
    if (cn_is(t, up, CN_K_ASSIGNMENT))
        return cn_child(t, up, CN_F_LEFT);
    if (cn_is(t, up, CN_K_TYPED_DEFAULT_PARAMETER))
        return cn_child(t, up, CN_F_NAME);
    if (cn_is(t, up, CN_K_TYPED_PARAMETER))
        return cn_named(t, up, 0);
    return 0;
}

/* The asyncio names in an annotation that say this class. */
static void rename_annotation(struct cn_match *m, const struct cn_primitive *p,
                              cn_node annotation)
{
    for (size_t i = 0; i < m->module->uses.len; i++) {
        const struct cn_use *use = &m->module->uses.at[i];

        if (use->start < cn_start(m->tree, annotation) ||
            use->end > cn_end(m->tree, annotation) ||
            !cn_str_is(use->name, p->asyncio))
            continue;
        cn_site_rename_use(m, use, p->anyio);
        if (use != m->use)
            cn_claim(m, use->node);
    }
}

/* Is it part of the annotation of one of the writes? */
static bool annotates_write(const struct cn_tree *t, const struct cn_object *o,
                            const struct cn_use *use)
{
    for (size_t i = 0; i < o->writes.len; i++) {
        cn_node annotation = o->writes.at[i].annotation;

        if (annotation && cn_start(t, annotation) <= use->start &&
            use->end <= cn_end(t, annotation))
            return true;
    }
    return false;
}

/* `class C: lock: asyncio.Lock`, the annotation of an attribute that methods
 * give a value. */
static void rename_declaration(struct cn_match *m, const struct cn_primitive *p,
                               const struct cn_object *o)
{
    for (size_t i = 0; !o->symbol && i < m->module->uses.len; i++) {
        const struct cn_use *use = &m->module->uses.at[i];
        cn_node name;

        if (!cn_str_is(use->name, p->asyncio) ||
            !cn_site_is_annotation(m->tree, use) ||
            cn_function(m->tree, use->node) != o->class_node)
            continue;
        name = annotated(m->tree, use->node);
        if (!cn_is(m->tree, name, CN_K_IDENTIFIER) ||
            !cn_str_eq(cn_text(m->tree, name), o->name) ||
            annotates_write(m->tree, o, use))
            continue;
        cn_site_rename_use(m, use, p->anyio);
        cn_claim(m, use->node);
    }
}

static void change_writes(struct cn_match *m, const struct cn_primitive *p,
                          const struct cn_object *o)
{
    for (size_t i = 0; i < o->writes.len; i++) {
        const struct cn_binding *b = &o->writes.at[i];

        if (b->annotation)
            rename_annotation(m, p, b->annotation);
        if (is_made_here(m, p, b->value)) {
            make(m, p, b->value);
            demote_shared(m, b->value, o);
        } else if (b->kind == CN_BIND_PARAMETER) {
            cn_demote_unsafe(m, "callers must hand in AnyIO's");
        } else if (b->kind != CN_BIND_ANNOTATION && b->kind != CN_BIND_DELETE &&
                   !(b->value && cn_is(m->tree, b->value, CN_K_NONE))) {
            cn_demote_unsafe(m, "the variable holds other things as well");
        }
    }
}

static enum cn_verdict change_variable(struct cn_match *m,
                                       const struct cn_primitive *p,
                                       const struct cn_object *o)
{
    change_writes(m, p, o);
    rename_declaration(m, p, o);
    cn_reads_change(m, p, o);
    if (o->symbol && o->symbol->scope->kind == CN_SCOPE_CLASS)
        cn_reads_by_name(m, p, o->name);
    else if (o->symbol && o->symbol->scope->kind == CN_SCOPE_MODULE)
        cn_reads_elsewhere(m, p, o->name);
    return cn_safe(m);
}

/* Another place of a variable: the first one speaks for it. */
static enum cn_verdict follow(struct cn_match *m, cn_node first)
{
    return cn_manual(m, NULL, "goes with the one made on line %u",
                     cn_place_of(m->tree, cn_start(m->tree, first)).line);
}

/* --- what cannot be followed ---------------------------------------------------- */

/* The name under which the thing is kept, for looking at the text: of the
 * keyword or of the variable that it is somehow part of. */
static struct cn_str kept_as(const struct cn_match *m, cn_node n)
{
    const struct cn_tree *t = m->tree;
    cn_node statement = cn_statement(t, n);
    cn_node left = 0;

    if (cn_is(t, statement, CN_K_EXPRESSION_STATEMENT))
        left = cn_child(t, cn_named(t, statement, 0), CN_F_LEFT);
    if (cn_is(t, left, CN_K_ATTRIBUTE))
        left = cn_child(t, left, CN_F_ATTRIBUTE);
    return cn_is(t, left, CN_K_IDENTIFIER) ? cn_text(t, left) : CN_STR("");
}

/* Is the thing, or a class that makes it, kept under one name only: `x = y or
 * Lock()`, `x: T = field(default_factory=Lock)`, and not in a list, under two
 * names, in somebody else's hands? */
static bool has_one_name(const struct cn_match *m, cn_node n)
{
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, n), up;

    n = call ? call : n;
    up = cn_parent(t, n);
    if (cn_is(t, up, CN_K_KEYWORD_ARGUMENT) &&
        cn_text_is(t, cn_child(t, up, CN_F_NAME), "default_factory")) {
        n = cn_parent(t, cn_parent(t, up));
        up = cn_parent(t, n);
    }
    while (cn_is(t, up, CN_K_BOOLEAN_OPERATOR) ||
           cn_is(t, up, CN_K_CONDITIONAL_EXPRESSION) ||
           cn_is(t, up, CN_K_PARENTHESIZED_EXPRESSION)) {
        n = up;
        up = cn_parent(t, n);
    }
    return cn_is(t, up, CN_K_ASSIGNMENT) && cn_child(t, up, CN_F_RIGHT) == n &&
           cn_is(t, cn_parent(t, up), CN_K_EXPRESSION_STATEMENT) &&
           !cn_is(t, cn_child(t, up, CN_F_LEFT), CN_K_SUBSCRIPT);
}

static enum cn_verdict rename_alone(struct cn_match *m,
                                    const struct cn_primitive *p, cn_node call)
{
    if (call) {
        make(m, p, call);
        demote_shared(m, call, NULL);
    } else {
        if (p->kind == CN_BOUNDED || p->kind == CN_SEMAPHORE)
            cn_demote_unsafe(m, "anyio.Semaphore() needs its value");
        cn_site_rename(m, p->anyio);
    }
    cn_reads_by_name(
        m, p, has_one_name(m, m->node) ? kept_as(m, m->node) : CN_STR(""));
    return cn_unsafe(m, "its uses cannot all be seen: %s", p->differs);
}

/* --- annotations ------------------------------------------------------------------ */

/* The attribute of self that an annotation in the class body declares, when a
 * method gives it a value; or NULL. */
static const struct cn_object *declared(const struct cn_match *m, cn_node name)
{
    const struct cn_tree *t = m->tree;
    cn_node class_ = cn_function(t, name);

    if (!cn_is(t, class_, CN_K_CLASS_DEFINITION))
        return NULL;
    for (cn_node n = class_; n < t->at[class_].after; n++) {
        const struct cn_object *o;

        if (!cn_is(t, n, CN_K_ATTRIBUTE) ||
            !cn_str_eq(cn_text(t, cn_child(t, n, CN_F_ATTRIBUTE)),
                       cn_text(t, name)))
            continue;
        o = cn_object_at(m->module, n);
        if (o && o->class_node == class_)
            return o;
    }
    return NULL;
}

static enum cn_verdict check_annotation(struct cn_match *m,
                                        const struct cn_primitive *p)
{
    cn_node name = annotated(m->tree, m->node);
    const struct cn_object *o = name ? cn_object_at(m->module, name) : NULL;
    cn_node first = o ? first_made(m, p, o) : 0;

    if (!first && cn_is(m->tree, name, CN_K_IDENTIFIER) && declared(m, name))
        first = first_made(m, p, declared(m, name));
    if (first)
        return follow(m, first);
    cn_site_rename(m, p->anyio);
    if (o && o->symbol && o->symbol->scope->kind == CN_SCOPE_FUNCTION)
        cn_reads_change(m, p, o);
    else
        cn_reads_by_name(m, p, kept_as(m, m->node));
    return cn_unsafe(m, "whoever makes it must make AnyIO's");
}

/* --- the rule ----------------------------------------------------------------------- */

/* The variable that is given exactly this call, or NULL. */
static const struct cn_object *variable_of(const struct cn_match *m,
                                           cn_node call)
{
    const struct cn_tree *t = m->tree;
    cn_node up = cn_parent(t, call);

    if (!cn_is(t, up, CN_K_ASSIGNMENT) || cn_child(t, up, CN_F_RIGHT) != call ||
        cn_is(t, cn_parent(t, up), CN_K_ASSIGNMENT)) /* a = b = Lock() */
        return NULL;
    return cn_object_at(m->module, cn_child(t, up, CN_F_LEFT));
}

static enum cn_verdict check_primitive(struct cn_match *m)
{
    const struct cn_primitive *p = cn_primitive_named(m->use->name);
    const struct cn_tree *t = m->tree;
    cn_node call = cn_call_of(t, m->node);
    const struct cn_object *o;

    if (cn_site_unsure(m))
        return cn_site_leave_unsure(m);
    if (cn_site_is_annotation(t, m->use))
        return check_annotation(m, p);
    if (cn_site_is_stored(t, m->node))
        return cn_manual(m, NULL, "asyncio itself is changed here");
    if (cn_is(t, cn_parent(t, cn_parent(t, m->node)), CN_K_CLASS_DEFINITION))
        return cn_manual(m, "write a class that has one", "it is subclassed");
    o = call ? variable_of(m, call) : NULL;
    if (!o)
        return rename_alone(m, p, call);
    if (first_made(m, p, o) != call)
        return follow(m, first_made(m, p, o));
    return change_variable(m, p, o);
}

static const struct cn_rule rules[] = {
    {
        .code = "CN121",
        .name = "lock",
        .summary = "asyncio.Lock becomes anyio.Lock",
        .names = CN_NAMES("asyncio.Lock"),
        .check = check_primitive,
        .advice = "anyio.Lock is released by the task that acquired it; for a "
                  "hand-over between tasks take anyio.Semaphore(1)",
    },
    {
        .code = "CN122",
        .name = "semaphore",
        .summary = "asyncio's semaphores become anyio.Semaphore",
        .names = CN_NAMES("asyncio.Semaphore", "asyncio.BoundedSemaphore"),
        .check = check_primitive,
        .advice = "anyio.Semaphore(n, max_value=n) has value instead of "
                  "locked(), and its acquire() returns None",
    },
    {
        .code = "CN123",
        .name = "event",
        .summary = "asyncio.Event becomes anyio.Event",
        .names = CN_NAMES("asyncio.Event"),
        .check = check_primitive,
        .advice = "anyio.Event cannot be cleared: make a new one where it is "
                  "cleared, in the object that owns it, or wait on an "
                  "anyio.Condition",
    },
    {
        .code = "CN124",
        .name = "condition",
        .summary = "asyncio.Condition becomes anyio.Condition",
        .names = CN_NAMES("asyncio.Condition"),
        .check = check_primitive,
        .advice = "enter the lock only through its anyio.Condition; two "
                  "conditions on one lock need one condition and two flags",
    },
};

CN_FAMILY(sync);
