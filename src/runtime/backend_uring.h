/* backend_uring: what its two files share. */
#ifndef CN_RUNTIME_BACKEND_URING_H
#define CN_RUNTIME_BACKEND_URING_H

#include "runtime/sched.h"

#include <liburing.h>

/* Open the best sort of ring that this kernel has, of at most these sizes. */
int cn_uring_ring_open(struct io_uring *ring, unsigned entries, unsigned cq);

/* What this kernel can do; -EOPNOTSUPP if that is too little. */
int cn_uring_ring_probe(struct io_uring *ring, uint64_t *supports,
                        bool *waitid);

/* Fill in the entry of an operation; user_data is left alone. */
void cn_uring_prep(struct io_uring_sqe *sqe, const struct cn_op *op);

/* What to poll for when the kernel would not wait; 0: it cannot be so. */
unsigned cn_uring_retry_events(const struct cn_op *op);

#endif
