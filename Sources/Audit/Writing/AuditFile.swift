import Glibc
import Synchronization
import SystemPackage

/// A file to which one thread appends lines, and which is closed with its last reference.
final class AuditFile: Sendable {
    /// Writes a part of some bytes and returns its length.
    typealias Write = @Sendable (FileDescriptor, borrowing Span<UInt8>) throws -> Int

    private let write: Write
    private let descriptor: FileDescriptor
    private let isOwned: Bool
    /// True if the file ends in a part of a line, to which the next line must not be joined.
    private let isTorn = Atomic(false)

    init(standardError: Void) {
        write = Self.system
        descriptor = .standardError
        isOwned = false
    }

    /// Opens or creates a file that only the daemon's own user can read.
    ///
    /// A symbolic link is not followed, and anything but a regular file is rejected.
    ///
    /// - Parameter write: `write(2)`, or a test's replacement of it.
    init(_ path: String, write: @escaping Write = system) throws(AuditTrailError) {
        do {
            descriptor = unsafe try FileDescriptor.open(
                path,
                .writeOnly,
                options: [.append, .create, .closeOnExec, .noFollow, .nonBlocking, .init(rawValue: O_NOCTTY)],
                permissions: .ownerReadWrite
            )
        } catch {
            throw AuditTrailError("\(path) can't be written: \(error)")
        }
        self.write = write
        isOwned = true
        guard (try? descriptor.stat())?.type == .regular else {
            throw AuditTrailError("\(path) is not a regular file")
        }
    }

    /// Returns a sentence on why a file can't be opened, without creating it, or nil if no reason is found.
    static func problem(with path: String) -> String? {
        // swift-system has no access(2).
        if let status = unsafe try? Stat(path, followTargetSymlink: false) {
            guard status.type == .regular else { return "\(path) is not a regular file" }
            return unsafe access(path, W_OK) == 0 ? nil : "\(path) can't be written: \(Errno(rawValue: errno))"
        }
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        guard unsafe access(directory.isEmpty ? "/" : directory, W_OK | X_OK) != 0 else { return nil }
        return "\(path) can't be created: \(Errno(rawValue: errno))"
    }

    /// Appends a line.
    ///
    /// If it can't be written whole, its beginning is removed, or else becomes a line of its own.
    ///
    /// - Returns: True if the whole line was written.
    func append(_ line: String) -> Bool {
        if isTorn.load(ordering: .relaxed) {
            guard put("\n") == 1 else { return false }
            isTorn.store(false, ordering: .relaxed)
        }
        let size = try? descriptor.stat().size
        let written = put(line)
        guard written < line.utf8.count else { return true }
        isTorn.store(written > 0 && !truncate(to: size), ordering: .relaxed)
        return false
    }

    /// Removes what was written past a size, and returns false if that isn't possible.
    private func truncate(to size: Int64?) -> Bool {
        guard isOwned, let size else { return false }
        return (try? descriptor.resize(to: size)) != nil
    }

    /// Writes a text and returns how many of its bytes were written.
    ///
    /// swift-system's `writeAll` doesn't tell how many bytes it has written before an error.
    private func put(_ text: String) -> Int {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count, let count = try? write(descriptor, bytes.span.extracting(written...)), count > 0 {
            written += count
        }
        return written
    }

    private static let system: Write = { descriptor, bytes in
        unsafe try bytes.withUnsafeBytes { unsafe try descriptor.write($0) }
    }

    deinit { if isOwned { try? descriptor.close() } }
}
