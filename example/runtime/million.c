/* million [N]: so many tasks asleep at once, then cancelled. Prints what one
 * costs in memory. */
#include "runtime/runtime.h"

#include <stdlib.h>
#include <string.h>

static long cancelled;

static int sleeper(void *arg)
{
    int rc = cn_sleep(CN_NEVER);

    (void)arg;
    cancelled++;
    return rc;
}

/* Resident memory and page tables, in KiB. */
static long memory(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[128];
    long sum = 0;

    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, "VmRSS:", 6) == 0 || strncmp(line, "VmPTE:", 6) == 0)
            sum += atol(line + 6);
    if (f)
        fclose(f);
    return sum;
}

static int run(void *arg)
{
    long n = *(long *)arg, before = memory();
    struct cn_group g;
    int rc = 0;

    cn_group_open(&g);
    for (long i = 0; i < n && rc == 0; i++)
        rc = cn_spawn(&g, sleeper, NULL);
    if (rc == 0)
        rc = cn_wait_all_blocked();
    printf("%ld tasks asleep, %ld bytes each\n", n,
           (memory() - before) * 1024 / n);
    cn_scope_cancel(cn_group_scope(&g), "enough");
    rc = cn_group_close(&g, rc);
    printf("%ld cancelled\n", cancelled);
    return rc;
}

int main(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 1000000;

    return cn_run(run, &n, NULL) < 0;
}
