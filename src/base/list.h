/* Intrusive doubly linked lists: the link lives in the element, so putting
 * something on a list or taking it off never allocates and cannot fail.
 *
 * A list is a head link that points to itself when empty. An element that is
 * on no list has a cleared link (next == NULL), so membership can be asked.
 */
#ifndef CN_BASE_LIST_H
#define CN_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct cn_link {
    struct cn_link *next, *prev;
};

static inline void cn_list_init(struct cn_link *head)
{
    head->next = head->prev = head;
}

static inline bool cn_list_empty(const struct cn_link *head)
{
    return head->next == head;
}

static inline bool cn_link_on_list(const struct cn_link *link)
{
    return link->next != NULL;
}

static inline void cn_list_insert_before(struct cn_link *at,
                                         struct cn_link *link)
{
    link->prev = at->prev;
    link->next = at;
    at->prev->next = link;
    at->prev = link;
}

static inline void cn_list_push_back(struct cn_link *head, struct cn_link *link)
{
    cn_list_insert_before(head, link);
}

static inline void cn_list_push_front(struct cn_link *head,
                                      struct cn_link *link)
{
    cn_list_insert_before(head->next, link);
}

/* Take a link off its list and clear it. */
static inline void cn_list_remove(struct cn_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = link->prev = NULL;
}

/* The first link, taken off; NULL when empty. */
static inline struct cn_link *cn_list_pop_front(struct cn_link *head)
{
    struct cn_link *first = head->next;

    if (first == head)
        return NULL;
    cn_list_remove(first);
    return first;
}

/* The body may remove `it` from the list. */
#define cn_list_for(it, head)                                                  \
    for (struct cn_link *it = (head)->next, *it##_next = it->next;             \
         it != (head); it = it##_next, it##_next = it->next)

#endif
