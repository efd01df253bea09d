/* Datagrams in batches: one system call on Linux and FreeBSD, a loop of system calls elsewhere. */
#ifndef BATCH_H
#define BATCH_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

enum { BATCH = 64, MAX_PACKET = 4096 };

#if (defined(__linux__) || defined(__FreeBSD__)) && !defined(WITHOUT_MMSG)

typedef struct mmsghdr datagram;

/* Receives up to BATCH datagrams; with `wait`, sleeps until there is one. Returns how many, or -1. */
static int receive_batch(int fd, datagram *batch, int wait) {
    return recvmmsg(fd, batch, BATCH, wait ? MSG_WAITFORONE : MSG_DONTWAIT, NULL);
}

/* Sends the first `count` datagrams. Returns how many were taken, or -1. */
static int send_batch(int fd, datagram *batch, int count) {
    return sendmmsg(fd, batch, count, 0);
}

#else

typedef struct {
    struct msghdr msg_hdr;
    unsigned msg_len;
} datagram;

static int receive_batch(int fd, datagram *batch, int wait) {
    int done = 0;
    for (; done < BATCH; done++) {
        ssize_t length = recvmsg(fd, &batch[done].msg_hdr, wait && !done ? 0 : MSG_DONTWAIT);
        if (length < 0) break;
        batch[done].msg_len = (unsigned)length;
    }
    return done ? done : -1;
}

static int send_batch(int fd, datagram *batch, int count) {
    int done = 0;
    while (done < count && sendmsg(fd, &batch[done].msg_hdr, 0) >= 0) done++;
    return done ? done : -1;
}

#endif
#endif
