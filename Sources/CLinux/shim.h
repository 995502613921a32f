/* CLinux: calls of Linux that Swift's module of the C library lacks, and functions for those that Swift can't make. */

#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <unistd.h>
#include <sys/xattr.h>

/* The value of SO_PEERCRED (unix(7)). The C library declares its own `struct ucred` only with GNU's extensions, which a
 * module can't ask for. */
struct peer_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/* prctl(2) takes a variable number of arguments, which Swift can't pass. */
static inline int set_thread_name(const char *name) { return prctl(PR_SET_NAME, name, 0L, 0L, 0L); }
static inline int set_undumpable(void) { return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L); }

/* memfd_secret(2) has no wrapper in the C library, and syscall(2) takes a variable number of arguments. A kernel without the
 * call answers ENOSYS, and a filter EPERM. */
static inline int create_secret_memory_file(void) { return (int)syscall(447, 02000000 /* O_CLOEXEC */); }

/* mlock2(2) is declared only with GNU's extensions. Pages are locked when they are first touched, so that the unused rest
 * of a file takes no memory. */
static inline int lock_on_fault(const void *start, size_t size) {
    return (int)syscall(SYS_mlock2, start, size, 1U /* MLOCK_ONFAULT */);
}

/* memfd_create(2) and its seals are declared only with GNU's extensions. A kernel before 6.3 doesn't know MFD_NOEXEC_SEAL and
 * answers EINVAL. Once its size is set, seal_memory_file keeps the file from shrinking and growing, so that no other process
 * can truncate it below a mapping. */
static inline int create_memory_file(const char *name) {
    unsigned int flags = 1U /* MFD_CLOEXEC */ | 2U /* MFD_ALLOW_SEALING */;
    long file = syscall(SYS_memfd_create, name, flags | 8U /* MFD_NOEXEC_SEAL */);
    return (int)(file >= 0 ? file : syscall(SYS_memfd_create, name, flags));
}
static inline int seal_memory_file(int file) {
    return fcntl(file, 1033 /* F_ADD_SEALS */, 1 /* F_SEAL_SEAL */ | 2 /* F_SEAL_SHRINK */ | 4 /* F_SEAL_GROW */);
}

/* accept4(2) is declared only with GNU's extensions. The flags are those of socket(2) in this architecture's kernel. */
static inline int accept_connection(int socket) {
    return (int)syscall(SYS_accept4, socket, 0L, 0L, (long)(SOCK_NONBLOCK | SOCK_CLOEXEC));
}

/* fcntl(2) takes a variable number of arguments. */
static inline int make_nonblocking(int file) {
    int flags = fcntl(file, F_GETFL);
    return flags < 0 ? -1 : fcntl(file, F_SETFL, flags | O_NONBLOCK);
}

/* fallocate(2) is declared only with GNU's extensions. allocate_pages takes a part of a file's memory from the kernel, so that
 * its use can't fail. release_pages returns it. */
static inline int allocate_pages(int file, off_t offset, off_t size) {
    return (int)syscall(SYS_fallocate, file, 0, offset, size);
}
static inline int release_pages(int file, off_t offset, off_t size) {
    return (int)syscall(SYS_fallocate, file, 1 /* FALLOC_FL_KEEP_SIZE */ | 2 /* FALLOC_FL_PUNCH_HOLE */, offset, size);
}

/* dl_iterate_phdr(3) and its structure are declared only with GNU's extensions. */
#ifndef __USE_GNU
struct dl_phdr_info {
    ElfW(Addr) dlpi_addr;
    const char *dlpi_name;
    const ElfW(Phdr) *dlpi_phdr;
    ElfW(Half) dlpi_phnum;
};
extern int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data);
#endif

/* Parts of a file that the process can write are left alone, because a page that was written has no copy in the file. The
 * linker's own changes, after which it makes a part read-only, are only in such parts. */
static inline int unmap_pages_of_object(struct dl_phdr_info *object, size_t size, void *page_size) {
    const uintptr_t page = *(const uintptr_t *)page_size;
    for (ElfW(Half) i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W)) continue;
        const uintptr_t start = (object->dlpi_addr + part->p_vaddr + page - 1) / page * page;
        const uintptr_t end = (object->dlpi_addr + part->p_vaddr + part->p_filesz) / page * page;
        if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}
static inline void unmap_program_pages(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(unmap_pages_of_object, &page);
}
