/* The backends that are built in, and choosing one. */
#include "runtime/sched.h"

#include <stdlib.h>
#include <string.h>

extern const struct cn_backend_ops cn_backend_sim;

const struct cn_backend_ops *const cn_backends[] = {
    &cn_backend_sim,
    NULL,
};

static const struct cn_backend_ops *by_name(const char *name)
{
    for (size_t i = 0; cn_backends[i]; i++)
        if (strcmp(cn_backends[i]->name, name) == 0)
            return cn_backends[i];
    return NULL;
}

int cn_backend_choose(const struct cn_options *o,
                      const struct cn_backend_ops **out)
{
    const char *name = o->backend ? o->backend : getenv("CANYON_BACKEND");
    const struct cn_backend_ops *ops = o->backend_ops;

    if (!ops)
        ops = by_name(name && *name ? name : "sim");
    if (!ops)
        return -ENOENT;
    *out = ops;
    return ops->probe();
}
