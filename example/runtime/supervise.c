/* Supervised workers: each is started again when it fails, up to a limit; a
 * failure of one does not disturb the others, because the supervisor's own
 * call is what fails. */
#include "runtime/runtime.h"

struct worker {
    const char *name;
    int runs, failures; /* it fails that often before it works */
};

static int work(void *arg)
{
    struct worker *w = arg;
    int rc = cn_sleep(CN_MSEC);

    if (rc < 0)
        return rc;
    if (++w->runs <= w->failures)
        return cn_fail(-EIO, "attempt %d", w->runs);
    return 0;
}

static int supervise(void *arg)
{
    struct worker *w = arg;
    int rc;

    for (int i = 0; i < 3; i++) {
        struct cn_group g;

        cn_group_open(&g);
        rc = cn_group_close(&g, cn_spawn(&g, work, w));
        if (rc == 0 || rc == CN_ECANCELED)
            break;
        rc = cn_sleep(CN_MSEC << i); /* wait longer each time */
        if (rc < 0)
            return rc;
    }
    printf("%s ran %d times\n", w->name, w->runs);
    return 0;
}

static int run(void *arg)
{
    struct worker workers[] = {{"steady", 0, 0}, {"shaky", 0, 2}};
    struct cn_group g;

    (void)arg;
    cn_group_open(&g);
    for (size_t i = 0; i < CN_COUNT(workers); i++)
        cn_spawn(&g, supervise, &workers[i]);
    return cn_group_close(&g, 0);
}

int main(void)
{
    return cn_run(run, NULL, NULL) < 0;
}
