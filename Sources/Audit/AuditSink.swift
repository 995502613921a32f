import Glibc
import SafeText
import Synchronization
import Systemd

/// Where records go, open.
enum AuditSink {
    case journal
    case descriptor(AuditFile)
    case nowhere

    static let noJournal = "there is no journal on this machine"

    /// Opens a destination.
    init(_ destination: AuditDestination) throws(AuditTrailError) {
        switch destination {
        case .journal:
            guard Journal.isThere else { throw AuditTrailError(Self.noJournal) }
            self = .journal
        case .standardError: self = .descriptor(AuditFile(standardError: ()))
        case .file(let path): self = .descriptor(try AuditFile(path))
        case .nowhere: self = .nowhere
        }
    }
}

/// A file that one thread appends lines to; it is closed when the last reference goes.
final class AuditFile: Sendable {
    /// Only the daemon's own user reads what its users do.
    private static let mode: mode_t = 0o600

    typealias Write = @Sendable (CInt, borrowing Span<UInt8>) -> Int

    private let write: Write
    private let descriptor: CInt
    private let isOwned: Bool
    /// The file ends in a part of a line, which the next line must not be joined to.
    private let isTorn = Atomic(false)

    init(standardError: Void) {
        write = Self.system
        descriptor = STDERR_FILENO
        isOwned = false
    }

    /// Opens a file, or makes it; a symbolic link is not followed and anything but a file not written to.
    ///
    /// - Parameter write: `write(2)`, or what stands for it in a test.
    init(_ path: String, write: @escaping Write = system) throws(AuditTrailError) {
        self.write = write
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

    /// A sentence on why a file could not be opened; nil: nothing that can be seen speaks against it.
    static func problem(with path: String) -> String? {
        var status = stat()
        guard unsafe lstat(path, &status) != 0 else {
            guard status.st_mode & S_IFMT == S_IFREG else { return "\(path) is not a regular file" }
            return unsafe access(path, W_OK) == 0 ? nil : "\(path) can't be written: \(errorText(errno))"
        }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        guard unsafe access(folder.isEmpty ? "/" : folder, W_OK | X_OK) != 0 else { return nil }
        return "\(path) can't be made: \(errorText(errno))"
    }

    /// Appends a line; whether all of it was taken.
    ///
    /// Of one that was not, nothing is left, or a line of its own.
    func append(_ line: String) -> Bool {
        if isTorn.load(ordering: .relaxed) {
            guard put("\n") == 1 else { return false }
            isTorn.store(false, ordering: .relaxed)
        }
        var status = stat()
        let size = unsafe fstat(descriptor, &status) == 0 ? status.st_size : nil
        let written = put(line)
        guard written < line.utf8.count else { return true }
        let isUndone = written == 0 || isOwned && size.map { ftruncate(descriptor, $0) == 0 } ?? false
        isTorn.store(!isUndone, ordering: .relaxed)
        return false
    }

    /// Writes text; how many bytes of it were taken.
    private func put(_ text: String) -> Int {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = write(descriptor, bytes.span.extracting(written...))
            guard count > 0 || count < 0 && errno == EINTR else { break }
            written += max(0, count)
        }
        return written
    }

    private static let system: Write = { descriptor, bytes in
        unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }

    deinit { if isOwned, descriptor >= 0 { close(descriptor) } }
}

/// The audit trail can't be kept where the configuration wants it.
package struct AuditTrailError: Error, CustomStringConvertible {
    /// Why, in a sentence for operators.
    package let description: String

    init(_ description: String) { self.description = description }
}
