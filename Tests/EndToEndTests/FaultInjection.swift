import Foundation
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
    private let daemon: Program

    private var hasEnded = false

    /// - Parameter faults: The faults, in the syntax of `-e inject=`.
    init(_ faults: [String], into daemon: Program) throws {
        self.daemon = daemon
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
    /// The daemon goes on. A thread from which strace detaches in the middle of a system call can be left with a trap
    /// that kills the process. So this waits until all threads sleep.
    func end() {
        guard !hasEnded else { return }
        hasEnded = true
        let deadline = ContinuousClock.now + TestTimeout.duration
        while !isAsleep, ContinuousClock.now < deadline { sched_yield() }
        tracer.signal(SIGINT)
        _ = tracer.waitForEnd()
    }

    /// True if no thread of the daemon runs or is stopped, or if the daemon has ended.
    private var isAsleep: Bool {
        let tasks = "/proc/\(daemon.identifier)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return threads.allSatisfy { thread in
            // The state follows the program's name, which is in parentheses.
            let status = try? String(contentsOfFile: "\(tasks)/\(thread)/stat", encoding: .utf8)
            return status?.split(separator: ")").last?.hasPrefix(" S") ?? true
        }
    }

    deinit { end() }
}
