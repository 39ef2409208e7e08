/* flow: private to the rules: how control leaves a piece of code, what waits
 * after it, and what stands around it.
 *
 * All answers err on the careful side: an exit that cannot be excluded is
 * reported, an await that might run is found. Nested functions and classes
 * are never looked into: they run at another time.
 */
#ifndef CN_MIGRATE_RULES_FLOW_H
#define CN_MIGRATE_RULES_FLOW_H

#include "migrate/rule.h"

/* Can `n` wait: an await, async with, async for or asynchronous comprehension
 * of the same function? */
bool cn_waits(const struct cn_tree *t, cn_node n);

/* How control may leave. */
enum cn_exit {
    CN_EXIT_END = 1,     /* past the last statement */
    CN_EXIT_RERAISE = 2, /* `raise`, or `raise e` of the handler's own name */
    CN_EXIT_RAISE = 4,   /* raise of something else */
    CN_EXIT_RETURN = 8,
    CN_EXIT_BREAK = 16,
    CN_EXIT_CONTINUE = 32,
};
/* The exits of a block, as a set. `handled` is the text of the name that the
 * handler around it binds ("" for none). Calls are taken to return. */
unsigned cn_exits(const struct cn_tree *t, cn_node block,
                  struct cn_str handled);

/* Once a statement (a try or with) was left by the given exits, can the
 * function still wait? Shielded cleanup (`finally` of the same try) does not
 * count. */
bool cn_waits_after(const struct cn_tree *t, cn_node statement, unsigned exits);

/* The first and the last statement of a block; 0 for an empty one. */
cn_node cn_first_of(const struct cn_tree *t, cn_node block);
cn_node cn_last_of(const struct cn_tree *t, cn_node block);
/* The block of a clause or compound statement: its body or consequence. */
cn_node cn_block_of(const struct cn_tree *t, cn_node clause);

/* Is the function around `n` one whose yield is a hand-over within one task:
 * @asynccontextmanager, @contextmanager; a pytest fixture (own answer)? */
bool cn_in_context_manager(const struct cn_module *module, cn_node n);
bool cn_in_fixture(const struct cn_module *module, cn_node n);
/* Is the def decorated by a name (canonical), called or not? */
bool cn_decorated_by(const struct cn_module *module, cn_node def,
                     const char *dotted);

/* Does a `with` of the same function around `n` shield it already? */
bool cn_is_shielded(const struct cn_module *module, cn_node n);

/* Is there a call in the subtree (an await counts) that may take time or have
 * effects: anything but a few builtins and functools.partial? */
bool cn_has_effects(const struct cn_match *m, cn_node n);

/* What holds a name among classes to catch: up over tuples, `as` and
 * parentheses. */
cn_node cn_around(const struct cn_tree *t, cn_node n);

/* The with-item whose expression is `expression`, seen through `as` and
 * parentheses. */
struct cn_item {
    cn_node item, clause, statement;
    cn_node target;        /* behind `as`, or 0 */
    uint32_t index, count; /* its place among the items */
};
bool cn_item_of(const struct cn_tree *t, cn_node expression,
                struct cn_item *out);

#endif
