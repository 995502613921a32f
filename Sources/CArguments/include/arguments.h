/* CArguments: the arguments that the kernel handed to this process.
 *
 * Swift reads them from /proc/self/cmdline, which doesn't exist in every sandbox in which an operator runs the tool. Without
 * it Swift sees no arguments, and a command would end with success without having done anything. */

/* Returns the number of arguments, with the program's name. */
int argument_count(void);

/* Returns one of them, from 0 up to that number. */
const char *argument(int index);
