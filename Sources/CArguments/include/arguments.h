/* The arguments that the kernel handed to this process.
 *
 * Swift reads them from /proc/self/cmdline, which isn't there in every sandbox that an operator's tool is run in: there it
 * would see none, and a command would end well without having done anything. */

/* How many there are, with the program's name. */
int argument_count(void);

/* One of them, from 0 up to that count. */
const char *argument(int index);
