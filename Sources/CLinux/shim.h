#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <unistd.h>
#include <sys/xattr.h>

/* What SO_PEERCRED yields (unix(7)); the C library shows its own `struct ucred` only to those who ask for GNU's
 * extensions before any header is read, which a module can't. */
struct peer_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/* prctl(2) takes a variable number of arguments, which Swift can't pass. */
static inline int set_undumpable(void) { return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L); }

/* memfd_secret(2) has no wrapper in the C library, and syscall(2) takes a variable number of arguments; a kernel or a
 * filter without it answers ENOSYS or EPERM. */
static inline int create_secret_memory_file(void) { return (int)syscall(447, 02000000 /* O_CLOEXEC */); }

/* mlock2(2) is shown only to those who ask for GNU's extensions. Pages are locked when they are first touched, so that the
 * rest of a file, which may be empty, takes no memory. */
static inline int lock_on_fault(const void *start, size_t size) {
    return (int)syscall(SYS_mlock2, start, size, 1U /* MLOCK_ONFAULT */);
}

/* memfd_create(2) and its seals are shown only to those who ask for GNU's extensions. The file can neither shrink nor
 * grow when its size is set, see seal_memory_file: whoever else has it can't cut it off below a mapping. */
static inline int create_memory_file(const char *name) {
    return (int)syscall(SYS_memfd_create, name, 1U /* MFD_CLOEXEC */ | 2U /* MFD_ALLOW_SEALING */);
}
static inline int seal_memory_file(int file) {
    return fcntl(file, 1033 /* F_ADD_SEALS */, 1 /* F_SEAL_SEAL */ | 2 /* F_SEAL_SHRINK */ | 4 /* F_SEAL_GROW */);
}
