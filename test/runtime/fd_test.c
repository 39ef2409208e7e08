/* fd: closing under the feet of other tasks, numbers that are used again at
 * once, two readers, and descriptors of every sort given to the waits. */
#include "io.h"

#include <pty.h>
#include <sys/resource.h>

/* --- two at once --------------------------------------------------------- */

struct call {
    int fd;
    int64_t result;
    bool done;
};

static int read_one(void *arg)
{
    struct call *c = arg;
    char b[64];

    c->result = cn_sys_recv(c->fd, b, sizeof(b), 0);
    c->done = true;
    return 0;
}

static int fill_up(void *arg)
{
    struct call *c = arg;
    static char block[65536];

    do
        c->result = cn_sys_send(c->fd, block, sizeof(block), 0);
    while (c->result > 0);
    c->done = true;
    return 0;
}

static int two_at_once(void *arg)
{
    struct cn_group g;
    char b[4];
    int sv[2];

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    struct call r = {.fd = sv[0]}, w = {.fd = sv[0]};
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, read_one, &r), 0);
    CHECK_INT(cn_spawn(&g, fill_up, &w), 0); /* a reader and a writer: yes */
    cn_wait_all_blocked();
    CHECK(!r.done && !w.done);
    CHECK_INT(cn_sys_recv(sv[0], b, 4, 0), CN_EBUSY);
    CHECK_INT(cn_wait_readable(sv[0]), CN_EBUSY);
    CHECK_INT(cn_sys_send(sv[0], b, 4, 0), CN_EBUSY);
    CHECK_INT(cn_wait_writable(sv[0]), CN_EBUSY);
    CHECK_INT(cn_sys_send(sv[1], b, 4, 0), 4); /* the reader was not hurt */
    cn_wait_all_blocked();
    CHECK(r.done && r.result == 4 && !w.done);
    CHECK_INT(cn_sys_close(sv[1]), 0);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK(w.result == -EPIPE || w.result == -ECONNRESET);
    CHECK_INT(cn_sys_close(sv[0]), 0);
    return 0;
}

static void test_two_readers_or_writers(void **state)
{
    (void)state;
    io_all(two_at_once, 0);
}

/* --- closing ------------------------------------------------------------- */

static int ready_one(void *arg)
{
    struct call *c = arg;

    c->result = cn_wait_readable(c->fd);
    c->done = true;
    return 0;
}

static int accept_one(void *arg)
{
    struct call *c = arg;

    c->result = cn_sys_accept(c->fd, NULL, NULL);
    c->done = true;
    return 0;
}

/* The number belongs to a new pair before the reader has run again. */
static void close_under(cn_fn *fn, int fd, int other)
{
    struct call c = {.fd = fd};
    struct cn_group g;
    char b[8];
    int sv[2];

    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, fn, &c), 0);
    cn_wait_all_blocked();
    CHECK(!c.done);
    CHECK_INT(cn_sys_close(fd), 0);
    CHECK_INT(io_pair(sv), 0);
    CHECK(sv[0] == fd || sv[1] == fd);
    CHECK_INT(cn_sys_send(sv[0], "new", 3, 0), 3);
    CHECK_INT(cn_sys_recv(sv[1], b, 8, 0), 3);
    CHECK_INT(cn_sys_send(sv[1], "back", 4, 0), 4);
    CHECK_INT(cn_sys_recv(sv[0], b, 8, 0), 4);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(c.result, CN_ECLOSED);
    io_close(sv);
    if (other >= 0)
        CHECK_INT(cn_sys_close(other), 0);
}

static int close_while(void *arg)
{
    struct sockaddr_in addr;
    int sv[2];

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    close_under(read_one, sv[0], sv[1]);
    CHECK_INT(io_pair(sv), 0);
    close_under(fill_up, sv[0], sv[1]);
    CHECK_INT(io_pair(sv), 0);
    close_under(ready_one, sv[1], sv[0]);
    close_under(accept_one, io_listen(&addr, 1), -1);
    return 0;
}

static void test_close_while_others_wait(void **state)
{
    (void)state;
    io_all(close_while, 0);
}

