#include <malloc.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/types.h>

/* What SO_PEERCRED yields (unix(7)); the C library shows its own `struct ucred` only to those who ask for GNU's
 * extensions before any header is read, which a module can't. */
struct peer_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/* prctl(2) takes a variable number of arguments, which Swift can't pass. */
static inline int set_undumpable(void) { return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L); }
