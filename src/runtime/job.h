/* job: work on threads, and how it comes back. Private to the runtime. */
#ifndef CN_RUNTIME_JOB_H
#define CN_RUNTIME_JOB_H

#include "base/base.h"

#include <stdatomic.h>

struct cn_loop;
struct cn_mailbox;

/* --- mail: how other threads reach the loop ----------------------------- */

/* Storage is the poster's until deliver() is called, on the loop's thread,
 * outside any task. */
struct cn_mail {
    struct cn_mail *next;
    void (*deliver)(struct cn_mail *mail);
};

/* Any thread. The mail of one thread is delivered in its order. The poster
 * makes sure that the loop has not ended. */
void cn_mailbox_post(struct cn_mailbox *m, struct cn_mail *mail);

/* --- work on threads ---------------------------------------------------- */

/* Classes of work do not take each other's threads. */
enum cn_job_class {
    CN_JOB_USER, /* cn_to_thread(): bounded by its limiter */
    CN_JOB_FILE, /* operations that the backend does not take */
    CN_JOB_NAME, /* host names */
    CN_JOB_CLASSES
};

/* Storage is the submitter's until done() is called. */
struct cn_job {
    struct cn_mail mail;                /* the pool's: the way back */
    struct cn_link link;                /* the pool's: the queue */
    int64_t (*run)(struct cn_job *job); /* on a worker */
    /* On the loop's thread; job->result. The exception is a job that still
     * runs when the loop ends, so nobody waits for it (CN_ABANDON): then the
     * worker calls it, where no loop runs. */
    void (*done)(struct cn_job *job);
    int64_t result;
    atomic_bool cancelled; /* the worker may look */
    uint8_t job_class;     /* enum cn_job_class */
    uint8_t state;         /* the pool's */
};

/* Queue a job whose run, done and job_class are set. 0, or CN_EAGAIN: there
 * is no worker and none can be started, done() will not be called. */
int cn_pool_submit(struct cn_loop *l, struct cn_job *job);
/* CN_ABORTED: it had not begun; done() is not called. CN_PENDING: it runs;
 * job->cancelled is set, done() is still to come. */
int cn_pool_cancel(struct cn_loop *l, struct cn_job *job);

#endif
