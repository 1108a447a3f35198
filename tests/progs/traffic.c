// Makes one kind of TCP traffic between a server (this process) and a client (its child), for the kernel
// tests.
//
//   traffic CASE [4|6|mapped] [address]
//
// Prints "PORT SENT RECEIVED" of the server side, then exits 0. Cases are listed in `cases` below.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef WITH_URING
#include <liburing.h>
static struct io_uring uring;
#endif

#define TURNS 3
static const char REQUEST[] = "POST /traffic HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello";
static const char RESPONSE[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello, world";
#define REQUEST_LENGTH (sizeof REQUEST - 1)
#define RESPONSE_LENGTH (sizeof RESPONSE - 1)

static void die(const char *what) {
    perror(what);
    exit(1);
}

static struct sockaddr_storage address;
static socklen_t address_length;
static const char *family = "4", *host;

static int make_socket(int port) {
    int six = strcmp(family, "4");
    memset(&address, 0, sizeof address);
    if (six) {
        struct sockaddr_in6 *a = (void *)&address;
        a->sin6_family = AF_INET6;
        a->sin6_port = htons(port);
        if (inet_pton(AF_INET6,
                      host                       ? host
                      : strcmp(family, "mapped") ? "::1"
                                                 : "::ffff:127.0.0.1",
                      &a->sin6_addr) != 1)
            die("address");
        address_length = sizeof *a;
    } else {
        struct sockaddr_in *a = (void *)&address;
        a->sin_family = AF_INET;
        a->sin_port = htons(port);
        if (inet_pton(AF_INET, host ? host : "127.0.0.1", &a->sin_addr) != 1)
            die("address");
        address_length = sizeof *a;
    }
    int s = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    if (s < 0)
        die("socket");
    return s;
}

static int port_of(int s) {
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    getsockname(s, (void *)&a, &n);
    return ntohs(((struct sockaddr_in *)&a)->sin_port); // the same place in both families
}

// Ways to send and to receive all of `n` bytes, in three segments where there are segments.
typedef void transfer(int s, char *b, size_t n);

static void split(struct iovec v[3], char *b, size_t n) {
    v[0] = (struct iovec){b, 3};
    v[1] = (struct iovec){b + 3, 7};
    v[2] = (struct iovec){b + 10, n - 10};
}
#define EXACT(call)                                                                                          \
    do {                                                                                                     \
        ssize_t got_ = (call);                                                                               \
        if (got_ != (ssize_t)n)                                                                              \
            die(#call);                                                                                      \
    } while (0)

static void by_write(int s, char *b, size_t n) { EXACT(write(s, b, n)); }
static void by_send(int s, char *b, size_t n) { EXACT(send(s, b, n, 0)); }
static void by_sendto(int s, char *b, size_t n) { EXACT(sendto(s, b, n, 0, NULL, 0)); }
static void by_writev(int s, char *b, size_t n) {
    struct iovec v[3];
    split(v, b, n);
    EXACT(writev(s, v, 3));
}
static void by_sendmsg(int s, char *b, size_t n) {
    struct iovec v[3];
    split(v, b, n);
    EXACT(sendmsg(s, &(struct msghdr){.msg_iov = v, .msg_iovlen = 3}, 0));
}
static void by_sendmmsg(int s, char *b, size_t n) {
    struct iovec v[3];
    split(v, b, n);
    struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = v, .msg_iovlen = 2}},
                           {.msg_hdr = {.msg_iov = v + 2, .msg_iovlen = 1}}};
    if (sendmmsg(s, m, 2, 0) != 2 || m[0].msg_len + m[1].msg_len != n)
        die("sendmmsg");
}
static int file_with(char *b, size_t n) {
    int f = memfd_create("traffic", 0);
    if (f < 0 || write(f, b, n) != (ssize_t)n)
        die("memfd");
    lseek(f, 0, SEEK_SET);
    return f;
}
static void by_sendfile(int s, char *b, size_t n) {
    int f = file_with(b, n);
    EXACT(sendfile(s, f, NULL, n));
    close(f);
}
static void by_splice(int s, char *b, size_t n) {
    int p[2];
    if (pipe(p) || write(p[1], b, n) != (ssize_t)n)
        die("pipe");
    EXACT(splice(p[0], NULL, s, NULL, n, 0));
    close(p[0]);
    close(p[1]);
}

