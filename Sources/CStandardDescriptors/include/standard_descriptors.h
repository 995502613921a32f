/* CStandardDescriptors: /dev/null in place of a standard input, output or error that is closed at the start.
 *
 * Otherwise the program's next file or socket gets such a number, and what is written to standard output or error goes there.
 * The Swift runtime opens descriptors before `main`, so a constructor of the C library does it. */

/* Returns 1 if a standard descriptor was closed at the start, so that what is written to it is lost, and 0 otherwise. */
int standard_descriptor_was_closed(int descriptor);
