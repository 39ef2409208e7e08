/* Conformance of what tasks wait for: locks, permits, items, several things
 * at once; above all, cancelled in the very turn in which it is handed over. */
#include "conformance.h"

/* --- handed over and cancelled in one turn ------------------------------------------ */

static struct cn_lock lock;
static struct cn_sem sem;
static struct cn_limiter limiter;

static int take_lock(void *arg)
{
    CHECK_INT(cn_lock_acquire(&lock), 0);
    ++*(int *)arg;
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    CHECK_INT(cn_lock_release(&lock), 0);
    return CN_ECANCELED;
}

static int take_permit(void *arg)
{
    CHECK_INT(cn_sem_acquire(&sem), 0);
    ++*(int *)arg;
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    CHECK_INT(cn_sem_release(&sem), 0);
    return CN_ECANCELED;
}

static int take_token(void *arg)
{
    CHECK_INT(cn_limiter_acquire(&limiter, NULL), 0);
    ++*(int *)arg;
    CHECK_INT(cn_checkpoint(), CN_ECANCELED);
    CHECK_INT(cn_limiter_release(&limiter, NULL), 0);
    return CN_ECANCELED;
}

static int handed_and_cancelled(void *arg)
{
    struct cn_group g;
    int had = 0;

    (void)arg;
    lock = (struct cn_lock){0};
    sem = (struct cn_sem)CN_SEM_INIT(0, 1);
    limiter = (struct cn_limiter)CN_LIMITER_INIT(1);
    CHECK_INT(cn_lock_acquire(&lock), 0);
    CHECK_INT(cn_limiter_acquire(&limiter, &had), 0);
    cn_group_open(&g);
    cn_spawn(&g, take_lock, &had);
    cn_spawn(&g, take_permit, &had);
    cn_spawn(&g, take_token, &had);
    CHECK_INT(cn_wait_all_blocked(), 0);
    CHECK_INT(cn_lock_release(&lock), 0);
    CHECK_INT(cn_sem_release(&sem), 0);
    CHECK_INT(cn_limiter_release(&limiter, &had), 0);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(had, 3);
    CHECK(!cn_lock_locked(&lock));
    CHECK_INT(cn_sem_value(&sem), 1);
    CHECK_INT(cn_limiter_available(&limiter), 1);
    cn_limiter_done(&limiter);
    return 0;
}

static int want_lock(void *arg)
{
    int rc = cn_lock_acquire(&lock);

    if (rc == 0) {
        ++*(int *)arg;
        CHECK_INT(cn_lock_release(&lock), 0);
    }
    return rc;
}

/* The first in the queue is cancelled, then the lock is released: the second
 * gets it. */
static int next_in_line(void *arg)
{
    struct cn_group g;
    struct cn_task *first;
    int had = 0;

    (void)arg;
    lock = (struct cn_lock){0};
    CHECK_INT(cn_lock_acquire(&lock), 0);
    cn_group_open(&g);
    cn_spawn_opt(&g, want_lock, &had, NULL, &first);
    CHECK_INT(cn_wait_all_blocked(), 0);
    cn_spawn(&g, want_lock, &had);
    CHECK_INT(cn_wait_all_blocked(), 0);
    cn_task_cancel(first, NULL);
    CHECK_INT(cn_lock_release(&lock), 0);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(had, 1);
    return 0;
}

struct pipe {
    struct cn_sender *tx;
    struct cn_receiver *rx;
    int64_t got;
    int items;
};

static int receive_then_cancelled(void *arg)
{
    struct pipe *p = arg;

    CHECK_INT(cn_recv(p->rx, &p->got), 0);
    p->items++;
    CHECK_INT(cn_recv(p->rx, &p->got), CN_ECANCELED);
    return CN_ECANCELED;
}

static int item_and_cancelled(void *arg)
{
    struct pipe p = {0};
    struct cn_group g;
    int64_t item = 9;

    (void)arg;
    CHECK_INT(cn_chan_open(&p.tx, &p.rx, sizeof(item), 0), 0);
    cn_group_open(&g);
    cn_spawn(&g, receive_then_cancelled, &p);
    CHECK_INT(cn_wait_all_blocked(), 0);
    CHECK_INT(cn_send_nowait(p.tx, &item), 0);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(p.got, 9);
    CHECK_INT(p.items, 1);
    cn_sender_close(p.tx);
    cn_receiver_close(p.rx);
    return 0;
}

static int send_once(void *arg)
{
    struct pipe *p = arg;
    int64_t item = 5;
    int rc = cn_send(p->tx, &item);

    if (rc == 0)
        p->items++;
    return rc;
}

