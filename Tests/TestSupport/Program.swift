package import Foundation
import Synchronization

/// One of the package's programs, running.
package final class Program: Sendable {
    /// The folder that the tests' own executable is in holds the programs, too.
    package static let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    private let process: Process
    private let output = Mutex("")
    private let changed = DispatchSemaphore(value: 0)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - name: The program's name, or the path of another one.
    ///   - environment: Put over the test's own.
    package init(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        process = Process()
        process.executableURL = name.hasPrefix("/") ? URL(filePath: name) : Self.folder.appending(path: name)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        pipe.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            self.output.withLock { $0 += String(decoding: data, as: UTF8.self) }
            self.changed.signal()
        }
        let reaper = Reaper.shared
        process.terminationHandler = { reaper.remove($0.processIdentifier) }
        try process.run()
        reaper.add(process.processIdentifier)
        // It may have ended before it was noted.
        if !process.isRunning { reaper.remove(process.processIdentifier) }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// Its number.
    package var identifier: Int32 { process.processIdentifier }

    /// What it has written so far.
    package var written: String { output.withLock { $0 } }

    /// Waits until it has written a text, and returns all that it has written by then; nil: it never did.
    package func waitForOutput(_ text: String) -> String? {
        let deadline = DispatchTime.now() + Double(Patience.seconds)
        while true {
            let written = written
            if written.contains(text) { return written }
            guard changed.wait(timeout: deadline) == .success else { return nil }
        }
    }

    /// Sends a signal.
    package func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// How many descriptors it has open.
    package func openFiles() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(identifier)/fd").count
    }

    /// Changes how many descriptors it may have; those that it has stay.
    package func limitOpenFiles(to count: Int) throws { try limit("--nofile=\(count):") }

    /// Changes how large its files may grow, in bytes.
    package func limitFileSize(to size: Int?) throws { try limit("--fsize=\(size.map(String.init) ?? "unlimited"):") }

    private func limit(_ option: String) throws {
        let (status, output) = try Self.run("/usr/bin/prlimit", ["--pid", "\(identifier)", option])
        guard status == 0 else { throw CocoaError(.featureUnsupported, userInfo: ["reason": output]) }
    }

    /// Waits for its end, and says its exit status.
    package func waitForEnd() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Runs a program to its end.
    package static func run(
        _ name: String,
        _ arguments: [String],
        environment: [String: String] = [:]
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = name.hasPrefix("/") ? URL(filePath: name) : folder.appending(path: name)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
