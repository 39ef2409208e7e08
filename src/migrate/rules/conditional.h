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
/* Claim every use below `part`. */
void cn_claim_inside(struct cn_match *m, cn_node part);

/* conditional_branch.c */
enum cn_verdict cn_backend_branch(struct cn_match *m);

#endif
