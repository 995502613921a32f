/* The load of the measurements: requests for random keys over Unix sockets, with one thread and prepared requests, and
 * the times of their replies. It costs less than any of the servers, which the bare loop in `epoll-loop` shows.
 *
 *     socket-load press|probe --server NAME --socket PATH --keys N --value BYTES --seconds S [further options]
 *
 * `press` keeps a number of requests in flight on each connection. `probe` sends one request after another at a steady
 * rate. Both check each reply by its first bytes, its length and its end, and fail at the first wrong one. The result is a
 * line of JSON, with times in microseconds. SIGTERM ends the measurement early.
 *
 * A probe counts what its own waiting would hide: if a reply comes after the times of later requests, those count from
 * their times on. It doesn't count the time by which the machine wakes it too late. `lateness` shows that.
 */
#define _GNU_SOURCE
#include "histogram.h"
#include "servers.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    max_connections = 1024,
    max_in_flight = 256,
    read_bytes = 1 << 20,
    max_request_bytes = 512,
    max_key_bytes = 128,
    max_head_bytes = 32,
    /* The daemon's replies differ by the digits of `expires_in`. */
    length_tolerance = 16,
    patience_ms = 10000,
};

struct connection {
    int descriptor;
    /* The times at which the requests without a reply were sent, as a ring. */
    unsigned first, count;
    uint64_t sent_at[max_in_flight];
    /* The part of a reply that has come: its length and its first bytes. */
    size_t partial;
    char head[max_head_bytes];
};

static struct {
    const struct server *server;
    const char *socket, *tenant, *key;
    int keys, connections, in_flight, processor, is_realtime;
    size_t value;
    double per_second, seconds, warm_up;
} options = {.key = "user%08d", .keys = 1, .connections = 1, .in_flight = 1, .processor = -1, .per_second = 1000, .seconds = 1};

static struct connection connections[max_connections];
static struct histogram times, lateness;
static char *requests;
static size_t request_bytes, reply_bytes, head_bytes;
static volatile sig_atomic_t is_ended;

static void end_early(int signal) {
    (void)signal;
    is_ended = 1;
}

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    fputs("socket-load: ", stderr);
    vfprintf(stderr, text, arguments);
    fputc('\n', stderr);
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* MARK: Requests */

static int print_request(char *line, const char *key) {
    if (!options.tenant) return snprintf(line, max_request_bytes, options.server->request, key, (int)strlen(key));
    const char *form = "{\"op\":\"token\",\"tenant\":\"%s\",\"subject\":\"%s\"}\n";
    return snprintf(line, max_request_bytes, form, options.tenant, key);
}

/* Prints all requests one after another. They have the same length, because the keys have. */
static void prepare_requests(void) {
    char line[max_request_bytes], key[max_key_bytes];
    for (int number = 0; number < options.keys; number++) {
        snprintf(key, sizeof key, options.key, number);
        size_t length = (size_t)print_request(line, key);
        if (length >= sizeof line) fail("a request is too long");
        if (number == 0) {
            request_bytes = length;
            requests = malloc(length * (size_t)options.keys);
            if (!requests) fail("there is no memory for the requests");
        }
        if (length != request_bytes) fail("the keys differ in length");
        memcpy(requests + (size_t)number * length, line, length);
    }
    const char *frame = options.server->reply_frame;
    reply_bytes = options.value + (frame ? (size_t)snprintf(NULL, 0, frame, options.value, key) : 0);
    head_bytes = strlen(options.server->reply_head);
}

static const char *random_request(void) {
    static uint64_t state = 88172645463325252ULL;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return requests + state % (uint64_t)options.keys * request_bytes;
}

/* MARK: Connections */

static void open_connection(struct connection *connection) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(options.socket) >= sizeof address.sun_path) fail("the socket's path is too long");
    strcpy(address.sun_path, options.socket);
    connection->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(connection->descriptor, (struct sockaddr *)&address, sizeof address))
        fail("no connection to %s: %s", options.socket, strerror(errno));
    struct timeval patience = {.tv_sec = patience_ms / 1000};
    setsockopt(connection->descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

static void send_requests(struct connection *connection, unsigned count) {
    static char batch[max_in_flight * max_request_bytes];
    for (unsigned index = 0; index < count; index++)
        memcpy(batch + index * request_bytes, random_request(), request_bytes);
    uint64_t time = now();
    for (unsigned index = 0; index < count; index++)
        connection->sent_at[(connection->first + connection->count + index) % max_in_flight] = time;
    connection->count += count;
    for (size_t sent = 0; sent < count * request_bytes;) {
        ssize_t length = send(connection->descriptor, batch + sent, count * request_bytes - sent, MSG_NOSIGNAL);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) fail("sending failed: %s", strerror(errno));
        sent += (size_t)length;
    }
}

