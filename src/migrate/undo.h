/* undo: what apply.c needs from undo.c. Private to these two. */
#ifndef CN_MIGRATE_UNDO_H
#define CN_MIGRATE_UNDO_H

#include "migrate/apply.h"

/* Take back every run that a crash left in state APPLYING, with the store
 * locked; each becomes a remark. Returns 0 or as cn_undo. */
int cn_undo_unfinished(struct cn_arena *arena, const char *root,
                       struct cn_act *act, struct cn_note *note);

#endif
