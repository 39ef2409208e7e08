/* backend: the list of those that are built in, and the choice among them. */
#include "runtime/sched.h"

#include <stdlib.h>
#include <string.h>

extern const struct cn_backend_ops cn_backend_uring, cn_backend_uv,
    cn_backend_sim;

const struct cn_backend_ops *const cn_backends[] = {
    &cn_backend_uring,
    &cn_backend_uv,
    &cn_backend_sim,
    NULL,
};

static int choose_named(const char *name, const struct cn_backend_ops **out)
{
    for (const struct cn_backend_ops *const *b = cn_backends; *b; b++) {
        int rc;

        if (strcmp((*b)->name, name) != 0)
            continue;
        rc = (*b)->probe();
        if (rc < 0)
            return rc;
        *out = *b;
        return 0;
    }
    return -ENOENT;
}

/* A blocked io_uring is no error: the next one is taken. */
static int choose_best(const struct cn_backend_ops **out)
{
    int rc = -ENOENT;

    for (const struct cn_backend_ops *const *b = cn_backends; *b; b++) {
        if ((*b)->traits & CN_BACKEND_VIRTUAL)
            continue;
        rc = (*b)->probe();
        if (rc < 0)
            continue;
        *out = *b;
        return 0;
    }
    return rc;
}

static int choose_given(const struct cn_backend_ops *given,
                        const struct cn_backend_ops **out)
{
    int rc;

    if (given->abi != CN_BACKEND_ABI)
        return -ENOEXEC;
    rc = given->probe ? given->probe() : 0;
    if (rc < 0)
        return rc;
    *out = given;
    return 0;
}

int cn_backend_choose(const struct cn_options *o,
                      const struct cn_backend_ops **out)
{
    const char *name = o ? o->backend : NULL;

    if (o && o->backend_ops)
        return choose_given(o->backend_ops, out);
    if (!name && o && o->uv_loop)
        name = "uv";
    if (!name)
        name = getenv("CANYON_BACKEND");
    return name && *name ? choose_named(name, out) : choose_best(out);
}
