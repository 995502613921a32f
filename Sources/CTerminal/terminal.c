#define _GNU_SOURCE

#include "terminal.h"

#include <locale.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <wchar.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
/* A locale in which wcwidth(3) knows all characters, or 0 if the C library has none. */
static locale_t unicode;

static void create_locale(void) { unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0); }

int character_columns(unsigned int character) {
    pthread_once(&once, create_locale);
    if (unicode == (locale_t)0) return -1;
    /* Only this thread's locale changes. */
    locale_t before = uselocale(unicode);
    int columns = wcwidth((wchar_t)character);
    uselocale(before);
    return columns;
}

static struct winsize size(int descriptor) {
    struct winsize size = {0};
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return (struct winsize){0};
    return size;
}

int terminal_columns(int descriptor) { return size(descriptor).ws_col; }

int terminal_lines(int descriptor) { return size(descriptor).ws_row; }
