/* backend_uring: full queues, short submissions, refusals and overflow. The
 * one system call is replaced here by one that can be told to misbehave. */
#include "io.h"

#include <liburing.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { TASKS = 1500 }; /* more than the submission queue has room for */

static int refusals;    /* so many calls are refused */
static int refuse_with; /* with this */
static bool halve;      /* the kernel takes half of what it is offered */
static unsigned refused, halved;

/* Instead of liburing's. */
int io_uring_enter2(unsigned int fd, unsigned int to_submit,
                    unsigned int min_complete, unsigned int flags,
                    sigset_t *sig, size_t sz)
{
    long rc;

    if (to_submit && refusals > 0) {
        refusals--;
        refused++;
        return refuse_with;
    }
    if (halve && to_submit > 1) {
        halved++;
        to_submit /= 2;
        min_complete = 0; /* as the kernel does then */
    }
    rc = syscall(SYS_io_uring_enter, fd, to_submit, min_complete, flags, sig,
                 sz);
    return rc < 0 ? -errno : (int)rc;
}

static void on_uring(cn_fn *fn, int want)
{
    if (!io_works("uring"))
        skip();
    rt_failures = 0;
    refusals = 0;
    refused = halved = 0;
    halve = false;
    CHECK_INT(io_run("uring", fn, NULL, 0, 0), want);
    CHECK_INT(io_run("uring", fn, NULL, CN_SHUFFLE, 1), want);
    halve = false;
    refusals = 0;
    assert_int_equal(rt_failures, 0);
}

/* --- many readers, each on a descriptor of its own ----------------------- */

struct many {
    int pipes[TASKS][2];
    int64_t results[TASKS];
    int next, running;
};

static struct many m;

static int read_mine(void *arg)
{
    int i = m.next++;
    char b[4];

    (void)arg;
    m.running++;
    m.results[i] = cn_sys_read(m.pipes[i][0], b, 4, -1);
    m.running--;
    return 0;
}

static void open_many(void)
{
    m.next = m.running = 0;
    for (int i = 0; i < TASKS; i++) {
        if (pipe2(m.pipes[i], O_CLOEXEC) < 0) {
            perror("pipe2");
            abort();
        }
        m.results[i] = 99;
    }
}

static void close_many(void)
{
    for (int i = 0; i < TASKS; i++) {
        close(m.pipes[i][0]);
        close(m.pipes[i][1]);
    }
}

static void start_many(struct cn_group *g)
{
    cn_group_open(g);
    for (int i = 0; i < TASKS; i++)
        CHECK_INT(cn_spawn(g, read_mine, NULL), 0);
    while (m.running < TASKS)
        cn_checkpoint();
}

static void feed_many(void)
{
    for (int i = 0; i < TASKS; i++)
        CHECK_INT(write(m.pipes[i][1], "ab", 2), 2);
}

static void check_many(int64_t want)
{
    for (int i = 0; i < TASKS; i++)
        if (m.results[i] != want) {
            CHECK_INT(m.results[i], want);
            return;
        }
}

static int full_at_submit(void *arg)
{
    struct cn_group g;

    (void)arg;
    open_many();
    start_many(&g);
    feed_many();
    CHECK_INT(cn_group_close(&g, 0), 0);
    check_many(2);
    close_many();
    return 0;
}

static void test_queue_full_at_submit(void **state)
{
    (void)state;
    on_uring(full_at_submit, 0);
}

/* The kernel takes nothing while the readers begin. */
static int refused_at_submit(void *arg)
{
    struct cn_group g;

    (void)arg;
    open_many();
    refuse_with = -EAGAIN;
    refusals = TASKS;
    start_many(&g);
    CHECK(refused > 0);
    refusals = 3;
    refuse_with = -EBUSY;
    feed_many();
    CHECK_INT(cn_group_close(&g, 0), 0);
    check_many(2);
    close_many();
    return 0;
}

static void test_refused_at_submit(void **state)
{
    (void)state;
    on_uring(refused_at_submit, 0);
}

/* As many cancels as readers: those that the kernel has seen, and those that
 * are still on the backlog. */
static int full_at_cancel(void *arg)
{
    struct cn_group g;

    (void)arg;
    open_many();
    refuse_with = -EAGAIN;
    refusals = 40;
    start_many(&g);
    cn_scope_cancel(cn_group_scope(&g), "all of you");
    refusals = 40;
    CHECK_INT(cn_group_close(&g, 0), 0);
    check_many(CN_ECANCELED);
    close_many();
    return 0;
}

static void test_queue_full_at_cancel(void **state)
{
    (void)state;
    on_uring(full_at_cancel, 0);
}

static int cancel_after_sleep(void *arg)
{
    struct cn_group g;

    (void)arg;
    open_many();
    start_many(&g);
    cn_sleep(CN_MSEC); /* all are in the kernel */
    refuse_with = -EBUSY;
    refusals = 20;
    cn_scope_cancel(cn_group_scope(&g), "all of you");
    CHECK_INT(cn_group_close(&g, 0), 0);
    check_many(CN_ECANCELED);
    CHECK(refused > 0);
    close_many();
    return 0;
}

static void test_cancels_wait_for_room(void **state)
{
    (void)state;
    on_uring(cancel_after_sleep, 0);
}

static int short_submits(void *arg)
{
    struct cn_group g;

    (void)arg;
    open_many();
    halve = true;
    start_many(&g);
    feed_many();
    CHECK_INT(cn_group_close(&g, 0), 0);
    check_many(2);
    CHECK(halved > 2);
    close_many();
    return 0;
}

static void test_short_submissions(void **state)
{
    (void)state;
    on_uring(short_submits, 0);
}

/* The program ends while the queue is full and the kernel refuses. */
static int ends_full(void *arg)
{
    struct cn_group g;

    (void)arg;
    open_many();
    start_many(&g);
    refuse_with = -EAGAIN;
    refusals = 10;
    cn_group_close(&g, -EIO);
    close_many();
    refusals = 5;
    return -EIO;
}

static void test_full_during_shutdown(void **state)
{
    (void)state;
    on_uring(ends_full, -EIO);
}

/* --- the other queue ----------------------------------------------------- */

enum { ZEROS = 12000 }; /* completions at once; there is room for 8192 */

static int zero_fd, zeros_read;

static int read_zeros(void *arg)
{
    char b[4] = "xyz";

    (void)arg;
    CHECK_INT(cn_sys_read(zero_fd, b, 4, 0), 4);
    zeros_read += !b[0] && !b[3];
    return 0;
}

static int overflow(void *arg)
{
    struct cn_group g;

    (void)arg;
    zeros_read = 0;
    zero_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    cn_group_open(&g);
    for (int i = 0; i < ZEROS; i++)
        CHECK_INT(cn_spawn(&g, read_zeros, NULL), 0);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(zeros_read, ZEROS);
    close(zero_fd);
    return 0;
}

static void test_completion_queue_overflows(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* it counts a task as a thread, and has not that many */
#endif
    on_uring(overflow, 0);
}

int main(void)
{
    struct rlimit files;

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_full_at_submit),
        cmocka_unit_test(test_refused_at_submit),
        cmocka_unit_test(test_queue_full_at_cancel),
        cmocka_unit_test(test_cancels_wait_for_room),
        cmocka_unit_test(test_short_submissions),
        cmocka_unit_test(test_full_during_shutdown),
        cmocka_unit_test(test_completion_queue_overflows),
    };

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    return cmocka_run_group_tests_name("uring", tests, NULL, NULL);
}
