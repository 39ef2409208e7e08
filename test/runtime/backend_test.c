/* backend: which one is taken, what happens where io_uring is forbidden, fork,
 * loops on several threads, waking, signals, and life inside a libuv loop. */
#include "io.h"

#include "runtime/sched.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <uv.h>

/* --- choosing ------------------------------------------------------------ */

static char seen[16];

static int note_name(void *arg)
{
    (void)arg;
    snprintf(seen, sizeof(seen), "%s", cn_backend_name());
    return 0;
}

static const char *chosen(const char *option, const char *env)
{
    struct cn_options o = {.backend = option};
    int rc;

    if (env)
        setenv("CANYON_BACKEND", env, 1);
    else
        unsetenv("CANYON_BACKEND");
    rc = cn_run(note_name, NULL, &o);
    unsetenv("CANYON_BACKEND");
    return rc == 0 ? seen : cn_errname(rc);
}

static void test_choice(void **state)
{
    const char *best = io_works("uring") ? "uring" : "uv";

    (void)state;
    assert_null(cn_backend_name());
    assert_string_equal(chosen(NULL, NULL), best);
    assert_string_equal(chosen(NULL, ""), best);
    assert_string_equal(chosen("uv", NULL), "uv");
    assert_string_equal(chosen("sim", NULL), "sim");
    assert_string_equal(chosen(NULL, "uv"), "uv");
    assert_string_equal(chosen(NULL, "sim"), "sim");
    assert_string_equal(chosen("uv", "sim"), "uv"); /* the option wins */
    assert_string_equal(chosen("none", NULL), "ENOENT");
    assert_string_equal(chosen(NULL, "none"), "ENOENT");
}

/* --- one from outside: uv, with its calls counted ------------------------ */

static const struct cn_backend_ops *inner;
static int submits, refusals;

static int counting_submit(struct cn_backend *b, struct cn_op *op, int64_t *now)
{
    submits++;
    if (op->opcode == CN_OP_SEND) { /* to a thread with it */
        refusals++;
        return -EOPNOTSUPP;
    }
    return inner->submit(b, op, now);
}

static int hello(void *arg)
{
    char b[8];
    int sv[2];

    (void)arg;
    note_name(NULL);
    CHECK_INT(io_pair(sv), 0);
    CHECK_INT(cn_sys_send(sv[0], "hello", 5, 0), 5);
    CHECK_INT(cn_sys_recv(sv[1], b, 8, 0), 5);
    io_close(sv);
    return 0;
}

static void test_custom_backend(void **state)
{
    struct cn_backend_ops mine;
    struct cn_options o = {.backend = "sim", .backend_ops = &mine};

    (void)state;
    rt_failures = 0;
    for (size_t i = 0; cn_backends[i]; i++)
        if (strcmp(cn_backends[i]->name, "uv") == 0)
            inner = cn_backends[i];
    mine = *inner;
    mine.name = "mine";
    mine.submit = counting_submit;
    assert_int_equal(cn_run(hello, NULL, &o), 0);
    assert_string_equal(seen, "mine");
    assert_true(submits >= 4);
    assert_int_equal(refusals, 1);
    mine.abi = CN_BACKEND_ABI + 1;
    assert_int_equal(cn_run(hello, NULL, &o), -ENOEXEC);
    assert_int_equal(rt_failures, 0);
}

/* --- io_uring is forbidden ----------------------------------------------- */

static bool forbid_io_uring(unsigned err)
{
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog p = {.len = CN_COUNT(f), .filter = f};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == 0;
}

static int in_the_dark(unsigned err)
{
    struct cn_options o = {0};

    if (!forbid_io_uring(err))
        return 1;
    if (strcmp(chosen(NULL, NULL), "uv") != 0)
        return 2;
    if (cn_run(hello, NULL, &o) != 0 || rt_failures)
        return 3;
    o.backend = "uring";
    if (cn_run(hello, NULL, &o) != -(int)err)
        return 4;
    return 0;
}

static int in_a_child(int (*fn)(unsigned), unsigned arg)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(fn(arg));
    if (waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void test_blocked_by_seccomp(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(in_the_dark, EPERM), 0);
    assert_int_equal(in_a_child(in_the_dark, ENOSYS), 0);
}

/* --- several loops ------------------------------------------------------- */

static int again(void *arg)
{
    CHECK_INT(cn_run(hello, arg, NULL), CN_EBUSY);
    return 5;
}