struct connecting {
    struct sockaddr_in addr;
    int fd;
    int result;
};

static int connect_one(void *arg)
{
    struct connecting *c = arg;

    c->result =
        cn_sys_connect(c->fd, (struct sockaddr *)&c->addr, sizeof(c->addr));
    return 0;
}

/* The listener's queue is full, so a connect waits. */
static int close_while_connecting(void *arg)
{
    struct connecting c = {.result = 1};
    struct cn_group g;
    int fds[3], n = 0, l, again[2];

    (void)arg;
    l = io_listen(&c.addr, 1);
    CHECK(l >= 0);
    while (n < 3) {
        struct cn_scope s;
        int rc;

        cn_scope_open(&s, cn_after(20 * CN_MSEC), CN_FAIL);
        rc = cn_scope_close(&s, io_connect(&c.addr, &fds[n]));
        if (rc < 0)
            break;
        n++;
    }
    CHECK(n > 0 && n < 3);
    c.fd = io_socket();
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, connect_one, &c), 0);
    cn_wait_all_blocked();
    CHECK_INT(c.result, 1);
    CHECK_INT(cn_sys_close(c.fd), 0);
    CHECK_INT(io_pair(again), 0);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(c.result, CN_ECLOSED);
    io_close(again);
    while (n)
        CHECK_INT(cn_sys_close(fds[--n]), 0);
    CHECK_INT(cn_sys_close(l), 0);
    return 0;
}

static void test_close_while_connecting(void **state)
{
    (void)state;
    rt_failures = 0;
    for (size_t i = 0; i < CN_COUNT(io_backends); i++)
        if (io_works(io_backends[i]))
            CHECK_INT(
                io_run(io_backends[i], close_while_connecting, NULL, 0, 0), 0);
    assert_int_equal(rt_failures, 0);
}

static int closer(void *arg)
{
    struct call *c = arg;

    c->result = cn_sys_close(c->fd);
    c->done = true;
    return 0;
}

/* Two tasks close the same descriptor while a third reads from it. */
static int closed_twice(void *arg)
{
    struct cn_group g;
    int sv[2];

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    struct call r = {.fd = sv[0]}, a = {.fd = sv[0]}, b = {.fd = sv[0]};
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, read_one, &r), 0);
    cn_wait_all_blocked();
    CHECK_INT(cn_spawn(&g, closer, &a), 0);
    CHECK_INT(cn_spawn(&g, closer, &b), 0);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(r.result, CN_ECLOSED);
    CHECK(a.result + b.result == -EBADF && a.result * b.result == 0);
    CHECK_INT(cn_sys_close(sv[1]), 0);
    return 0;
}

static void test_closed_twice(void **state)
{
    (void)state;
    io_all(closed_twice, 0);
}

/* The close itself is cancelled while it waits for the reader's end. */
static int cancelled_close(void *arg)
{
    struct cn_group g, h;
    int sv[2];

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    struct call r = {.fd = sv[0]}, c = {.fd = sv[0], .result = 1};
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, read_one, &r), 0);
    cn_wait_all_blocked();
    cn_group_open(&h);
    CHECK_INT(cn_spawn(&h, closer, &c), 0);
    cn_checkpoint();
    cn_scope_cancel(cn_group_scope(&h), "hurry");
    CHECK_INT(cn_group_close(&h, 0), 0);
    CHECK_INT(c.result, 0);
    CHECK_INT(fcntl(sv[0], F_GETFD), -1);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(r.result, CN_ECLOSED);
    CHECK_INT(cn_sys_close(sv[1]), 0);
    return 0;
}

static void test_cancelled_close(void **state)
{
    (void)state;
    io_all(cancelled_close, 0);
}

/* Others close with close(2); cn_notify_closing() is their part. */
static int notified(void *arg)
{
    struct cn_group g;
    char b[4];
    int sv[2], again[2];

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    struct call r = {.fd = sv[0]};
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, ready_one, &r), 0);
    cn_wait_all_blocked();
    cn_notify_closing(sv[0]);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(r.result, CN_ECLOSED);
    CHECK_INT(cn_sys_send(sv[1], "ab", 2, 0), 2); /* it is still open */
    CHECK_INT(cn_sys_recv(sv[0], b, 4, 0), 2);
    cn_notify_closing(sv[0]);
    cn_notify_closing(-1);
    cn_notify_closing(1000000);
    io_close(sv);
    CHECK_INT(io_pair(again), 0);
    CHECK_INT(cn_sys_send(again[1], "ab", 2, 0), 2);
    CHECK_INT(cn_wait_readable(again[0]), 0);
    io_close(again);
    return 0;
}

