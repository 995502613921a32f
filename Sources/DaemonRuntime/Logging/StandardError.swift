import Glibc
import SystemPackage

/// The standard error of this process.
package enum StandardError {
    /// True if it is a terminal.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes a text, at once.
    ///
    /// - Returns: True if all of it was written.
    @discardableResult
    package static func put(_ text: String) -> Bool { (try? FileDescriptor.standardError.writeAll(text.utf8)) != nil }
}
