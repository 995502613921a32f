#include "full_screen.h"

#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct termios original;
static int is_known;

static int crash_terminal;
static char crash_text[64];
/* 0 if a crash restores nothing. */
static volatile size_t crash_length;

/* The signals by which the kernel, the C library and Swift's runtime end a program that has gone wrong. */
static const int crashes[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV};
enum { crash_count = sizeof crashes / sizeof crashes[0] };
static struct sigaction earlier[crash_count];

int prepare_terminal(int terminal) {
    struct termios settings;
    if (tcgetattr(terminal, &settings) != 0) return -1;
    if (!is_known) {
        original = settings;
        is_known = 1;
    }
    settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    settings.c_iflag &= ~(tcflag_t)(IXON | IXOFF);
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    return tcsetattr(terminal, TCSANOW, &settings);
}

int restore_terminal(int terminal) {
    if (!is_known) return 0;
    is_known = 0;
    return tcsetattr(terminal, TCSANOW, &original);
}

/* The instruction that crashed is executed again when the handler returns, and then has its earlier effect. A signal that
 * was sent is sent again. */
static void handle_crash(int signal, siginfo_t *information, void *context) {
    (void)context;
    size_t length = crash_length;
    if (length) {
        crash_length = 0;
        ssize_t written = write(crash_terminal, crash_text, length);
        (void)written;
        restore_terminal(crash_terminal);
    }
    for (int number = 0; number < crash_count; number++)
        if (crashes[number] == signal) sigaction(signal, &earlier[number], NULL);
    if (information->si_code <= 0) raise(signal);
}

void restore_terminal_after_crash(int terminal, const char *text, size_t length) {
    static int is_installed;
    crash_length = 0;
    if (!text) return;
    if (length > sizeof crash_text) length = sizeof crash_text;
    memcpy(crash_text, text, length);
    crash_terminal = terminal;
    crash_length = length;
    if (is_installed) return;
    is_installed = 1;
    struct sigaction action = {.sa_sigaction = handle_crash, .sa_flags = SA_ONSTACK | SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    for (int number = 0; number < crash_count; number++) sigaction(crashes[number], &action, &earlier[number]);
}
