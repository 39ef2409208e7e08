/* cancel: private to the rules on cancellation: the checks that stand in other
 * files than their table (cancel.c). */
#ifndef CN_MIGRATE_RULES_CANCEL_H
#define CN_MIGRATE_RULES_CANCEL_H

#include "migrate/rule.h"

/* Does the expression name the class that a cancellation is raised with, in
 * asyncio's or in AnyIO's way? */
bool cn_is_cancelled_class(const struct cn_match *m, cn_node expression);
/* Does `n` (of the function around it) await a task or future, or may it? */
bool cn_awaits_task(const struct cn_match *m, cn_node n);

/* cleanup.c */
enum cn_verdict cn_shield_finally(struct cn_match *m);
enum cn_verdict cn_shield_handler(struct cn_match *m);
enum cn_verdict cn_shield_exit_method(struct cn_match *m);
enum cn_verdict cn_shield_after_yield(struct cn_match *m);
/* shield.c */
enum cn_verdict cn_asyncio_shield(struct cn_match *m);

#endif
