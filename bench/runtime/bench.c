/* bench CASE N: the runtime's side of floor.c, the same cases by the same
 * names, through the public interface. $CANYON_BACKEND chooses the backend.
 * Also here, with an absolute target: lock. */
#include "bench.h"

#include "runtime/runtime.h"

static const char *name;
static long count, n;

static int body_yield(void *arg)
{
    (void)arg;
    for (long i = 0; i < n; i++)
        cn_checkpoint();
    return 0;
}

static int body_nothing(void *arg)
{
    (void)arg;
    count++;
    return 0;
}

static int body_once(void *arg)
{
    (void)arg;
    cn_checkpoint();
    count++;
    return 0;
}

static int body_sleep(void *arg)
{
    int rc = cn_sleep_until(CN_NEVER - 1);

    (void)arg;
    if (rc == CN_ECANCELED)
        count++;
    return rc;
}

struct echo {
    struct cn_sender *there, *back;
    struct cn_receiver *from_there, *from_back;
};

static int body_echo(void *arg)
{
    struct echo *e = arg;
    int64_t value;

    for (long i = 0; i < n; i++) {
        cn_recv(e->from_there, &value);
        cn_send(e->back, &value);
    }
    return 0;
}

static int case_switch(void)
{
    int64_t start = bench_cpu();
    struct cn_group g;

    cn_group_open(&g);
    cn_spawn(&g, body_yield, NULL);
    cn_spawn(&g, body_yield, NULL);
    cn_group_close(&g, 0);
    bench_print("switch", (double)(bench_cpu() - start) / (2.0 * (double)n));
    return 0;
}

static int case_spawn(cn_fn *fn)
{
    int64_t start = bench_cpu();

    for (long i = 0; i < n; i += 1000) {
        struct cn_group g;

        cn_group_open(&g);
        for (int j = 0; j < 1000; j++)
            cn_spawn(&g, fn, NULL);
        cn_group_close(&g, 0);
    }
    bench_print(name, (double)(bench_cpu() - start) / (double)count);
    return 0;
}

static int case_channel(void)
{
    struct echo e;
    struct cn_group g;
    int64_t start, value = 0;

    if (cn_chan_open(&e.there, &e.from_there, sizeof(value), 0) < 0 ||
        cn_chan_open(&e.back, &e.from_back, sizeof(value), 0) < 0)
        return CN_ENOMEM;
    start = bench_cpu();
    cn_group_open(&g);
    cn_spawn(&g, body_echo, &e);
    for (long i = 0; i < n; i++) {
        cn_send(e.there, &value);
        cn_recv(e.from_back, &value);
    }
    cn_group_close(&g, 0);
    bench_print("channel", (double)(bench_cpu() - start) / (double)n);
    cn_sender_close(e.there);
    cn_sender_close(e.back);
    cn_receiver_close(e.from_there);
    cn_receiver_close(e.from_back);
    return 0;
}

static int case_cancel(void)
{
    int64_t memory = bench_memory(), start = bench_cpu();
    struct cn_group g;

    cn_group_open(&g);
    for (long i = 0; i < n; i++)
        cn_spawn(&g, body_sleep, NULL);
    cn_checkpoint();
    bench_print("memory", (double)(bench_memory() - memory) / (double)n);
    bench_print("start", (double)(bench_cpu() - start) / (double)n);
    start = bench_cpu();
    cn_scope_cancel(cn_group_scope(&g), NULL);
    cn_group_close(&g, 0);
    bench_print("cancel", (double)(bench_cpu() - start) / (double)count);
    return count == n ? 0 : CN_EINTERNAL;
}

static int case_timer(void)
{
    int64_t start = bench_cpu();
    cn_time deadline = cn_after(CN_SEC);

    for (long i = 0; i < n; i++) {
        struct cn_scope s;

        cn_scope_open(&s, deadline + i, 0);
        cn_scope_close(&s, 0);
    }
    bench_print("scope", (double)(bench_cpu() - start) / (double)n);
    return 0;
}

static int case_lock(void)
{
    int64_t start = bench_cpu();
    struct cn_lock lock = {0};

    for (long i = 0; i < n; i++) {
        cn_lock_acquire(&lock);
        cn_lock_release(&lock);
    }
    bench_print("lock", (double)(bench_cpu() - start) / (double)n);
    return 0;
}

static int case_thread(void)
{
    int64_t start = bench_cpu();

    for (long i = 0; i < n; i++)
        cn_to_thread(body_nothing, NULL, NULL, 0);
    bench_print("thread", (double)(bench_cpu() - start) / (double)n);
    return 0;
}

static int run_case(void *arg)
{
    (void)arg;
    if (strcmp(name, "switch") == 0)
        return case_switch();
    if (strcmp(name, "spawn") == 0)
        return case_spawn(body_nothing);
    if (strcmp(name, "yield") == 0)
        return case_spawn(body_once);
    if (strcmp(name, "channel") == 0)
        return case_channel();
    if (strcmp(name, "cancel") == 0)
        return case_cancel();
    if (strcmp(name, "timer") == 0)
        return case_timer();
    if (strcmp(name, "lock") == 0)
        return case_lock();
    if (strcmp(name, "thread") == 0)
        return case_thread();
    return CN_EUSAGE;
}

int main(int argc, char **argv)
{
    int rc;

    name = argc > 1 ? argv[1] : "";
    n = argc > 2 ? atol(argv[2]) : 1000000;
    rc = cn_run(run_case, NULL, NULL);
    if (rc < 0)
        fprintf(stderr, "bench: %s: %s\n", name, cn_strerror(rc));
    return rc < 0;
}