static void test_loops_one_after_another_and_nested(void **state)
{
    (void)state;
    rt_failures = 0;
    for (size_t i = 0; i < CN_COUNT(io_backends); i++) {
        if (!io_works(io_backends[i]))
            continue;
        CHECK_INT(io_run(io_backends[i], hello, NULL, 0, 0), 0);
        CHECK_INT(io_run(io_backends[i], hello, NULL, 0, 0), 0);
        CHECK_INT(io_run(io_backends[i], again, NULL, 0, 0), 5);
        CHECK(cn_backend_name() == NULL);
    }
    assert_int_equal(rt_failures, 0);
}

static int ping_pong(void *arg)
{
    char b[8];
    int sv[2];

    (void)arg;
    if (io_pair(sv) < 0)
        return -EIO;
    for (int i = 0; i < 300; i++) {
        if (cn_sys_send(sv[0], "ab", 2, 0) != 2 ||
            cn_sys_recv(sv[1], b, 2, 0) != 2)
            return -EIO;
        if (i % 100 == 0)
            cn_sleep(CN_MSEC);
    }
    cn_sys_close(sv[0]);
    return cn_sys_close(sv[1]);
}

static void *thread_main(void *arg)
{
    return (void *)(intptr_t)io_run(arg, ping_pong, NULL, 0, 0);
}

static void test_loops_on_two_threads(void **state)
{
    (void)state;
    for (size_t i = 0; i < CN_COUNT(io_backends); i++) {
        pthread_t id[4];
        void *rc;

        if (!io_works(io_backends[i]))
            continue;
        for (int j = 0; j < 4; j++)
            assert_int_equal(pthread_create(&id[j], NULL, thread_main,
                                            (void *)(uintptr_t)io_backends[i]),
                             0);
        for (int j = 0; j < 4; j++) {
            assert_int_equal(pthread_join(id[j], &rc), 0);
            assert_null(rc);
        }
    }
}

/* --- waking -------------------------------------------------------------- */

static struct cn_event woken;

static void set_woken(void *arg)
{
    (void)arg;
    cn_event_set(&woken);
}

static void *post_later(void *arg)
{
    usleep(3000);
    CHECK_INT(cn_post(arg, set_woken, NULL), 0);
    return NULL;
}

/* The loop sleeps with nothing else to wait for. */
static int wake_from_a_thread(void *arg)
{
    struct cn_portal *portal;
    struct cn_group g;

    (void)arg;
    cn_group_open(&g);
    CHECK_INT(cn_portal_open(&g, &portal), 0);
    for (int i = 0; i < 5; i++) {
        pthread_t id;

        woken = (struct cn_event){0};
        CHECK_INT(pthread_create(&id, NULL, post_later, portal), 0);
        CHECK_INT(cn_event_wait(&woken), 0);
        pthread_join(id, NULL);
    }
    cn_portal_close(portal);
    return cn_group_close(&g, 0);
}

static void test_wake_from_a_thread(void **state)
{
    (void)state;
    rt_failures = 0;
    for (size_t i = 0; i < CN_COUNT(io_backends); i++)
        if (io_works(io_backends[i]))
            CHECK_INT(io_run(io_backends[i], wake_from_a_thread, NULL, 0, 0),
                      0);
    assert_int_equal(rt_failures, 0);
}

static volatile sig_atomic_t signals;

static void on_alarm(int sig)
{
    (void)sig;
    signals++;
}

static int send_slowly(void *arg)
{
    for (int i = 0; i < 20; i++) {
        cn_sleep(CN_MSEC);
        CHECK_INT(cn_sys_send(*(int *)arg, "x", 1, 0), 1);
    }
    return cn_sys_shutdown(*(int *)arg, SHUT_WR);
}

/* System calls are interrupted all the time; nobody notices. */
static int under_signals(void *arg)
{
    struct cn_group g;
    int64_t n, total = 0;
    char b[8];
    int sv[2];

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, send_slowly, &sv[1]), 0);
    while ((n = cn_sys_recv(sv[0], b, 8, 0)) > 0)
        total += n;
    CHECK_INT(n, 0);
    CHECK_INT(total, 20);
    CHECK_INT(cn_group_close(&g, 0), 0);
    io_close(sv);
    return 0;
}

