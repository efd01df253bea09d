/* The floor: every query is answered with the same A record, between two batched system calls. What a
 * DNS server spends above this is its own work.
 *
 * usage: floor PORT          (127.0.0.1 only; runs until it is killed)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"

static const unsigned char ANSWER[16] = {0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 1, 0x2C, 0, 4, 10, 0, 0, 5};

static unsigned char packets[BATCH][MAX_PACKET];
static struct sockaddr_in from[BATCH];
static struct iovec spans[BATCH];
static datagram batch[BATCH];

static int open_socket(int port) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (fd < 0 || bind(fd, (void *)&at, sizeof at)) {
        perror("floor");
        exit(2);
    }
    return fd;
}

static void make_room(void) {
    for (int i = 0; i < BATCH; i++) {
        spans[i] = (struct iovec){packets[i], MAX_PACKET};
        batch[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof from[i],
                                           .msg_iov = &spans[i], .msg_iovlen = 1};
    }
}

/* Returns the offset behind the first question, or 0 where there is no room for one. */
static unsigned question_end(const unsigned char *packet, unsigned length) {
    unsigned at = 12;
    while (at < length && packet[at]) at += packet[at] + 1;
    return at + 5 <= length ? at + 5 : 0;
}

/* Turns a query into its answer, in place, without EDNS. Returns the answer's length; 0 for garbage. */
static unsigned answer(unsigned char *packet, unsigned length) {
    unsigned end = question_end(packet, length);
    if (!end || end + sizeof ANSWER > MAX_PACKET) return 0;
    packet[2] = 0x84 | (packet[2] & 1);
    packet[3] = 0;
    memcpy(packet + 4, (unsigned char[]){0, 1, 0, 1, 0, 0, 0, 0}, 8);
    memcpy(packet + end, ANSWER, sizeof ANSWER);
    return end + sizeof ANSWER;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    int fd = open_socket(atoi(argv[1]));
    for (;;) {
        make_room();
        int count = receive_batch(fd, batch, 1);
        for (int i = 0; i < count; i++) spans[i].iov_len = answer(packets[i], batch[i].msg_len);
        if (count > 0) send_batch(fd, batch, count);
    }
}
