/* CStandardDescriptors: /dev/null in place of a standard input, output or error that is closed at the start.
 *
 * Otherwise the daemon's next file or socket gets such a number, and what is written to standard error goes there. The
 * Swift runtime opens descriptors before `main`, so a constructor of the C library does it. There is nothing to call. */