static void test_signals_interrupt_nothing(void **state)
{
    struct sigaction sa = {.sa_handler = on_alarm}, before;
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};

    (void)state;
    sigaction(SIGALRM, &sa, &before); /* without SA_RESTART */
    setitimer(ITIMER_REAL, &often, NULL);
    rt_failures = 0;
    if (io_works("uring"))
        CHECK_INT(io_run("uring", under_signals, NULL, 0, 0), 0);
    CHECK_INT(io_run("uv", under_signals, NULL, 0, 0), 0);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    assert_int_equal(rt_failures, 0);
    assert_true(signals > 10);
}

/* --- fork ---------------------------------------------------------------- */

static int read_five(void *arg)
{
    char b[8];

    CHECK_INT(cn_sys_recv(*(int *)arg, b, 8, 0), 5);
    return 0;
}

static void *loop_in_child(void *arg)
{
    return (void *)(intptr_t)io_run(arg, hello, NULL, 0, 0);
}

/* The child lets go of the loop; a thread of its may run another one. */
static void child(const char *backend)
{
    struct cn_loop *l = cn_loop_self();
    int before = io_open_fds();

    if (l->ops->fork_child) {
        if (l->ops->fork_child(l->backend) != 0)
            _exit(4);
        if (strcmp(backend, "uring") == 0 && io_open_fds() != before - 2)
            _exit(5);
    }
    pthread_t id;
    void *rc = NULL;

#ifdef __SANITIZE_THREAD__
    _exit(0); /* it allows no threads here */
#endif
    if (pthread_create(&id, NULL, loop_in_child, (void *)(uintptr_t)backend) ||
        pthread_join(id, &rc))
        _exit(2);
    _exit(rc ? 3 : 0);
}

static int forking(void *arg)
{
    struct cn_group g;
    siginfo_t info = {0};
    int sv[2];
    pid_t pid;

    (void)arg;
    CHECK_INT(io_pair(sv), 0);
    cn_group_open(&g);
    CHECK_INT(cn_spawn(&g, read_five, &sv[0]), 0);
    cn_wait_all_blocked();
    pid = fork();
    if (pid == 0)
        child(cn_backend_name());
    CHECK_INT(cn_sys_waitpid(pid, &info), 0);
    CHECK_INT(info.si_status, 0);
    CHECK_INT(cn_sys_send(sv[1], "hello", 5, 0), 5);
    CHECK_INT(cn_group_close(&g, 0), 0);
    io_close(sv);
    return 0;
}

static void test_fork_in_the_middle(void **state)
{
    (void)state;
    rt_failures = 0;
    for (size_t i = 0; i < CN_COUNT(io_backends); i++)
        if (io_works(io_backends[i]))
            CHECK_INT(io_run(io_backends[i], forking, NULL, 0, 0), 0);
    assert_int_equal(rt_failures, 0);
}

/* --- inside a program that has a libuv loop ------------------------------ */

static struct cn_event third_tick;
static int ticks;

static void tick(uv_timer_t *t)
{
    (void)t;
    if (++ticks == 3)
        cn_event_set(&third_tick);
}

static int guest(void *arg)
{
    (void)arg;
    CHECK(strcmp(cn_backend_name(), "uv") == 0);
    CHECK_INT(cn_event_wait(&third_tick), 0); /* no deadlock: uv is there */
    CHECK_INT(hello(NULL), 0);
    CHECK_INT(cn_sleep(5 * CN_MSEC), 0);
    CHECK(ticks > 3);
    for (int before = ticks; ticks < before + 2;) /* never sleeps */
        cn_checkpoint();
    return 0;
}

static void test_inside_a_libuv_loop(void **state)
{
    uv_loop_t loop;
    uv_timer_t timer;
    struct cn_options o = {.uv_loop = &loop};

    (void)state;
    rt_failures = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, tick, 1, 1);
    for (int i = 0; i < 2; i++) {
        third_tick = (struct cn_event){0};
        ticks = 0;
        assert_int_equal(cn_run(guest, NULL, &o), 0);
    }
    ticks = 10;
    uv_run(&loop, UV_RUN_ONCE); /* the program goes on with it */
    assert_true(ticks > 10);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(rt_failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_custom_backend),
        cmocka_unit_test(test_blocked_by_seccomp),
        cmocka_unit_test(test_loops_one_after_another_and_nested),
        cmocka_unit_test(test_loops_on_two_threads),
        cmocka_unit_test(test_wake_from_a_thread),
        cmocka_unit_test(test_signals_interrupt_nothing),
        cmocka_unit_test(test_fork_in_the_middle),
        cmocka_unit_test(test_inside_a_libuv_loop),
    };

    return cmocka_run_group_tests_name("backend", tests, NULL, NULL);
}
