/* The picture of a loop: its tree of groups, tasks and scopes.
 *
 *     loop 0x7ffd..: backend sim, now 1.500000000 s, 2 ready
 *     group root
 *       task main: waits, closing a group 0x7f..
 *         group listeners, 2 tasks, deadline in 0.500 s
 *           task serve: waits, receiving from a channel 0x55..
 *           task serve: ready
 *             scope shield, cancelled (deadline)
 *
 * A task's own scopes are listed under it, outermost first; the tasks of a
 * group under the group. Walks without memory of its own, by indentation
 * only; trees deeper than DEPTH_MAX are cut.
 */
#include "runtime/sched.h"

enum { DEPTH_MAX = 40 };

static void dump_task(const struct cn_loop *l, const struct cn_task *t, FILE *f,
                      int depth);

static void indent(FILE *f, int depth)
{
    fprintf(f, "%*s", 2 * depth, "");
}

static void dump_bits(const struct cn_loop *l, const struct cn_scope *s,
                      FILE *f)
{
    uint32_t bits = s->timer.flags;

    if (s->deadline != CN_NEVER)
        fprintf(f, ", deadline in %.3f s",
                (double)(s->deadline - l->now) / (double)CN_SEC);
    if (bits & CN_SHIELD)
        fprintf(f, ", shield");
    if (bits & CN_SCOPE_CALLED)
        fprintf(f, ", cancelled (%s)", s->reason ? s->reason : "no reason");
    else if (bits & CN_SCOPE_EFFECTIVE)
        fprintf(f, ", cancelled from outside");
}

static void dump_group(const struct cn_loop *l, const struct cn_group *g,
                       FILE *f, int depth)
{
    indent(f, depth);
    fprintf(f, "group %s%s%u tasks", g->name ? g->name : "",
            g->name ? ", " : "", g->task_count);
    dump_bits(l, &g->scope, f);
    if (g->error_count)
        fprintf(f, ", %u failed, first %s", g->error_count,
                cn_errname(g->first_code));
    fprintf(f, "\n");
    for (const struct cn_link *it = g->tasks.next; it != &g->tasks;
         it = it->next)
        dump_task(l, CN_CONTAINER(it, struct cn_task, link), f, depth + 1);
}

static void dump_scopes(const struct cn_loop *l, struct cn_scope *s, FILE *f,
                        int depth)
{
    for (; s && depth < DEPTH_MAX; s = s->inner) {
        const struct cn_group *g = cn_scope_group(s);

        if (g) {
            dump_group(l, g, f, depth);
        } else {
            indent(f, depth);
            fprintf(f, "scope");
            dump_bits(l, s, f);
            fprintf(f, "\n");
        }
        depth++;
    }
}

static void dump_state(const struct cn_loop *l, const struct cn_task *t,
                       FILE *f)
{
    const struct cn_wait *w = t->wait;

    if (t == l->cur)
        fprintf(f, ": running");
    else if (!w)
        fprintf(f, ": ready");
    else
        fprintf(f, ": %s%s", w->kind->what, w->object ? " " : "");
    if (w && w->object)
        fprintf(f, "%p", w->object);
    if (w && t->flags & CN_TASK_ABORTED)
        fprintf(f, ", cancelled, cannot stop yet");
    if (t->flags & CN_TASK_STARTING)
        fprintf(f, ", not started");
}

static void dump_task(const struct cn_loop *l, const struct cn_task *t, FILE *f,
                      int depth)
{
    struct cn_scope *outer = t->outer;

    if (depth >= DEPTH_MAX)
        return;
    indent(f, depth);
    fprintf(f, "task %s %p", cn_task_name(t), (const void *)t);
    if (t->kind && t->kind->describe) {
        fprintf(f, " (");
        t->kind->describe((struct cn_task *)(uintptr_t)t, f);
        fprintf(f, ")");
    }
    dump_state(l, t, f);
    if (t->flags & CN_TASK_EXTENDED) { /* its own scope is not news */
        if (cn_scope_cancelled(outer))
            dump_bits(l, outer, f);
        outer = outer->inner;
    }
    fprintf(f, "\n");
    dump_scopes(l, outer, f, depth + 1);
}

void cn_dump(FILE *f)
{
    const struct cn_loop *l = cn_loop_self();
    size_t ready = 0;

    if (!l)
        return;
    for (const struct cn_task *it = l->ready; it; it = it->next)
        ready++;
    fprintf(f, "loop %p: backend %s, now %.9f s, %zu ready, ", (const void *)l,
            l->ops->name, (double)l->now / (double)CN_SEC, ready);
    fprintf(f, "%u operations, %u jobs, %u portals, %u timers\n",
            l->ops_pending, l->jobs_pending, l->portals, l->timers.count);
    dump_group(l, &l->root, f, 0);
    fflush(f);
}
