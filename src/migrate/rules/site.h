/* site: small questions and edits that several families of rules share.
 *
 * All of them look at one match and its tree; none fails. Those that edit say
 * so and may demote the match.
 */
#ifndef CN_MIGRATE_RULES_SITE_H
#define CN_MIGRATE_RULES_SITE_H

#include "migrate/rule.h"

/* Could the name be something else than asyncio's here? Then a rule leaves
 * it: return cn_site_leave_unsure(m). */
static inline bool cn_site_unsure(const struct cn_match *m)
{
    return m->use && m->use->certainty != CN_SURE;
}
enum cn_verdict cn_site_leave_unsure(struct cn_match *m);

/* For rows that are all advice: MANUAL with the row's `data` (a string) as
 * the reason and its advice. */
enum cn_verdict cn_site_leave(struct cn_match *m);

/* Edit: spell the name of the site, or of another use, as `dotted`. */
void cn_site_rename(struct cn_match *m, const char *dotted);
void cn_site_rename_use(struct cn_match *m, const struct cn_use *use,
                        const char *dotted);

/* Does the name stand in an annotation (or a type alias)? */
bool cn_site_is_annotation(const struct cn_tree *t, const struct cn_use *use);

/* The use whose expression is exactly `n`, or NULL. */
const struct cn_use *cn_site_use_at(const struct cn_module *module, cn_node n);
/* Edit: claim `n` when it is a site at all. */
void cn_site_claim(struct cn_match *m, cn_node n);

/* Do these bytes stand in this text; in another file of the project? */
bool cn_site_text_has(const struct cn_match *m, const char *bytes);
bool cn_site_others_have(const struct cn_match *m, const char *bytes);

/* Can the expression stand as an operand anywhere without parentheses? */
bool cn_site_is_atom(const struct cn_tree *t, cn_node n);
/* A literal, or a local name that nothing but its own function binds: its
 * value is the same before and after an await. */
bool cn_site_is_constant(const struct cn_match *m, cn_node n);

/* `receiver.name(...)`: the call, when `n` is such a receiver; else 0. */
cn_node cn_site_method_call(const struct cn_tree *t, cn_node receiver,
                            const char *name);
/* The attribute node of which `n` is the object, or 0. */
cn_node cn_site_attribute_of(const struct cn_tree *t, cn_node n);
/* Is the value of the expression thrown away: a statement of its own? */
bool cn_site_is_unused(const struct cn_tree *t, cn_node expression);
/* Is the name given a value or deleted here (`asyncio.sleep = fake`)? */
bool cn_site_is_stored(const struct cn_tree *t, cn_node n);

/* Edits: f(a, *b, k=1) inside `run(f(a, *b, k=1))` becomes what a function
 * takes that calls f itself: `f, a, *b`, or `functools.partial(f, a, *b,
 * k=1)`. Parentheses are moved, the text between them and its comments stay.
 * False when `call` is no call that can be taken apart so. */
bool cn_site_split_call(struct cn_match *m, cn_node call);
/* The line end that the text uses. */
const char *cn_site_newline(const struct cn_tree *t);
/* Does the offset lie inside a string that is part of `outer`? */
bool cn_site_in_string(const struct cn_tree *t, cn_node outer, uint32_t at);
/* Is a name of the builtins still the builtin at `n`? */
bool cn_site_builtin(const struct cn_match *m, cn_node n, const char *name);

#endif
