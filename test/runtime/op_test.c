/* op: what the system's calls promise, on every backend: results, partial
 * ones, cancellation that loses nothing, storage that is reused at once. */
#include "io.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* --- bytes --------------------------------------------------------------- */

static int recv_and_send(void *arg)
{
    char b[16] = "";
    int sv[2];

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    CHECK_INT(cn_sys_recv(sv[0], b, 4, MSG_DONTWAIT), -EAGAIN);
    CHECK_INT(cn_sys_send(sv[1], "hello", 5, 0), 5);
    CHECK_INT(cn_sys_recv(sv[0], b, 3, MSG_PEEK), 3);
    CHECK_INT(cn_sys_recv(sv[0], b, 3, 0), 3);
    CHECK_INT(cn_sys_recv(sv[0], b + 3, 9, 0), 2);
    CHECK(strcmp(b, "hello") == 0);
    CHECK_INT(cn_sys_close(sv[1]), 0);
    CHECK_INT(cn_sys_recv(sv[0], b, 4, 0), 0);
    CHECK_INT(cn_sys_send(sv[0], "x", 1, 0), -EPIPE);
    CHECK_INT(cn_sys_close(sv[0]), 0);
    CHECK_INT(cn_sys_close(sv[0]), -EBADF);
    CHECK_INT(cn_sys_recv(sv[0], b, 4, 0), -EBADF);
    CHECK_INT(cn_sys_recv(-1, b, 4, 0), -EBADF);
    CHECK_INT(cn_sys_close(-1), -EBADF);
    return 0;
}

static void test_recv_and_send(void **state)
{
    (void)state;
    io_all(recv_and_send, 0);
}

struct transfer {
    int fd;
    size_t total;
    uint64_t sum;
};

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7);
}

static int send_all(void *arg)
{
    struct transfer *t = arg;
    static uint8_t block[65536];

    for (size_t at = 0; at < t->total;) {
        size_t n =
            t->total - at < sizeof(block) ? t->total - at : sizeof(block);
        int64_t sent;

        for (size_t i = 0; i < n; i++)
            block[i] = pattern(at + i);
        sent = cn_sys_send(t->fd, block, n, 0);
        if (sent < 0)
            return (int)sent;
        at += (size_t)sent;
    }
    return cn_sys_shutdown(t->fd, SHUT_WR);
}

static int recv_all(void *arg)
{
    struct transfer *t = arg;
    static uint8_t block[50000];
    int64_t n;

    while ((n = cn_sys_recv(t->fd, block, sizeof(block), 0)) > 0) {
        for (int64_t i = 0; i < n; i++)
            if (block[i] != pattern(t->total + (size_t)i))
                return -EILSEQ;
        t->total += (size_t)n;
    }
    return (int)n;
}

static int big_transfer(void *arg)
{
    struct cn_group g;
    int sv[2];

    (void)arg;
    CHECK_INT(io_tcp(sv), 0);
    struct transfer out = {sv[0], 3000001, 0}, in = {sv[1], 0, 0};
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, send_all, &out), 0);
    CHECK_INT(cn_spawn(&g, recv_all, &in), 0);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(in.total, out.total);
    io_close(sv);
    return 0;
}

static void test_big_transfer(void **state)
{
    (void)state;
    io_all(big_transfer, 0);
}

static int recv_some_then_reset(void *arg)
{
    struct transfer *t = arg;
    static char block[100000];
    struct linger abort = {1, 0};
    int64_t n = 0;

    while (t->total < 1000000) {
        n = cn_sys_recv(t->fd, block, sizeof(block), 0);
        if (n <= 0)
            return n ? (int)n : -EPROTO;
        t->total += (size_t)n;
    }
    if (io_is_sim())
        cn_sim_reset(t->fd);
    else
        setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
    return cn_sys_close(t->fd);
}

static int send_until_reset(void *arg)
{
    struct transfer *t = arg;
    int rc = send_all(t);

    CHECK(rc == -ECONNRESET || rc == -EPIPE);
    return 0;
}

/* 100 MB are to be sent; the peer resets after one. No signal, no hang. */
static int peer_resets(void *arg)
{
    struct cn_group g;
    int sv[2];

    (void)arg;
    CHECK_INT(io_tcp(sv), 0);
    struct transfer out = {sv[0], 100000000, 0}, in = {sv[1], 0, 0};
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, send_until_reset, &out), 0);
    CHECK_INT(cn_spawn(&g, recv_some_then_reset, &in), 0);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(cn_sys_close(sv[0]), 0);
    return 0;
}

