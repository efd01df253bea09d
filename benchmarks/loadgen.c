/* Closed-loop UDP load generator for DNS servers on the loopback interface.
 *
 * usage: loadgen PORT PACKETS SECONDS SOCKETS WINDOW
 *
 * PACKETS is a file of queries, each behind its length (16 bits, big endian). They are sent to
 * 127.0.0.1:PORT in turn, with a message ID of our own. WINDOW queries are in flight on each of SOCKETS
 * sockets; one that is not answered within 500 ms is lost and its place is used again. After SECONDS (60
 * at most) no more are sent, and the last ones may take their 500 ms.
 *
 * Prints one line of JSON: counts of queries and of answers by kind, answer bytes, queries per second,
 * latency percentiles in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "batch.h"

typedef unsigned long long count;

enum { MAX_SOCKETS = 64, SLOT_BITS = 10, MAX_WINDOW = 1 << SLOT_BITS, TURNS = 1 << (16 - SLOT_BITS) };
enum { MAX_SECONDS = 60, SWEEP_NS = 100000000, LOST_NS = 500000000, BUCKETS = LOST_NS / 1000 + 1 };

/* A socket and its places for queries in flight. The message ID is a place's number and its turn, so that
 * an answer to a query given up for lost is not taken for the answer to the next one in the same place. */
struct lane {
    int fd;
    int idle_count;
    uint16_t idle[MAX_WINDOW];
    uint8_t turn[MAX_WINDOW];
    uint64_t sent_at[MAX_WINDOW]; /* nanoseconds; 0 for an idle place */
};

static struct lane lanes[MAX_SOCKETS];
static struct pollfd polled[MAX_SOCKETS];
static int lane_count, window;

static uint8_t *packets;
static uint32_t *offsets;
static uint32_t packet_count, next_packet;

static uint8_t in[BATCH][MAX_PACKET], out[BATCH][MAX_PACKET];
static struct iovec in_spans[BATCH], out_spans[BATCH];
static datagram in_batch[BATCH], out_batch[BATCH];

static count sent, answered, lost, stray, bytes, truncated, nodata, rcodes[16];
static uint32_t latencies[BUCKETS]; /* answers by whole microseconds */
static uint64_t now, last_answer_at;

static void fail(const char *what) {
    perror(what);
    exit(2);
}

static void refuse(const char *why) {
    fprintf(stderr, "loadgen: %s\n", why);
    exit(2);
}

static uint64_t clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
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

