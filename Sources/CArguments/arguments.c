#include "arguments.h"

static int count;
static char **values;

/* The C library calls constructors with the arguments of main. */
__attribute__((constructor)) static void take_arguments(int argc, char **argv) {
    count = argc;
    values = argv;
}

int argument_count(void) { return count; }

const char *argument(int index) { return values[index]; }
