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

    /// From now on what is given back to the C library's heap is overwritten, so that copies of secrets in the buffers of
    /// libraries, which nobody overwrites, don't outlive them; but for the smallest blocks, which are too small for a token.
    ///
    /// It costs a pass over each block when it is taken and when it is given back.
    package static func overwriteFreedMemory() { _ = mallopt(M_PERTURB, freedByte) }

    /// What freed memory is filled with; what is taken is filled with its complement, zeroes.
    private static let freedByte: CInt = 0xFF
}
