/* backend_sim: scripted results, virtual time, chance that a seed repeats, and
 * programs that survive whatever the world does to them. */
#include "io.h"

static int sim_run(cn_fn *fn, void *arg, const struct cn_sim_options *sim,
                   uint64_t seed)
{
    struct cn_options o = {.backend = "sim",
                           .flags = CN_SHUFFLE | CN_QUIET,
                           .seed = seed,
                           .sim = sim};

    return cn_run(fn, arg, &o);
}

/* --- the script and the clock -------------------------------------------- */

static int scripted(void *arg)
{
    struct sockaddr_in addr;
    struct cn_scope s;
    char b[8] = "";
    int sv[2], l, c = -1;
    cn_time start;

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    l = io_listen(&addr, 2);
    CHECK_INT(cn_sys_accept(l, NULL, NULL), -EMFILE);
    CHECK_INT(io_connect(&addr, &c), 0);
    start = cn_now();
    CHECK_INT(cn_sys_recv(sv[0], b, 8, 0), -ECONNRESET);
    CHECK_INT(cn_now() - start, 3600 * CN_SEC); /* an hour, at once */
    CHECK_INT(cn_sys_send(sv[1], "abc", 3, 0), 3);
    start = cn_now();
    CHECK_INT(cn_sys_recv(sv[0], b, 8, 0), 3); /* real, but late */
    CHECK_INT(cn_now() - start, 7 * CN_MSEC);
    CHECK_INT(cn_sys_send(sv[1], "abc", 3, 0), 3);
    cn_scope_open(&s, cn_after(5 * CN_SEC), CN_FAIL);
    CHECK_INT(cn_scope_close(&s, (int)cn_sys_recv(sv[0], b, 8, 0)),
              CN_ETIMEDOUT); /* stuck */
    CHECK_INT(cn_sys_recv(sv[0], b, 8, 0), 3);
    CHECK_INT(cn_sys_open(AT_FDCWD, "/", O_RDONLY, 0), -EACCES);
    CHECK_INT(cn_sys_close(cn_sys_open(AT_FDCWD, "/", O_RDONLY, 0)), 0);
    CHECK_INT(cn_sys_waitpid(1, NULL), 0);
    io_close(sv);
    CHECK_INT(cn_sys_close(c), 0);
    CHECK_INT(cn_sys_close(l), 0);
    return 0;
}

static void test_script(void **state)
{
    static const struct cn_sim_step script[] = {
        {CN_OP_ACCEPT, CN_SIM_ANY, 0, -EMFILE, 0},
        {CN_OP_RECV, CN_SIM_ANY, 0, -ECONNRESET, 3600 * CN_SEC},
        {CN_OP_RECV, CN_SIM_ANY, 0, CN_SIM_REAL, 7 * CN_MSEC},
        {CN_OP_RECV, CN_SIM_ANY, 0, CN_SIM_STUCK, 0},
        {CN_OP_OPEN, AT_FDCWD, 0, -EACCES, CN_SEC},
        {CN_OP_WAITPID, CN_SIM_ANY, 0, 0, 0},
    };
    struct cn_sim_options sim = {.script = script,
                                 .script_len = CN_COUNT(script)};

    (void)state;
    rt_failures = 0;
    for (uint64_t seed = 0; seed < 20; seed++)
        CHECK_INT(sim_run(scripted, NULL, &sim, seed), 0);
    assert_int_equal(rt_failures, 0);
}

static int skipping(void *arg)
{
    char b[1];
    int sv[2];

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    CHECK_INT(cn_sys_send(sv[0], "abcd", 4, 0), 4);
    CHECK_INT(cn_sys_recv(sv[1], b, 1, 0), 1);
    CHECK_INT(cn_sys_recv(sv[1], b, 1, 0), 1);
    CHECK_INT(cn_sys_recv(sv[1], b, 1, 0), -EIO);
    CHECK_INT(cn_sys_recv(sv[1], b, 1, 0), 1);
    CHECK(b[0] == 'c');
    io_close(sv);
    return 0;
}

static void test_script_skips(void **state)
{
    static const struct cn_sim_step step = {CN_OP_RECV, CN_SIM_ANY, 2, -EIO, 0};
    struct cn_sim_options sim = {.script = &step, .script_len = 1};

    (void)state;
    rt_failures = 0;
    CHECK_INT(sim_run(skipping, NULL, &sim, 1), 0);
    assert_int_equal(rt_failures, 0);
}

/* --- chance -------------------------------------------------------------- */

struct order {
    uint64_t hash;
    int next;
    int sv[8][2];
};

static int one_of_eight(void *arg)
{
    struct order *o = arg;
    int i = o->next++;
    char b[4];

    for (int round = 0; round < 5; round++) {
        if (cn_sys_recv(o->sv[i][0], b, 4, 0) <= 0)
            return -EIO;
        o->hash = o->hash * 31 + (uint64_t)i;
    }
    return 0;
}

