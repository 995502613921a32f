import CLinux
import Glibc

/// Protects the process's memory from other processes.
package enum ProcessSecrecy {
    /// Forbids debuggers of the same user, core dumps and crash reports from now on.
    ///
    /// The kernel then gives the process's files under `/proc` to root, too.
    package static func begin() {
        // Both concern only the process itself, and can't fail.
        _ = set_undumpable()
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // Swift's runtime would print registers and the memory that they point to.
        for crash in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { signal(crash, SIG_DFL) }
    }
}