static void test_notify_closing(void **state)
{
    (void)state;
    io_all(notified, 0);
}

/* close(2) without a word, and the number used again: what comes after must
 * work. (Whoever still waited on the old one has nobody to wake them.) */
static int unnotified(void *arg)
{
    struct cn_scope s;
    char b[4];
    int a[2];

    (void)arg;
    for (int i = 0; i < 3; i++) {
        int c[2];

        CHECK_INT(io_pair(a), 0);
        cn_scope_open(&s, cn_after(CN_MSEC), CN_FAIL);
        CHECK_INT(cn_scope_close(&s, (int)cn_sys_recv(a[0], b, 4, 0)),
                  CN_ETIMEDOUT);
        close(a[0]);
        close(a[1]);
        cn_sleep(CN_MSEC);
        CHECK_INT(io_pair(c), 0);
        CHECK(c[0] == a[0] || c[1] == a[0]);
        struct call r = {.fd = a[0]};
        struct cn_group g;
        cn_group_open(&g);
        CHECK_INT(cn_spawn(&g, read_one, &r), 0);
        cn_wait_all_blocked();
        CHECK_INT(cn_sys_send(c[0] == a[0] ? c[1] : c[0], "xyz", 3, 0), 3);
        CHECK_INT(cn_group_close(&g, 0), 0);
        CHECK_INT(r.result, 3);
        io_close(c);
    }
    return 0;
}

static void test_survives_unnotified_close(void **state)
{
    (void)state;
    io_all(unnotified, 0);
}

/* The number of a connection that was closed without a word comes back from
 * accept in the same turn. */
static int accepted_again(void *arg)
{
    struct sockaddr_in addr;
    struct cn_group g;
    int l, c[2] = {-1, -1}, s[2];

    (void)arg;
    l = io_listen(&addr, 4);
    CHECK_INT(io_connect(&addr, &c[0]), 0);
    CHECK_INT(io_connect(&addr, &c[1]), 0);
    s[0] = cn_sys_accept(l, NULL, NULL);
    struct call r = {.fd = s[0]};
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, read_one, &r), 0);
    cn_wait_all_blocked();
    CHECK_INT(cn_sys_send(c[0], "abc", 3, 0), 3);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(r.result, 3);
    close(s[0]);
    s[1] = cn_sys_accept(l, NULL, NULL);
    CHECK_INT(s[1], s[0]);
    r.done = false;
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, read_one, &r), 0);
    cn_checkpoint();
    CHECK_INT(cn_sys_send(c[1], "defg", 4, 0), 4);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(r.result, 4);
    CHECK_INT(cn_sys_close(s[1]), 0);
    io_close(c);
    CHECK_INT(cn_sys_close(l), 0);
    return 0;
}

static void test_number_comes_back_from_accept(void **state)
{
    (void)state;
    io_real(accepted_again, 0);
}

/* close(2) under a reader that has not slept yet: a mistake, but no reason to
 * stop the program. */
static int closed_raw(void *arg)
{
    struct cn_group g;
    int sv[2];

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    struct call r = {.fd = sv[0]};
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, read_one, &r), 0);
    cn_checkpoint();
    close(sv[0]);
    cn_sleep(CN_MSEC);
    cn_notify_closing(sv[0]);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK(r.result == CN_ECLOSED || r.result == -EBADF);
    close(sv[1]);
    return 0;
}

static void test_closed_raw_under_a_reader(void **state)
{
    (void)state;
    io_real(closed_raw, 0);
}

/* --- every sort of descriptor -------------------------------------------- */

static void both_ready(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);

    CHECK(fd >= 0);
    CHECK_INT(cn_wait_readable(fd), 0);
    CHECK_INT(cn_wait_writable(fd), 0);
    CHECK_INT(cn_sys_close(fd), 0);
}

