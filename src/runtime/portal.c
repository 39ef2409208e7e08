/* Portals: calls from other threads into a loop.
 *
 * Whatever comes in is a piece of mail with a reference to its portal. Under
 * the portal's lock it is either accepted, and then delivered on the loop's
 * thread, or refused because the portal is closed; a piece that is delivered
 * after the portal was closed is answered with CN_ECLOSED. Not here: how mail
 * wakes the loop (mailbox.c).
 *
 * Invariant: an open portal's group is open and its loop alive, so posting
 * under the lock is safe; a portal lives until it is closed and nothing refers
 * to it.
 */
#include "runtime/sched.h"

#include <pthread.h>
#include <stdlib.h>

struct cn_portal {
    pthread_mutex_t lock;
    struct cn_loop *loop;
    struct cn_group *group;
    struct cn_link link; /* the loop's list of open, or of shut, portals */
    uint32_t refs;
    bool closed;
};

/* A post, or a task to spawn. */
struct parcel {
    struct cn_mail mail;
    struct cn_portal *portal;
    void (*post)(void *arg); /* or: */
    cn_fn *fn;
    void *arg;
};

/* A call that a thread waits for; in the thread's frame. */
struct visit {
    struct cn_mail mail;
    struct cn_portal *portal;
    cn_fn *fn;
    void *arg;
    struct cn_wait end; /* part: the end of the task */
    pthread_cond_t answered;
    bool done;
    int result;
};

/* --- references -------------------------------------------------------------- */

