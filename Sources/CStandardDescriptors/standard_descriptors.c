#include "standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

/* A high priority: before the constructors of all libraries that could open a descriptor. */
__attribute__((constructor(101))) static void open_standard_descriptors(void) {
    int descriptor;
    do {
        descriptor = open("/dev/null", O_RDWR);
    } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor > STDERR_FILENO) close(descriptor);
}
