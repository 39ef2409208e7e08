/* sim: programs of tasks in a world without a kernel, for tests.
 *
 * On the backend "sim" the clock is virtual and jumps when every task waits;
 * pipes and sockets live in memory; operations complete in an order drawn
 * from cn_options.seed, and fail, come short, or come late as asked. The same
 * seed and program give the same run. Operations on anything that does not
 * come from here run on worker threads, against the real system.
 *
 *     struct cn_sim_options sim = {.short_permille = 300};
 *     struct cn_options o = {.backend = "sim", .seed = 7, .sim = &sim};
 */
#ifndef CN_RUNTIME_SIM_H
#define CN_RUNTIME_SIM_H

#include "runtime/op.h"

/* What an operation shall come to. The first step of the script that fits and
 * has not been used is used, when the operation is submitted. */
struct cn_sim_step {
    int opcode;     /* enum cn_opcode, or CN_SIM_ANY */
    int fd;         /* or CN_SIM_ANY; dirfd for paths */
    uint32_t skip;  /* let so many that fit pass first */
    int64_t result; /* or CN_SIM_REAL, CN_SIM_STUCK */
    cn_time delay;  /* from the submission */
};

enum { CN_SIM_ANY = -9999 };
#define CN_SIM_REAL  INT64_MAX /* what it would have come to, but delayed */
#define CN_SIM_STUCK INT64_MIN /* nothing, until it is cancelled */

/* Chances are in thousandths; zero is never. */
struct cn_sim_options {
    const struct cn_sim_step *script; /* at most 64 steps */
    size_t script_len;
    unsigned fail_permille;  /* an operation fails as the system might */
    unsigned short_permille; /* fewer bytes than there are, or fit */
    unsigned delay_permille; /* it comes up to delay_max late */
    unsigned late_permille;  /* cancelling it takes until it completes, with
                                its result or not; else it is gone at once */
    unsigned defer_permille; /* what could be finished when it is submitted
                                completes later all the same */
    cn_time delay_max;
    uint64_t fail_submit; /* the so-manieth submission is refused with
                             CN_ENOMEM; 0: none */
    size_t capacity;      /* bytes in a pipe or socket, per direction;
                             default 65536 */
};

/* What is in force without options: late and defer at 500, the others 0. */

/* A pipe: [0] to read, [1] to write. A connected pair of stream sockets. The
 * descriptors are numbers of the process; close them with cn_sys_close().
 * On the loop's thread. CN_EINVAL: the loop's backend is not "sim";
 * CN_ENOMEM; -EMFILE. */
int cn_sim_pipe(int fds[2]);
int cn_sim_socketpair(int fds[2]);

/* A socket to connect, and one that listens at this address (any bytes) with
 * room for `backlog` connections that have not been accepted. -EADDRINUSE. */
int cn_sim_socket(void);
int cn_sim_listen(const struct sockaddr *addr, socklen_t size,
                  unsigned backlog);

/* The peer is gone without a word: both ends see ECONNRESET once what they
 * have received is lost. CN_EINVAL: not a connected socket from here. */
int cn_sim_reset(int fd);

#endif
