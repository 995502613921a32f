#pragma once

#include <stdint.h>

/* Returns the number of blocks of memory that this thread has allocated so far. */
uint64_t allocations_of_this_thread(void);
