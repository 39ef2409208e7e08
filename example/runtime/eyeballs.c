/* Happy eyeballs (RFC 8305): try the addresses one after the other, without
 * waiting for one to fail before the next is tried; the first connection wins
 * and cancels the rest. The network is pretended: one address never answers,
 * one refuses, one takes its time, one is quick. */
#include "runtime/runtime.h"

static const struct {
    const char *name;
    cn_time takes;
    int result;
} addresses[] = {
    {"2001:db8::1", CN_NEVER, 0},
    {"192.0.2.1", 10 * CN_MSEC, -ECONNREFUSED},
    {"2001:db8::2", 100 * CN_MSEC, 0},
    {"192.0.2.2", 5 * CN_MSEC, 0},
};

struct race {
    struct cn_group g;
    struct cn_event failed; /* the newest attempt has */
    int winner;
};

static struct race race;

static int attempt(void *arg)
{
    size_t i = *(size_t *)arg;
    int rc = cn_sleep(addresses[i].takes);

    if (rc < 0)
        return rc;
    if (addresses[i].result < 0) {
        printf("%s: %s\n", addresses[i].name, cn_strerror(addresses[i].result));
        cn_event_set(&race.failed);
        return 0;
    }
    race.winner = (int)i;
    cn_scope_cancel(cn_group_scope(&race.g), "connected");
    return 0;
}

/* Until the newest attempt has failed, at most 20 ms. */
static int wait_a_little(void)
{
    struct cn_case c[] = {CN_CASE_EVENT_SET(&race.failed),
                          CN_CASE_TIME(cn_after(20 * CN_MSEC))};
    int rc = cn_select(c, CN_COUNT(c));

    return rc < 0 ? rc : 0;
}

static int run(void *arg)
{
    int rc = 0;

    (void)arg;
    race.winner = -1;
    cn_group_open(&race.g);
    for (size_t i = 0; i < CN_COUNT(addresses) && rc == 0; i++) {
        struct cn_task_options o = {.copy = &i, .copy_len = sizeof(i)};

        race.failed = (struct cn_event){0};
        rc = cn_spawn_opt(&race.g, attempt, NULL, &o, NULL);
        if (rc == 0)
            rc = wait_a_little();
    }
    rc = cn_group_close(&race.g, rc);
    if (rc == 0 && race.winner >= 0)
        printf("connected to %s\n", addresses[race.winner].name);
    return rc;
}

int main(void)
{
    /* Time jumps when everybody waits: nothing to wait for, the same result
     * each time. */
    struct cn_options o = {.flags = CN_VIRTUAL_CLOCK};

    return cn_run(run, NULL, &o) < 0;
}
