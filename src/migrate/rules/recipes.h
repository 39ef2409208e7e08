/* recipes: private to the rules on wrong recipes: the checks that stand in
 * other files than their table (recipes.c). */
#ifndef CN_MIGRATE_RULES_RECIPES_H
#define CN_MIGRATE_RULES_RECIPES_H

#include "migrate/rule.h"

/* What we know of a call that stands where a function is wanted. */
enum cn_callee {
    CN_CALLEE_COROUTINE, /* surely of an async def */
    CN_CALLEE_FUNCTION,  /* may well give a function: partial, a factory */
    CN_CALLEE_UNKNOWN,
};
enum cn_callee cn_callee_of(const struct cn_match *m, cn_node call);

/* recipe_calls.c */
enum cn_verdict cn_recipe_run(struct cn_match *m);
enum cn_verdict cn_recipe_start_soon(struct cn_match *m);
enum cn_verdict cn_recipe_thread(struct cn_match *m);
enum cn_verdict cn_recipe_process(struct cn_match *m);
enum cn_verdict cn_recipe_open_file(struct cn_match *m);
enum cn_verdict cn_recipe_awaited(struct cn_match *m);
enum cn_verdict cn_recipe_path(struct cn_match *m);
/* recipe_scopes.c */
enum cn_verdict cn_recipe_with(struct cn_match *m);
enum cn_verdict cn_recipe_yield(struct cn_match *m);
enum cn_verdict cn_recipe_by_hand(struct cn_match *m);
enum cn_verdict cn_recipe_stream(struct cn_match *m);
enum cn_verdict cn_recipe_stream_method(struct cn_match *m);

#endif
