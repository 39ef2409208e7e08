/* Hooks: who wants to know what the loop does. */
#include "runtime/sched.h"

#include <stdlib.h>

struct cn_hook {
    struct cn_hook *next;
    struct cn_hooks hooks;
};

int cn_hooks_add(const struct cn_hooks *hooks)
{
    struct cn_loop *l = cn_loop_self();
    struct cn_hook *hook;

    if (!l)
        return CN_ENOTASK;
    hook = malloc(sizeof(*hook));
    if (!hook)
        return CN_ENOMEM;
    *hook = (struct cn_hook){.next = l->hooks, .hooks = *hooks};
    l->hooks = hook;
    l->mode |= CN_MODE_HOOKS;
    l->switches = 1; /* from the next switch on */
    return 0;
}

void cn_hooks_done(struct cn_loop *l)
{
    struct cn_hook *hook;

    while ((hook = l->hooks)) {
        l->hooks = hook->next;
        free(hook);
    }
}

void cn_hooks_spawned(struct cn_loop *l, struct cn_task *t)
{
    for (struct cn_hook *it = l->hooks; it; it = it->next)
        if (it->hooks.task_spawned)
            it->hooks.task_spawned(it->hooks.user, t);
}

void cn_hooks_switch(struct cn_loop *l, struct cn_task *t)
{
    for (struct cn_hook *it = l->hooks; it; it = it->next)
        if (it->hooks.task_switch)
            it->hooks.task_switch(it->hooks.user, t);
}

void cn_hooks_exited(struct cn_loop *l, struct cn_task *t, int rc)
{
    for (struct cn_hook *it = l->hooks; it; it = it->next)
        if (it->hooks.task_exited)
            it->hooks.task_exited(it->hooks.user, t, rc);
}

void cn_hooks_before_wait(struct cn_loop *l, cn_time deadline)
{
    for (struct cn_hook *it = l->hooks; it; it = it->next)
        if (it->hooks.before_wait)
            it->hooks.before_wait(it->hooks.user, deadline);
}

void cn_hooks_after_wait(struct cn_loop *l)
{
    for (struct cn_hook *it = l->hooks; it; it = it->next)
        if (it->hooks.after_wait)
            it->hooks.after_wait(it->hooks.user);
}
