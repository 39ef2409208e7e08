/* mailbox: what other threads have put in for the loop to do.
 *
 * One word: NULL (empty), ARMED (empty, and the loop sleeps), or the mail that
 * came last, linked to what came before. Posting is one compare-and-swap,
 * plus one wake() for the first mail that meets a sleeping loop; so a burst
 * costs one system call. Mail of one thread is delivered in its order.
 *
 * Invariant: only post() makes the word point to mail, and only the loop's
 * thread takes mail away, all of it at once.
 */
#include "runtime/sched.h"

#include <stdlib.h>

struct cn_mailbox {
    _Atomic(struct cn_mail *) last;
    struct cn_loop *loop;
};

#define ARMED ((struct cn_mail *)(uintptr_t)1) /* no such address */

int cn_mailbox_open(struct cn_loop *l)
{
    struct cn_mailbox *m = calloc(1, sizeof(*m));

    if (!m)
        return CN_ENOMEM;
    m->loop = l;
    l->mailbox = m;
    return 0;
}

void cn_mailbox_close(struct cn_loop *l)
{
    free(CN_TAKE(l->mailbox));
}

void cn_mailbox_post(struct cn_mailbox *m, struct cn_mail *mail)
{
    struct cn_mail *last = atomic_load_explicit(&m->last, memory_order_relaxed);

    do
        mail->next = last == ARMED ? NULL : last;
    while (!atomic_compare_exchange_weak(&m->last, &last, mail));
    if (last == ARMED)
        m->loop->ops->wake(m->loop->backend);
}

static struct cn_mail *oldest_first(struct cn_mail *last)
{
    struct cn_mail *first = NULL;

    while (last) {
        struct cn_mail *before = last->next;

        last->next = first;
        first = last;
        last = before;
    }
    return first;
}

uint32_t cn_mailbox_drain(struct cn_loop *l)
{
    struct cn_mail *mail;
    uint32_t n = 0;

    if (!atomic_load_explicit(&l->mailbox->last, memory_order_relaxed))
        return 0;
    mail = atomic_exchange(&l->mailbox->last, NULL);
    if (mail == ARMED)
        return 0;
    for (mail = oldest_first(mail); mail; n++) {
        struct cn_mail *next = mail->next; /* deliver may free it */

        mail->deliver(mail);
        mail = next;
    }
    return n;
}

bool cn_mailbox_arm(struct cn_loop *l)
{
    struct cn_mail *empty = NULL;

    return atomic_compare_exchange_strong(&l->mailbox->last, &empty, ARMED);
}

void cn_mailbox_disarm(struct cn_loop *l)
{
    struct cn_mail *mark = ARMED;

    atomic_compare_exchange_strong(&l->mailbox->last, &mark, NULL);
}
