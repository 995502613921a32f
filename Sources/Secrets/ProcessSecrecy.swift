import CLinux
import Glibc

/// Keeps the process's memory from others.
package enum ProcessSecrecy {
    /// From now on no debugger of the same user may look into the process, and no core is dumped.
    ///
    /// The kernel then gives the process's files under `/proc` to root, too.
    package static func begin() {
        // Both concern the process itself only, and can't be refused.
        _ = set_undumpable()
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    }
}
