/* Open-loop UDP load generator for DNS servers on the loopback interface: a constant rate, answers or not.
 *
 * usage: paced PORT PACKETS SECONDS RATE
 *
 * PACKETS is a file of queries, each behind its length (16 bits, big endian). RATE of them a second are sent to
 * 127.0.0.1:PORT in turn, with a message ID of our own, each when its time has come. After SECONDS (60 at most), or
 * at SIGTERM, no more are sent, and the last ones may take 5 s to be answered.
 *
 * Prints one line of JSON. Latencies are in microseconds and of all queries, where one without an answer counts
 * as 5 s. They are taken twice: from the time that a query was due to the time at which the kernel had the answer
 * for us, and, as `wire_`, from the time it was sent. `late_` is what lies between: this program's own fault.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

typedef unsigned long long count;

enum { SOCKETS = 8, IDS = 1 << 16, MAX_PACKET = 4096, MAX_SECONDS = 60, MAX_RATE = 100000 };

static const uint64_t SECOND = 1000000000u, LOST_NS = 5 * (uint64_t)1000000000u;
static const uint32_t LOST_US = 5000000;

/* A query: nanoseconds since the start, 0 for what has not happened. */
struct query {
    uint64_t due, sent, answered;
};

static struct pollfd sockets[SOCKETS];
static uint8_t *packets;
static uint32_t *offsets, packet_count;
static struct query *queries;
static uint32_t due_count, sent_count, failed_count;
static count stray, noerror;
static uint64_t start;
static volatile sig_atomic_t is_told_to_stop;

static void fail(const char *what) {
    perror(what);
    exit(2);
}

static void refuse(const char *why) {
    fprintf(stderr, "paced: %s\n", why);
    exit(2);
}

static void stop(int signal) {
    (void)signal;
    is_told_to_stop = 1;
}

/* The clock of the kernel's time stamps. */
static uint64_t clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static long read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) fail(path);
    long size = ftell(file);
    rewind(file);
    packets = malloc((size_t)size + 1);
    if (!packets || fread(packets, 1, (size_t)size, file) != (size_t)size) fail(path);
    fclose(file);
    return size;
}

static void read_packets(const char *path) {
    long size = read_file(path);
    offsets = malloc(sizeof *offsets * ((size_t)size / 2 + 1));
    if (!offsets) fail("malloc");
    for (long at = 0; at + 2 <= size;) {
        long length = packets[at] << 8 | packets[at + 1];
        if (length < 12 || length > MAX_PACKET || at + 2 + length > size) refuse("a packet's length is wrong");
        offsets[packet_count++] = (uint32_t)at;
        at += 2 + length;
    }
    if (!packet_count) refuse("no packets");
}