static void wait_readable(int s, size_t n) {
    char b[4096];
    while (recv(s, b, n, MSG_PEEK) < (ssize_t)n) // seen now, read later: must count once
        poll(NULL, 0, 1);
}
static void by_read(int s, char *b, size_t n) {
    for (size_t got = 0; got < n;) {
        ssize_t k = read(s, b + got, n - got);
        if (k <= 0)
            die("read");
        got += k;
    }
}
static void by_recv(int s, char *b, size_t n) { EXACT(recv(s, b, n, MSG_WAITALL)); }
static void by_recvfrom(int s, char *b, size_t n) { EXACT(recvfrom(s, b, n, MSG_WAITALL, NULL, NULL)); }
static void by_readv(int s, char *b, size_t n) {
    struct iovec v[3];
    split(v, b, n);
    EXACT(readv(s, v, 3));
}
static void by_recvmsg(int s, char *b, size_t n) {
    struct iovec v[3];
    split(v, b, n);
    EXACT(recvmsg(s, &(struct msghdr){.msg_iov = v, .msg_iovlen = 3}, MSG_WAITALL));
}
static void by_recvmmsg(int s, char *b, size_t n) {
    struct iovec v[3];
    split(v, b, n);
    struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = v, .msg_iovlen = 2}},
                           {.msg_hdr = {.msg_iov = v + 2, .msg_iovlen = 1}}};
    if (recvmmsg(s, m, 2, MSG_WAITALL, NULL) != 2 || m[0].msg_len + m[1].msg_len != n)
        die("recvmmsg");
}
static void by_peek(int s, char *b, size_t n) {
    wait_readable(s, n);
    by_read(s, b, n);
}
static void by_bytes(int s, char *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        by_read(s, b + i, 1);
}
static void send_bytes(int s, char *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        by_write(s, b + i, 1);
}
#ifdef WITH_URING
static void complete(size_t n) {
    struct io_uring_cqe *c;
    io_uring_submit(&uring);
    if (io_uring_wait_cqe(&uring, &c) || c->res != (int)n)
        die("io_uring");
    io_uring_cqe_seen(&uring, c);
}
static void by_uring_send(int s, char *b, size_t n) {
    io_uring_prep_send(io_uring_get_sqe(&uring), s, b, n, 0);
    complete(n);
}
static void by_uring_recv(int s, char *b, size_t n) {
    io_uring_prep_recv(io_uring_get_sqe(&uring), s, b, n, MSG_WAITALL);
    complete(n);
}
#endif

enum kind { PLAIN, DUP, FORK, REUSE, HALF_CLOSE, RESET, LARGE, OLD, SHORT };
static const struct {
    const char *name;
    transfer *send, *receive;
    enum kind kind;
} cases[] = {
    {"read-write", by_write, by_read, PLAIN},
    {"send-recv", by_send, by_recv, PLAIN},
    {"sendto-recvfrom", by_sendto, by_recvfrom, PLAIN},
    {"writev-readv", by_writev, by_readv, PLAIN},
    {"sendmsg-recvmsg", by_sendmsg, by_recvmsg, PLAIN},
    {"sendmmsg-recvmmsg", by_sendmmsg, by_recvmmsg, PLAIN},
    {"sendfile", by_sendfile, by_read, PLAIN},
    {"splice", by_splice, by_read, PLAIN},
    {"peek", by_write, by_peek, PLAIN},
    {"bytes", send_bytes, by_bytes, PLAIN},
    {"dup", by_write, by_read, DUP},
    {"fork", by_write, by_read, FORK},
    {"reuse", by_write, by_read, REUSE},
    {"half-close", by_write, by_read, HALF_CLOSE},
    {"reset", by_write, by_read, RESET},
    {"large", by_write, by_read, LARGE},
    {"old", by_write, by_read, OLD},
    {"short", by_write, by_read, SHORT},
#ifdef WITH_URING
    {"io_uring", by_uring_send, by_uring_recv, PLAIN},
    {"sqpoll", by_uring_send, by_uring_recv, PLAIN}, // a thread of the kernel sends and receives
#endif
};

