/* conditional: private to the rules on conditional imports. */
#ifndef CN_MIGRATE_RULES_CONDITIONAL_H
#define CN_MIGRATE_RULES_CONDITIONAL_H

#include "migrate/rule.h"

/* try: import anyio ... except ImportError: ... */
struct cn_choice {
    cn_node statement, handler;
    CN_VEC(struct cn_symbol *) bound; /* by any clause of the try */
};

/* Is the statement a choice between AnyIO and something else? */
bool cn_choice_read(const struct cn_match *m, cn_node statement,
                    struct cn_choice *out);
/* What a test means once AnyIO is always there: 1, 0, or -1 for anything that
 * is not a plain test of a flag that the choice sets. */
int cn_choice_value(const struct cn_match *m, const struct cn_choice *c,
                    cn_node test);
/* Why the choice cannot be folded, or NULL. */
const char *cn_choice_problem(const struct cn_match *m,
                              const struct cn_choice *c);
/* The if, elif or conditional expression in whose test `use` stands, with the
 * whole of that test; 0 when it stands elsewhere. */
cn_node cn_tested_by(const struct cn_match *m, cn_node use, cn_node *test);
/* The nodes [from, to) of a conditional that go when its test is `value`. */
struct cn_range {
    cn_node from, to;
};
struct cn_range cn_dead_part(const struct cn_tree *t, cn_node conditional,
                             int value);
static inline bool cn_is_in(cn_node n, struct cn_range r)
{
    return r.from <= n && n < r.to;
}

bool cn_is_import(const struct cn_tree *t, cn_node n);
/* `FLAG = True` or `FLAG = False`. */
bool cn_sets_flag(const struct cn_tree *t, cn_node n);
/* Is the symbol imported in the try and set to None in the handler, and bound
 * nowhere else? Then it is a flag as well, true where AnyIO is. */
bool cn_is_none_flag(const struct cn_match *m, const struct cn_choice *c,
                     const struct cn_symbol *s);

/* Claim every use below `part`. */
void cn_claim_inside(struct cn_match *m, cn_node part);

/* conditional_branch.c */
enum cn_verdict cn_backend_branch(struct cn_match *m);

#endif