/* Checks the first bytes of a reply, which may come in parts. */
static void check_head(struct connection *connection, const char *bytes, size_t count) {
    size_t missing = head_bytes - connection->partial;
    if (missing > count) missing = count;
    memcpy(connection->head + connection->partial, bytes, missing);
    if (memcmp(connection->head, options.server->reply_head, connection->partial + missing))
        fail("a reply begins wrongly: %.*s", count > 200 ? 200 : (int)count, bytes);
}

/* Returns the length of the rest of the current reply, or 0 if more must come. */
static size_t rest_of_reply(const struct connection *connection, const char *bytes, size_t count) {
    if (options.server->reply_frame) {
        size_t rest = reply_bytes - connection->partial;
        if (count < rest) return 0;
        if (bytes[rest - 1] != '\n') fail("a reply ends wrongly");
        return rest;
    }
    const char *end = memchr(bytes, '\n', count);
    if (!end) return 0;
    size_t length = connection->partial + (size_t)(end - bytes) + 1;
    if (length + length_tolerance < reply_bytes || length > reply_bytes + length_tolerance)
        fail("a reply has %zu bytes instead of %zu", length, reply_bytes);
    return (size_t)(end - bytes) + 1;
}

/* Reads what has come, and returns the number of replies that it completes. */
static unsigned receive(struct connection *connection, int flags) {
    static char bytes[read_bytes];
    ssize_t count = recv(connection->descriptor, bytes, sizeof bytes, flags);
    if (count < 0 && (errno == EINTR || (flags && errno == EAGAIN))) return 0;
    if (count < 0) fail("no reply came: %s", strerror(errno));
    if (count == 0) fail("the server has closed a connection");
    unsigned replies = 0;
    for (size_t position = 0; position < (size_t)count;) {
        size_t left = (size_t)count - position;
        if (connection->partial < head_bytes) check_head(connection, bytes + position, left);
        size_t rest = rest_of_reply(connection, bytes + position, left);
        if (!rest) {
            connection->partial += left;
            break;
        }
        connection->partial = 0;
        position += rest;
        replies++;
    }
    if (replies > connection->count) fail("more replies came than requests were sent");
    return replies;
}

/* MARK: Measuring */

static double processor_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void print_times(const char *name, const struct histogram *histogram) {
    printf("\"%s\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"longest\":%.1f}", name,
           (double)quantile(histogram, 0.5) / 1e3, (double)quantile(histogram, 0.9) / 1e3,
           (double)quantile(histogram, 0.99) / 1e3, (double)quantile(histogram, 0.999) / 1e3,
           (double)histogram->longest / 1e3);
}

static void take_replies(struct connection *connection, unsigned replies, int is_counted) {
    uint64_t time = now();
    for (unsigned index = 0; index < replies; index++) {
        uint64_t sent_at = connection->sent_at[(connection->first + index) % max_in_flight];
        if (is_counted) record(&times, time - sent_at, 1);
    }
    connection->first = (connection->first + replies) % max_in_flight;
    connection->count -= replies;
}

static void press(void) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ready[max_connections];
    for (int index = 0; index < options.connections; index++) {
        open_connection(&connections[index]);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[index]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connections[index].descriptor, &event)) fail("epoll_ctl: %s", strerror(errno));
    }
    for (int index = 0; index < options.connections; index++) send_requests(&connections[index], (unsigned)options.in_flight);
    uint64_t start = now(), counted = start + (uint64_t)(options.warm_up * 1e9);
    uint64_t end = counted + (uint64_t)(options.seconds * 1e9), time = start, first_counted = 0;
    double processor = 0;
    while (time < end && !is_ended) {
        int count = epoll_wait(epoll, ready, max_connections, patience_ms);
        if (count == 0) fail("no reply came");
        time = now();
        if (!first_counted && time >= counted) {
            first_counted = time;
            processor = processor_seconds();
        }
        for (int index = 0; index < count; index++) {
            struct connection *connection = ready[index].data.ptr;
            unsigned replies = receive(connection, MSG_DONTWAIT);
            take_replies(connection, replies, first_counted != 0);
            if (replies) send_requests(connection, replies);
        }
    }
    double seconds = (double)(now() - first_counted) / 1e9;
    printf("{\"per_second\":%.0f,\"processor\":%.3f,", (double)times.total / seconds,
           (processor_seconds() - processor) / seconds);
    print_times("times", &times);
    puts("}");
}

