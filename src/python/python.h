/* python: the front end. Text in, facts out; no files, no tasks, no clock.
 *
 * tree.h is the syntax, module.h what the names mean. */
#ifndef CN_PYTHON_PYTHON_H
#define CN_PYTHON_PYTHON_H

#include "python/module.h"
#include "python/tree.h"

#endif
