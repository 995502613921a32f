package import Foundation
import Synchronization

/// One of the package's programs, running.
package final class Program: Sendable {
    /// The directory of the tests' own executable, which holds the programs, too.
    package static let directory = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    private let process: Process
    private let output = Mutex("")
    private let changed = DispatchSemaphore(value: 0)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - name: The program's name, or the path of another one.
    ///   - environment: Variables besides the test's own, or in their place.
    package init(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        process = Process()
        process.executableURL = name.hasPrefix("/") ? URL(filePath: name) : Self.directory.appending(path: name)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        let reaper = Reaper.shared
        process.terminationHandler = { reaper.remove($0.processIdentifier) }
        try process.run()
        reaper.add(process.processIdentifier)
        // It may have ended before it was added.
        if !process.isRunning { reaper.remove(process.processIdentifier) }
        // A thread of its own, as a `readabilityHandler` crashes if the pipe is closed while it is being removed.
        Thread.detachNewThread { self.read(pipe.fileHandleForReading) }
    }

    private func read(_ pipe: FileHandle) {
        while true {
            let data = pipe.availableData
            output.withLock { $0 += String(decoding: data, as: UTF8.self) }
            changed.signal()
            if data.isEmpty { return }
        }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// The process's number.
    package var identifier: Int32 { process.processIdentifier }

    /// All that the program has written so far.
    package var written: String { output.withLock { $0 } }

    /// Waits until the program has written a text.
    ///
    /// Returns all that it has written by then, or nil after a timeout.
    package func waitForOutput(_ text: String) -> String? {
        let deadline = DispatchTime.now() + Double(TestTimeout.seconds)
        while true {
            let written = written
            if written.contains(text) { return written }
            guard changed.wait(timeout: deadline) == .success else { return nil }
        }
    }

    /// Sends a signal to the program.
    package func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// The number of descriptors that the program has open.
    package func openFiles() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(identifier)/fd").count
    }

    /// Limits the number of descriptors that the program may open.
    ///
    /// Those that are open stay.
    package func limitOpenFiles(to count: Int) throws { try limit("--nofile=\(count):") }

    /// Limits the size of the files that the program writes, in bytes.
    ///
    /// Without a size there is no limit.
    package func limitFileSize(to size: Int?) throws { try limit("--fsize=\(size.map(String.init) ?? "unlimited"):") }

    private func limit(_ option: String) throws {
        let (status, output) = try Self.run("/usr/bin/prlimit", ["--pid", "\(identifier)", option])
        guard status == 0 else { throw CocoaError(.featureUnsupported, userInfo: ["reason": output]) }
    }

    /// Waits for the program's end, and returns its exit status.
    package func waitForEnd() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Runs a program to its end, and returns its exit status and output.
    ///
    /// - Parameter input: The content of its standard input, which is shorter than a pipe's buffer.
    package static func run(
        _ name: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String? = nil
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = name.hasPrefix("/") ? URL(filePath: name) : directory.appending(path: name)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        let inputPipe = input.map { _ in Pipe() }
        process.standardInput = inputPipe ?? FileHandle.nullDevice
        try process.run()
        if let input, let inputPipe {
            try inputPipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try inputPipe.fileHandleForWriting.close()
        }
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
