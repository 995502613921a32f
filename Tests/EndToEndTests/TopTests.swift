import Foundation
import TestSupport
import Testing

@Suite("The live screen, on a real terminal", .serialized)
struct TopTests {
    /// The beginning of the alternate screen, and its end with a visible cursor.
    private static let (enter, leave) = ("\u{1B}[?1049h", "\u{1B}[?25h\u{1B}[?1049l")

    private func start(_ path: String, columns: Int = 80, lines: Int = 24) throws -> PseudoTerminal {
        try PseudoTerminal(
            "tokencachectl",
            ["top", "--interval", "0.2", "--admin-socket", path],
            environment: ["SWIFT_BACKTRACE": "enable=no"],
            columns: columns,
            lines: lines
        )
    }

    /// Waits until the screen shows a text, and checks that the terminal is prepared for it.
    private func expect(_ terminal: PseudoTerminal, shows text: String, after position: Int = 0) throws -> String {
        try #require(terminal.waitForOutput(text, after: position), "\(text) should appear: \(terminal.written)")
    }

    @Test("It shows the daemon, follows the window's size, and gives the terminal back when q is pressed.")
    func quit() async throws {
        let deployment = try await Deployment.start()
        _ = try deployment.token("ann@example.com")
        let terminal = try start(deployment.adminPath)
        let first = try expect(terminal, shows: "ann@example.com")
        #expect(first.hasPrefix(Self.enter) && first.contains("tokencached") && first.contains("TENANT"))
        #expect(try terminal.settings != terminal.initialSettings)
        try terminal.resize(columns: 40, lines: 10)
        let small = try expect(terminal, shows: "top needs 64 x 17", after: first.utf8.count)
        try terminal.resize(columns: 100, lines: 30)
        _ = try expect(terminal, shows: "ann@example.com", after: small.utf8.count)
        #expect(!terminal.written.contains(Self.leave))
        terminal.type("q")
        #expect(terminal.waitForEnd() == 0)
        #expect(terminal.written.hasSuffix(Self.leave))
        #expect(try terminal.settings == terminal.initialSettings)
        try await deployment.stop()
    }

    @Test(
        "Every way out gives the terminal back.",
        arguments: [
            ("\u{03}", 0, 130), ("\u{1C}", 0, 131), ("", SIGTERM, 143), ("", SIGHUP, 129), ("", SIGSEGV, -SIGSEGV),
            ("", SIGABRT, -SIGABRT),
        ] as [(String, Int32, Int32)]
    )
    func end(keys: String, signal: Int32, status: Int32) throws {
        let directory = try TemporaryDirectory()
        let terminal = try start(directory.path("none"))
        _ = try expect(terminal, shows: "no answer")
        #expect(try terminal.settings != terminal.initialSettings)
        if keys.isEmpty { terminal.signal(signal) } else { terminal.type(keys) }
        #expect(terminal.waitForEnd() == status)
        #expect(terminal.written.hasSuffix(Self.leave) || terminal.written.contains(Self.leave + "\r\n"))
        #expect(try terminal.settings == terminal.initialSettings)
    }

    @Test("Ctrl-Z gives the terminal to the shell, and fg takes it again.")
    func suspend() throws {
        let script = """
            set -m
            "$0" top --admin-socket /nonexistent
            echo "stopped: $?"
            fg
            echo "ended: $?"
            """
        let tool = Program.directory.appending(path: "tokencachectl").path
        let terminal = try PseudoTerminal("/bin/bash", ["-c", script, tool])
        _ = try expect(terminal, shows: "no answer")
        terminal.type("\u{1A}")
        // The shell adds the number of SIGSTOP to 128.
        let stopped = try expect(terminal, shows: "stopped: 147").components(separatedBy: "stopped: 147")
        #expect(stopped[0].contains(Self.leave))
        _ = try expect(terminal, shows: Self.enter, after: stopped[0].utf8.count)
        terminal.type("q")
        #expect(terminal.waitForEnd() == 0)
        #expect(terminal.written.contains("ended: 0"))
        #expect(try terminal.settings == terminal.initialSettings)
    }

    @Test("It keeps the screen while the daemon is away, and finds the next one.")
    func reconnect() async throws {
        let deployment = try await Deployment.start()
        _ = try deployment.token("ann@example.com")
        let terminal = try start(deployment.adminPath)
        _ = try expect(terminal, shows: "ann@example.com")
        let read = terminal.written.utf8.count
        try deployment.restart()
        _ = try deployment.token("bob@example.com")
        let written = try expect(terminal, shows: "bob@example.com", after: read)
        #expect(!written.contains(Self.leave))
        terminal.type("q")
        #expect(terminal.waitForEnd() == 0)
        try await deployment.stop()
    }

    @Test("A daemon that doesn't answer keeps no key waiting.")
    func stalled() throws {
        let directory = try TemporaryDirectory()
        let socket = try SilentSocket(directory.path("a"))
        let terminal = try start(socket.path)
        let read = try expect(terminal, shows: "connecting").utf8.count
        terminal.type("?")
        _ = try expect(terminal, shows: "What the screen shows", after: read)
        terminal.type("q")
        #expect(terminal.waitForEnd() == 0)
    }

    @Test("Without a terminal it refuses, and names the command that needs none.")
    func noTerminal() async throws {
        let (status, output) = try Program.run("tokencachectl", ["top"], environment: ["TERM": "xterm"])
        #expect(status == 74)
        #expect(output.contains("stats --watch") && !output.contains(Self.enter))
    }
}