static int eight_readers(void *arg)
{
    struct order *o = arg;
    struct cn_group g;

    for (int i = 0; i < 8; i++)
        CHECK_INT(io_pair(o->sv[i]), 0);
    cn_group_open(&g);
    for (int i = 0; i < 8; i++)
        CHECK_INT(cn_spawn(&g, one_of_eight, o), 0);
    cn_wait_all_blocked();
    for (int i = 0; i < 8; i++)
        CHECK_INT(cn_sys_send(o->sv[i][1], "0123456789abcdefghij", 20, 0), 20);
    CHECK_INT(cn_group_close(&g, 0), 0);
    for (int i = 0; i < 8; i++)
        io_close(o->sv[i]);
    return 0;
}

static uint64_t order_of(uint64_t seed)
{
    struct order o = {0};
    struct cn_options opt = {.backend = "sim", .seed = seed};

    CHECK_INT(cn_run(eight_readers, &o, &opt), 0);
    return o.hash;
}

static void test_a_seed_repeats_a_run(void **state)
{
    uint64_t orders[40];
    int different = 0;

    (void)state;
    rt_failures = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        orders[seed] = order_of(seed);
        CHECK(orders[seed] == order_of(seed));
        different += orders[seed] != orders[0];
    }
    CHECK(different > 35);
    assert_int_equal(rt_failures, 0);
}

/* --- an echo in bad weather ---------------------------------------------- */

enum { CLIENTS = 5, ROUNDS = 20 };

static struct sockaddr_in where;
static int gaps;

static int send_whole(int fd, const char *b, size_t n)
{
    for (size_t at = 0; at < n;) {
        int64_t sent = cn_sys_send(fd, b + at, n - at, 0);

        if (sent < 0)
            return (int)sent;
        at += (size_t)sent;
    }
    return 0;
}

static int echo(void *arg)
{
    int fd = *(int *)arg, rc = 0;
    char b[64];
    int64_t n;

    while ((n = cn_sys_recv(fd, b, sizeof(b), 0)) > 0) {
        rc = send_whole(fd, b, (size_t)n);
        if (rc < 0)
            break;
    }
    cn_sys_close(fd);
    return 0;
}

static int serve(void *arg)
{
    struct cn_group *g = arg;
    int l = io_listen(&where, 2);
    struct cn_group conns;
    int rc = 0;

    (void)g;
    cn_group_open(&conns);
    cn_started(NULL, 0);
    for (;;) {
        int fd = cn_sys_accept(l, NULL, NULL);
        struct cn_task_options o = {.copy = &fd, .copy_len = sizeof(fd)};

        if (fd == CN_ECANCELED) {
            rc = fd;
            break;
        }
        if (fd < 0) {
            gaps++;
            continue;
        }
        rc = cn_spawn_opt(&conns, echo, NULL, &o, NULL);
        if (rc < 0)
            break;
    }
    cn_sys_close(l);
    return cn_group_close(&conns, rc);
}

/* The bytes that come back are those that were sent, up to the failure. */
static int client(void *arg)
{
    char out[256], in[256];
    size_t got = 0;
    int fd, rc = io_connect(&where, &fd);

    (void)arg;
    if (rc < 0) {
        gaps++;
        return 0;
    }
    for (int i = 0; i < ROUNDS && rc == 0; i++) {
        size_t n = 1 + (size_t)(i * 37) % 200;

        memset(out, 'a' + i, n);
        rc = send_whole(fd, out, n);
        for (got = 0; rc == 0 && got < n;) {
            int64_t k = cn_sys_recv(fd, in + got, n - got, 0);

            if (k <= 0)
                rc = k < 0 ? (int)k : CN_EEND;
            else
                got += (size_t)k;
        }
        CHECK(memcmp(in, out, got) == 0);
    }
    if (rc < 0)
        gaps++;
    cn_sys_close(fd);
    return 0;
}

static int weather(void *arg)
{
    struct cn_group g, clients;

    (void)arg;
    gaps = 0;
    cn_group_open(&g);
    CHECK_INT(cn_start(&g, serve, &g, NULL, 0), 0);
    cn_group_open(&clients);
    for (int i = 0; i < CLIENTS; i++)
        CHECK_INT(cn_spawn(&clients, client, NULL), 0);
    CHECK_INT(cn_group_close(&clients, 0), 0);
    cn_scope_cancel(cn_group_scope(&g), "clients are gone");
    return cn_group_close(&g, 0);
}

static void test_short_and_late(void **state)
{
    struct cn_sim_options sim = {.short_permille = 500,
                                 .delay_permille = 500,
                                 .late_permille = 500,
                                 .defer_permille = 500,
                                 .delay_max = CN_SEC,
                                 .capacity = 100};

    (void)state;
    rt_failures = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        CHECK_INT(sim_run(weather, NULL, &sim, seed), 0);
        CHECK_INT(gaps, 0);
    }
    assert_int_equal(rt_failures, 0);
}

static void test_failures(void **state)
{
    struct cn_sim_options sim = {.short_permille = 200,
                                 .fail_permille = 30,
                                 .delay_permille = 200,
                                 .late_permille = 500,
                                 .defer_permille = 500,
                                 .delay_max = CN_SEC,
                                 .capacity = 100};
    int total = 0;

    (void)state;
    rt_failures = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        CHECK_INT(sim_run(weather, NULL, &sim, seed), 0);
        total += gaps;
    }
    CHECK(total > 200);
    assert_int_equal(rt_failures, 0);
}

