// Opens connections to 127.0.0.1, each for one request, from several threads for some time.
//
//   short_connections PORT THREADS SECONDS [CONNECTIONS-PER-SECOND]
//
// Prints "CONNECTIONS BYTES-SENT BYTES-RECEIVED NANOSECONDS", then exits 0; exits 1 when one connection
// fails.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char REQUEST[] = "GET /ok HTTP/1.1\r\nHost: short\r\nConnection: close\r\n\r\n";

static struct sockaddr_in address;
static long long seconds, interval; // ns between two connections of a thread; 0: as fast as they go

struct totals {
    long long connections, sent, received;
};

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void *run(void *argument) {
    struct totals *totals = argument;
    char buffer[4096];
    long long start = now(), end = start + seconds * 1000000000LL;
    while (now() < end) {
        long long early = start + totals->connections * interval - now();
        if (interval && early > 0)
            nanosleep(&(struct timespec){early / 1000000000, early % 1000000000}, NULL);
        int s = socket(AF_INET, SOCK_STREAM, 0);
        if (s < 0)
            die("socket");
        if (connect(s, (struct sockaddr *)&address, sizeof address))
            die("connect");
        if (send(s, REQUEST, sizeof REQUEST - 1, 0) != sizeof REQUEST - 1)
            die("send");
        totals->sent += sizeof REQUEST - 1;
        ssize_t got, answer = 0;
        while ((got = recv(s, buffer, sizeof buffer, 0)) > 0)
            answer += got;
        if (got < 0 || !answer)
            die("recv");
        totals->received += answer;
        totals->connections++;
        close(s);
    }
    return NULL;
}

int main(int count, char **arguments) {
    if (count < 4 || count > 5) {
        fprintf(stderr, "usage: short_connections PORT THREADS SECONDS [CONNECTIONS-PER-SECOND]\n");
        return 2;
    }
    int threads = atoi(arguments[2]);
    seconds = atoll(arguments[3]);
    if (count == 5)
        interval = 1000000000LL * threads / atoll(arguments[4]);
    address.sin_family = AF_INET;
    address.sin_port = htons(atoi(arguments[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pthread_t thread[threads];
    struct totals totals[threads], sum = {0, 0, 0};
    memset(totals, 0, sizeof totals);
    long long start = now();
    for (int i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, run, &totals[i]))
            die("thread");
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        sum.connections += totals[i].connections;
        sum.sent += totals[i].sent;
        sum.received += totals[i].received;
    }
    printf("%lld %lld %lld %lld\n", sum.connections, sum.sent, sum.received, now() - start);
    return 0;
}
