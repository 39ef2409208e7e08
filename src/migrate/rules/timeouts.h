/* timeouts: private to the timeout rules: the checks that stand in other files
 * than their table (timeouts.c). */
#ifndef CN_MIGRATE_RULES_TIMEOUTS_H
#define CN_MIGRATE_RULES_TIMEOUTS_H

#include "migrate/rule.h"

/* await asyncio.wait_for(awaited, timeout) */
struct cn_limited {
    cn_node call;
    cn_node awaited;
    cn_node timeout;
    cn_node await;
};

/* timeout_place.c: the last word on a call that may be rewritten */
enum cn_verdict cn_place_limit(struct cn_match *m, const struct cn_limited *w);
/* timeout_block.c */
enum cn_verdict cn_timeout_block(struct cn_match *m);
enum cn_verdict cn_timeout_at_block(struct cn_match *m);
enum cn_verdict cn_timeout_object(struct cn_match *m);
enum cn_verdict cn_async_timeout_block(struct cn_match *m);
/* timeout_error.c */
enum cn_verdict cn_timeout_error(struct cn_match *m);

#endif
