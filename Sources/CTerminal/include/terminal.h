/* CTerminal: the columns of characters and the size of a terminal.
 *
 * The C library declares wcwidth(3) only with extensions that Swift's module of it lacks, and ioctl(2) takes a variable number
 * of arguments, which Swift can't pass. */

/* Returns the number of columns that a Unicode character takes on a terminal: 0, 1 or 2, or -1 if it is not known.
 *
 * It doesn't depend on the process's locale. */
int character_columns(unsigned int character);

/* Returns the number of columns of the terminal that a descriptor refers to, or 0 if it isn't known. */
int terminal_columns(int descriptor);

/* Returns the number of lines of the terminal that a descriptor refers to, or 0 if it isn't known. */
int terminal_lines(int descriptor);
