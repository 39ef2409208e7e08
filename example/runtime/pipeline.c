/* Producer and consumers: a bounded channel is the back-pressure, closing the
 * last sender is the end. Prints the sum of the squares of 1 to 1000. */
#include "runtime/runtime.h"

struct pipeline {
    struct cn_receiver *numbers;
    struct cn_sender *squares;
};

static int produce(void *arg)
{
    struct cn_sender *tx = arg;
    int rc = 0;

    for (long i = 1; i <= 1000 && rc == 0; i++)
        rc = cn_send(tx, &i); /* waits while 16 are under way */
    cn_sender_close(tx);
    return rc;
}

/* One of several: each has a sender of its own, so that the channel of the
 * squares ends when the last of them has closed. */
static int square(void *arg)
{
    struct pipeline *p = arg;
    long number;
    int rc;

    while ((rc = cn_recv(p->numbers, &number)) == 0) {
        number *= number;
        rc = cn_send(p->squares, &number);
        if (rc < 0)
            break;
    }
    cn_sender_close(p->squares);
    return rc == CN_EEND ? 0 : rc;
}

static int run(void *arg)
{
    struct cn_sender *numbers, *squares;
    struct cn_receiver *sums;
    struct pipeline p[4];
    struct cn_group g;
    long item, sum = 0;

    (void)arg;
    cn_chan_open(&numbers, &p[0].numbers, sizeof(long), 16);
    cn_chan_open(&squares, &sums, sizeof(long), 16);
    cn_group_open(&g);
    for (int i = 0; i < 4; i++) {
        p[i].numbers = p[0].numbers;
        p[i].squares = cn_sender_clone(squares);
        cn_spawn(&g, square, &p[i]);
    }
    cn_spawn(&g, produce, numbers);
    cn_sender_close(squares);
    while (cn_recv(sums, &item) == 0)
        sum += item;
    printf("%ld\n", sum);
    cn_receiver_close(sums);
    item = cn_group_close(&g, 0);
    cn_receiver_close(p[0].numbers);
    return (int)item;
}

int main(void)
{
    return cn_run(run, NULL, NULL) < 0;
}
