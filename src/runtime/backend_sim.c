/* backend_sim: the world without a kernel; sim.h says what it is for.
 *
 * An operation is given a fate when it is submitted: what it will come to and
 * not before when. wait() ends all whose time has come and that can be done,
 * one after the other in an order drawn from the seed. The clock is the
 * core's; next() tells it how far to jump.
 *
 * Invariant: an accepted operation is on the list; nothing here depends on
 * addresses or on real time, so a seed repeats a run.
 */
#include "runtime/backend_sim.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SCRIPT_MAX = 64 };

struct cn_backend {
    struct cn_loop *loop;
    struct sim_net net;
    struct cn_sim_options o;
    uint32_t skipped[SCRIPT_MAX];
    bool used[SCRIPT_MAX];
    uint64_t random, submitted;
    struct cn_link ops; /* struct sop, oldest first */
    _Atomic uint32_t woken;
};

/* What lives in the scratch of an operation. */
struct sop {
    struct cn_link link;
    cn_time due;
    int64_t result; /* or CN_SIM_REAL, CN_SIM_STUCK */
    bool cancelled;
    bool ours; /* on a file of the net, which may be gone by now */
};

_Static_assert(sizeof(struct sop) <= sizeof(((struct cn_op *)0)->scratch),
               "scratch is large enough");

static struct sop *sop_of(struct cn_op *op)
{
    return (struct sop *)(void *)op->scratch;
}

static struct sop *sop_of_link(struct cn_link *link)
{
    return CN_CONTAINER(link, struct sop, link);
}

static struct cn_op *op_of(struct sop *s)
{
    void *scratch = s;

    return CN_CONTAINER(scratch, struct cn_op, scratch);
}

/* --- chance -------------------------------------------------------------- */

