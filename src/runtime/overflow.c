/* Stack overflow: said in words, instead of a bare SIGSEGV.
 *
 * A task that runs into the guard below its stack faults; the handler, on a
 * stack of its own, sees that the address is in the guard of the running
 * task, says so, and lets the default action happen, so that there is a core
 * file. The handler keeps no state, so any number of loops in any number of
 * threads may install it, and it stays installed. An application's own
 * handler for SIGSEGV is never replaced.
 */
#include "runtime/fiber.h"
#include "runtime/sched.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALTERNATE_SIZE = 64 * 1024, GUARD_REACH = 64 * 1024 };

static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));

    (void)ignored;
}

/* Nothing that takes a lock may be called here, so no symbol is looked up. */
static void say_address(uintptr_t address)
{
    char text[2 + 2 * sizeof(address) + 1] = "0x";

    for (size_t i = 0; i < 2 * sizeof(address); i++)
        text[2 + i] =
            "0123456789abcdef"[address >> (8 * sizeof(address) - 4 * (i + 1)) &
                               15];
    say(text);
}

static void say_task(const struct cn_task *t)
{
    say("canyon: stack overflow in task ");
    if (t->flags & CN_TASK_EXTENDED && cn_task_ext(t)->name[0]) {
        say(cn_task_ext(t)->name);
        say(", ");
    }
    say("function ");
    say_address((uintptr_t)t->fn);
    say("; more can be had with .stack_size\n");
}

static bool is_overflow(const struct cn_loop *l, const char *address)
{
    const struct cn_stack *s = l->cur->stack;

    return l->cur != &l->home && s && address < s->low + 256 &&
           address >= s->low - GUARD_REACH;
}

static void on_fault(int signo, siginfo_t *info, void *context)
{
    const struct cn_loop *l = cn_loop_self();

    (void)context;
    if (l && is_overflow(l, info->si_addr))
        say_task(l->cur);
    signal(signo, SIG_DFL); /* the instruction faults again, and dies */
}

static void install(void)
{
    struct sigaction now, ours = {.sa_sigaction = on_fault};

    if (sigaction(SIGSEGV, NULL, &now) < 0 || now.sa_handler != SIG_DFL)
        return;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    sigaction(SIGSEGV, &ours, NULL);
}

void cn_stack_watch(struct cn_loop *l)
{
    stack_t old, ours = {.ss_size = ALTERNATE_SIZE};

    if (sigaltstack(NULL, &old) < 0 || !(old.ss_flags & SS_DISABLE))
        return;
    ours.ss_sp = mmap(NULL, ALTERNATE_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ours.ss_sp == MAP_FAILED)
        return;
    l->signal_stack = ours.ss_sp;
    sigaltstack(&ours, NULL);
    install();
}

void cn_stack_unwatch(struct cn_loop *l)
{
    stack_t none = {.ss_flags = SS_DISABLE};

    if (!l->signal_stack)
        return;
    sigaltstack(&none, NULL);
    munmap(l->signal_stack, ALTERNATE_SIZE);
    l->signal_stack = NULL;
}
