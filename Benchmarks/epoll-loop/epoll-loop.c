/* The limit that the servers are compared with: a bare epoll loop on a Unix socket that answers each line with a line of
 * a given length. It parses nothing, looks up nothing and keeps nothing, so a server that does the same system calls
 * can't be faster.
 *
 *     epoll-loop SOCKET BYTES
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { max_connections = 1024, max_events = 256, read_bytes = 65536, most_replies = 64 };

/* The bytes that each connection is still owed, by its descriptor. */
static size_t owed[max_connections];
/* Several replies in a row, so that one send can hold a batch. */
static char *replies;
static size_t reply_bytes;

static void fail(const char *text) {
    perror(text);
    exit(1);
}

static int listen_on(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) fail("the path is too long");
    strcpy(address.sun_path, path);
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(listening, (struct sockaddr *)&address, sizeof address) || listen(listening, max_connections)) fail(path);
    return listening;
}

static void accept_all(int epoll, int listening) {
    int connection;
    while ((connection = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (connection >= max_connections) {
            close(connection);
            continue;
        }
        owed[connection] = 0;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = connection};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection, &event)) fail("epoll_ctl");
    }
}

/* Sends what is owed, and returns false if the connection has failed. */
static int send_owed(int connection) {
    while (owed[connection] > 0) {
        /* What is left of a reply that was sent in part comes first: it ends where the replies end. */
        size_t first = owed[connection] % reply_bytes;
        size_t whole = owed[connection] - first;
        size_t room = most_replies * reply_bytes;
        size_t length = first + (whole > room - reply_bytes ? room - reply_bytes : whole);
        ssize_t sent = send(connection, replies + (first ? reply_bytes - first : 0), length, MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN;
        owed[connection] -= (size_t)sent;
    }
    return 1;
}

/* Reads until nothing is left, and answers after each read. Returns false if the connection has ended. */
static int serve(int connection) {
    static char bytes[read_bytes];
    if (!send_owed(connection)) return 0;
    for (;;) {
        ssize_t count = recv(connection, bytes, sizeof bytes, 0);
        if (count < 0) return errno == EAGAIN;
        if (count == 0) return 0;
        char *position = bytes, *end = bytes + count;
        while ((position = memchr(position, '\n', (size_t)(end - position)))) {
            owed[connection] += reply_bytes;
            if (++position == end) break;
        }
        if (!send_owed(connection)) return 0;
        /* A short read has emptied the socket. What comes later is a new edge. */
        if ((size_t)count < sizeof bytes) return 1;
    }
}

int main(int count, char **arguments) {
    if (count != 3 || (reply_bytes = strtoul(arguments[2], NULL, 10)) < 2) {
        fprintf(stderr, "usage: epoll-loop SOCKET BYTES\n");
        return 64;
    }
    replies = malloc(most_replies * reply_bytes);
    if (!replies) fail("malloc");
    memset(replies, 'x', most_replies * reply_bytes);
    for (int reply = 1; reply <= most_replies; reply++) replies[(size_t)reply * reply_bytes - 1] = '\n';
    int listening = listen_on(arguments[1]), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listening}, events[max_events];
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &event)) fail("epoll");
    for (;;) {
        int ready = epoll_wait(epoll, events, max_events, -1);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        for (int index = 0; index < ready; index++) {
            int descriptor = events[index].data.fd;
            if (descriptor == listening) accept_all(epoll, listening);
            else if (!serve(descriptor)) close(descriptor);
        }
    }
}