static void test_peer_resets_during_send(void **state)
{
    (void)state;
    io_all(peer_resets, 0);
}

static int half_close(void *arg)
{
    char b[8];
    int sv[2];

    (void)arg;
    CHECK_INT(io_tcp(sv), 0);
    CHECK_INT(cn_sys_send(sv[0], "ab", 2, 0), 2);
    CHECK_INT(cn_sys_shutdown(sv[0], SHUT_WR), 0);
    CHECK_INT(cn_sys_recv(sv[1], b, 8, 0), 2);
    CHECK_INT(cn_sys_recv(sv[1], b, 8, 0), 0);
    CHECK_INT(cn_sys_send(sv[0], "x", 1, 0), -EPIPE);
    CHECK_INT(cn_sys_send(sv[1], "cde", 3, 0), 3); /* the other way lives */
    CHECK_INT(cn_sys_recv(sv[0], b, 8, 0), 3);
    CHECK_INT(cn_sys_shutdown(sv[1], SHUT_WR), 0);
    CHECK_INT(cn_sys_recv(sv[0], b, 8, 0), 0);
    io_close(sv);
    return 0;
}

static void test_half_close_both_ways(void **state)
{
    (void)state;
    io_all(half_close, 0);
}

static int messages(void *arg)
{
    char a[4] = "", b[8] = "", first[] = "abc", second[] = "defg";
    struct iovec out[2] = {{first, 3}, {second, 4}}, in[2] = {{a, 3}, {b, 7}};
    struct msghdr to = {.msg_iov = out, .msg_iovlen = 2};
    struct msghdr from = {.msg_iov = in, .msg_iovlen = 2};
    int sv[2];

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    CHECK_INT(cn_sys_sendmsg(sv[0], &to, 0), 7);
    CHECK_INT(cn_sys_recvmsg(sv[1], &from, 0), 7);
    CHECK(strcmp(a, "abc") == 0 && strcmp(b, "defg") == 0);
    CHECK_INT(cn_sys_recvmsg(sv[1], &from, MSG_DONTWAIT), -EAGAIN);
    io_close(sv);
    return 0;
}

static void test_messages(void **state)
{
    (void)state;
    io_all(messages, 0);
}

/* --- cancellation -------------------------------------------------------- */

struct reading {
    int fd;
    struct cn_scope scope;
    int64_t got;
    bool in_scope;
};

static int read_in_scope(void *arg)
{
    struct reading *r = arg;
    char b[100];

    cn_scope_open(&r->scope, CN_NEVER, 0);
    r->in_scope = true;
    r->got = cn_sys_recv(r->fd, b, sizeof(b), 0);
    r->in_scope = false;
    CHECK_INT(cn_scope_close(&r->scope, r->got < 0 ? (int)r->got : 0), 0);
    return 0;
}

/* Send, let so many turns pass, cancel: either the reader has the bytes or
 * they are still in the socket. */
static void send_then_cancel(int sv[2], int turns)
{
    struct reading r = {.fd = sv[0]};
    struct cn_group g;
    char b[100];

    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, read_in_scope, &r), 0);
    cn_wait_all_blocked();
    CHECK(r.in_scope);
    CHECK_INT(cn_sys_send(sv[1], "12345", 5, 0), 5);
    for (int i = 0; i < turns; i++)
        cn_checkpoint();
    cn_scope_cancel(&r.scope, "enough");
    CHECK_INT(cn_group_close(&g, 0), 0);
    if (r.got == CN_ECANCELED)
        r.got = cn_sys_recv(sv[0], b, sizeof(b), MSG_DONTWAIT);
    CHECK_INT(r.got, 5);
    CHECK_INT(cn_sys_recv(sv[0], b, sizeof(b), MSG_DONTWAIT), -EAGAIN);
}

static int cancel_loses_nothing(void *arg)
{
    int sv[2];

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    for (int turns = 0; turns < 6; turns++)
        send_then_cancel(sv, turns);
    io_close(sv);
    return 0;
}

static void test_cancelled_read_that_has_completed(void **state)
{
    (void)state;
    io_all(cancel_loses_nothing, 0);
}

/* A call that fails when it is entered has done nothing; the result of one
 * that was cancelled after its end stands. */
