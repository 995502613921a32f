/* A tenant that costs next to nothing, so that a million tokens can be minted and the daemon alone is measured. The
 * stand-in tenant checks each call and signs each token, which takes more time than the daemon.
 *
 *     bulk-tenant READY-FILE TOKEN-BYTES
 *
 * It listens on a free port of 127.0.0.1 and writes its URL to the file. Each POST gets a token that no other has, of
 * that many bytes, with a lifetime of six hours. `GET /lifetime/SECONDS` changes the lifetime of later tokens, and
 * `GET /end/SECONDS` lets all later tokens expire at the same time, that many seconds from then. Tokens that are minted
 * after it, or shortly before it, live a few seconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { max_connections = 2048, max_events = 256, max_request_bytes = 65536, max_reply_bytes = 131072, least_lifetime = 5 };

struct connection {
    size_t count;
    char bytes[max_request_bytes + 1];
};

static struct connection *connections[max_connections];
static char *token;
static size_t token_bytes;
static unsigned long serial;
static long lifetime = 21600;
/* The time at which all tokens expire, or 0. */
static time_t end;

static void fail(const char *text) {
    perror(text);
    exit(1);
}

static time_t seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

static int listen_on_loopback(const char *ready_file) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(listening, (struct sockaddr *)&address, length) || listen(listening, max_connections) ||
        getsockname(listening, (struct sockaddr *)&address, &length))
        fail("listening");
    char partial[4096];
    if (snprintf(partial, sizeof partial, "%s.part", ready_file) >= (int)sizeof partial) fail(ready_file);
    FILE *file = fopen(partial, "w");
    if (!file || fprintf(file, "http://127.0.0.1:%d\n", ntohs(address.sin_port)) < 0 || fclose(file) ||
        rename(partial, ready_file))
        fail(ready_file);
    return listening;
}

static void accept_all(int epoll, int listening) {
    int connection, on = 1;
    while ((connection = accept4(listening, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        if (connection >= max_connections) {
            close(connection);
            continue;
        }
        if (!connections[connection]) connections[connection] = malloc(sizeof(struct connection));
        if (!connections[connection]) fail("malloc");
        connections[connection]->count = 0;
        setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = connection};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection, &event)) fail("epoll_ctl");
    }
}

/* Writes the reply to a POST, and returns its length. */
static int write_token(char *reply) {
    char number[24];
    int digits = snprintf(number, sizeof number, "%020lu", serial++);
    memcpy(token + token_bytes - (size_t)digits, number, (size_t)digits);
    long left = end ? (long)(end - seconds_now()) : lifetime;
    char tail[128];
    int tail_bytes = snprintf(tail, sizeof tail, "\",\"token_type\":\"Bearer\",\"expires_in\":%ld,\"scope\":\"user_default\"}",
                              left > least_lifetime ? left : least_lifetime);
    return snprintf(reply, max_reply_bytes,
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n{\"access_token\":\"%s%s",
                    strlen("{\"access_token\":\"") + token_bytes + (size_t)tail_bytes, token, tail);
}

/* Obeys a GET, writes its reply, and returns the reply's length. */
static int obey(const char *request, char *reply) {
    long seconds;
    if (sscanf(request, "GET /lifetime/%ld", &seconds) == 1) {
        lifetime = seconds;
        end = 0;
    } else if (sscanf(request, "GET /end/%ld", &seconds) == 1) {
        end = seconds_now() + seconds;
    } else {
        return snprintf(reply, max_reply_bytes, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    }
    return snprintf(reply, max_reply_bytes, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
}

/* Answers a complete request, and returns its length, 0 if more must come, or -1 for a connection that ends. */
static long answer(int descriptor, const char *request) {
    static char reply[max_reply_bytes];
    const char *body = strstr(request, "\r\n\r\n"), *field = strcasestr(request, "\r\ncontent-length:");
    if (!body) return 0;
    body += 4;
    size_t length = field && field < body ? strtoul(field + 17, NULL, 10) : 0;
    if (strlen(body) < length) return 0;
    int bytes = strncmp(request, "POST ", 5) ? obey(request, reply) : write_token(reply);
    if (send(descriptor, reply, (size_t)bytes, MSG_NOSIGNAL) != bytes) return -1;
    return body - request + (long)length;
}

/* Reads once and answers what is complete. Returns false if the connection has ended. */
static int serve(int descriptor) {
    struct connection *connection = connections[descriptor];
    ssize_t count = recv(descriptor, connection->bytes + connection->count, max_request_bytes - connection->count, 0);
    if (count <= 0) return count < 0 && errno == EINTR;
    connection->count += (size_t)count;
    connection->bytes[connection->count] = 0;
    long used = 0, request = 1;
    while (request > 0 && (size_t)used < connection->count) {
        request = answer(descriptor, connection->bytes + used);
        used += request > 0 ? request : 0;
    }
    connection->count -= (size_t)used;
    memmove(connection->bytes, connection->bytes + used, connection->count);
    return request >= 0 && connection->count < max_request_bytes;
}

int main(int count, char **arguments) {
    if (count != 3 || (token_bytes = strtoul(arguments[2], NULL, 10)) < 32 || token_bytes > max_reply_bytes / 2) {
        fprintf(stderr, "usage: bulk-tenant READY-FILE TOKEN-BYTES\n");
        return 64;
    }
    token = malloc(token_bytes + 1);
    if (!token) fail("malloc");
    memset(token, 'x', token_bytes);
    token[token_bytes] = 0;
    int listening = listen_on_loopback(arguments[1]), epoll = epoll_create1(EPOLL_CLOEXEC);
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
