/* plumbing: statements that go together; used by loop.c. */
#ifndef CN_MIGRATE_RULES_PLUMBING_H
#define CN_MIGRATE_RULES_PLUMBING_H

#include "migrate/rules/site.h"

struct cn_plumbing {
    struct cn_match *m;
    const struct cn_tree *t;
    CN_VEC(cn_node) statements; /* that go */
    CN_VEC(cn_node) unwrapped;  /* try statements that go, but for their body */
};

/* Cannot fail; adding a statement again does nothing. */
void cn_plumbing_add(struct cn_plumbing *p, cn_node statement);
bool cn_plumbing_has(const struct cn_plumbing *p, cn_node statement);
/* Do all statements of the block go? */
bool cn_plumbing_goes(const struct cn_plumbing *p, cn_node block);
/* Edits that take all of them away; demotes to MANUAL where a block would be
 * left empty. Once, at the end. */
void cn_plumbing_drop(struct cn_plumbing *p);

#endif
