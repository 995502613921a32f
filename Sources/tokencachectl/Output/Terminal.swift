import ArgumentParser
import CStandardDescriptors
import CTerminal
import Glibc
import SafeText
import SystemPackage
import TokenCacheClient

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The tool's standard output and standard error.
enum Terminal {
    /// True if standard output is a terminal.
    static var hasTerminal: Bool { isatty(FileDescriptor.standardOutput.rawValue) == 1 }

    /// True if standard output is a terminal with a cursor that can be moved.
    static var canDraw: Bool {
        let kind = ProcessInfo.processInfo.environment["TERM"] ?? ""
        return hasTerminal && !["", "dumb"].contains(kind)
    }

    /// The number of lines of the terminal, or nil if it isn't known.
    static var lines: Int? {
        let lines = Int(terminal_lines(FileDescriptor.standardOutput.rawValue))
        return lines > 0 ? lines : nil
    }

    /// Writes a text and a line end to standard output.
    ///
    /// - Throws: The exit code for a text that wasn't written in full, so that a script doesn't use a part of it.
    static func write(_ text: String) throws(ExitCode) { try writeAll(text + "\n") }

    /// Writes a text to standard output as it is.
    ///
    /// - Throws: The exit code for a text that wasn't written in full.
    static func writeAll(_ text: String) throws(ExitCode) {
        do throws(Errno) {
            guard standard_descriptor_was_closed(FileDescriptor.standardOutput.rawValue) == 0 else {
                throw .badFileDescriptor
            }
            try write(text, to: .standardOutput)
        } catch {
            // A reader that has ended, such as a pager, needs neither more text nor a message.
            if error != .brokenPipe { complain("the output can't be written: \(error)") }
            throw .unwritableOutput
        }
    }

    /// Reports on standard error that something can't be shown.
    ///
    /// - Returns: The code to exit with.
    static func refuse(_ text: String) -> ExitCode {
        complain(text)
        return .unwritableOutput
    }

    /// Reports an error on standard error.
    ///
    /// - Returns: The code to exit with.
    static func report(_ error: TokenCacheError, _ context: ErrorContext? = nil) -> ExitCode {
        let report = ErrorReport(error, context)
        report.lines.forEach(complain)
        for detail in report.details { try? write("  \(detail.printable)\n", to: .standardError) }
        return report.exitCode
    }

    /// Writes a line to standard error.
    static func complain(_ line: String) {
        try? write("tokencachectl: \(line.printable)\n", to: .standardError)
    }

    private static func write(_ text: String, to descriptor: FileDescriptor) throws(Errno) {
        do { try descriptor.writeAll(text.utf8) } catch { throw error as? Errno ?? .ioError }
    }
}
