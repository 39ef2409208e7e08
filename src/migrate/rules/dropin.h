/* dropin: names that the support module has under asyncio's own name.
 *
 * To serve one more name: give it to a part in support/, list it in the table
 * of its family (tasks.c, queues.c, ...) and show it on the family's page.
 */
#ifndef CN_MIGRATE_RULES_DROPIN_H
#define CN_MIGRATE_RULES_DROPIN_H

#include "migrate/rules/site.h"

enum cn_dropin_place {
    CN_DROPIN_ANYWHERE,
    CN_DROPIN_IN_LOOP, /* a call that needs the running loop, though asyncio's
                          does not: only in an async function */
};

/* One name. */
struct cn_dropin {
    const char *asyncio; /* canonical: "asyncio.gather" */
    const char *support; /* "gather"; or a name with dots: cn_name's */
    const char *unsafe;  /* what may differ, or NULL: nothing */
    enum cn_dropin_place place;
};

/* What a row's data points to. */
struct cn_dropin_row {
    const char *reason;            /* when it is left: --style idiomatic */
    const struct cn_dropin *names; /* up to one without an asyncio name */
    const char *const *not_beside; /* bytes that must not be in the text:
                                      methods that the part has not; NULL:
                                      none */
};

/* The check of all rows with such data. */
enum cn_verdict cn_dropin_check(struct cn_match *m);

/* Edit: spell the site as a name of the support module. */
void cn_dropin_rename(struct cn_match *m, const char *name);

#endif