static int sorts(void *arg)
{
    char b[8] = "";
    struct cn_scope s;
    int fd, master, slave, p[2];

    (void)arg;
    fd = open("regular", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK_INT(write(fd, "data", 4), 4);
    CHECK_INT(cn_wait_readable(fd), 0);
    CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
    CHECK_INT(cn_sys_read(fd, b, 8, -1), 4);
    CHECK_INT(cn_wait_readable(fd), 0); /* at its end, too */
    CHECK_INT(cn_sys_read(fd, b, 8, -1), 0);
    CHECK_INT(cn_sys_close(fd), 0);
    both_ready("regular", O_RDWR);
    both_ready("/dev/null", O_RDWR);
    both_ready(".", O_RDONLY | O_DIRECTORY);
    CHECK_INT(cn_wait_readable(-1), -EBADF);
    CHECK_INT(cn_wait_readable(fd), -EBADF);

    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    CHECK_INT(cn_sys_read(fd, b, 8, -1), 0);
    CHECK_INT(cn_sys_write(fd, b, 8, -1), 8);
    CHECK_INT(cn_sys_recv(fd, b, 8, 0), -ENOTSOCK);
    CHECK_INT(cn_sys_accept(fd, NULL, NULL), -ENOTSOCK);
    CHECK_INT(cn_sys_close(fd), 0);

    CHECK_INT(openpty(&master, &slave, NULL, NULL, NULL), 0);
    cn_scope_open(&s, cn_after(CN_MSEC), CN_FAIL);
    CHECK_INT(cn_scope_close(&s, (int)cn_sys_read(slave, b, 8, -1)),
              CN_ETIMEDOUT);
    CHECK_INT(cn_sys_write(master, "line\n", 5, -1), 5);
    CHECK_INT(cn_wait_readable(slave), 0);
    CHECK_INT(cn_sys_read(slave, b, 8, -1), 5);
    CHECK_INT(fcntl(slave, F_GETFL) & O_NONBLOCK, 0); /* as it was */
    CHECK_INT(cn_sys_close(slave), 0);
    CHECK_INT(cn_sys_close(master), 0);

    CHECK_INT(pipe2(p, O_CLOEXEC), 0);
    cn_scope_open(&s, cn_after(CN_MSEC), CN_FAIL);
    CHECK_INT(cn_scope_close(&s, cn_wait_readable(p[0])), CN_ETIMEDOUT);
    CHECK_INT(cn_wait_writable(p[1]), 0);
    CHECK_INT(fcntl(p[0], F_GETFL) & O_NONBLOCK, 0);
    CHECK_INT(cn_sys_close(p[1]), 0);
    CHECK_INT(cn_wait_readable(p[0]), 0); /* its end */
    CHECK_INT(cn_sys_read(p[0], b, 8, -1), 0);
    CHECK_INT(cn_sys_close(p[0]), 0);
    return 0;
}

static void test_every_sort_of_descriptor(void **state)
{
    (void)state;
    rt_failures = 0;
    for (size_t i = 0; i < CN_COUNT(io_backends); i++)
        if (io_works(io_backends[i]))
            CHECK_INT(io_run(io_backends[i], sorts, NULL, 0, 0), 0);
    assert_int_equal(rt_failures, 0);
}

/* A pipe in blocking mode: a writer that has more than fits holds up nobody,
 * and a reader beside it empties the pipe. */
static int pipe_writer(void *arg)
{
    struct call *c = arg;
    static char block[200000];
    size_t at = 0;

    while (at < sizeof(block)) {
        c->result = cn_sys_write(c->fd, block + at, sizeof(block) - at, -1);
        if (c->result <= 0)
            return (int)c->result;
        at += (size_t)c->result;
    }
    c->done = true;
    return cn_sys_close(c->fd);
}

static int through_pipe(int flags)
{
    struct cn_group g;
    static char b[7000];
    int64_t n, total = 0;
    int p[2];

    CHECK_INT(io_pipe(p), 0);
    if (!io_is_sim()) {
        CHECK_INT(fcntl(p[0], F_SETFL, flags), 0);
        CHECK_INT(fcntl(p[1], F_SETFL, flags), 0);
    }
    struct call w = {.fd = p[1]};
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, pipe_writer, &w), 0);
    cn_wait_all_blocked();
    CHECK(!w.done);
    while ((n = cn_sys_read(p[0], b, sizeof(b), -1)) > 0)
        total += n;
    CHECK_INT(n, 0);
    CHECK_INT(total, 200000);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(cn_sys_close(p[0]), 0);
    return 0;
}

