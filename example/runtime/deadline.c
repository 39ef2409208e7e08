/* One deadline over several steps: the scope has it, no call takes one, and
 * what the steps call may know nothing of it. */
#include "runtime/runtime.h"

static int step(const char *name, cn_time takes)
{
    int rc = cn_sleep(takes);

    if (rc == 0)
        printf("%s is done\n", name);
    return rc;
}

static int resolve_connect_fetch(void)
{
    int rc = step("resolve", 10 * CN_MSEC);

    if (rc == 0)
        rc = step("connect", 10 * CN_MSEC);
    if (rc == 0)
        rc = step("fetch", CN_SEC); /* too slow */
    return rc;
}

static int run(void *arg)
{
    struct cn_scope s;
    int rc;

    (void)arg;
    cn_scope_open(&s, cn_after(50 * CN_MSEC), CN_FAIL);
    rc = cn_scope_close(&s, resolve_connect_fetch());
    printf("%s\n", cn_strerror(rc));
    return rc == CN_ETIMEDOUT ? 0 : rc;
}

int main(void)
{
    /* Time jumps when everybody waits: nothing to wait for, the same result
     * each time. */
    struct cn_options o = {.flags = CN_VIRTUAL_CLOCK};

    return cn_run(run, NULL, &o) < 0;
}