/* Each submission in turn is refused; nothing leaks and nothing hangs. */
static void test_each_submission_fails_in_turn(void **state)
{
    struct cn_sim_options sim = {.late_permille = 500, .defer_permille = 500};
    int fds = io_open_fds();

    (void)state;
    rt_failures = 0;
    for (sim.fail_submit = 1; sim.fail_submit < 400; sim.fail_submit++) {
        CHECK_INT(sim_run(weather, NULL, &sim, sim.fail_submit), 0);
        CHECK_INT(io_open_fds(), fds);
    }
    assert_int_equal(rt_failures, 0);
}

/* --- sockets ------------------------------------------------------------- */

static int sockets(void *arg)
{
    struct sockaddr_in addr, from = {0};
    socklen_t size = sizeof(from);
    struct cn_scope s;
    char b[8];
    int l, a = -1, c = -1, sv[2];

    (void)arg;
    l = io_listen(&addr, 1);
    CHECK_INT(cn_sim_listen((struct sockaddr *)&addr, sizeof(addr), 1),
              -EADDRINUSE);
    CHECK_INT(io_connect(&addr, &a), 0);
    CHECK_INT(cn_sys_connect(a, (struct sockaddr *)&addr, sizeof(addr)),
              -EISCONN);
    cn_scope_open(&s, cn_after(CN_MSEC), CN_FAIL); /* the queue is full */
    CHECK_INT(cn_scope_close(&s, io_connect(&addr, &c)), CN_ETIMEDOUT);
    c = cn_sys_accept(l, (struct sockaddr *)&from, &size);
    CHECK(c >= 0 && from.sin_port == addr.sin_port);
    CHECK_INT(cn_sys_send(a, "xy", 2, 0), 2);
    CHECK_INT(cn_sys_close(c), 0); /* with bytes unread: a reset */
    CHECK_INT(cn_sys_recv(a, b, 8, 0), -ECONNRESET);
    CHECK_INT(cn_sys_close(a), 0);
    CHECK_INT(io_connect(&addr, &a), 0);
    CHECK_INT(cn_sys_close(l), 0); /* and nobody has accepted it */
    CHECK_INT(cn_sys_recv(a, b, 8, 0), 0);
    CHECK_INT(cn_sys_close(a), 0);
    CHECK_INT(io_connect(&addr, &a), -ECONNREFUSED);
    a = io_socket();
    CHECK_INT(cn_sys_recv(a, b, 8, 0), -ENOTCONN);
    CHECK_INT(cn_sys_shutdown(a, SHUT_WR), -ENOTCONN);
    CHECK_INT(cn_sim_reset(a), CN_EINVAL);
    CHECK_INT(cn_sys_close(a), 0);
    CHECK_INT(io_pair(sv), 0);
    CHECK_INT(cn_sim_reset(sv[0]), 0);
    CHECK_INT(cn_sys_recv(sv[1], b, 8, 0), -ECONNRESET);
    CHECK_INT(cn_sys_send(sv[1], b, 8, 0), -ECONNRESET);
    io_close(sv);
    return 0;
}

static void test_sockets(void **state)
{
    (void)state;
    rt_failures = 0;
    io_on("sim", sockets, 0);
    assert_int_equal(rt_failures, 0);
}

/* Nobody will ever write: that is found, not waited for. */
static int nobody_writes(void *arg)
{
    char b[4];
    int p[2];

    (void)arg;
    CHECK_INT(io_pipe(p), 0);
    CHECK_INT(cn_sys_read(p[0], b, 4, -1), CN_ECANCELED);
    io_close(p);
    return 0;
}

static void test_deadlock_on_a_pipe(void **state)
{
    (void)state;
    rt_failures = 0;
    for (uint64_t seed = 0; seed < 10; seed++)
        CHECK_INT(sim_run(nobody_writes, NULL, NULL, seed), CN_EDEADLOCK);
    assert_int_equal(rt_failures, 0);
}

static int not_sim(void *arg)
{
    int p[2];

    (void)arg;
    CHECK_INT(cn_sim_pipe(p), CN_EINVAL);
    CHECK_INT(cn_sim_socketpair(p), CN_EINVAL);
    CHECK_INT(cn_sim_socket(), CN_EINVAL);
    CHECK_INT(cn_sim_reset(0), CN_EINVAL);
    return 0;
}

static void test_only_on_sim(void **state)
{
    (void)state;
    io_real(not_sim, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_script),
        cmocka_unit_test(test_script_skips),
        cmocka_unit_test(test_a_seed_repeats_a_run),
        cmocka_unit_test(test_short_and_late),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_each_submission_fails_in_turn),
        cmocka_unit_test(test_sockets),
        cmocka_unit_test(test_deadlock_on_a_pipe),
        cmocka_unit_test(test_only_on_sim),
    };

    return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