static int level_cancellation(void *arg)
{
    struct cn_scope s;
    char b[4];
    int sv[2];

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    CHECK_INT(cn_sys_send(sv[1], "abcd", 4, 0), 4);
    cn_scope_open(&s, CN_NEVER, 0);
    cn_scope_cancel(&s, "now");
    CHECK_INT(cn_sys_recv(sv[0], b, 4, 0), CN_ECANCELED);
    CHECK_INT(cn_sys_recv(sv[0], b, 4, 0), CN_ECANCELED);
    CHECK_INT(cn_sys_send(sv[0], b, 4, 0), CN_ECANCELED);
    CHECK_INT(cn_wait_readable(sv[0]), CN_ECANCELED);
    CHECK_INT(cn_sys_open(AT_FDCWD, "/", O_RDONLY, 0), CN_ECANCELED);
    CHECK_INT(cn_sys_close(sv[1]), 0); /* does its work all the same */
    CHECK_INT(cn_scope_close(&s, CN_ECANCELED), 0);
    CHECK_INT(cn_sys_recv(sv[0], b, 4, 0), 4);
    CHECK_INT(cn_sys_close(sv[0]), 0);
    return 0;
}

static void test_level_cancellation(void **state)
{
    (void)state;
    io_all(level_cancellation, 0);
}

static __attribute__((noinline)) int64_t read_into_frame(int fd)
{
    volatile char frame[4096];
    int64_t n;

    memset((void *)(uintptr_t)frame, 0x11, sizeof(frame));
    n = cn_sys_recv(fd, (void *)(uintptr_t)frame, sizeof(frame), 0);
    return n;
}

static __attribute__((noinline)) void other_frame(int fd)
{
    volatile char frame[4096];

    memset((void *)(uintptr_t)frame, 0x22, sizeof(frame));
    CHECK_INT(cn_sys_send(fd, "late bytes", 10, 0), 10);
    for (int i = 0; i < 3; i++)
        cn_checkpoint();
    cn_sleep(CN_MSEC);
    for (size_t i = 0; i < sizeof(frame); i++)
        CHECK(frame[i] == 0x22);
}

/* The frame of a timed-out read is somebody else's when the bytes come. */
static int frame_is_left(void *arg)
{
    struct cn_scope s;
    char b[16];
    int sv[2];

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    cn_scope_open(&s, cn_after(CN_MSEC), CN_FAIL);
    CHECK_INT(cn_scope_close(&s, (int)read_into_frame(sv[0])), CN_ETIMEDOUT);
    other_frame(sv[1]);
    CHECK_INT(cn_sys_recv(sv[0], b, sizeof(b), 0), 10);
    io_close(sv);
    return 0;
}

static void test_buffer_in_a_frame_that_is_left(void **state)
{
    (void)state;
    io_all(frame_is_left, 0);
}

/* One struct cn_op, begun again in the turn in which it ended, with and
 * without a cancel in between: no late cancel or completion meets the next. */
struct reuse {
    int fd, rounds;
    struct cn_scope scope;
    uint64_t bytes;
};

static int reuse_reader(void *arg)
{
    struct reuse *r = arg;
    struct cn_op op;
    char b[8];

    while (r->rounds) {
        int64_t n;

        op.opcode = CN_OP_RECV;
        op.flags = 0;
        op.fd = r->fd;
        op.u.io.buf = b;
        op.u.io.len = sizeof(b);
        op.u.io.flags = 0;
        cn_scope_open(&r->scope, CN_NEVER, 0);
        n = cn_op_run(&op);
        if (n > 0)
            r->bytes += (uint64_t)n;
        CHECK(n > 0 || n == CN_ECANCELED);
        CHECK_INT(cn_scope_close(&r->scope, n < 0 ? (int)n : 0), 0);
    }
    return 0;
}

static int storage_is_reused(void *arg)
{
    int sv[2];
    struct cn_group g;
    uint64_t sent = 0;

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    struct reuse r = {.fd = sv[0], .rounds = 1};
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, reuse_reader, &r), 0);
    cn_wait_all_blocked();
    for (int i = 0; i < 300; i++) {
        if (i % 3 != 1)
            sent += (uint64_t)(cn_sys_send(sv[1], "abc", 3, 0) == 3) * 3;
        if (i % 2)
            cn_scope_cancel(&r.scope, "again");
        if (i % 5 < 3)
            cn_checkpoint();
        else
            cn_wait_all_blocked();
    }
    cn_wait_all_blocked();
    r.rounds = 0;
    cn_scope_cancel(&r.scope, "the end");
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(r.bytes, sent);
    io_close(sv);
    return 0;
}

static void test_storage_is_reused_at_once(void **state)
{
    (void)state;
    io_all(storage_is_reused, 0);
}

/* --- files --------------------------------------------------------------- */