static void open_socket(struct pollfd *it, int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int size = 4 << 20, on = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *it = (struct pollfd){.fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN};
    if (it->fd < 0 || fcntl(it->fd, F_SETFL, O_NONBLOCK)) fail("socket");
    setsockopt(it->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    (void)on;
#ifdef SO_TIMESTAMPNS
    setsockopt(it->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
#endif
    if (connect(it->fd, (void *)&to, sizeof to)) fail("connect");
}

/* Query n goes through socket n % SOCKETS, and its message ID is how many went there before it. */
static void send_query(uint32_t n, uint64_t due) {
    uint8_t packet[MAX_PACKET];
    const uint8_t *from = packets + offsets[n % packet_count];
    size_t length = (size_t)(from[0] << 8 | from[1]);
    uint32_t id = n / SOCKETS % IDS;
    memcpy(packet, from + 2, length);
    packet[0] = (uint8_t)(id >> 8);
    packet[1] = (uint8_t)id;
    queries[n] = (struct query){.due = due, .sent = clock_ns() - start};
    failed_count += send(sockets[n % SOCKETS].fd, packet, length, 0) != (ssize_t)length;
}

static uint64_t arrival(struct msghdr *message) {
#ifdef SO_TIMESTAMPNS
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
        }
#endif
    (void)message;
    return clock_ns();
}

/* The last query that went through the socket with this ID; IDs come again after some seconds. */
static void take_answer(uint32_t socket, const uint8_t *packet, ssize_t length, uint64_t at) {
    uint32_t turns = sent_count > socket ? (sent_count - socket + SOCKETS - 1) / SOCKETS : 0;
    uint32_t back = (turns - 1 - (uint32_t)(packet[0] << 8 | packet[1])) % IDS;
    if (length < 12 || !(packet[2] & 0x80) || back >= turns) {
        stray++;
        return;
    }
    struct query *query = &queries[(turns - 1 - back) * SOCKETS + socket];
    if (query->answered) {
        stray++;
        return;
    }
    query->answered = at - start > query->sent ? at - start : query->sent;
    noerror += !(packet[3] & 15);
}

static void receive(uint32_t socket) {
    uint8_t packet[MAX_PACKET], control[256];
    for (;;) {
        struct iovec span = {packet, sizeof packet};
        struct msghdr message = {
            .msg_iov = &span, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t length = recvmsg(sockets[socket].fd, &message, 0);
        if (length < 0) return;
        take_answer(socket, packet, length, arrival(&message));
    }
}

static void wait_until(uint64_t due) {
    uint64_t now = clock_ns() - start, rest = due > now ? due - now : 0;
    struct timespec patience = {.tv_sec = (time_t)(rest / SECOND), .tv_nsec = (long)(rest % SECOND)};
#ifdef __linux__
    int ready = ppoll(sockets, SOCKETS, &patience, NULL);
#else
    int ready = poll(sockets, SOCKETS, (int)(rest / 1000000));
    (void)patience;
#endif
    for (uint32_t i = 0; ready > 0 && i < SOCKETS; i++)
        if (sockets[i].revents) receive(i);
}

static int are_all_answered(void) {
    static uint32_t first;
    while (first < sent_count && queries[first].answered) first++;
    return first == sent_count;
}

static void run(double rate) {
    double gap = 1e9 / rate;
    while (sent_count < due_count && !is_told_to_stop) {
        uint64_t now = clock_ns() - start, due = 0;
        for (int sent = 0; sent_count < due_count && sent < 256; sent++) {
            due = 1 + (uint64_t)(sent_count * gap);
            if (due > now) break;
            send_query(sent_count++, due);
        }
        wait_until(due);
    }
    uint64_t end = clock_ns() - start + LOST_NS;
    while (!are_all_answered() && clock_ns() - start < end) wait_until(clock_ns() - start + 10000000);
}

static int compare(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

static void show(const char *prefix, uint32_t *us) {
    static const struct {
        const char *name;
        double part;
    } shown[] = {{"p50", .5}, {"p90", .9}, {"p99", .99}, {"p999", .999}, {"max", 1}};
    qsort(us, sent_count, sizeof *us, compare);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        uint32_t at = (uint32_t)(sent_count * shown[i].part);
        printf(", \"%s%s_us\": %u", prefix, shown[i].name, us[at < sent_count ? at : sent_count - 1]);
    }
}

static uint32_t microseconds(uint64_t from, uint64_t to) {
    uint64_t us = to ? (to - from) / 1000 : LOST_US;
    return us < LOST_US ? (uint32_t)us : LOST_US;
}

static void report(void) {
    uint32_t *us = malloc(sizeof *us * sent_count), answered = 0;
    if (!us) fail("malloc");
    for (uint32_t n = 0; n < sent_count; n++) answered += queries[n].answered != 0;
    double elapsed = (double)queries[sent_count - 1].sent / 1e9;
    printf("{\"sent\": %u, \"answered\": %u, \"lost\": %u, ", sent_count, answered, sent_count - answered);
    printf("\"failed\": %u, \"stray\": %llu, \"noerror\": %llu, ", failed_count, stray, noerror);
    printf("\"seconds\": %.3f, \"qps\": %.0f", elapsed, elapsed > 0 ? sent_count / elapsed : 0);
    for (uint32_t n = 0; n < sent_count; n++) us[n] = microseconds(queries[n].due, queries[n].answered);
    show("", us);
    for (uint32_t n = 0; n < sent_count; n++) us[n] = microseconds(queries[n].sent, queries[n].answered);
    show("wire_", us);
    for (uint32_t n = 0; n < sent_count; n++) us[n] = microseconds(queries[n].due, queries[n].sent);
    show("late_", us);
    printf("}\n");
}

int main(int argc, char **argv) {
    if (argc != 5) refuse("usage: paced PORT PACKETS SECONDS RATE");
    double seconds = atof(argv[3]), rate = atof(argv[4]);
    if (!(seconds > 0 && seconds <= MAX_SECONDS)) refuse("SECONDS is above 0, and 60 at most");
    if (!(rate >= 1 && rate <= MAX_RATE)) refuse("RATE is 1 to 100000");
    alarm((unsigned)seconds + 10);
    signal(SIGTERM, stop);
#ifdef __linux__
    /* Where that is allowed, nobody on our core, such as endpoints, holds us up. */
    sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
    prctl(PR_SET_TIMERSLACK, 1000);
#endif
    read_packets(argv[2]);
    due_count = (uint32_t)(seconds * rate) + 1;
    queries = calloc(due_count, sizeof *queries);
    if (!queries) fail("calloc");
    for (int i = 0; i < SOCKETS; i++) open_socket(&sockets[i], atoi(argv[1]));
    start = clock_ns();
    run(rate);
    if (!sent_count) refuse("stopped before the first query");
    report();
    return 0;
}
