/* loop: variables that hold an event loop, and what entry.c, threads.c and
 * names.c lend to them. */
#ifndef CN_MIGRATE_RULES_LOOP_H
#define CN_MIGRATE_RULES_LOOP_H

#include "migrate/rules/site.h"

/* The check of CN204 (its row is entry.c's). */
enum cn_verdict cn_loop_check(struct cn_match *m);

/* entry.c. Edits: `f(a)`, an argument of something that becomes anyio.run, is
 * taken apart; false when it is no call. */
bool cn_entry_pass_call(struct cn_match *m, cn_node expression);
/* Edits: `<attribute>(f(a))`, a run_until_complete, becomes anyio.run(f, a). */
bool cn_entry_until_complete(struct cn_match *m, cn_node attribute);
/* Demote for what differs around an anyio.run at `call`. */
void cn_entry_demote(struct cn_match *m, cn_node call);

/* threads.c. Edits: `<attribute>(None, f, *a)`, a run_in_executor, becomes
 * to_thread.run_sync(f, *a); a reason why it cannot, or NULL. */
const char *cn_threads_executor(struct cn_match *m, cn_node attribute);

/* names.c. Edits: `<attribute>()`, a loop's time, becomes
 * anyio.current_time(). */
void cn_names_time(struct cn_match *m, cn_node attribute);

#endif
