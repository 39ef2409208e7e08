/* timeouts: private to the timeout rules: the checks that stand in other files
 * than their table (timeouts.c). */
#ifndef CN_MIGRATE_RULES_TIMEOUTS_H
#define CN_MIGRATE_RULES_TIMEOUTS_H

#include "migrate/rule.h"

/* timeout_block.c */
enum cn_verdict cn_timeout_block(struct cn_match *m);
enum cn_verdict cn_timeout_at_block(struct cn_match *m);
enum cn_verdict cn_timeout_object(struct cn_match *m);
enum cn_verdict cn_async_timeout_block(struct cn_match *m);
/* timeout_error.c */
enum cn_verdict cn_timeout_error(struct cn_match *m);

#endif