/* Under the lock, which it gives up. */
static void unref_unlock(struct cn_portal *p)
{
    bool last = --p->refs == 0;

    pthread_mutex_unlock(&p->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

struct cn_portal *cn_portal_ref(struct cn_portal *p)
{
    pthread_mutex_lock(&p->lock);
    p->refs++;
    pthread_mutex_unlock(&p->lock);
    return p;
}

void cn_portal_unref(struct cn_portal *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    unref_unlock(p);
}

/* Any thread: hand a piece of mail over, with a reference. */
static int send_mail(struct cn_portal *p, struct cn_mail *mail)
{
    pthread_mutex_lock(&p->lock);
    if (p->closed) {
        pthread_mutex_unlock(&p->lock);
        return CN_ECLOSED;
    }
    p->refs++;
    cn_mailbox_post(p->loop->mailbox, mail);
    pthread_mutex_unlock(&p->lock);
    return 0;
}

/* The loop's thread alone closes, so it may read without the lock. */
static bool is_open(const struct cn_portal *p)
{
    return !p->closed;
}

/* --- posts and spawns ----------------------------------------------------------- */

static void deliver_parcel(struct cn_mail *mail)
{
    struct parcel *parcel = CN_CONTAINER(mail, struct parcel, mail);
    struct cn_portal *p = parcel->portal;
    struct cn_loop *l = cn_loop_self();
    int rc;

    if (is_open(p) && parcel->post) {
        parcel->post(parcel->arg);
    } else if (is_open(p)) {
        rc = cn_spawn(p->group, parcel->fn, parcel->arg);
        if (rc == CN_ENOMEM)
            cn_group_fail(p->group, &l->home, rc);
    }
    free(parcel);
    pthread_mutex_lock(&p->lock);
    unref_unlock(p);
}

static int send_parcel(struct cn_portal *p, struct parcel content)
{
    struct parcel *parcel = malloc(sizeof(*parcel));
    int rc;

    if (!parcel)
        return CN_ENOMEM;
    *parcel = content;
    parcel->portal = p;
    parcel->mail.deliver = deliver_parcel;
    rc = send_mail(p, &parcel->mail);
    if (rc < 0)
        free(parcel);
    return rc;
}

int cn_post(struct cn_portal *p, void (*fn)(void *arg), void *arg)
{
    return send_parcel(p, (struct parcel){.post = fn, .arg = arg});
}

int cn_portal_spawn(struct cn_portal *p, cn_fn *fn, void *arg)
{
    return send_parcel(p, (struct parcel){.fn = fn, .arg = arg});
}

/* --- calls that are waited for ----------------------------------------------------- */

/* The visitor's frame may be gone afterwards. */
static void answer(struct visit *v, int result)
{
    struct cn_portal *p = v->portal;

    pthread_mutex_lock(&p->lock);
    v->result = result;
    v->done = true;
    pthread_cond_signal(&v->answered);
    unref_unlock(p);
}

/* The task of a visit. Its failure is the visitor's, not the group's. */
static int visit_main(void *arg)
{
    struct visit *v = arg;

    v->result = v->fn(v->arg);
    return 0;
}

static void visit_ended(struct cn_wait *w, int64_t result)
{
    struct visit *v = CN_CONTAINER(w, struct visit, end);

    (void)result;
    answer(v, v->result);
}

static const struct cn_wait_kind visit_kind = {
    .what = "a call from a thread",
    .notify = visit_ended,
};

static void deliver_visit(struct cn_mail *mail)
{
    struct visit *v = CN_CONTAINER(mail, struct visit, mail);
    struct cn_portal *p = v->portal;
    struct cn_task *t = NULL;
    int rc = CN_ECLOSED;

    if (is_open(p))
        rc = cn_task_spawn_extended(cn_loop_self(), p->group, visit_main, v,
                                    NULL, &p->group->scope, &t);
    if (rc < 0) {
        answer(v, rc);
        return;
    }
    cn_wait_part(&v->end, &visit_kind, t);
    cn_waitq_push(&cn_task_ext(t)->joiners, &v->end);
}

int cn_from_thread(struct cn_portal *p, cn_fn *fn, void *arg)
{
    struct visit v = {.portal = p, .fn = fn, .arg = arg};
    int rc;

    if (cn_loop_self() == p->loop)
        return CN_EINVAL;
    v.mail.deliver = deliver_visit;
    v.result = CN_ENOMEM; /* unless its task gets to run */
    pthread_cond_init(&v.answered, NULL);
    cn_portal_ref(p); /* it may be closed while we wait */
    rc = send_mail(p, &v.mail);
    pthread_mutex_lock(&p->lock);
    while (rc == 0 && !v.done)
        pthread_cond_wait(&v.answered, &p->lock);
    unref_unlock(p);
    pthread_cond_destroy(&v.answered);
    return rc < 0 ? rc : v.result;
}

/* --- opening and closing -------------------------------------------------------------- */

int cn_portal_open(struct cn_group *g, struct cn_portal **out)
{
    struct cn_loop *l = cn_loop_self();
    struct cn_portal *p;

    if (!g->scope.task)
        return CN_ECLOSED;
    p = calloc(1, sizeof(*p));
    if (!p)
        return CN_ENOMEM;
    pthread_mutex_init(&p->lock, NULL);
    p->loop = l;
    p->group = g;
    p->refs = 1;
    cn_list_push_back(&l->portal_list, &p->link);
    l->portals++;
    *out = p;
    return 0;
}

/* No call is served any more. The opener's reference stays. */
static void shut(struct cn_portal *p)
{
    cn_list_remove(&p->link);
    p->loop->portals--;
    pthread_mutex_lock(&p->lock);
    p->closed = true;
    pthread_mutex_unlock(&p->lock);
}

void cn_portal_close(struct cn_portal *p)
{
    if (!p)
        return;
    if (is_open(p))
        shut(p);
    else
        cn_list_remove(&p->link);
    cn_portal_unref(p);
}

void cn_portals_shut(struct cn_loop *l, const struct cn_group *g)
{
    cn_list_for (it, &l->portal_list) {
        struct cn_portal *p = CN_CONTAINER(it, struct cn_portal, link);

        if (p->group != g)
            continue;
        shut(p);
        cn_list_push_back(&l->portals_shut, &p->link);
    }
}

void cn_portals_close(struct cn_loop *l)
{
    cn_list_for (it, &l->portal_list)
        cn_portal_close(CN_CONTAINER(it, struct cn_portal, link));
    cn_list_for (it, &l->portals_shut)
        cn_portal_close(CN_CONTAINER(it, struct cn_portal, link));
}
