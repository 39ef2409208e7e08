/* The model checker: random programs run in the runtime and in the model
 * (model.h), and every result of every call, with its time, must be the same.
 *
 *     model_test [PROGRAMS [FIRST_SEED]]
 *
 * A difference prints the seed, the program, and both traces up to there;
 * `model_test 1 SEED` replays it.
 */
#include "model.h"
#include "rt.h"

enum { NODES = 200, LOCKS = 2, CHANNELS = 3, CHILDREN = 3, TRACE = 4000 };

enum kind {
    SLEEP,
    CHECKPOINT,
    SEND,
    RECV,
    CANCEL,
    SHIELD,
    DEADLINE,
    FAIL,
    LOCK,
    SCOPE,
    GROUP,
    KINDS
};

static const char *const names[KINDS] = {
    "sleep",    "checkpoint", "send", "recv",  "cancel", "shield",
    "deadline", "fail",       "lock", "scope", "group"};

struct node {
    enum kind kind;
    int id;
    bool go_on, flag, flag2; /* after an error; shield, fail */
    int64_t number;          /* a time, a channel, a lock, an item */
    struct node *target;     /* of cancel, shield, deadline */
    struct node *body, *next;
    struct node *children[CHILDREN];
    union {
        struct cn_scope scope;
        struct cn_group group;
    } real;
    union {
        struct m_scope scope;
        struct m_group group;
    } model;
    bool open;
};

struct event {
    int node, rc;
    int64_t now;
};

static struct {
    uint64_t random;
    struct node nodes[NODES];
    int node_count;
    bool is_real;
    struct event trace[2][TRACE];
    int length[2];
    struct cn_lock locks[LOCKS];
    struct m_lock m_locks[LOCKS];
    struct cn_sender *tx[CHANNELS];
    struct cn_receiver *rx[CHANNELS];
    struct m_channel channels[CHANNELS];
} p;

static const size_t capacities[CHANNELS] = {0, 0, 2};

/* --- making programs -------------------------------------------------------------- */

