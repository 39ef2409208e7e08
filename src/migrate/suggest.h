/* suggest: what did they mean? One word against a list, by edit distance. */
#ifndef CN_MIGRATE_SUGGEST_H
#define CN_MIGRATE_SUGGEST_H

#include "base/base.h"

/* The candidate nearest to `word`, if it is near enough to be a slip of the
 * fingers (a third of the letters at most); NULL otherwise. The first of
 * equally near ones. */
const char *cn_suggest(struct cn_str word, const char *const *candidates,
                       size_t count);

#endif
