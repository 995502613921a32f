#include "standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

static int was_closed[STDERR_FILENO + 1];

/* A high priority: before the constructors of all libraries that could open a descriptor. */
__attribute__((constructor(101))) static void open_standard_descriptors(void) {
    int descriptor;
    while ((descriptor = open("/dev/null", O_RDWR)) >= 0 && descriptor <= STDERR_FILENO) was_closed[descriptor] = 1;
    if (descriptor > STDERR_FILENO) close(descriptor);
}

int standard_descriptor_was_closed(int descriptor) {
    return descriptor >= 0 && descriptor <= STDERR_FILENO && was_closed[descriptor];
}
