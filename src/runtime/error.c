/* Error records: words and a place beside a code.
 *
 * Failing is the rare path, so records come from malloc; without memory the
 * code alone travels on. Not here: what a group does with the errors of its
 * tasks (group.c).
 *
 * Invariant: a record is owned by exactly one task (t->error), one group's
 * list, one parent record, or the caller of cn_run().
 */
#include "runtime/sched.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static struct cn_error *error_new(struct cn_task *t, int code,
                                  const char *where)
{
    struct cn_error *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->code = code;
    e->where = where;
    snprintf(e->task, sizeof(e->task), "%s", cn_task_name(t));
    return e;
}

void cn_error_adopt(struct cn_task *t, struct cn_error *e)
{
    cn_error_free(t->error);
    t->error = e;
}

struct cn_error *cn_error_take(struct cn_task *t, int code)
{
    if (t->error && t->error->code == code)
        return CN_TAKE(t->error);
    return error_new(t, code, "");
}

static struct cn_task *running_task(void)
{
    struct cn_loop *l = cn_loop_self();

    return l && l->cur != &l->home ? l->cur : NULL;
}

int cn_error_set(int code, const char *where, const char *fmt, ...)
{
    struct cn_task *t = running_task();
    struct cn_error *e = t ? error_new(t, code, where) : NULL;
    va_list ap;

    if (!e)
        return code;
    va_start(ap, fmt);
    vsnprintf(e->message, sizeof(e->message), fmt, ap);
    va_end(ap);
    cn_error_adopt(t, e);
    return code;
}

const struct cn_error *cn_error_last(void)
{
    struct cn_task *t = running_task();

    return t ? t->error : NULL;
}

void cn_error_clear(void)
{
    struct cn_task *t = running_task();

    if (t)
        cn_error_adopt(t, NULL);
}

/* Depth first, without recursion: groups nest as deep as they like. A
 * record's children are put in front of what is still to be freed. */
void cn_error_free(const struct cn_error *e)
{
    struct cn_error *todo = (struct cn_error *)(uintptr_t)e;

    while (todo) {
        struct cn_error *it = todo, *last;

        todo = (struct cn_error *)(uintptr_t)it->next;
        if (it->children) {
            last = (struct cn_error *)(uintptr_t)it->children;
            while (last->next)
                last = (struct cn_error *)(uintptr_t)last->next;
            last->next = todo;
            todo = (struct cn_error *)(uintptr_t)it->children;
        }
        free(it);
    }
}

static void print(const struct cn_error *e, FILE *f, int depth)
{
    fprintf(f, "%*s%s: %s", 2 * depth, "", cn_errname(e->code),
            e->message[0] ? e->message : cn_strerror(e->code));
    if (e->task[0])
        fprintf(f, " (task %s", e->task);
    fprintf(f, "%s%s%s\n", e->where[0] ? ", " : "", e->where,
            e->task[0] ? ")" : "");
    if (depth < 32)
        for (const struct cn_error *it = e->children; it; it = it->next)
            print(it, f, depth + 1);
}

void cn_error_print(const struct cn_error *e, FILE *f)
{
    if (e)
        print(e, f, 0);
}