static uint64_t draw(uint64_t n)
{
    uint64_t z = (p.random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % n;
}

/* So many nanoseconds that no two events fall together. */
static int64_t draw_time(void)
{
    return 1 + (int64_t)draw(UINT64_C(1) << 40);
}

static struct node *make_block(int depth);

static struct node *make_node(int depth)
{
    bool deep = depth >= 6 || p.node_count > NODES - 40;
    struct node *n = &p.nodes[p.node_count];

    n->id = p.node_count++;
    n->kind = (enum kind)draw(deep ? LOCK : KINDS);
    if (!deep && draw(4) == 0)
        n->kind = GROUP;
    n->go_on = draw(3) == 0;
    n->flag = draw(3) == 0;
    n->flag2 = draw(2);
    n->number = draw_time();
    n->target = &p.nodes[draw((uint64_t)p.node_count)];
    if (n->kind == SCOPE && draw(2))
        n->number = draw(6) ? INT64_MAX : 0; /* no deadline, or a past one */
    if (n->kind == DEADLINE && draw(4) == 0)
        n->number = 0;
    if (n->kind >= LOCK)
        n->body = make_block(depth + 1);
    if (n->kind == GROUP)
        for (uint64_t i = draw(CHILDREN + 1); i-- > 0;)
            n->children[i] = make_block(depth + 1);
    return n;
}

static struct node *make_block(int depth)
{
    struct node *first = NULL, **end = &first;

    for (uint64_t i = 1 + draw(6); i-- > 0 && p.node_count < NODES - 1;) {
        *end = make_node(depth);
        end = &(*end)->next;
    }
    return first;
}

/* A group of three, in a scope with a deadline that ends most of what would
 * otherwise wait for ever. */
static struct node *make_program(void)
{
    struct node *scope = &p.nodes[0], *group = &p.nodes[1];

    p.node_count = 2;
    *scope = (struct node){.kind = SCOPE, .body = group};
    *group = (struct node){.kind = GROUP, .id = 1};
    scope->number = INT64_C(1) << 42;
    scope->target = group->target = scope;
    for (int i = 0; i < CHILDREN; i++)
        group->children[i] = make_block(1);
    group->body = make_block(1);
    return scope;
}

static void print_block(const struct node *n, int depth)
{
    for (; n; n = n->next) {
        fprintf(stderr, "%*s%d: %s %lld%s%s%s", 2 * depth, "", n->id,
                names[n->kind], (long long)n->number, n->flag ? " shield" : "",
                n->flag2 ? " fail" : "", n->go_on ? " go on" : "");
        if (n->kind >= CANCEL && n->kind <= DEADLINE)
            fprintf(stderr, " of %d", n->target->id);
        fprintf(stderr, "\n");
        print_block(n->body, depth + 1);
        for (int i = 0; i < CHILDREN; i++) {
            if (n->children[i])
                fprintf(stderr, "%*schild:\n", 2 * depth + 2, "");
            print_block(n->children[i], depth + 2);
        }
    }
}

/* --- running them, here or there ------------------------------------------------------ */

static int run_block(void *first);

static int64_t now(void)
{
    return p.is_real ? cn_now() : m.now;
}

static int64_t after(int64_t delta)
{
    return delta == INT64_MAX ? INT64_MAX : now() + delta;
}

static int run_scope(struct node *n)
{
    int rc;

    if (p.is_real)
        cn_scope_open(&n->real.scope, after(n->number),
                      (n->flag ? CN_SHIELD : 0) | (n->flag2 ? CN_FAIL : 0));
    else
        m_scope_open(&n->model.scope, after(n->number), n->flag, n->flag2);
    n->open = true;
    rc = run_block(n->body);
    n->open = false;
    return p.is_real ? cn_scope_close(&n->real.scope, rc)
                     : m_scope_leave(&n->model.scope, rc);
}

static int run_group(struct node *n)
{
    int rc;

    if (p.is_real)
        cn_group_open(&n->real.group);
    else
        m_group_open(&n->model.group);
    n->open = true;
    for (int i = 0; i < CHILDREN; i++) {
        if (!n->children[i])
            continue;
        if (p.is_real)
            cn_spawn(&n->real.group, run_block, n->children[i]);
        else
            m_spawn(&n->model.group, run_block, n->children[i]);
    }
    rc = run_block(n->body);
    rc = p.is_real ? cn_group_close(&n->real.group, rc)
                   : m_group_close(&n->model.group, rc);
    n->open = false;
    return rc;
}

static int run_lock(struct node *n)
{
    uint64_t i = (uint64_t)n->number % LOCKS;
    int rc = p.is_real ? cn_lock_acquire(&p.locks[i])
                       : m_lock_acquire(&p.m_locks[i]);

    if (rc < 0)
        return rc;
    rc = run_block(n->body);
    if (p.is_real)
        cn_lock_release(&p.locks[i]);
    else
        m_lock_release(&p.m_locks[i]);
    return rc;
}

/* To a scope or a group that may be open in any task. */
static void meddle(struct node *n)
{
    struct node *t = n->target;

    if (!t->open)
        return;
    if (n->kind == CANCEL) {
        if (p.is_real)
            cn_scope_cancel(&t->real.scope, NULL);
        else
            m_scope_cancel(&t->model.scope);
    } else if (n->kind == SHIELD) {
        if (p.is_real)
            cn_scope_set_shield(&t->real.scope, n->flag);
        else
            m_scope_shield(&t->model.scope, n->flag);
    } else {
        if (p.is_real)
            cn_scope_set_deadline(&t->real.scope, after(n->number));
        else
            m_scope_deadline(&t->model.scope, after(n->number));
    }
}

static int run_channel(struct node *n)
{
    uint64_t c = (uint64_t)n->number % CHANNELS;
    int64_t item = n->id;
    int rc;

    if (n->kind == SEND)
        return p.is_real ? cn_send(p.tx[c], &item)
                         : m_send(&p.channels[c], item);
    item = -1;
    rc = p.is_real ? cn_recv(p.rx[c], &item) : m_recv(&p.channels[c], &item);
    return rc == 0 ? (int)item : rc; /* which item it was is compared, too */
}

static int run_node(struct node *n)
{
    switch (n->kind) {
    case SLEEP: return p.is_real ? cn_sleep(n->number) : m_sleep(n->number);
    case CHECKPOINT: return p.is_real ? cn_checkpoint() : m_checkpoint();
    case SEND:
    case RECV: return run_channel(n);
    case CANCEL:
    case SHIELD:
    case DEADLINE: meddle(n); return 0;
    case FAIL: return n->flag ? -EIO : 0;
    case LOCK: return run_lock(n);
    case SCOPE: return run_scope(n);
    case GROUP: return run_group(n);
    case KINDS: break;
    }
    return 0;
}

static int run_block(void *first)
{
    for (struct node *n = first; n; n = n->next) {
        int rc = run_node(n), *length = &p.length[p.is_real];

        if (*length < TRACE)
            p.trace[p.is_real][(*length)++] =
                (struct event){.node = n->id, .rc = rc, .now = now()};
        if (rc < 0 && !n->go_on)
            return rc;
    }
    return 0;
}

static int run_real(void *first)
{
    int rc;

    for (int i = 0; i < CHANNELS; i++)
        cn_chan_open(&p.tx[i], &p.rx[i], sizeof(int64_t), capacities[i]);
    rc = run_block(first);
    for (int i = 0; i < CHANNELS; i++) {
        cn_sender_close(p.tx[i]);
        cn_receiver_close(p.rx[i]);
    }
    return rc;
}

/* --- comparing ---------------------------------------------------------------------------- */

static bool same_event(const struct event *a, const struct event *b)
{
    return a->node == b->node && a->rc == b->rc && a->now == b->now;
}

static void print_difference(uint64_t seed, const struct node *first, int at)
{
    fprintf(stderr, "seed %llu: the runtime and the model differ\n",
            (unsigned long long)seed);
    print_block(first, 1);
    for (int i = 0; i <= at; i++)
        for (int real = 0; real < 2; real++)
            if (i < p.length[real])
                fprintf(stderr, "%s %3d: node %d -> %d at %lld\n",
                        real ? "runtime" : "model  ", i, p.trace[real][i].node,
                        p.trace[real][i].rc, (long long)p.trace[real][i].now);
}

static void reset_nodes(void)
{
    for (int i = 0; i < p.node_count; i++)
        p.nodes[i].open = false;
}

static bool check_seed(uint64_t seed)
{
    struct node *first;
    int want, rc, at = 0;

    memset(&p, 0, sizeof(p));
    p.random = seed;
    for (int i = 0; i < CHANNELS; i++)
        p.channels[i].capacity = (int)capacities[i];
    first = make_program();
    want = m_run(run_block, first, seed & 1);
    reset_nodes();
    p.is_real = true;
    rc = rt_run_as(run_real, first, seed & 1 ? CN_STRICT : 0, 0);
    while (at < p.length[0] && at < p.length[1] &&
           same_event(&p.trace[0][at], &p.trace[1][at]))
        at++;
    /* After a deadlock the runtime goes on, to clean up. */
    if (rc == want && at == p.length[0] &&
        (rc == CN_EDEADLOCK || at == p.length[1]))
        return true;
    fprintf(stderr, "result: %d, model: %d\n", rc, want);
    print_difference(seed, first, at);
    return false;
}

static uint64_t first_seed = 1, programs = 500;

static void test_programs(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed; seed < first_seed + programs; seed++)
        assert_true(check_seed(seed));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_programs)};

    if (argc > 1)
        programs = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