static int send_cancelled(void *arg)
{
    struct pipe p = {0};
    struct cn_group g;

    (void)arg;
    CHECK_INT(cn_chan_open(&p.tx, &p.rx, sizeof(p.got), 0), 0);
    cn_group_open(&g);
    cn_spawn(&g, send_once, &p);
    CHECK_INT(cn_wait_all_blocked(), 0);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_recv_nowait(p.rx, &p.got), CN_EAGAIN);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(p.items, 0);
    cn_group_open(&g);
    cn_spawn(&g, send_once, &p);
    CHECK_INT(cn_wait_all_blocked(), 0);
    CHECK_INT(cn_recv_nowait(p.rx, &p.got), 0);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(p.items, 1);
    cn_sender_close(p.tx);
    cn_receiver_close(p.rx);
    return 0;
}

/* --- fairness, closing --------------------------------------------------------------- */

static int queue_for_item(void *arg)
{
    struct pipe *p = arg;
    int64_t item;

    CHECK_INT(cn_recv(p->rx, &item), 0);
    CHECK_INT(item, p->items++);
    return 0;
}

static int fair_channel(void *arg)
{
    struct pipe p = {0};
    struct cn_group g;

    (void)arg;
    CHECK_INT(cn_chan_open(&p.tx, &p.rx, sizeof(int64_t), 0), 0);
    cn_group_open(&g);
    for (int i = 0; i < 5; i++) {
        cn_spawn(&g, queue_for_item, &p);
        CHECK_INT(cn_wait_all_blocked(), 0);
    }
    for (int64_t i = 0; i < 5; i++) {
        CHECK_INT(cn_send(p.tx, &i), 0);
        CHECK_INT(cn_wait_all_blocked(), 0); /* shuffled: one at a time */
    }
    CHECK_INT(cn_group_close(&g, 0), 0);
    cn_sender_close(p.tx);
    cn_receiver_close(p.rx);
    return 0;
}

static int expect_end(void *arg)
{
    struct pipe *p = arg;

    CHECK_INT(cn_recv(p->rx, &p->got), CN_EEND);
    return 0;
}

static int expect_broken(void *arg)
{
    struct pipe *p = arg;
    int64_t item = 0;

    CHECK_INT(cn_send(p->tx, &item), CN_EBROKEN);
    return 0;
}

static int ends_close(void *arg)
{
    struct pipe p = {0}, q = {0};
    struct cn_sender *clone;
    struct cn_group g;

    (void)arg;
    CHECK_INT(cn_chan_open(&p.tx, &p.rx, sizeof(int64_t), 0), 0);
    CHECK_INT(cn_chan_open(&q.tx, &q.rx, sizeof(int64_t), 0), 0);
    clone = cn_sender_clone(p.tx);
    cn_group_open(&g);
    cn_spawn(&g, expect_end, &p);
    cn_spawn(&g, expect_broken, &q);
    CHECK_INT(cn_wait_all_blocked(), 0);
    cn_sender_close(p.tx);
    CHECK_INT(cn_wait_all_blocked(), 0);
    CHECK_INT(cn_group_task_count(&g), 2); /* the clone is open */
    cn_sender_close(clone);
    cn_receiver_close(q.rx);
    CHECK_INT(cn_group_close(&g, 0), 0);
    cn_receiver_close(p.rx);
    cn_sender_close(q.tx);
    return 0;
}

static int zero_size_items(void *arg)
{
    struct pipe p = {0};
    struct cn_group g;

    (void)arg;
    CHECK_INT(cn_chan_open(&p.tx, &p.rx, 0, 0), 0);
    cn_group_open(&g);
    cn_spawn(&g, send_once, &p);
    CHECK_INT(cn_recv(p.rx, NULL), 0);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(p.items, 1);
    cn_sender_close(p.tx);
    cn_receiver_close(p.rx);
    return 0;
}

/* --- select ----------------------------------------------------------------------------- */

struct race {
    struct cn_receiver *a, *b;
    int64_t from_a, from_b;
    int won;
};

static int race_for_items(void *arg)
{
    struct race *r = arg;
    struct cn_case c[] = {CN_CASE_RECEIVE(r->a, &r->from_a),
                          CN_CASE_RECEIVE(r->b, &r->from_b)};

    r->won = cn_select(c, 2);
    return 0;
}

/* Both cases become possible in one turn: one happens, the other's item
 * stays. */
