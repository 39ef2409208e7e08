/* echo_load PORT CONNECTIONS SECONDS PID: load for an echo server, one message
 * of 64 bytes under way on each connection. Prints requests and the server's
 * CPU time for each in microseconds (of all its threads, by the scheduler's
 * account, so other programs on the machine disturb it little). */
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BYTES = 64 };

static double seconds_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long long thread_ns(const char *pid, const char *tid)
{
    char path[128];
    long long ns = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%.16s/task/%.16s/schedstat", pid, tid);
    f = fopen(path, "r");
    if (f && fscanf(f, "%lld", &ns) != 1)
        ns = 0;
    if (f)
        fclose(f);
    return ns;
}

static long long process_ns(const char *pid)
{
    char path[64];
    struct dirent *e;
    long long ns = 0;
    DIR *d;

    snprintf(path, sizeof(path), "/proc/%.16s/task", pid);
    d = opendir(path);
    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.')
            ns += thread_ns(pid, e->d_name);
    if (d)
        closedir(d);
    return ns;
}

static int dial(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    for (int i = 0; i < 200; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
            return fd;
        close(fd);
        usleep(20000);
    }
    perror("connect");
    exit(1);
}

static void send_one(int fd)
{
    static const char message[BYTES];

    if (send(fd, message, BYTES, 0) != BYTES) {
        perror("send");
        exit(1);
    }
}

/* One answer, or a part of it. */
static int receive(int fd, int *have)
{
    static char buf[BYTES];
    ssize_t n = recv(fd, buf, (size_t)(BYTES - *have), 0);

    if (n <= 0) {
        perror("recv");
        exit(1);
    }
    *have = (*have + (int)n) % BYTES;
    return *have == 0;
}

static long long load(int ep, const int *fds, int *have, double until)
{
    struct epoll_event evs[1024];
    long long done = 0;

    while (seconds_now() < until) {
        int n = epoll_wait(ep, evs, 1024, 2000);

        if (n == 0) {
            fprintf(stderr, "the server does not answer\n");
            exit(1);
        }
        for (int i = 0; i < n; i++) {
            unsigned c = evs[i].data.u32;

            if (receive(fds[c], &have[c])) {
                done++;
                send_one(fds[c]);
            }
        }
    }
    return done;
}

int main(int argc, char **argv)
{
    int count = argc == 5 ? atoi(argv[2]) : 0;
    int *fds = calloc((size_t)count + 1, sizeof(int));
    int *have = calloc((size_t)count + 1, sizeof(int));
    int ep = epoll_create1(0);
    long long ns, done;
    double start;

    if (!count || !fds || !have) {
        fprintf(stderr, "usage: echo_load PORT CONNECTIONS SECONDS PID\n");
        return 2;
    }
    for (int i = 0; i < count; i++) {
        struct epoll_event ev = {.events = EPOLLIN, .data.u32 = (unsigned)i};

        fds[i] = dial(atoi(argv[1]));
        epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev);
    }
    usleep(100000);
    ns = process_ns(argv[4]);
    start = seconds_now();
    for (int i = 0; i < count; i++)
        send_one(fds[i]);
    done = load(ep, fds, have, start + atof(argv[3]));
    ns = process_ns(argv[4]) - ns;
    printf("%.0f %.3f\n", (double)done / (seconds_now() - start),
           (double)ns / 1e3 / (double)done);
    return 0;
}
