/* echo_floor PORT epoll|uring: echo servers with nothing around them, one
 * thread, no tasks: the floor for bench/echo.c on the backend of that name.
 * "uring" asks for each message by itself and on plain descriptors, as a
 * server that calls recv(fd, buf) must. Ends when it is killed. */
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 256, CONNECTIONS = 16384 };
enum { ACCEPT = 1, RECV, SEND };

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1024)) {
        perror("listen");
        exit(1);
    }
    return fd;
}

/* --- epoll --------------------------------------------------------------- */

static void epoll_accept(int ep, int l)
{
    struct epoll_event ev = {.events = EPOLLIN};

    ev.data.fd = accept4(l, NULL, NULL, SOCK_NONBLOCK);
    if (ev.data.fd >= 0)
        epoll_ctl(ep, EPOLL_CTL_ADD, ev.data.fd, &ev);
}

static void epoll_echo(int fd)
{
    char buf[BUFFER];
    ssize_t n = recv(fd, buf, sizeof(buf), 0);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
        close(fd);
}

static void run_epoll(int l)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = l}, evs[512];
    int ep = epoll_create1(0);

    epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev);
    for (;;) {
        int n = epoll_wait(ep, evs, 512, -1);

        for (int i = 0; i < n; i++)
            if (evs[i].data.fd == l)
                epoll_accept(ep, l);
            else
                epoll_echo(evs[i].data.fd);
    }
}

/* --- io_uring ------------------------------------------------------------ */

static struct io_uring ring;
static char buffers[CONNECTIONS][BUFFER];

static void ask(int what, int fd, size_t len)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    if (!sqe) {
        io_uring_submit(&ring);
        sqe = io_uring_get_sqe(&ring);
    }
    if (what == ACCEPT)
        io_uring_prep_accept(sqe, fd, NULL, NULL, SOCK_NONBLOCK);
    else if (what == RECV)
        io_uring_prep_recv(sqe, fd, buffers[fd], len, 0);
    else
        io_uring_prep_send(sqe, fd, buffers[fd], len, MSG_NOSIGNAL);
    sqe->user_data = (uint64_t)what << 32 | (uint32_t)fd;
}

static void answer(const struct io_uring_cqe *cqe)
{
    int what = (int)(cqe->user_data >> 32), fd = (int)cqe->user_data;

    if (what == ACCEPT) {
        ask(ACCEPT, fd, 0);
        if (cqe->res >= 0 && cqe->res < CONNECTIONS)
            ask(RECV, cqe->res, BUFFER);
    } else if (cqe->res <= 0) {
        close(fd);
    } else {
        ask(what == RECV ? SEND : RECV, fd,
            what == RECV ? (size_t)cqe->res : BUFFER);
    }
}

static void run_uring(int l)
{
    struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                         IORING_SETUP_DEFER_TASKRUN |
                                         IORING_SETUP_CQSIZE,
                                .cq_entries = 16384};
    int rc = io_uring_queue_init_params(4096, &ring, &p);

    if (rc < 0) {
        fprintf(stderr, "io_uring: %s\n", strerror(-rc));
        exit(1);
    }
    io_uring_register_ring_fd(&ring);
    ask(ACCEPT, l, 0);
    for (;;) {
        struct io_uring_cqe *cqe;
        unsigned head, n = 0;

        io_uring_submit_and_wait(&ring, 1);
        io_uring_for_each_cqe(&ring, head, cqe)
        {
            answer(cqe);
            n++;
        }
        io_uring_cq_advance(&ring, n);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: echo_floor PORT epoll|uring\n");
        return 2;
    }
    if (strcmp(argv[2], "uring") == 0)
        run_uring(listen_on(atoi(argv[1])));
    run_epoll(listen_on(atoi(argv[1])));
    return 0;
}