static int files(void *arg)
{
    struct statx st;
    char b[16] = "";
    int fd, dir;

    (void)arg;
    CHECK_INT(cn_sys_mkdir(AT_FDCWD, "files", 0755), 0);
    CHECK_INT(cn_sys_mkdir(AT_FDCWD, "files", 0755), -EEXIST);
    dir = cn_sys_open(AT_FDCWD, "files", O_RDONLY | O_DIRECTORY, 0);
    CHECK(dir >= 0);
    CHECK_INT(cn_sys_open(dir, "none", O_RDONLY, 0), -ENOENT);
    fd = cn_sys_open(dir, "a", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK_INT(cn_sys_write(fd, "0123456789", 10, 0), 10);
    CHECK_INT(cn_sys_read(fd, b, 3, 4), 3);
    CHECK(strcmp(b, "456") == 0);
    CHECK_INT(cn_sys_read(fd, b, 2, -1), 2); /* its own position */
    CHECK_INT(cn_sys_read(fd, b + 2, 2, -1), 2);
    CHECK(strcmp(b, "0123") == 0);
    CHECK_INT(cn_sys_read(fd, b, 4, 10), 0);
    CHECK_INT(cn_sys_sync(fd, false), 0);
    CHECK_INT(cn_sys_sync(fd, true), 0);
    CHECK_INT(cn_sys_stat(fd, "", 0, STATX_SIZE | STATX_MODE, &st), 0);
    CHECK_INT(st.stx_size, 10);
    CHECK_INT(cn_sys_close(fd), 0);
    CHECK_INT(cn_sys_rename(dir, "a", "b"), 0);
    CHECK_INT(cn_sys_stat(dir, "a", 0, STATX_SIZE, &st), -ENOENT);
    CHECK_INT(cn_sys_stat(dir, "b", 0, STATX_SIZE, &st), 0);
    CHECK_INT(cn_sys_unlink(dir, "b", 0), 0);
    CHECK_INT(cn_sys_unlink(dir, "b", 0), -ENOENT);
    CHECK_INT(cn_sys_close(dir), 0);
    CHECK_INT(cn_sys_unlink(AT_FDCWD, "files", AT_REMOVEDIR), 0);
    return 0;
}

static void test_files(void **state)
{
    (void)state;
    io_all(files, 0);
}

/* --- processes ----------------------------------------------------------- */

static pid_t child_after(int go, int code)
{
    pid_t pid = fork();
    char b;

    if (pid == 0) {
        if (go >= 0 && read(go, &b, 1) < 0)
            _exit(99);
        _exit(code);
    }
    return pid;
}

static int processes(void *arg)
{
    siginfo_t info = {0};
    struct cn_scope s;
    int go[2];
    pid_t pid;

    (void)arg;
    CHECK_INT(pipe2(go, O_CLOEXEC), 0);
    pid = child_after(-1, 7); /* has ended, or will soon */
    CHECK_INT(cn_sys_waitpid(pid, &info), 0);
    CHECK_INT(info.si_pid, pid);
    CHECK_INT(info.si_status, 7);
    CHECK_INT(cn_sys_waitpid(pid, &info), -ECHILD); /* twice */
    pid = child_after(go[0], 3);
    cn_scope_open(&s, cn_after(2 * CN_MSEC), CN_FAIL);
    CHECK_INT(cn_scope_close(&s, cn_sys_waitpid(pid, NULL)), CN_ETIMEDOUT);
    CHECK_INT(kill(pid, 0), 0); /* cancelled: as it was */
    CHECK_INT(write(go[1], "x", 1), 1);
    CHECK_INT(cn_sys_waitpid(pid, &info), 0);
    CHECK_INT(info.si_status, 3);
    close(go[0]);
    close(go[1]);
    return 0;
}

static void test_processes(void **state)
{
    (void)state;
    io_real(processes, 0);
}

/* --- the routes ---------------------------------------------------------- */

static int wait_for_bytes(void *arg)
{
    char b[4];

    return cn_sys_read(*(int *)arg, b, 4, -1) == 2 ? 0 : -EPROTO;
}

/* On "sim" real descriptors go to threads; cancel follows. */
static int thread_route(void *arg)
{
    struct cn_group g;
    struct cn_scope s;
    char b[4];
    int p[2];

    (void)arg;
    CHECK_INT(pipe2(p, O_CLOEXEC), 0); /* blocking */
    cn_scope_open(&s, cn_after(CN_MSEC), CN_FAIL);
    CHECK_INT(cn_scope_close(&s, (int)cn_sys_read(p[0], b, 4, -1)),
              CN_ETIMEDOUT);
    cn_scope_open(&s, cn_after(CN_MSEC), CN_FAIL);
    CHECK_INT(cn_scope_close(&s, cn_wait_readable(p[0])), CN_ETIMEDOUT);
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, wait_for_bytes, &p[0]), 0);
    cn_checkpoint();
    CHECK_INT(cn_sys_write(p[1], "ab", 2, -1), 2);
    CHECK_INT(cn_group_close(&g, 0), 0);
    io_close(p);
    return 0;
}

