import CLinux
import Glibc

/// Keeps the process's memory from others.
package enum ProcessSecrecy {
    /// From now on no debugger of the same user may look into the process, no core is dumped, and a crash prints nothing.
    ///
    /// The kernel then gives the process's files under `/proc` to root, too.
    package static func begin() {
        // Both concern the process itself only, and can't be refused.
        _ = set_undumpable()
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // Swift's runtime would print registers and the memory that they point to.
        for crash in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { signal(crash, SIG_DFL) }
    }
}
