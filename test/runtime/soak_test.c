/* io soak: many connections at once, each with a reader, a writer and somebody
 * who cancels and closes at random; every byte is checked. Bytes may stay
 * behind in a socket, but those that arrive are the ones that were sent, in
 * their order, none twice and none left out. */
#include "io.h"

enum { PAIRS = 60, STEPS = 120 };

struct pair {
    int sv[2];
    struct cn_scope read_scope, write_scope;
    bool reading, writing, stop;
    uint64_t sent, received;
    uint64_t seed;
};

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *seed >> 33;
}

static uint8_t byte_at(const struct pair *p, uint64_t i)
{
    return (uint8_t)((i ^ (i >> 7)) * 167 + (uintptr_t)p->sv[1]);
}

static bool is_expected(int64_t n)
{
    return n == CN_ECANCELED || n == CN_ECLOSED || n == -EBADF || n == -EPIPE ||
           n == -ECONNRESET;
}

static void read_once(struct pair *p)
{
    uint8_t b[300];
    int64_t n;
    size_t len = 1 + draw(&p->seed) % sizeof(b);
    cn_time limit = draw(&p->seed) % 3 ? CN_NEVER : cn_after(CN_USEC * 200);

    cn_scope_open(&p->read_scope, limit, 0);
    p->reading = true;
    n = cn_sys_recv(p->sv[0], b, len, 0);
    p->reading = false;
    cn_scope_close(&p->read_scope, n < 0 ? (int)n : 0);
    for (int64_t i = 0; i < n; i++)
        CHECK(b[i] == byte_at(p, p->received + (uint64_t)i));
    if (n > 0)
        p->received += (uint64_t)n;
    else if (n == 0)
        p->stop = true;
    else
        CHECK(is_expected(n));
    if (n < 0 && n != CN_ECANCELED)
        p->stop = true;
}

static int reader(void *arg)
{
    struct pair *p = arg;

    while (!p->stop)
        read_once(p);
    return 0;
}

static int writer(void *arg)
{
    struct pair *p = arg;
    uint8_t b[400];

    while (!p->stop) {
        size_t len = 1 + draw(&p->seed) % sizeof(b);
        int64_t n;

        for (size_t i = 0; i < len; i++)
            b[i] = byte_at(p, p->sent + i);
        cn_scope_open(&p->write_scope, CN_NEVER, 0);
        p->writing = true;
        n = cn_sys_send(p->sv[1], b, len, 0);
        p->writing = false;
        cn_scope_close(&p->write_scope, n < 0 ? (int)n : 0);
        if (n > 0)
            p->sent += (uint64_t)n;
        else
            CHECK(is_expected(n));
        if (n < 0 && n != CN_ECANCELED)
            break;
        if (draw(&p->seed) % 4 == 0)
            cn_sleep((cn_time)(draw(&p->seed) % 300) * CN_USEC);
    }
    return 0;
}

static void meddle(struct pair *p)
{
    switch (draw(&p->seed) % 4) {
    case 0:
        if (p->reading)
            cn_scope_cancel(&p->read_scope, "soak");
        break;
    case 1:
        if (p->writing)
            cn_scope_cancel(&p->write_scope, "soak");
        break;
    case 2: cn_checkpoint(); break;
    default: cn_sleep((cn_time)(draw(&p->seed) % 200) * CN_USEC);
    }
}

/* Both ends are closed under the feet of reader and writer, one early. */
static int one_pair(void *arg)
{
    struct pair p = {.seed = *(uint64_t *)arg * 2654435761u + 1};
    struct cn_group g;
    int first;

    CHECK_INT(io_pair(p.sv), 0);
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, reader, &p), 0);
    CHECK_INT(cn_spawn(&g, writer, &p), 0);
    for (int i = 0; i < STEPS; i++)
        meddle(&p);
    first = draw(&p.seed) % 2;
    p.stop = true; /* before the number can be somebody else's */
    CHECK_INT(cn_sys_close(p.sv[first]), 0);
    cn_scope_cancel(cn_group_scope(&g), "the end");
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK(p.received <= p.sent);
    CHECK_INT(cn_sys_close(p.sv[!first]), 0);
    return 0;
}

static int soak(void *arg)
{
    struct cn_group g;
    int before = io_open_fds();

    (void)arg;
    cn_group_open(&g);
    for (uint64_t i = 0; i < PAIRS; i++) {
        struct cn_task_options o = {.copy = &i, .copy_len = sizeof(i)};

        CHECK_INT(cn_spawn_opt(&g, one_pair, NULL, &o, NULL), 0);
    }
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(io_open_fds(), before);
    return 0;
}

static void test_soak(void **state)
{
    (void)state;
    io_all(soak, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_soak),
    };

    return cmocka_run_group_tests_name("soak", tests, NULL, NULL);
}
