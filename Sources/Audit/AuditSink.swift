import Glibc
import Systemd

/// Where records go, open.
enum AuditSink {
    case journal
    case descriptor(AuditFile)
    case nowhere

    /// Opens a destination.
    init(_ destination: AuditDestination) throws(AuditTrailError) {
        switch destination {
        case .journal:
            guard Journal.isThere else { throw AuditTrailError("there is no journal on this machine") }
            self = .journal
        case .standardError: self = .descriptor(AuditFile(standardError: ()))
        case .file(let path): self = .descriptor(try AuditFile(path))
        case .nowhere: self = .nowhere
        }
    }
}

/// A file that lines are appended to; it is closed when the last reference goes.
final class AuditFile: Sendable {
    /// Only the daemon's own user reads what its users do.
    private static let mode: mode_t = 0o600

    private let descriptor: CInt
    private let isOwned: Bool

    init(standardError: Void) {
        descriptor = STDERR_FILENO
        isOwned = false
    }

    /// Opens a file, or makes it; a symbolic link is not followed and anything but a file not written to.
    init(_ path: String) throws(AuditTrailError) {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK
        descriptor = unsafe open(path, flags, Self.mode)
        isOwned = true
        guard descriptor >= 0 else {
            throw AuditTrailError("\(path) can't be written: \(errorText(errno))")
        }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw AuditTrailError("\(path) is not a regular file")
        }
    }

    /// Appends a line; whether all of it was taken.
    func append(_ line: String) -> Bool {
        var line = line
        return line.withUTF8 { bytes in
            var written = 0
            while written < bytes.count {
                let start = unsafe bytes.baseAddress.map { unsafe $0 + written }
                let count = unsafe write(descriptor, start, bytes.count - written)
                guard count > 0 || errno == EINTR else { return false }
                written += max(0, count)
            }
            return true
        }
    }

    deinit { if isOwned, descriptor >= 0 { close(descriptor) } }
}

/// The audit trail can't be kept where the configuration wants it.
package struct AuditTrailError: Error, CustomStringConvertible {
    /// Why, in a sentence for operators.
    package let description: String

    init(_ description: String) { self.description = description }
}
