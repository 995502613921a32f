import Glibc
package import Secrets
import SystemPackage

/// Reads a secret from a file, which may be one of systemd's credentials.
package enum SecretFile {
    /// The largest secret in bytes: OAuth servers make them of a few hundred, so more is another file.
    private static let largest = 65_536

    /// Returns the path of a credential, or nil if systemd has handed none over or the name leads out of its directory.
    ///
    /// - Parameters:
    ///   - name: The name in `LoadCredential=`.
    ///   - directory: `CREDENTIALS_DIRECTORY` of the environment.
    package static func path(ofCredential name: String, in directory: String?) -> String? {
        guard let directory, !directory.isEmpty, !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
            return nil
        }
        return "\(directory)/\(name)"
    }

    /// The rule for who may be able to read or change a file.
    package enum Trust: Sendable {
        /// Only root and one reader: a file that others can read, change or replace is rejected.
        case file(of: Reader)
        /// The users that systemd decides on: it hands credentials over in a directory of the unit's own.
        case credential

        /// Only root and this process's own user.
        package static var ownFile: Trust { .file(of: .current) }
    }

    /// Reads a file's content without the line ends that editors put behind it.
    ///
    /// - Parameters:
    ///   - trust: The rule for who else may have access to it.
    ///   - isKey: True for a key, whose form is checked by its reader. A client's secret is one line.
    ///   - memory: The memory for the secret, or nil for the heap.
    package static func read(
        _ path: String,
        trusting trust: Trust = .ownFile,
        isKey: Bool = false,
        in memory: SecretMemory? = nil
    ) throws(SecretFileError) -> ClientSecret {
        do {
            // Non-blocking, because opening a pipe without a writer would block for ever.
            let options: FileDescriptor.OpenOptions = [.closeOnExec, .nonBlocking, .init(rawValue: O_NOCTTY)]
            let descriptor = unsafe try FileDescriptor.open(path, .readOnly, options: options)
            defer { try? descriptor.close() }
            try check(descriptor, path, trust)
            return try secret(from: descriptor, isKey: isKey, memory)
        } catch {
            let problem = error as? SecretFileError.Problem
            throw SecretFileError(path: path, problem: problem ?? .unreadable(error as? Errno ?? .ioError))
        }
    }

    private static func check(_ descriptor: FileDescriptor, _ path: String, _ trust: Trust) throws {
        let status = try descriptor.stat()
        guard status.type == .regular else { throw SecretFileError.Problem.notAFile }
        guard case .file(let reader) = trust else { return }
        try checkPermissions(status, for: reader)
        try checkAccessList(of: descriptor, for: reader)
        try checkDirectories(of: path, for: reader)
    }

    private static func secret(
        from descriptor: FileDescriptor,
        isKey: Bool,
        _ memory: SecretMemory?
    ) throws -> ClientSecret {
        // Allocated by hand, as an array could be copied before it is overwritten. One byte more than a secret may
        // have.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: largest + 1, alignment: 1)
        defer {
            if let start = buffer.baseAddress { unsafe explicit_bzero(start, buffer.count) }
            unsafe buffer.deallocate()
        }
        let count = try unsafe fill(buffer, from: descriptor)
        return try unsafe secret(in: UnsafeRawBufferPointer(rebasing: buffer[..<count]), isKey: isKey, memory)
    }

    private static func secret(
        in content: UnsafeRawBufferPointer,
        isKey: Bool,
        _ memory: SecretMemory?
    ) throws(SecretFileError.Problem) -> ClientSecret {
        guard content.count <= largest else { throw .tooLarge }
        var text = unsafe content[...]
        while let last = unsafe text.last, last == 0x0A || last == 0x0D { unsafe text.removeLast() }
        guard unsafe !text.isEmpty else { throw .empty }
        guard unsafe isKey || text.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw .notText }
        guard let secret = unsafe SecretBytes(copying: UnsafeRawBufferPointer(rebasing: text), in: memory) else {
            throw .noMemory
        }
        return ClientSecret(secret)
    }

    /// Reads until the file's or the buffer's end, and returns the number of bytes that were read.
    private static func fill(_ buffer: UnsafeMutableRawBufferPointer, from descriptor: FileDescriptor) throws -> Int {
        var count = 0
        while count < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let bytes = unsafe try descriptor.read(into: rest)
            guard bytes > 0 else { break }
            count += bytes
        }
        return count
    }
}
