/* frame: the lines of source text around a finding. */
#ifndef CN_MIGRATE_FRAME_H
#define CN_MIGRATE_FRAME_H

#include "base/base.h"

/* Append the frame of bytes [start, end) of a text; `line` is the 1-based
 * number of the line that holds start. Only the first line of a longer range
 * is marked. Returns the width of the gutter, for what is put below it. */
int cn_frame(struct cn_buf *out, struct cn_str text, uint32_t start,
             uint32_t end, uint32_t line, const char *caret_colour,
             bool colour);

#endif
