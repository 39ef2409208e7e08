/* Helpers of the tests of input and output: every body runs on every backend,
 * plain, strict and shuffled. On "sim" the pipes and sockets are those in
 * memory, and many more seeds are tried; descriptors that a body makes itself
 * are served there by worker threads, the third route of an operation. */
#ifndef CN_TEST_IO_H
#define CN_TEST_IO_H

#include "rt.h"

#include "runtime/backend.h"
#include "runtime/sim.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { IO_SIM_SEEDS = 50, IO_REAL_SEEDS = 4 };

static const char *const io_backends[] = {"uring", "uv", "sim"};

static inline bool io_is_sim(void)
{
    return strcmp(cn_backend_name(), "sim") == 0;
}

/* Does this backend work here at all (a container may block io_uring)? */
static inline bool io_works(const char *backend)
{
    for (size_t i = 0; cn_backends[i]; i++)
        if (strcmp(cn_backends[i]->name, backend) == 0)
            return cn_backends[i]->probe() == 0;
    return false;
}

static int io_run(const char *backend, cn_fn *fn, void *arg, unsigned flags,
                  uint64_t seed)
{
    struct cn_options o = {.backend = backend, .flags = flags, .seed = seed};

    return cn_run(fn, arg, &o);
}

static inline void io_on(const char *backend, cn_fn *fn, int want)
{
    uint64_t seeds = strcmp(backend, "sim") == 0 ? IO_SIM_SEEDS : IO_REAL_SEEDS;
    int before = rt_failures;

    if (!io_works(backend)) {
        fprintf(stderr, "# no %s here\n", backend);
        return;
    }
    CHECK_INT(io_run(backend, fn, NULL, 0, 0), want);
    CHECK_INT(io_run(backend, fn, NULL, CN_STRICT, 0), want);
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        CHECK_INT(io_run(backend, fn, NULL, CN_SHUFFLE | CN_STRICT * (seed & 1),
                         seed),
                  want);
        if (rt_failures != before) {
            fprintf(stderr, "on %s, seed %llu\n", backend,
                    (unsigned long long)seed);
            return;
        }
    }
}

static inline void io_all(cn_fn *fn, int want)
{
    rt_failures = 0;
    for (size_t i = 0; i < CN_COUNT(io_backends); i++)
        io_on(io_backends[i], fn, want);
    assert_int_equal(rt_failures, 0);
}

/* For bodies about the kernel itself. */
static inline void io_real(cn_fn *fn, int want)
{
    rt_failures = 0;
    io_on("uring", fn, want);
    io_on("uv", fn, want);
    assert_int_equal(rt_failures, 0);
}

static inline int io_pair(int sv[2])
{
    if (io_is_sim())
        return cn_sim_socketpair(sv);
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                      sv) < 0
               ? -errno
               : 0;
}

static inline int io_pipe(int p[2])
{
    if (io_is_sim())
        return cn_sim_pipe(p);
    return pipe2(p, O_CLOEXEC) < 0 ? -errno : 0;
}

/* A listening TCP socket on the loopback; *addr is where. */
static inline int io_listen(struct sockaddr_in *addr, int backlog)
{
    socklen_t size = sizeof(*addr);
    int fd;

    *addr = (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (io_is_sim()) {
        addr->sin_port = 80;
        return cn_sim_listen((struct sockaddr *)addr, size, (unsigned)backlog);
    }
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)addr, size) ||
        listen(fd, backlog) || getsockname(fd, (struct sockaddr *)addr, &size))
        return -errno;
    return fd;
}

static inline int io_socket(void)
{
    if (io_is_sim())
        return cn_sim_socket();
    return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static inline int io_connect(const struct sockaddr_in *addr, int *out)
{
    int fd = io_socket(), rc;

    if (fd < 0)
        return fd;
    rc = cn_sys_connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
    if (rc < 0) {
        cn_sys_close(fd);
        return rc;
    }
    *out = fd;
    return 0;
}

/* Two ends of a TCP connection. */
static inline int io_tcp(int sv[2])
{
    struct sockaddr_in addr;
    int l = io_listen(&addr, 4), rc;

    if (l < 0)
        return l;
    rc = io_connect(&addr, &sv[0]);
    if (rc == 0)
        sv[1] = cn_sys_accept(l, NULL, NULL);
    cn_sys_close(l);
    return rc < 0 ? rc : sv[1] < 0 ? sv[1] : 0;
}

static inline void io_close(int fds[2])
{
    CHECK_INT(cn_sys_close(fds[0]), 0);
    CHECK_INT(cn_sys_close(fds[1]), 0);
}

/* Descriptors open in this process. */
static inline int io_open_fds(void)
{
    int n = 0;

    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            n++;
    return n;
}

#endif
