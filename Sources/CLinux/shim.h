/* CLinux: calls of Linux that Swift's module of the C library lacks, and functions for those that Swift can't make. */

#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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
static inline int set_undumpable(void) { return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L); }

/* memfd_secret(2) has no wrapper in the C library, and syscall(2) takes a variable number of arguments. A kernel without the
 * call answers ENOSYS, and a filter EPERM. */
static inline int create_secret_memory_file(void) { return (int)syscall(447, 02000000 /* O_CLOEXEC */); }

/* mlock2(2) is declared only with GNU's extensions. Pages are locked when they are first touched, so that the unused rest
 * of a file takes no memory. */
static inline int lock_on_fault(const void *start, size_t size) {
    return (int)syscall(SYS_mlock2, start, size, 1U /* MLOCK_ONFAULT */);
}

/* memfd_create(2) and its seals are declared only with GNU's extensions. Once its size is set, seal_memory_file keeps the
 * file from shrinking and growing, so that no other process can truncate it below a mapping. */
static inline int create_memory_file(const char *name) {
    return (int)syscall(SYS_memfd_create, name, 1U /* MFD_CLOEXEC */ | 2U /* MFD_ALLOW_SEALING */);
}
static inline int seal_memory_file(int file) {
    return fcntl(file, 1033 /* F_ADD_SEALS */, 1 /* F_SEAL_SEAL */ | 2 /* F_SEAL_SHRINK */ | 4 /* F_SEAL_GROW */);
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
