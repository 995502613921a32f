/* A terminal's settings, and their restoration after a crash.
 *
 * A program that draws on the whole screen changes the terminal, and a signal handler has to change it back if the program
 * crashes. Only a few functions are allowed in a handler (signal-safety(7)), and Swift's runtime is not among them. */

#include <stddef.h>

/* Turns off echo, lines and flow control, so that each key arrives at once, and remembers the settings before,
 * unless it has remembered some already. The keys that send signals keep doing so. Returns 0, or -1 with errno. */
int prepare_terminal(int terminal);

/* Restores the remembered settings, and forgets them. Returns 0, or -1 with errno. */
int restore_terminal(int terminal);

/* From now on a crash writes the text to the terminal and restores the settings, before it takes its course. The text is
 * copied, up to 64 bytes. Without a text a crash does nothing more. */
void restore_terminal_after_crash(int terminal, const char *text, size_t length);