static void open_lane(struct lane *lane, int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int size = 4 << 20;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    lane->fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (lane->fd < 0 || fcntl(lane->fd, F_SETFL, O_NONBLOCK)) fail("socket");
    setsockopt(lane->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (connect(lane->fd, (void *)&to, sizeof to)) fail("connect");
    for (int slot = 0; slot < window; slot++) lane->idle[lane->idle_count++] = (uint16_t)slot;
}

static void prepare_batches(void) {
    for (int i = 0; i < BATCH; i++) {
        in_spans[i] = (struct iovec){in[i], MAX_PACKET};
        in_batch[i].msg_hdr.msg_iov = &in_spans[i];
        in_batch[i].msg_hdr.msg_iovlen = 1;
        out_batch[i].msg_hdr.msg_iov = &out_spans[i];
        out_batch[i].msg_hdr.msg_iovlen = 1;
    }
}

static void free_slot(struct lane *lane, int slot) {
    lane->sent_at[slot] = 0;
    lane->turn[slot] = (lane->turn[slot] + 1) % TURNS;
    lane->idle[lane->idle_count++] = (uint16_t)slot;
}

static void take_answer(struct lane *lane, const uint8_t *packet, unsigned length) {
    int slot = (packet[0] << 8 | packet[1]) % MAX_WINDOW, turn = packet[0] >> (SLOT_BITS - 8);
    if (length < 12 || !(packet[2] & 0x80) || slot >= window || !lane->sent_at[slot] || lane->turn[slot] != turn) {
        stray++;
        return;
    }
    uint64_t us = (now - lane->sent_at[slot]) / 1000;
    latencies[us < BUCKETS ? us : BUCKETS - 1]++;
    last_answer_at = now;
    answered++;
    bytes += length;
    truncated += packet[2] >> 1 & 1;
    rcodes[packet[3] & 15]++;
    nodata += !(packet[3] & 15) && !(packet[6] | packet[7]);
    free_slot(lane, slot);
}

static void receive(struct lane *lane) {
    int n = receive_batch(lane->fd, in_batch, 0);
    now = clock_ns();
    for (int i = 0; i < n; i++) take_answer(lane, in[i], in_batch[i].msg_len);
}

static void write_query(struct lane *lane, int slot, int i) {
    const uint8_t *packet = packets + offsets[(next_packet + (uint32_t)i) % packet_count];
    size_t length = (size_t)(packet[0] << 8 | packet[1]);
    memcpy(out[i], packet + 2, length);
    out[i][0] = (uint8_t)(lane->turn[slot] << (SLOT_BITS - 8) | slot >> 8);
    out[i][1] = (uint8_t)slot;
    out_spans[i] = (struct iovec){out[i], length};
}

static void send_queries(struct lane *lane) {
    int wanted = lane->idle_count < BATCH ? lane->idle_count : BATCH;
    if (!wanted) return;
    for (int i = 0; i < wanted; i++) write_query(lane, lane->idle[lane->idle_count - 1 - i], i);
    int taken = send_batch(lane->fd, out_batch, wanted);
    for (int i = 0; i < taken; i++) lane->sent_at[lane->idle[--lane->idle_count]] = now;
    if (taken > 0) {
        sent += (count)taken;
        next_packet = (next_packet + (uint32_t)taken) % packet_count;
    }
}

static void sweep_lost(void) {
    for (struct lane *lane = lanes; lane < lanes + lane_count; lane++)
        for (int slot = 0; slot < window; slot++)
            if (lane->sent_at[slot] && now - lane->sent_at[slot] > LOST_NS) {
                lost++;
                free_slot(lane, slot);
            }
}

static int all_idle(void) {
    for (int i = 0; i < lane_count; i++)
        if (lanes[i].idle_count < window) return 0;
    return 1;
}

static void run(uint64_t start, uint64_t end) {
    uint64_t swept = now = start;
    while (now < end || (!all_idle() && now < end + LOST_NS)) {
        for (int i = 0; i < lane_count; i++) {
            receive(&lanes[i]);
            if (now < end) send_queries(&lanes[i]);
        }
        if (now - swept > SWEEP_NS) {
            swept = now;
            sweep_lost();
        }
        poll(polled, (nfds_t)lane_count, 1);
    }
    for (int i = 0; i < lane_count; i++) lost += (count)(window - lanes[i].idle_count);
}

static int percentile(double part) {
    count wanted = (count)((double)answered * part), seen = 0;
    for (int us = 0; us < BUCKETS; us++)
        if ((seen += latencies[us]) > wanted) return us;
    return 0;
}

static void report(uint64_t start) {
    double elapsed = answered ? (double)(last_answer_at - start) / 1e9 : 1;
    count other = answered - rcodes[0] - rcodes[2] - rcodes[3] - rcodes[5];
    printf("{\"sent\": %llu, \"answered\": %llu, \"lost\": %llu, \"stray\": %llu, \"bytes\": %llu, ", sent, answered,
           lost, stray, bytes);
    printf("\"noerror\": %llu, \"nodata\": %llu, \"nxdomain\": %llu, ", rcodes[0] - nodata, nodata, rcodes[3]);
    printf("\"servfail\": %llu, \"refused\": %llu, \"other\": %llu, ", rcodes[2], rcodes[5], other);
    printf("\"truncated\": %llu, \"qps\": %.0f, ", truncated, (double)answered / elapsed);
    printf("\"p50_us\": %d, \"p99_us\": %d}\n", percentile(.5), percentile(.99));
}

int main(int argc, char **argv) {
    if (argc != 6) refuse("usage: loadgen PORT PACKETS SECONDS SOCKETS WINDOW");
    double seconds = atof(argv[3]);
    lane_count = atoi(argv[4]);
    window = atoi(argv[5]);
    if (!(seconds > 0 && seconds <= MAX_SECONDS)) refuse("SECONDS is above 0, and 60 at most");
    if (lane_count < 1 || lane_count > MAX_SOCKETS) refuse("SOCKETS is 1 to 64");
    if (window < 1 || window > MAX_WINDOW) refuse("WINDOW is 1 to 1024");
    alarm((unsigned)seconds + 5);
    read_packets(argv[2]);
    prepare_batches();
    for (int i = 0; i < lane_count; i++) {
        open_lane(&lanes[i], atoi(argv[1]));
        polled[i] = (struct pollfd){.fd = lanes[i].fd, .events = POLLIN};
    }
    uint64_t start = clock_ns();
    run(start, start + (uint64_t)(seconds * 1e9));
    report(start);
    return 0;
}