static void sleep_until(uint64_t time) {
    struct timespec until = {.tv_sec = (time_t)(time / 1000000000), .tv_nsec = (long)(time % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR && !is_ended) {}
}

static void probe(void) {
    struct connection *connection = &connections[0];
    open_connection(connection);
    uint64_t interval = (uint64_t)(1e9 / options.per_second), start = now();
    uint64_t counted = start + (uint64_t)(options.warm_up * 1e9), end = counted + (uint64_t)(options.seconds * 1e9);
    for (uint64_t due = start; due < end && !is_ended;) {
        sleep_until(due);
        uint64_t sent = now();
        send_requests(connection, 1);
        while (!receive(connection, 0) && !is_ended) {}
        uint64_t ended = now();
        connection->count = 0;
        int is_counted = due >= counted && !is_ended;
        if (is_counted) {
            record(&lateness, sent - due, 1);
            record(&times, ended - sent, 1);
        }
        while (due <= sent) due += interval;
        for (; due < ended; due += interval)
            if (is_counted) record(&times, ended - due, 1);
    }
    printf("{\"requests\":%llu,\"is_realtime\":%s,", (unsigned long long)times.total, options.is_realtime ? "true" : "false");
    print_times("times", &times);
    putchar(',');
    print_times("lateness", &lateness);
    puts("}");
}

/* MARK: Options */

static const struct server *server_named(const char *name) {
    for (size_t index = 0; index < sizeof servers / sizeof *servers; index++)
        if (!strcmp(servers[index].name, name)) return &servers[index];
    fail("there is no server %s", name);
}

static void read_options(int count, char **arguments) {
    static const struct option known[] = {
        {"server", 1, 0, 's'}, {"socket", 1, 0, 'p'}, {"tenant", 1, 0, 't'}, {"key", 1, 0, 'k'},
        {"keys", 1, 0, 'n'}, {"value", 1, 0, 'v'}, {"connections", 1, 0, 'c'}, {"in-flight", 1, 0, 'f'},
        {"per-second", 1, 0, 'r'}, {"seconds", 1, 0, 'd'}, {"warm-up", 1, 0, 'w'}, {"processor", 1, 0, 'a'},
        {"realtime", 0, 0, 'R'}, {0, 0, 0, 0},
    };
    for (int option; (option = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        switch (option) {
        case 's': options.server = server_named(optarg); break;
        case 'p': options.socket = optarg; break;
        case 't': options.tenant = optarg; break;
        case 'k': options.key = optarg; break;
        case 'n': options.keys = atoi(optarg); break;
        case 'v': options.value = strtoul(optarg, NULL, 10); break;
        case 'c': options.connections = atoi(optarg); break;
        case 'f': options.in_flight = atoi(optarg); break;
        case 'r': options.per_second = atof(optarg); break;
        case 'd': options.seconds = atof(optarg); break;
        case 'w': options.warm_up = atof(optarg); break;
        case 'a': options.processor = atoi(optarg); break;
        case 'R': options.is_realtime = 1; break;
        default: exit(64);
        }
    }
    if (!options.server || !options.socket || !options.value) fail("--server, --socket and --value are needed");
    if (options.connections < 1 || options.connections > max_connections || options.in_flight < 1 ||
        options.in_flight > max_in_flight || options.keys < 1 || options.per_second <= 0)
        fail("a number is out of range");
}

/* Chooses the processor and the priority. A probe of real-time priority is woken in time on a busy machine. */
static void schedule(void) {
    cpu_set_t processors;
    CPU_ZERO(&processors);
    if (options.processor >= 0) {
        CPU_SET(options.processor, &processors);
        if (sched_setaffinity(0, sizeof processors, &processors)) fail("sched_setaffinity: %s", strerror(errno));
    }
    struct sched_param priority = {.sched_priority = 1};
    if (options.is_realtime && sched_setscheduler(0, SCHED_FIFO, &priority)) options.is_realtime = 0;
}

int main(int count, char **arguments) {
    if (count < 2) fail("usage: socket-load press|probe OPTION...");
    read_options(count - 1, arguments + 1);
    prepare_requests();
    schedule();
    struct sigaction action = {.sa_handler = end_early};
    sigaction(SIGTERM, &action, NULL);
    if (!strcmp(arguments[1], "press")) press();
    else if (!strcmp(arguments[1], "probe")) probe();
    else fail("there is no measurement %s", arguments[1]);
    return 0;
}