static int blocking_pipe(void *arg)
{
    (void)arg;
    return through_pipe(0);
}

static int nonblocking_pipe(void *arg)
{
    (void)arg;
    return through_pipe(O_NONBLOCK);
}

static void test_pipe_in_nonblocking_mode(void **state)
{
    (void)state;
    io_all(nonblocking_pipe, 0);
}

static void test_pipe_in_blocking_mode(void **state)
{
    (void)state;
    io_all(blocking_pipe, 0);
}

/* --- no descriptors left ------------------------------------------------- */

static int use_up(int fds[], int max)
{
    int n = 0;

    while (n < max && (fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    return n;
}

static int emfile(void *arg)
{
    struct rlimit few = {64, 0}, before;
    struct sockaddr_in addr;
    static int fds[64];
    int l = io_listen(&addr, 4), c = -1, n, s;

    (void)arg;
    CHECK_INT(io_connect(&addr, &c), 0); /* a client waits */
    getrlimit(RLIMIT_NOFILE, &before);
    few.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_NOFILE, &few);
    n = use_up(fds, 64);
    CHECK_INT(cn_sys_accept(l, NULL, NULL), -EMFILE);
    CHECK_INT(cn_sys_accept(l, NULL, NULL), -EMFILE);
    while (n)
        close(fds[--n]);
    s = cn_sys_accept(l, NULL, NULL); /* it is still there */
    CHECK(s >= 0);
    cn_sys_close(s);
    cn_sys_close(c);

    struct call a = {.fd = l}; /* nobody waits yet */
    struct cn_group g;
    c = io_socket();
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, accept_one, &a), 0);
    cn_wait_all_blocked();
    n = use_up(fds, 64);
    CHECK_INT(cn_sys_connect(c, (struct sockaddr *)&addr, sizeof(addr)), 0);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK(a.result == -EMFILE || a.result >= 0);
    while (n)
        close(fds[--n]);
    setrlimit(RLIMIT_NOFILE, &before);
    if (a.result < 0)
        a.result = cn_sys_accept(l, NULL, NULL);
    CHECK(a.result >= 0);
    cn_sys_close((int)a.result);
    cn_sys_close(c);
    cn_sys_close(l);
    return 0;
}

static void test_accept_without_descriptors(void **state)
{
    (void)state;
    io_all(emfile, 0);
}

static int no_leaks(void **state)
{
    static int at_start;

    if (!*state) {
        io_works("uv"); /* libuv keeps a pipe for signals for ever */
        at_start = io_open_fds();
        *state = &at_start;
        return 0;
    }
    if (io_open_fds() == at_start)
        return 0;
    fprintf(stderr, "%d descriptors, %d at the start\n", io_open_fds(),
            at_start);
    return -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_readers_or_writers),
        cmocka_unit_test(test_close_while_others_wait),
        cmocka_unit_test(test_close_while_connecting),
        cmocka_unit_test(test_closed_twice),
        cmocka_unit_test(test_cancelled_close),
        cmocka_unit_test(test_notify_closing),
        cmocka_unit_test(test_survives_unnotified_close),
        cmocka_unit_test(test_every_sort_of_descriptor),
        cmocka_unit_test(test_pipe_in_blocking_mode),
        cmocka_unit_test(test_pipe_in_nonblocking_mode),
        cmocka_unit_test(test_closed_raw_under_a_reader),
        cmocka_unit_test(test_number_comes_back_from_accept),
        cmocka_unit_test(test_accept_without_descriptors),
    };

    return cmocka_run_group_tests_name("fd", tests, no_leaks, no_leaks);
}
