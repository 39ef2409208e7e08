/* pool: worker threads, in classes that do not take each other's threads.
 *
 * A job goes to the worker of its class that fell idle last (its caches are
 * warm), else to a new thread, else into the queue of the class. Threads
 * stay until the loop ends. Results come back by the mailbox.
 *
 * Not a limiter: cn_to_thread() holds its token before it comes here.
 *
 * Invariant, under the lock: a class with an idle worker has no queued job.
 * The pool outlives its loop as long as a worker runs an abandoned job; the
 * last one out frees it. Threads start with all signals blocked.
 */
#include "runtime/sched.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { JOB_QUEUED = 1, JOB_RUNNING, JOB_ENDED };

struct worker {
    struct worker *next; /* on the idle stack */
    struct cn_pool *pool;
    struct cn_job *job;        /* handed over, under the lock */
    _Atomic uint32_t summoned; /* futex: the worker sleeps while it is 0 */
    uint8_t job_class;
};

struct job_class {
    struct worker *idle;  /* a stack */
    struct cn_link queue; /* oldest first */
    uint32_t threads;
};

struct cn_pool {
    pthread_mutex_t lock;
    struct cn_loop *loop; /* NULL: the loop has ended */
    uint32_t threads_max, threads;
    struct job_class classes[CN_JOB_CLASSES];
};

static void summon(struct worker *w)
{
    atomic_store(&w->summoned, 1);
    syscall(SYS_futex, &w->summoned, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void await_summons(struct worker *w)
{
    while (!atomic_load(&w->summoned))
        syscall(SYS_futex, &w->summoned, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    atomic_store_explicit(&w->summoned, 0, memory_order_relaxed);
}

/* On the loop's thread. */
static void job_delivered(struct cn_mail *mail)
{
    struct cn_job *job = CN_CONTAINER(mail, struct cn_job, mail);

    cn_loop_self()->jobs_pending--;
    job->state = JOB_ENDED;
    job->done(job);
}

/* --- workers ------------------------------------------------------------- */

/* Under the lock: the next job of this worker, waiting for it if need be;
 * NULL when the pool closes. */
static struct cn_job *next_job(struct worker *w)
{
    struct cn_pool *p = w->pool;
    struct job_class *c = &p->classes[w->job_class];
    struct cn_link *link;

    if (!p->loop)
        return NULL;
    link = cn_list_pop_front(&c->queue);
    if (link) {
        struct cn_job *job = CN_CONTAINER(link, struct cn_job, link);

        job->state = JOB_RUNNING;
        return job;
    }
    w->next = c->idle;
    c->idle = w;
    pthread_mutex_unlock(&p->lock);
    await_summons(w);
    pthread_mutex_lock(&p->lock);
    return CN_TAKE(w->job);
}

/* Under the lock, except while the job runs. */
static void run_job(struct cn_pool *p, struct cn_job *job)
{
    pthread_mutex_unlock(&p->lock);
    job->result = job->run(job);
    pthread_mutex_lock(&p->lock);
    if (p->loop) {
        cn_mailbox_post(p->loop->mailbox, &job->mail);
        return;
    }
    pthread_mutex_unlock(&p->lock);
    job->done(job);
    pthread_mutex_lock(&p->lock);
}

static void pool_free(struct cn_pool *p)
{
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* Under the lock, which it gives up: one thread, or the loop, has left. */
static void leave(struct cn_pool *p)
{
    bool last = !p->threads && !p->loop;

    pthread_mutex_unlock(&p->lock);
    if (last)
        pool_free(p);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct cn_pool *p = w->pool;
    struct cn_job *job;

    pthread_mutex_lock(&p->lock);
    for (job = CN_TAKE(w->job); job; job = next_job(w))
        run_job(p, job);
    p->threads--;
    free(w);
    leave(p);
    return NULL;
}

static int start_thread(struct worker *w)
{
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_t id;
    int rc;

    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&id, &attr, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return -rc;
}

/* Under the lock: a new worker that begins with `job`. */
static int add_worker(struct cn_pool *p, struct cn_job *job)
{
    struct worker *w = calloc(1, sizeof(*w));

    if (!w)
        return CN_EAGAIN;
    w->pool = p;
    w->job = job;
    w->job_class = job->job_class;
    if (start_thread(w)) {
        free(w);
        return CN_EAGAIN;
    }
    p->threads++;
    p->classes[job->job_class].threads++;
    return 0;
}

/* --- the loop's side ----------------------------------------------------- */

/* Under the lock. The worker to summon in *out, if an idle one takes it. */
static int place(struct cn_pool *p, struct cn_job *job, struct worker **out)
{
    struct job_class *c = &p->classes[job->job_class];
    struct worker *w = c->idle;

    job->state = JOB_RUNNING;
    if (w) {
        c->idle = w->next;
        w->job = job;
        *out = w;
        return 0;
    }
    if (c->threads < p->threads_max && add_worker(p, job) == 0)
        return 0;
    if (!c->threads)
        return CN_EAGAIN;
    job->state = JOB_QUEUED;
    cn_list_push_back(&c->queue, &job->link);
    return 0;
}

int cn_pool_submit(struct cn_loop *l, struct cn_job *job)
{
    struct cn_pool *p = l->pool;
    struct worker *w = NULL;
    int rc;

    cn_assert(job->job_class < CN_JOB_CLASSES);
    job->mail.deliver = job_delivered;
    atomic_init(&job->cancelled, false);
    pthread_mutex_lock(&p->lock);
    rc = place(p, job, &w);
    pthread_mutex_unlock(&p->lock);
    if (rc < 0)
        return rc;
    l->jobs_pending++;
    if (w)
        summon(w);
    return 0;
}

int cn_pool_cancel(struct cn_loop *l, struct cn_job *job)
{
    struct cn_pool *p = l->pool;
    int rc = CN_PENDING;

    pthread_mutex_lock(&p->lock);
    if (job->state == JOB_QUEUED) {
        cn_list_remove(&job->link);
        rc = CN_ABORTED;
    }
    pthread_mutex_unlock(&p->lock);
    if (rc == CN_ABORTED)
        l->jobs_pending--;
    else
        atomic_store(&job->cancelled, true);
    return rc;
}

int cn_pool_open(struct cn_loop *l)
{
    struct cn_pool *p = calloc(1, sizeof(*p));

    if (!p)
        return CN_ENOMEM;
    pthread_mutex_init(&p->lock, NULL);
    p->loop = l;
    p->threads_max = l->threads_max ? l->threads_max : 40;
    for (int i = 0; i < CN_JOB_CLASSES; i++)
        cn_list_init(&p->classes[i].queue);
    l->pool = p;
    return 0;
}

void cn_pool_close(struct cn_loop *l)
{
    struct cn_pool *p = CN_TAKE(l->pool);

    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->loop = NULL;
    for (int i = 0; i < CN_JOB_CLASSES; i++) {
        cn_assert(cn_list_empty(&p->classes[i].queue));
        for (struct worker *w = p->classes[i].idle, *next; w; w = next) {
            next = w->next; /* w may be freed once it is summoned */
            summon(w);
        }
    }
    leave(p);
}