static uint64_t draw(struct cn_backend *b)
{
    uint64_t z = (b->random += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool chance(struct cn_backend *b, unsigned permille)
{
    return permille && draw(b) % 1000 < permille;
}

/* Fewer bytes than asked for, or no limit. */
static size_t draw_limit(struct cn_backend *b)
{
    if (!chance(b, b->o.short_permille))
        return SIZE_MAX;
    return 1 + draw(b) % (draw(b) % 2 ? 7 : 4096);
}

static cn_time draw_delay(struct cn_backend *b)
{
    if (b->o.delay_max <= 0 || !chance(b, b->o.delay_permille))
        return 0;
    return 1 + (cn_time)(draw(b) % (uint64_t)b->o.delay_max);
}

/* What the system might say. */
static int64_t draw_error(struct cn_backend *b, const struct cn_op *op)
{
    static const int reading[] = {-ECONNRESET, -EIO, -ETIMEDOUT, -ENOBUFS};
    static const int writing[] = {-EPIPE, -ECONNRESET, -ENOSPC, -EIO};
    static const int accepting[] = {-EMFILE, -ECONNABORTED, -ENFILE, -ENOBUFS};
    static const int connecting[] = {-ECONNREFUSED, -ETIMEDOUT, -EHOSTUNREACH,
                                     -EADDRNOTAVAIL};
    static const int paths[] = {-EIO, -EACCES, -ENOSPC, -ELOOP};
    const int *from = paths;

    switch ((enum cn_opcode)op->opcode) {
    case CN_OP_POLL:
    case CN_OP_READ:
    case CN_OP_RECV:
    case CN_OP_RECVMSG: from = reading; break;
    case CN_OP_WRITE:
    case CN_OP_SEND:
    case CN_OP_SENDMSG: from = writing; break;
    case CN_OP_ACCEPT: from = accepting; break;
    case CN_OP_CONNECT: from = connecting; break;
    default: break;
    }
    return from[draw(b) % 4];
}

/* --- the script ---------------------------------------------------------- */

static bool fits(const struct cn_sim_step *step, const struct cn_op *op)
{
    return (step->opcode == CN_SIM_ANY || step->opcode == op->opcode) &&
           (step->fd == CN_SIM_ANY || step->fd == op->fd);
}

static const struct cn_sim_step *scripted(struct cn_backend *b,
                                          const struct cn_op *op)
{
    for (size_t i = 0; i < b->o.script_len; i++) {
        if (b->used[i] || !fits(&b->o.script[i], op))
            continue;
        if (b->skipped[i]++ < b->o.script[i].skip)
            continue;
        b->used[i] = true;
        return &b->o.script[i];
    }
    return NULL;
}

/* --- operations ---------------------------------------------------------- */

static int accept_op(struct cn_backend *b, struct cn_op *op, int64_t result,
                     cn_time delay)
{
    struct sop *s = sop_of(op);

    s->due = cn_loop_now(b->loop) + delay;
    s->result = result;
    s->cancelled = false;
    s->ours = cn_sim_knows(&b->net, op);
    cn_list_push_back(&b->ops, &s->link);
    return CN_PENDING;
}

static bool may_fail(struct cn_backend *b, const struct cn_op *op)
{
    return op->opcode != CN_OP_CLOSE && chance(b, b->o.fail_permille);
}

/* Can the system do it without waiting, for a delayed CN_SIM_REAL? */
static bool can_try(const struct cn_backend *b, const struct cn_op *op)
{
    return cn_sim_knows(&b->net, op) ||
           (op->opcode != CN_OP_POLL && op->opcode != CN_OP_CONNECT &&
            op->opcode != CN_OP_CLOSE && op->opcode != CN_OP_WAITPID);
}

static int sim_submit(struct cn_backend *b, struct cn_op *op, int64_t *now)
{
    const struct cn_sim_step *step;
    cn_time delay;

    if (++b->submitted == b->o.fail_submit)
        return CN_ENOMEM;
    step = scripted(b, op);
    if (step && (step->result != CN_SIM_REAL || can_try(b, op)))
        return accept_op(b, op, step->result, step->delay);
    delay = draw_delay(b);
    if (may_fail(b, op))
        return accept_op(b, op, draw_error(b, op), delay);
    if (!cn_sim_knows(&b->net, op))
        return -EOPNOTSUPP;
    if (cn_op_no_waiting(op) || (!delay && cn_sim_ready(&b->net, op) &&
                                 !chance(b, b->o.defer_permille))) {
        *now = cn_sim_attempt(&b->net, op, draw_limit(b));
        return CN_DONE;
    }
    return accept_op(b, op, CN_SIM_REAL, delay);
}

static int sim_cancel(struct cn_backend *b, struct cn_op *op)
{
    struct sop *s = sop_of(op);

    if (!chance(b, b->o.late_permille)) {
        cn_list_remove(&s->link);
        return CN_ABORTED;
    }
    s->cancelled = true;
    s->due = cn_loop_now(b->loop) + draw_delay(b);
    return CN_PENDING;
}

/* --- completions --------------------------------------------------------- */

/* Can it be ended, its time given? */
static bool is_ready(const struct cn_backend *b, struct sop *s)
{
    if (s->cancelled)
        return true;
    if (s->result == CN_SIM_STUCK)
        return false;
    if (s->result != CN_SIM_REAL)
        return true;
    return !cn_sim_knows(&b->net, op_of(s)) || cn_sim_ready(&b->net, op_of(s));
}

/* A cancelled one may have won the race. A delayed operation on something
 * real is carried out on the spot: the script asked for it. */
static int64_t outcome(struct cn_backend *b, struct sop *s)
{
    struct cn_op *op = op_of(s);
    int64_t n = s->result;

    if (s->cancelled && (n == CN_SIM_STUCK || draw(b) % 2))
        return CN_ECANCELED;
    if (n != CN_SIM_REAL)
        return n;
    n = s->ours ? cn_sim_attempt(&b->net, op, draw_limit(b)) : cn_op_try(op);
    return s->cancelled && n == -EAGAIN ? CN_ECANCELED : n;
}

static struct sop *pick(struct cn_backend *b, cn_time now)
{
    struct sop *chosen = NULL;
    uint64_t n = 0;

    cn_list_for (it, &b->ops) {
        struct sop *s = sop_of_link(it);

        if (s->due <= now && is_ready(b, s) && draw(b) % ++n == 0)
            chosen = s;
    }
    return chosen;
}

static int end_due(struct cn_backend *b)
{
    cn_time now = cn_loop_now(b->loop);
    struct sop *s;
    int count = 0;

    while ((s = pick(b, now))) {
        struct cn_op *op = op_of(s);

        cn_list_remove(&s->link);
        cn_op_complete(op, outcome(b, s));
        count++;
    }
    return count;
}

static void sleep_until(struct cn_backend *b, cn_time deadline)
{
    struct timespec until = {.tv_sec = deadline / CN_SEC,
                             .tv_nsec = deadline % CN_SEC};

    syscall(SYS_futex, &b->woken, FUTEX_WAIT_BITSET_PRIVATE, 0,
            deadline == CN_NEVER ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
}

static int sim_wait(struct cn_backend *b, cn_time deadline)
{
    int n = end_due(b);

    if (n || deadline == INT64_MIN)
        return n;
    if (!atomic_load(&b->woken))
        sleep_until(b, deadline);
    atomic_store(&b->woken, 0);
    return 0;
}

static void sim_wake(struct cn_backend *b)
{
    int saved = errno;

    atomic_store(&b->woken, 1);
    syscall(SYS_futex, &b->woken, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    errno = saved;
}

static cn_time sim_next(struct cn_backend *b)
{
    cn_time next = CN_NEVER, now = cn_loop_now(b->loop);

    cn_list_for (it, &b->ops) {
        struct sop *s = sop_of_link(it);

        if (s->due < next && is_ready(b, s))
            next = s->due;
    }
    return next < now ? now : next;
}

/* --- opening ------------------------------------------------------------- */

static int sim_probe(void)
{
    return 0;
}

static int sim_open(struct cn_backend **out, struct cn_loop *l,
                    const struct cn_options *o)
{
    static const struct cn_sim_options defaults = {.late_permille = 500,
                                                   .defer_permille = 500};
    struct cn_backend *b = calloc(1, sizeof(*b));

    if (!b)
        return CN_ENOMEM;
    b->loop = l;
    b->o = o && o->sim ? *o->sim : defaults;
    if (b->o.script_len > SCRIPT_MAX) {
        free(b);
        return CN_EINVAL;
    }
    b->net.capacity = b->o.capacity ? b->o.capacity : 65536;
    b->random = (o ? o->seed : 0) ^ UINT64_C(0x5eed);
    cn_list_init(&b->ops);
    *out = b;
    return 0;
}

static void sim_close(struct cn_backend *b)
{
    cn_assert(cn_list_empty(&b->ops));
    cn_sim_net_done(&b->net);
    free(b);
}

/* Everything: the script may speak of it, and the rest is refused. */
static uint64_t sim_supports(struct cn_backend *b)
{
    (void)b;
    return (UINT64_C(1) << CN_OP_COUNT) - 1;
}

const struct cn_backend_ops cn_backend_sim = {
    .abi = CN_BACKEND_ABI,
    .traits = CN_BACKEND_VIRTUAL,
    .name = "sim",
    .probe = sim_probe,
    .open = sim_open,
    .close = sim_close,
    .supports = sim_supports,
    .submit = sim_submit,
    .cancel = sim_cancel,
    .wait = sim_wait,
    .wake = sim_wake,
    .next = sim_next,
};

struct sim_net *cn_sim_net(void)
{
    struct cn_loop *l = cn_loop_self();

    return l && l->ops == &cn_backend_sim ? &l->backend->net : NULL;
}
