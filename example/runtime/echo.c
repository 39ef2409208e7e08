/* An echo server, a task per connection, and three clients of it. */
#include "runtime/runtime.h"

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static int connection(void *arg)
{
    int fd = *(int *)arg;
    char buf[4096];
    int64_t n;

    while ((n = cn_sys_recv(fd, buf, sizeof(buf), 0)) > 0) {
        for (int64_t sent = 0; sent < n;) {
            int64_t part = cn_sys_send(fd, buf + sent, (size_t)(n - sent), 0);

            if (part < 0)
                goto out;
            sent += part;
        }
    }
out:
    cn_sys_close(fd);
    return 0; /* whatever became of one client is no failure of the server */
}

struct server {
    int fd;
    struct sockaddr_in address;
};

static int listen_somewhere(struct server *s)
{
    socklen_t size = sizeof(s->address);

    s->address = (struct sockaddr_in){.sin_family = AF_INET};
    s->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0 || bind(s->fd, (void *)&s->address, size) < 0 ||
        listen(s->fd, 64) < 0 ||
        getsockname(s->fd, (void *)&s->address, &size) < 0)
        return -errno;
    return 0;
}

static int serve(void *arg)
{
    struct server *s = arg;
    struct cn_group connections;
    int fd, rc = 0;

    cn_group_open(&connections);
    while (rc == 0 && (fd = cn_sys_accept(s->fd, NULL, NULL)) >= 0) {
        struct cn_task_options o = {.copy = &fd, .copy_len = sizeof(fd)};

        rc = cn_spawn_opt(&connections, connection, NULL, &o, NULL);
    }
    return cn_group_close(&connections, rc < 0 ? rc : fd);
}

static int client(void *arg)
{
    struct server *s = arg;
    char out[] = "structured", in[sizeof(out)] = "";
    int64_t rc;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    rc = cn_sys_connect(fd, (void *)&s->address, sizeof(s->address));
    if (rc == 0)
        rc = cn_sys_send(fd, out, sizeof(out), 0);
    for (size_t got = 0; rc >= 0 && got < sizeof(in); got += (size_t)rc) {
        rc = cn_sys_recv(fd, in + got, sizeof(in) - got, 0);
        if (rc == 0)
            rc = CN_EEND;
    }
    printf("%s\n", rc >= 0 ? in : cn_strerror((int)rc));
    cn_sys_close(fd);
    return rc < 0 ? (int)rc : 0;
}

static int run(void *arg)
{
    struct cn_group servers, clients;
    struct server s;
    int rc = listen_somewhere(&s);

    (void)arg;
    if (rc < 0)
        return rc;
    cn_group_open(&servers);
    cn_spawn(&servers, serve, &s);
    cn_group_open(&clients);
    for (int i = 0; i < 3; i++)
        cn_spawn(&clients, client, &s);
    rc = cn_group_close(&clients, 0);
    cn_scope_cancel(cn_group_scope(&servers), "no clients are left");
    rc = cn_group_close(&servers, rc);
    cn_sys_close(s.fd);
    return rc;
}

int main(void)
{
    return cn_run(run, NULL, NULL) < 0;
}
