/* The servers that are measured. */
#pragma once

#include <stddef.h>

/* The form of a server's requests and replies. */
struct server {
    const char *name;
    /* Printed with the key and its length. */
    const char *request;
    /* The first bytes of each reply that has a value. */
    const char *reply_head;
    /* The rest of a reply, printed with the length of the value and the key, or NULL if a reply is the value itself. */
    const char *reply_frame;
};

static const struct server servers[] = {
    {"tokencached", "{\"op\":\"token\",\"subject\":\"%1$s\"}\n", "{\"access_token\":\"", NULL},
    {"redis", "*2\r\n$3\r\nGET\r\n$%2$d\r\n%1$s\r\n", "$", "$%1$zu\r\n\r\n"},
    {"memcached", "get %1$s\r\n", "VALUE ", "VALUE %2$s 0 %1$zu\r\n\r\nEND\r\n"},
    {"epoll-loop", "{\"op\":\"token\",\"subject\":\"%1$s\"}\n", "xxxxxxxx", NULL},
};
