/* op_core: what the files that carry operations share. Private to the
 * runtime. */
#ifndef CN_RUNTIME_OP_CORE_H
#define CN_RUNTIME_OP_CORE_H

#include "runtime/op.h"

struct cn_loop;

/* The core's part of op->flags. */
enum cn_op_bits {
    CN_OP_LISTED = 0x100,    /* in the table of descriptors */
    CN_OP_CLOSING = 0x200,   /* its descriptor is being closed */
    CN_OP_READINESS = 0x400, /* any success is 0 */
    CN_OP_CANCELLED = 0x800, /* cancel has been asked for */
};

enum cn_op_route { CN_ROUTE_BACKEND = 1, CN_ROUTE_THREAD };

/* op_job.c: carry the operation out on this thread, however long it takes. */
int64_t cn_op_perform(const struct cn_op *op);

/* op_try.c: one system call that does not wait, or -EAGAIN. try() is for all
 * opcodes but POLL, CONNECT, CLOSE and WAITPID; reading and writing waits if
 * the descriptor is not non-blocking. */
int64_t cn_op_try(const struct cn_op *op);
int64_t cn_op_try_poll(int fd, unsigned events);
int64_t cn_op_try_reap(const struct cn_op *op); /* of WAITPID */
/* The caller said MSG_DONTWAIT: EAGAIN is the result. */
bool cn_op_no_waiting(const struct cn_op *op);

/* fd.c: operations in flight, by descriptor. check() is called before an
 * operation is submitted: 0 (then add() cannot fail), CN_EBUSY, CN_ECLOSED,
 * CN_ENOMEM. remove() also tells those who wait for the end of it. */
int cn_fd_check(struct cn_loop *l, const struct cn_op *op);
unsigned cn_op_sides(const struct cn_op *op); /* POLLIN, POLLOUT or both */
void cn_fd_add(struct cn_loop *l, struct cn_op *op);
void cn_fd_remove(struct cn_loop *l, struct cn_op *op);

#endif
