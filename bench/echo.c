/* echo PORT [BACKEND]: the echo server of the benchmarks, a task for each
 * connection, to be held against the bare servers of the same backend
 * (echo_floor.c). Ends when it is killed. */
#include "runtime/runtime.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

static int serve(void *arg)
{
    int fd = *(int *)arg;
    char buf[256];
    int64_t n;

    while ((n = cn_sys_recv(fd, buf, sizeof(buf), 0)) > 0)
        if (cn_sys_send(fd, buf, (size_t)n, 0) != n)
            break;
    cn_sys_close(fd);
    return 0;
}

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1024))
        return -errno;
    return fd;
}

static int accept_all(void *arg)
{
    struct cn_group g;
    int l = listen_on(*(int *)arg), rc = l;

    cn_group_open(&g);
    while (rc >= 0) {
        int fd = cn_sys_accept(l, NULL, NULL);
        struct cn_task_options o = {.copy = &fd, .copy_len = sizeof(fd)};

        rc = fd < 0 ? fd : cn_spawn_opt(&g, serve, NULL, &o, NULL);
    }
    return cn_group_close(&g, rc);
}

int main(int argc, char **argv)
{
    struct cn_options o = {.backend = argc > 2 ? argv[2] : NULL};
    int port = argc > 1 ? atoi(argv[1]) : 7777;
    int rc = cn_run(accept_all, &port, &o);

    fprintf(stderr, "echo: %s\n", cn_strerror(rc));
    return 1;
}
