/* Work that computes goes to threads, two at a time: a limiter bounds it, and
 * a job that takes too long asks whether anybody still wants it. */
#include "runtime/runtime.h"

static struct cn_limiter two = CN_LIMITER_INIT(2);

static int count_primes(void *arg)
{
    long *below = arg, primes = 0;

    for (long n = 2; n < *below; n++) {
        bool prime = true;

        for (long d = 2; d * d <= n && prime; d++)
            prime = n % d != 0;
        primes += prime;
        if (n % 1024 == 0 && cn_thread_cancelled() < 0)
            return CN_ECANCELED;
    }
    *below = primes;
    return 0;
}

static int job(void *arg)
{
    return cn_to_thread(count_primes, arg, &two, 0);
}

static int run(void *arg)
{
    long n[] = {10000, 20000, 30000, 40000}, for_ever = 1L << 60;
    struct cn_group g;
    int rc;

    (void)arg;
    cn_group_open(&g);
    for (size_t i = 0; i < CN_COUNT(n); i++)
        cn_spawn(&g, job, &n[i]);
    rc = cn_group_close(&g, 0);
    for (size_t i = 0; i < CN_COUNT(n) && rc == 0; i++)
        printf("%ld primes below %zu0000\n", n[i], i + 1);
    if (rc == 0)
        rc = cn_within(20 * CN_MSEC, CN_FAIL, job, &for_ever);
    printf("the long one: %s\n", cn_strerror(rc));
    cn_limiter_done(&two);
    return rc == CN_ETIMEDOUT ? 0 : rc;
}

int main(void)
{
    return cn_run(run, NULL, NULL) < 0;
}
