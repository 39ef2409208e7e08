/* backend_sim: what its two files share. */
#ifndef CN_RUNTIME_BACKEND_SIM_H
#define CN_RUNTIME_BACKEND_SIM_H

#include "runtime/sched.h"
#include "runtime/sim.h"

struct sim_file;

/* The pipes and sockets of a loop. */
struct sim_net {
    struct sim_file **files; /* by descriptor */
    int file_count;
    size_t capacity;
};

/* Is op on a descriptor of ours? */
bool cn_sim_knows(const struct sim_net *n, const struct cn_op *op);

/* Would cn_sim_attempt() do something other than say -EAGAIN? */
bool cn_sim_ready(const struct sim_net *n, const struct cn_op *op);

/* Carry out what can be done now, moving at most `limit` bytes; -EAGAIN:
 * nothing. */
int64_t cn_sim_attempt(struct sim_net *n, struct cn_op *op, size_t limit);

void cn_sim_net_done(struct sim_net *n);

/* The net of the running loop; NULL if its backend is another. */
struct sim_net *cn_sim_net(void);

#endif
