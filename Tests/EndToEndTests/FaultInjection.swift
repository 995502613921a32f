import Glibc
import TestSupport
import Testing

/// Faults in the system calls of a running daemon, by strace(1).
final class FaultInjection {
    /// True if one process may trace another here.
    ///
    /// A container may forbid it.
    static let isAvailable: Bool = {
        let status = try? Program.run("/usr/bin/strace", ["-qq", "-o", "/dev/null", "true"]).status
        guard status == 0 else {
            print("WARNING: no faults of system calls are tested, as strace(1) is missing or may not trace")
            return false
        }
        return true
    }()

    /// Runs a program with all signals unblocked.
    ///
    /// A process that Foundation starts has them blocked, so strace could not be ended by one.
    private static let unblock = """
        import os, signal, sys
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.execvp(sys.argv[1], sys.argv[1:])
        """

    private let tracer: Program

    private var hasEnded = false

    /// - Parameter faults: The faults, in the syntax of `-e inject=`.
    init(_ faults: [String], into daemon: Program) throws {
        let names = faults.map { String($0.prefix { $0 != ":" }) }.joined(separator: ",")
        tracer = try Program(
            "/usr/bin/env",
            ["python3", "-c", Self.unblock, "strace", "-f", "-o", "/dev/null", "-e", "trace=\(names)"]
                + faults.flatMap { ["-e", "inject=\($0)"] }
                + ["-p", "\(daemon.identifier)"]
        )
        _ = try #require(tracer.waitForOutput("attached"), "\(tracer.written)")
    }

    /// Ends the faults.
    ///
    /// The daemon goes on.
    func end() {
        guard !hasEnded else { return }
        hasEnded = true
        tracer.signal(SIGINT)
        _ = tracer.waitForEnd()
    }

    deinit { end() }
}
