/* Task-local values: a list that is shared and never changed.
 *
 * Setting a value puts a new link in front of the task's list; a child takes
 * the list of the task that spawns it as it is at that moment, for the price
 * of a reference. A set in front of an unshared link of the same key replaces
 * it, so that a loop that sets does not grow the list.
 *
 * Invariant: refs counts the tasks and links that point to a link; a link
 * with more than one is not written any more.
 */
#include "runtime/sched.h"

#include <stdlib.h>

struct cn_local {
    struct cn_local *next;
    const void *key;
    void *value;
    uint32_t refs;
};

void cn_local_ref(struct cn_local *local)
{
    local->refs++;
}

void cn_local_unref(struct cn_local *local)
{
    while (local && --local->refs == 0) {
        struct cn_local *next = local->next;

        free(local);
        local = next;
    }
}

void *cn_local_get(const void *key)
{
    const struct cn_task *t = cn_self();

    for (const struct cn_local *it = t ? t->locals : NULL; it; it = it->next)
        if (it->key == key)
            return it->value;
    return NULL;
}

/* The link that only this task sees and that holds the key, or NULL. */
static struct cn_local *own_link(struct cn_local *it, const void *key)
{
    for (; it && it->refs == 1; it = it->next)
        if (it->key == key)
            return it;
    return NULL;
}

int cn_local_set(const void *key, void *value)
{
    struct cn_task *t = cn_self();
    struct cn_local *link;

    if (!t)
        return CN_ENOTASK;
    link = own_link(t->locals, key);
    if (link) {
        link->value = value;
        return 0;
    }
    link = malloc(sizeof(*link));
    if (!link)
        return CN_ENOMEM;
    /* The task's reference to the old head becomes the new link's. */
    *link = (struct cn_local){
        .next = t->locals, .key = key, .value = value, .refs = 1};
    t->locals = link;
    return 0;
}
