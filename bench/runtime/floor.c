/* floor CASE N: the least that tasks, groups, channels and timers can cost on
 * this machine. x86-64 only.
 *
 * No library: no error handling, no shields, no nesting, no checks, nothing
 * allocated per operation. A task takes a stack when it first runs; one that
 * ends runs the next new task on its own warm stack. The runtime's figures
 * (bench.c) are held against these, case by case, in the same run.
 *
 * CASE: switch, spawn, yield, channel, cancel (and memory), timer, thread.
 */
#include "bench.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct group;

struct task {
    void *sp;
    struct task *next;         /* ready */
    struct task *left, *right; /* siblings */
    struct group *group;
    void (*fn)(void *arg);
    void *arg;
    void (*abort)(struct task *t);
    int64_t due, value;
    long place; /* in the heap */
    bool cancelled;
    char *stack; /* its top; NULL until it first runs */
};

struct group {
    struct task *tasks, *waiter;
    long count;
};

static struct task home, *cur = &home, *ready, **ready_end = &ready;
static struct task *free_tasks, *tasks_next, *tasks_end;
static char *slab_next, *slab_end;
static void **free_stacks;
static long count, n;

#define SWITCH(from, to)                                                       \
    do {                                                                       \
        void **save_ = &(from)->sp;                                            \
        void *load_ = (to)->sp;                                                \
        __asm__ volatile("push %%rbp\n\tpush %%rbx\n\t"                        \
                         "lea 1f(%%rip), %%rax\n\tpush %%rax\n\t"              \
                         "mov %%rsp, (%0)\n\tmov %1, %%rsp\n\t"                \
                         "pop %%rax\n\tjmp *%%rax\n"                           \
                         "1:\tpop %%rbx\n\tpop %%rbp"                          \
                         : "+D"(save_), "+S"(load_)                            \
                         :                                                     \
                         : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11",      \
                           "r12", "r13", "r14", "r15", "memory", "cc");        \
    } while (0)

/* --- tasks ---------------------------------------------------------------- */

static void push(struct task *t)
{
    t->next = NULL;
    *ready_end = t;
    ready_end = &t->next;
}

static struct task *pop(void)
{
    struct task *t = ready;

    ready = t->next;
    if (!ready)
        ready_end = &ready;
    return t;
}

static __attribute__((noinline)) char *stack_get(void)
{
    static unsigned colour;
    void **found = free_stacks;

    if (found) {
        free_stacks = *found;
        return (char *)(found + 1);
    }
    if (slab_next == slab_end) {
        slab_next = mmap(NULL, (size_t)256 << 20, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (slab_next == MAP_FAILED)
            abort();
        slab_end = slab_next + ((size_t)256 << 20);
    }
    slab_next += 65536;
    return slab_next - 128 * (colour++ & 15); /* staggered tops */
}

static _Noreturn void task_main(void);

static void bind_stack(struct task *t)
{
    void **sp;

    t->stack = stack_get();
    sp = (void **)((uintptr_t)(t->stack - 8) & ~(uintptr_t)15);
    *--sp = NULL;
    *--sp = (void *)(uintptr_t)task_main;
    t->sp = sp;
}

static __attribute__((noinline)) void suspend(void)
{
    struct task *me = cur, *t = pop();

    if (t == me)
        return;
    if (!t->sp)
        bind_stack(t);
    cur = t;
    SWITCH(me, t);
}

static void leave_group(struct task *t)
{
    struct group *g = t->group;

    if (t->left)
        t->left->right = t->right;
    else
        g->tasks = t->right;
    if (t->right)
        t->right->left = t->left;
    if (--g->count == 0 && g->waiter) {
        push(g->waiter);
        g->waiter = NULL;
    }
}

static _Noreturn void task_main(void)
{
    for (;;) {
        static struct task dead; /* not in the frame: one line less of it */
        struct task *me = cur, *t;
        char *stack;
        void **link;

        me->fn(me->arg);
        leave_group(me);
        stack = me->stack;
        me->next = free_tasks;
        free_tasks = me;
        t = pop();
        cur = t;
        if (!t->sp) { /* no switch: run it here */
            t->stack = stack;
            t->sp = stack;
            continue;
        }
        link = (void **)stack - 1;
        *link = free_stacks;
        free_stacks = link;
        SWITCH(&dead, t);
        __builtin_unreachable();
    }
}

static struct task *task_alloc(void)
{
    struct task *t = free_tasks;

    if (t) {
        free_tasks = t->next;
        return t;
    }
    if (tasks_next == tasks_end) {
        tasks_next = aligned_alloc(64, sizeof(*t) * 4096);
        tasks_end = tasks_next + 4096;
    }
    return tasks_next++;
}

static void spawn(struct group *g, void (*fn)(void *arg), void *arg)
{
    struct task *t = task_alloc();

    *t = (struct task){.fn = fn, .arg = arg, .group = g, .right = g->tasks};
    if (g->tasks)
        g->tasks->left = t;
    g->tasks = t;
    g->count++;
    push(t);
}

static void join(struct group *g)
{
    if (!g->count)
        return;
    g->waiter = cur;
    suspend();
}

static void yield(void)
{
    push(cur);
    suspend();
}

/* --- timers ------------------------------------------------------------------ */

struct entry {
    int64_t due;
    struct task *task;
};

static struct entry *heap; /* 1-based */
static long heap_count;

static void place(long i, struct entry e)
{
    heap[i] = e;
    e.task->place = i;
}

static void sift_up(long i, struct entry e)
{
    for (; i > 1 && heap[(i + 2) / 4].due > e.due; i = (i + 2) / 4)
        place(i, heap[(i + 2) / 4]);
    place(i, e);
}

static void sift_down(long i, struct entry e)
{
    for (;;) {
        long child = 4 * i - 2, best = child;
        long end = child + 4 <= heap_count + 1 ? child + 4 : heap_count + 1;

        for (long c = child + 1; c < end; c++)
            if (heap[c].due < heap[best].due)
                best = c;
        if (child > heap_count || heap[best].due >= e.due)
            break;
        place(i, heap[best]);
        i = best;
    }
    place(i, e);
}

static void arm(struct task *t, int64_t due)
{
    sift_up(++heap_count, (struct entry){.due = due, .task = t});
}

static void disarm(struct task *t)
{
    struct entry last = heap[heap_count--];
    long i = t->place;

    if (last.task == t)
        return;
    if (i > 1 && heap[(i + 2) / 4].due > last.due)
        sift_up(i, last);
    else
        sift_down(i, last);
}

static void sleep_abort(struct task *t)
{
    disarm(t);
    push(t);
}

static bool sleep_until(int64_t due)
{
    arm(cur, due);
    cur->abort = sleep_abort;
    suspend();
    return !cur->cancelled;
}

static void cancel(struct group *g)
{
    for (struct task *t = g->tasks; t; t = t->right) {
        t->cancelled = true;
        t->abort(t);
    }
}

/* --- a rendezvous channel of one word ------------------------------------------ */

struct channel {
    struct task *senders, *receivers;
};

static void channel_send(struct channel *c, int64_t value)
{
    struct task *r = c->receivers;

    if (r) {
        c->receivers = r->right;
        r->value = value;
        push(r);
        return;
    }
    cur->value = value;
    cur->right = c->senders;
    c->senders = cur;
    suspend();
}

static int64_t channel_receive(struct channel *c)
{
    struct task *s = c->senders;

    if (s) {
        c->senders = s->right;
        push(s);
        return s->value;
    }
    cur->right = c->receivers;
    c->receivers = cur;
    suspend();
    return cur->value;
}

/* --- cases ------------------------------------------------------------------------ */

static void body_yield(void *arg)
{
    (void)arg;
    for (long i = 0; i < n; i++)
        yield();
}

static void body_nothing(void *arg)
{
    (void)arg;
    count++;
}

static void body_once(void *arg)
{
    (void)arg;
    yield();
    count++;
}

static void body_sleep(void *arg)
{
    (void)arg;
    if (!sleep_until(INT64_MAX))
        count++;
}

static void body_echo(void *arg)
{
    struct channel *c = arg;

    for (long i = 0; i < n; i++)
        channel_send(&c[1], channel_receive(&c[0]));
}

static void case_switch(struct group *g)
{
    int64_t start = bench_cpu();

    spawn(g, body_yield, NULL);
    spawn(g, body_yield, NULL);
    join(g);
    bench_print("switch", (double)(bench_cpu() - start) / (2.0 * (double)n));
}

static void case_spawn(struct group *g, const char *name, void (*fn)(void *arg))
{
    int64_t start = bench_cpu();

    for (long i = 0; i < n; i += 1000) {
        for (int j = 0; j < 1000; j++)
            spawn(g, fn, NULL);
        join(g);
    }
    bench_print(name, (double)(bench_cpu() - start) / (double)count);
}

static void case_channel(struct group *g)
{
    struct channel c[2] = {{0}};
    int64_t start = bench_cpu();

    /* The echo is no member of the list: its links are the channels'. */
    spawn(g, body_echo, c);
    g->tasks = NULL;
    for (long i = 0; i < n; i++) {
        channel_send(&c[0], i);
        channel_receive(&c[1]);
    }
    bench_print("channel", (double)(bench_cpu() - start) / (double)n);
}

static void case_cancel(struct group *g)
{
    int64_t memory = bench_memory(), start = bench_cpu();

    for (long i = 0; i < n; i++)
        spawn(g, body_sleep, NULL);
    yield();
    bench_print("memory", (double)(bench_memory() - memory) / (double)n);
    bench_print("start", (double)(bench_cpu() - start) / (double)n);
    start = bench_cpu();
    cancel(g);
    join(g);
    bench_print("cancel", (double)(bench_cpu() - start) / (double)count);
}

/* A timeout that does not strike: armed, disarmed; 1000 others are armed. */
static void case_timer(void)
{
    static struct task others[1000], one;
    int64_t start;

    for (int i = 0; i < 1000; i++)
        arm(&others[i], i);
    start = bench_cpu();
    for (long i = 0; i < n; i++) {
        arm(&one, 1000 + i);
        disarm(&one);
    }
    bench_print("scope", (double)(bench_cpu() - start) / (double)n);
}

/* --- a job for one thread: futex there, eventfd and epoll back ------------------- */

static _Atomic uint32_t job;
static int done_fd;

static void *worker(void *arg)
{
    uint64_t one = 1;

    for (;;) {
        while (!atomic_load(&job))
            syscall(SYS_futex, &job, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
        atomic_store(&job, 0);
        if (write(done_fd, &one, sizeof(one)) != sizeof(one))
            abort();
    }
    return arg;
}

static void case_thread(void)
{
    struct epoll_event e = {.events = EPOLLIN};
    int ep = epoll_create1(EPOLL_CLOEXEC);
    uint64_t value;
    pthread_t id;
    int64_t start;

    done_fd = eventfd(0, EFD_NONBLOCK);
    epoll_ctl(ep, EPOLL_CTL_ADD, done_fd, &e);
    pthread_create(&id, NULL, worker, NULL);
    start = bench_cpu();
    for (long i = 0; i < n; i++) {
        atomic_store(&job, 1);
        syscall(SYS_futex, &job, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        while (epoll_wait(ep, &e, 1, -1) != 1)
            ;
        if (read(done_fd, &value, sizeof(value)) != sizeof(value))
            abort();
    }
    bench_print("thread", (double)(bench_cpu() - start) / (double)n);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    struct group g = {0};

    n = argc > 2 ? atol(argv[2]) : 1000000;
    heap = malloc(((size_t)n + 1002) * sizeof(*heap));
    if (!heap)
        abort();
    if (strcmp(name, "switch") == 0)
        case_switch(&g);
    else if (strcmp(name, "spawn") == 0)
        case_spawn(&g, "spawn", body_nothing);
    else if (strcmp(name, "yield") == 0)
        case_spawn(&g, "yield", body_once);
    else if (strcmp(name, "channel") == 0)
        case_channel(&g);
    else if (strcmp(name, "cancel") == 0)
        case_cancel(&g);
    else if (strcmp(name, "timer") == 0)
        case_timer();
    else if (strcmp(name, "thread") == 0)
        case_thread();
    exit(0);
}
