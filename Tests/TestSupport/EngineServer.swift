import Foundation

/// An engine that machines share, a Redis or Valkey server with a Unix socket in a directory of its own.
package final class EngineServer: Sendable {
    /// The path of its socket.
    package let socket: String
    /// The directory of its socket and its data.
    package let directory: TemporaryDirectory
    private let program: Program
    private let clock: EngineClock?

    /// Creates an engine that answers.
    ///
    /// - Parameters:
    ///   - arguments: Further settings of the engine.
    ///   - directory: The directory of an earlier engine, which the new one takes the place of, or nil for a new directory.
    ///   - clock: The engine's time of day, or nil for the machine's.
    package init(
        _ arguments: [String] = [],
        in directory: TemporaryDirectory? = nil,
        clock: EngineClock? = nil
    ) throws {
        let directory = try directory ?? TemporaryDirectory()
        self.directory = directory
        socket = directory.path("engine")
        self.clock = clock
        let settings = ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", directory.path]
        program = try Program(Self.path(), settings + arguments, environment: clock?.environment ?? [:])
        guard program.waitForOutput("ready to accept connections at") != nil else {
            throw CocoaError(.executableLoad, userInfo: ["output": program.written])
        }
    }

    /// The process's number.
    package var identifier: Int32 { program.identifier }

    /// Sends a signal to the engine.
    package func signal(_ number: Int32) { program.signal(number) }

    /// Ends the engine at once, as a crash does, and waits for its end.
    package func crash() {
        program.signal(SIGKILL)
        _ = program.waitForEnd()
    }

    /// Runs a command with the engine's own client, and returns what it prints.
    @discardableResult
    package func run(_ words: String...) throws -> String { try run(words) }

    /// Runs a command with the engine's own client, and returns what it prints.
    @discardableResult
    package func run(_ words: [String]) throws -> String {
        let paths = ["/usr/bin/redis-cli", "/usr/bin/valkey-cli"]
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else {
            throw CocoaError(.fileNoSuchFile, userInfo: ["reason": "no redis-cli or valkey-cli is installed"])
        }
        let (status, output) = try Program.run(path, ["-s", socket] + words)
        guard status == 0 else { throw CocoaError(.executableLoad, userInfo: ["output": output]) }
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The path of the installed engine, `redis-server` or `valkey-server`.
    private static func path() throws -> String {
        let paths = ["/usr/bin/redis-server", "/usr/bin/valkey-server"]
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else {
            throw CocoaError(.fileNoSuchFile, userInfo: ["reason": "no redis-server or valkey-server is installed"])
        }
        return path
    }
}

/// A time of day that a test sets, for an engine that is started with it.
package final class EngineClock: Sendable {
    private let directory: TemporaryDirectory
    private let file: FileHandle

    /// Creates a clock that shows a time, in milliseconds since 1970.
    package init(_ milliseconds: Int64) throws {
        directory = try TemporaryDirectory()
        let path = try directory.write("", to: "clock")
        file = try FileHandle(forUpdating: URL(filePath: path))
        try set(milliseconds)
    }

    /// Sets the time.
    package func set(_ milliseconds: Int64) throws {
        try file.seek(toOffset: 0)
        try file.write(contentsOf: unsafe withUnsafeBytes(of: milliseconds * 1_000) { unsafe Data($0) })
    }

    /// The variables that let a program see this time.
    fileprivate var environment: [String: String] {
        [
            "ENGINE_CLOCK": directory.path("clock"),
            "LD_PRELOAD": Program.directory.appending(path: "libEngineClock.so").path,
        ]
    }
}