static int loser_in_the_same_turn(void *arg)
{
    struct cn_sender *a, *b;
    struct race r = {.won = -1};
    struct cn_group g;
    int64_t item = 1, left = 0;

    (void)arg;
    CHECK_INT(cn_chan_open(&a, &r.a, sizeof(item), 1), 0);
    CHECK_INT(cn_chan_open(&b, &r.b, sizeof(item), 1), 0);
    cn_group_open(&g);
    cn_spawn(&g, race_for_items, &r);
    CHECK_INT(cn_wait_all_blocked(), 0);
    CHECK_INT(cn_send_nowait(a, &item), 0);
    CHECK_INT(cn_send_nowait(b, &item), 0);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(r.won, 0);
    CHECK_INT(r.from_a, 1);
    CHECK_INT(r.from_b, 0);
    CHECK_INT(cn_recv_nowait(r.b, &left), 0);
    CHECK_INT(cn_recv_nowait(r.a, &left), CN_EAGAIN);
    cn_sender_close(a);
    cn_sender_close(b);
    cn_receiver_close(r.a);
    cn_receiver_close(r.b);
    return 0;
}

/* --- limiter, locks left behind ----------------------------------------------------------- */

static int hold_token(void *arg)
{
    int rc = cn_limiter_acquire(&limiter, NULL);

    if (rc < 0)
        return rc;
    ++*(int *)arg;
    rc = cn_sleep(CN_NEVER);
    CHECK_INT(cn_limiter_release(&limiter, NULL), 0);
    return rc;
}

static int limiter_moves(void *arg)
{
    struct cn_group g;
    int holders = 0;

    (void)arg;
    limiter = (struct cn_limiter)CN_LIMITER_INIT(1);
    cn_group_open(&g);
    for (int i = 0; i < 5; i++)
        cn_spawn(&g, hold_token, &holders);
    CHECK_INT(cn_wait_all_blocked(), 0);
    CHECK_INT(holders, 1);
    cn_limiter_set_total(&limiter, 4);
    CHECK_INT(cn_limiter_acquire_nowait(&limiter, &g), CN_EAGAIN);
    CHECK_INT(cn_wait_all_blocked(), 0);
    CHECK_INT(holders, 4);
    cn_limiter_set_total(&limiter, 2);
    CHECK_INT(cn_limiter_waiting(&limiter), 1);
    CHECK_INT(cn_limiter_available(&limiter), 0);
    cn_scope_cancel(cn_group_scope(&g), NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(cn_limiter_available(&limiter), 2);
    cn_limiter_done(&limiter);
    return 0;
}

static int end_with_lock(void *arg)
{
    (void)arg;
    return cn_lock_acquire(&lock);
}

static int lock_of_the_dead(void *arg)
{
    struct cn_group g;

    (void)arg;
    lock = (struct cn_lock){0};
    cn_group_open(&g);
    cn_spawn(&g, end_with_lock, NULL);
    CHECK_INT(cn_group_close(&g, 0), 0);
    CHECK_INT(cn_lock_acquire(&lock), CN_ECANCELED);
    return CN_ECANCELED;
}

int main(void)
{
    static const struct behaviour all[] = {
        {"handed a lock, permit, token and cancelled in one turn: it has it",
         "anyio test_cancelled_after_acquire, test_cancel_after_release",
         handed_and_cancelled, 0},
        {"the first in the queue is cancelled: the next is served",
         "anyio test_notification_handover_on_cancel", next_in_line, 0},
        {"handed an item and cancelled in one turn: it has it",
         "anyio test_cancel_during_receive_buffered", item_and_cancelled, 0},
        {"a cancelled send was not received, or was",
         "anyio test_send_when_cancelled", send_cancelled, 0},
        {"first come, first served at a channel", "trio test_channel_fairness",
         fair_channel, 0},
        {"closing either end wakes the other",
         "anyio test_close_send_while_receiving, "
         "test_close_receive_while_sending",
         ends_close, 0},
        {"a rendezvous of nothing", "-", zero_size_items, 0},
        {"select: the loser of the same turn keeps its item",
         "libdill tests/choose.c", loser_in_the_same_turn, 0},
        {"limiter moved up and down with waiters",
         "anyio test_increase_tokens_lets_others_acquire, "
         "test_increase_tokens_does_not_oversubscribe",
         limiter_moves, 0},
        {"a task ends holding a lock: reported as a deadlock", "trio#182",
         lock_of_the_dead, CN_EDEADLOCK},
    };

    return conformance("Waiting", all, CN_COUNT(all));
}
