/* reads: what is done with a lock, semaphore, event or condition after it was
 * made. Used by sync.c; edits and demotes the match that speaks for it. */
#ifndef CN_MIGRATE_RULES_READS_H
#define CN_MIGRATE_RULES_READS_H

#include "migrate/rules/site.h"

enum cn_primitive_kind {
    CN_LOCK,
    CN_SEMAPHORE,
    CN_BOUNDED,
    CN_EVENT,
    CN_CONDITION,
};

struct cn_primitive {
    enum cn_primitive_kind kind;
    const char *asyncio, *anyio;
    const char *differs; /* what goes wrong where its uses are not seen */
    const char *lacks;   /* the method that AnyIO's class has not; or NULL */
};

/* The row of a canonical name such as "asyncio.Lock". */
const struct cn_primitive *cn_primitive_named(struct cn_str name);

/* Edit and claim every place that reads the object. Demotes to UNSAFE where a
 * use is not seen, to MANUAL where it is seen and has no counterpart. */
void cn_reads_change(struct cn_match *m, const struct cn_primitive *p,
                     const struct cn_object *o);

/* For an object that cannot be followed, kept under a name (or ""): claim the
 * method sites that surely belong to it, and demote to MANUAL when the text
 * of the project says that a method is called that AnyIO's class lacks. */
void cn_reads_by_name(struct cn_match *m, const struct cn_primitive *p,
                      struct cn_str name);

/* The same for a variable of the module: what other files do with it. */
void cn_reads_elsewhere(struct cn_match *m, const struct cn_primitive *p,
                        struct cn_str name);

/* Is there a `/` in the expression? */
bool cn_site_has_division(const struct cn_tree *t, cn_node n);

#endif