// 1 MiB of body, on a non-blocking socket with a small buffer: many partial writes.
#define LARGE_BODY (1 << 20)
static size_t send_large(int s) {
    static char message[LARGE_BODY + 128];
    size_t n = sprintf(message, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", LARGE_BODY);
    memset(message + n, 'x', LARGE_BODY);
    n += LARGE_BODY;
    fcntl(s, F_SETFL, O_NONBLOCK);
    for (size_t sent = 0; sent < n;) {
        ssize_t k = write(s, message + sent, n - sent);
        if (k > 0)
            sent += k;
        else if (errno == EAGAIN)
            poll(&(struct pollfd){s, POLLOUT, 0}, 1, 1000);
        else
            die("write");
    }
    fcntl(s, F_SETFL, 0);
    return n;
}

static void client(int port, enum kind kind) {
    static char b[LARGE_BODY + 4096];
    int connections = kind == REUSE ? 2 : 1;
    for (int i = 0; i < connections; i++) {
        int s = make_socket(port);
        if (connect(s, (void *)&address, address_length))
            die("connect");
        for (int turn = 0; turn < TURNS; turn++) {
            if (kind == OLD && turn == 1) { // wait until the test says that it watches
                char c;
                if (read(0, &c, 1) != 1)
                    die("stdin");
            }
            by_write(s, (char *)REQUEST, REQUEST_LENGTH);
            size_t n = RESPONSE_LENGTH;
            if (kind == LARGE && turn == 1)
                n = LARGE_BODY + sizeof("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n") - 1;
            if (kind == HALF_CLOSE && turn == TURNS - 1)
                shutdown(s, SHUT_WR);
            by_read(s, b, n);
        }
        if (kind == RESET) {
            struct linger l = {1, 0};
            setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof l);
        }
        close(s);
    }
    exit(0);
}

static void serve(int s, int which, size_t *sent, size_t *received) {
    char b[4096];
    enum kind kind = cases[which].kind;
    for (int turn = 0; turn < TURNS; turn++) {
        cases[which].receive(s, b, REQUEST_LENGTH);
        if (memcmp(b, REQUEST, REQUEST_LENGTH))
            die("request");
        *received += REQUEST_LENGTH;
        if (kind == DUP) { // another number, and the old one now means another file
            int copy = dup(s);
            close(s);
            if (open("/dev/null", O_RDWR) != s)
                die("descriptor");
            close(s);
            s = dup(copy);
            close(copy);
        }
        if (kind == LARGE && turn == 1) {
            *sent += send_large(s);
            continue;
        }
        if (kind == FORK && turn == 1) {
            pid_t child = fork();
            if (!child) {
                memcpy(b, RESPONSE, RESPONSE_LENGTH);
                cases[which].send(s, b, RESPONSE_LENGTH);
                _exit(0);
            }
            waitpid(child, NULL, 0);
        } else {
            cases[which].send(s, (char *)RESPONSE, RESPONSE_LENGTH);
        }
        *sent += RESPONSE_LENGTH;
    }
    if (kind == SHORT)
        return; // exits with the connection open
    if (kind == RESET)
        poll(&(struct pollfd){s, POLLIN, 0}, 1, 1000);
    else if (read(s, b, 1) != 0)
        die("end");
    close(s);
}

int main(int count, char **arguments) {
    int which = -1;
    for (size_t i = 0; count > 1 && i < sizeof cases / sizeof *cases; i++)
        if (!strcmp(arguments[1], cases[i].name))
            which = i;
    if (which < 0)
        return fprintf(stderr, "usage: traffic CASE [4|6|mapped] [address]\n"), 2;
    if (count > 2)
        family = arguments[2];
    if (count > 3)
        host = arguments[3];
    alarm(20);
#ifdef WITH_URING
    if (!strcmp(arguments[1], "io_uring") && io_uring_queue_init(8, &uring, 0))
        die("io_uring_queue_init");
    if (!strcmp(arguments[1], "sqpoll") && io_uring_queue_init(8, &uring, IORING_SETUP_SQPOLL))
        die("io_uring_queue_init with a polling thread");
#endif
    int listener = make_socket(0);
    if (cases[which].kind == LARGE)
        setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &(int){8192}, sizeof(int));
    if (bind(listener, (void *)&address, address_length) || listen(listener, 8))
        die("listen");
    int port = port_of(listener);
    printf("%d ", port);
    fflush(stdout);
    pid_t child = fork();
    if (!child)
        client(port, cases[which].kind);
    size_t sent = 0, received = 0;
    for (int i = 0; i < (cases[which].kind == REUSE ? 2 : 1); i++) {
        int s = accept(listener, NULL, NULL);
        if (s < 0)
            die("accept");
        serve(s, which, &sent, &received);
    }
    printf("%zu %zu\n", sent, received);
    fflush(stdout);
    int status;
    waitpid(child, &status, 0);
    return status ? 1 : 0;
}
