/* Graceful shutdown on a signal: a signal is a readable descriptor like any
 * other (signalfd), and stopping is cancelling a group. The workers finish
 * what they have in hand in a shielded scope. Sends itself the signal. */
#include "runtime/runtime.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int worker(void *arg)
{
    struct cn_scope last;
    int rc;

    do
        rc = cn_sleep(CN_MSEC);
    while (rc == 0);
    cn_scope_open(&last, cn_after(CN_SEC), CN_SHIELD);
    cn_sleep(CN_MSEC); /* saving what must be saved */
    printf("worker %d has saved its work\n", *(int *)arg);
    cn_scope_close(&last, 0);
    return rc;
}

static int wait_for_signal(void)
{
    struct signalfd_siginfo info;
    sigset_t set;
    int fd, rc;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    kill(getpid(), SIGTERM); /* what an operator would do */
    rc = cn_wait_readable(fd);
    if (rc == 0 && read(fd, &info, sizeof(info)) == sizeof(info))
        printf("signal %u\n", info.ssi_signo);
    close(fd);
    return rc;
}

static int run(void *arg)
{
    int number[] = {1, 2, 3}, rc;
    struct cn_group g;

    (void)arg;
    cn_group_open(&g);
    for (size_t i = 0; i < CN_COUNT(number); i++)
        cn_spawn(&g, worker, &number[i]);
    rc = wait_for_signal();
    cn_scope_cancel(cn_group_scope(&g), "signal");
    return cn_group_close(&g, rc);
}

int main(void)
{
    return cn_run(run, NULL, NULL) < 0;
}
