/* An endpoint for health checks that is up and costs next to nothing: one connection after the other.
 *
 * usage: endpoint PORT tcp     accepts, and closes
 *        endpoint PORT http    answers a request with 200 and OK, and closes
 *
 * 127.0.0.1 only; runs until it is killed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char RESPONSE[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n";

static int open_socket(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (void *)&at, sizeof at) || listen(fd, 4096)) {
        perror("endpoint");
        exit(2);
    }
    return fd;
}

/* Reads a request to its empty line; whoever sends none within a second is not served. */
static void answer(int fd) {
    char request[8192];
    size_t size = 0;
    struct timeval second = {.tv_sec = 1};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    while (size < sizeof request) {
        ssize_t length = recv(fd, request + size, sizeof request - size, 0);
        if (length <= 0) return;
        size += (size_t)length;
        if (size >= 4 && !memcmp(request + size - 4, "\r\n\r\n", 4)) break;
    }
    if (send(fd, RESPONSE, sizeof RESPONSE - 1, MSG_NOSIGNAL) < 0) return;
    shutdown(fd, SHUT_WR);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int fd = open_socket(atoi(argv[1])), is_http = !strcmp(argv[2], "http");
    for (;;) {
        int accepted = accept(fd, NULL, NULL);
        if (accepted < 0) continue;
        if (is_http) answer(accepted);
        close(accepted);
    }
}