static void test_cancel_follows_the_route(void **state)
{
    (void)state;
    rt_failures = 0;
    for (size_t i = 0; i < CN_COUNT(io_backends); i++)
        if (io_works(io_backends[i]))
            CHECK_INT(io_run(io_backends[i], thread_route, NULL, 0, 0), 0);
    assert_int_equal(rt_failures, 0);
}

/* --- select over descriptors --------------------------------------------- */

static int select_fds(void *arg)
{
    int a[2], b[2];
    char c[4];

    (void)arg;
    CHECK_INT(io_pair(a), 0);
    CHECK_INT(io_pair(b), 0);
    for (int i = 0; i < 20; i++) {
        int *winner = i % 2 ? a : b;
        struct cn_case cases[] = {
            CN_CASE_READY(a[0], POLLIN),
            CN_CASE_READY(b[0], POLLIN),
            CN_CASE_TIME(cn_after(i % 5 ? CN_NEVER : 100 * CN_USEC)),
        };

        if (i % 5)
            CHECK_INT(cn_sys_send(winner[1], "x", 1, 0), 1);
        CHECK_INT(cn_select(cases, 3), i % 5 == 0 ? 2 : i % 2 ? 0 : 1);
        if (i % 5) {
            CHECK(cases[i % 2 ? 0 : 1].events & POLLIN);
            CHECK_INT(cn_sys_recv(winner[0], c, 4, 0), 1); /* not busy */
        }
    }
    io_close(a);
    io_close(b);
    return 0;
}

static void test_select_over_descriptors(void **state)
{
    (void)state;
    io_all(select_fds, 0);
}

/* --- classes of threads -------------------------------------------------- */

static int hold_thread(void *arg)
{
    char b;

    return (int)read(*(int *)arg, &b, 1);
}

static int on_thread(void *arg)
{
    return cn_to_thread(hold_thread, arg, NULL, 0) == 1 ? 0 : -EIO;
}

/* All threads of users are taken for good; files are served all the same. */
static int starving(void *arg)
{
    struct cn_group g;
    int p[2], fd;

    (void)arg;
    CHECK_INT(pipe2(p, O_CLOEXEC), 0);
    cn_group_open(&g);
    for (int i = 0; i < 5; i++)
        CHECK_INT(cn_spawn(&g, on_thread, &p[0]), 0);
    cn_checkpoint();
    cn_checkpoint();
    for (int i = 0; i < 5; i++) {
        fd = cn_sys_open(AT_FDCWD, "/dev/null", O_RDONLY, 0);
        CHECK(fd >= 0);
        CHECK_INT(cn_sys_close(fd), 0);
    }
    CHECK_INT(write(p[1], "12345", 5), 5);
    CHECK_INT(cn_group_close(&g, 0), 0);
    close(p[0]);
    close(p[1]);
    return 0;
}

static void test_users_do_not_starve_files(void **state)
{
    struct cn_options o = {.backend = "sim", .threads_max = 2};

    (void)state;
    rt_failures = 0;
    CHECK_INT(cn_run(starving, NULL, &o), 0);
    o.backend = "uv";
    CHECK_INT(cn_run(starving, NULL, &o), 0);
    assert_int_equal(rt_failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recv_and_send),
        cmocka_unit_test(test_big_transfer),
        cmocka_unit_test(test_peer_resets_during_send),
        cmocka_unit_test(test_half_close_both_ways),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_cancelled_read_that_has_completed),
        cmocka_unit_test(test_level_cancellation),
        cmocka_unit_test(test_buffer_in_a_frame_that_is_left),
        cmocka_unit_test(test_storage_is_reused_at_once),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_processes),
        cmocka_unit_test(test_cancel_follows_the_route),
        cmocka_unit_test(test_select_over_descriptors),
        cmocka_unit_test(test_users_do_not_starve_files),
    };

    return cmocka_run_group_tests_name("op", tests, NULL, NULL);
}
