import Foundation
import Glibc
import Synchronization

/// One of the package's programs on a terminal of its own, as in a window.
///
/// The program leads a session whose controlling terminal it is, so that keys such as Ctrl-C send signals.
package final class PseudoTerminal: Sendable {
    /// A system call has failed.
    package struct Failure: Error {
        let call: String
        let number: Int32
    }

    /// The settings that a program may change.
    package struct Settings: Sendable, Equatable {
        var input: tcflag_t
        var output: tcflag_t
        var local: tcflag_t
    }

    /// POSIX_SPAWN_SETSID, which the C library declares only with GNU's extensions.
    private static let newSession: Int16 = 0x80

    private let main: Int32
    /// The program's end, which stays open so that its settings can be read.
    private let other: Int32
    /// The terminal's settings before the program was started.
    package let initialSettings: Settings
    private let process: pid_t
    private let hasEnded = Mutex(false)
    private let output = Mutex("")

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - name: The program's name, or the path of another one.
    ///   - environment: Variables besides the test's own, or in their place.
    package init(
        _ name: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        columns: Int = 80,
        lines: Int = 24
    ) throws {
        (main, other) = try Self.open()
        let path = "/proc/self/fd/\(other)"
        try Self.resize(main, columns, lines)
        initialSettings = try Self.settings(of: other)
        let executable = name.hasPrefix("/") ? name : Program.directory.appending(path: name).path
        let variables = ProcessInfo.processInfo.environment.merging(["TERM": "xterm"]) { $1 }
            .merging(environment) { $1 }.map { "\($0.key)=\($0.value)" }
        process = try Self.spawn([executable] + arguments, variables, terminal: path)
        Reaper.shared.add(process)
    }

    deinit {
        if !hasEnded.withLock(\.self) {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
            Reaper.shared.remove(process)
        }
        close(other)
        close(main)
    }

    /// All that the program has written and this test has read.
    package var written: String { output.withLock(\.self) }

    /// The terminal's settings now.
    package var settings: Settings { get throws { try Self.settings(of: other) } }

    /// Reads until the program has written a text, after what was read before a position.
    ///
    /// Returns all that it has written by then, or nil after a timeout.
    package func waitForOutput(_ text: String, after position: Int = 0) -> String? {
        let deadline = ContinuousClock.now + TestTimeout.duration
        while true {
            let written = written
            if written.utf8.count > position,
                String(decoding: written.utf8.dropFirst(position), as: UTF8.self).contains(text)
            {
                return written
            }
            let left = (deadline - ContinuousClock.now).components.seconds
            guard left > 0, read(within: Int32(left) * 1_000) else { return nil }
        }
    }

    /// Reads what the program writes next.
    private func read(within milliseconds: Int32) -> Bool {
        var file = pollfd(fd: main, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&file, 1, milliseconds) == 1 else { return false }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(main, $0.baseAddress, $0.count) }
        guard count > 0 else { return false }
        output.withLock { $0 += String(decoding: bytes.prefix(count), as: UTF8.self) }
        return true
    }

    /// Presses keys.
    package func type(_ keys: String) {
        let bytes = Array(keys.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(main, $0.baseAddress, $0.count) }
    }

    /// Changes the window's size.
    package func resize(columns: Int, lines: Int) throws { try Self.resize(main, columns, lines) }

    /// Sends a signal to the program.
    package func signal(_ number: Int32) { kill(process, number) }

    /// Waits for the program's end.
    ///
    /// - Returns: Its exit status, or the number of the signal that ended it as a negative number.
    package func waitForEnd() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        hasEnded.withLock { $0 = true }
        Reaper.shared.remove(process)
        while read(within: 0) {}
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
    }

    // MARK: System calls

    private static func check(_ call: String, _ result: Int32) throws -> Int32 {
        guard result >= 0 else { throw Failure(call: call, number: errno) }
        return result
    }

    /// Opens both ends of a new terminal, which no other program inherits.
    private static func open() throws -> (main: Int32, other: Int32) {
        var (main, other): (Int32, Int32) = (-1, -1)
        _ = try check("openpty", unsafe openpty(&main, &other, nil, nil, nil))
        for descriptor in [main, other] { _ = try check("fcntl", fcntl(descriptor, F_SETFD, FD_CLOEXEC)) }
        return (main, other)
    }

    private static func settings(of terminal: Int32) throws -> Settings {
        var found = termios()
        _ = try check("tcgetattr", unsafe tcgetattr(terminal, &found))
        return Settings(input: found.c_iflag, output: found.c_oflag, local: found.c_lflag)
    }

    private static func resize(_ terminal: Int32, _ columns: Int, _ lines: Int) throws {
        var size = winsize(ws_row: UInt16(lines), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        _ = try check("ioctl", unsafe ioctl(terminal, UInt(TIOCSWINSZ), &size))
    }

    private static func spawn(_ arguments: [String], _ environment: [String], terminal: String) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        // The first terminal that the leader of a session opens becomes its controlling terminal.
        unsafe posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, 0, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | newSession)
        let texts = unsafe (arguments + environment).map { unsafe strdup($0) }
        defer { for index in unsafe texts.indices { unsafe free(texts[index]) } }
        let argv = unsafe Array(texts.prefix(arguments.count)) + [nil]
        let envp = unsafe Array(texts.dropFirst(arguments.count)) + [nil]
        var process: pid_t = 0
        let error = unsafe posix_spawn(&process, arguments[0], &actions, &attributes, argv, envp)
        guard error == 0 else { throw Failure(call: "posix_spawn", number: error) }
        return process
    }
}
