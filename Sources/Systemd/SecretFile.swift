import Glibc
package import Secrets

/// Reads a secret from a file, be it one of systemd's credentials or any other.
package enum SecretFile {
    /// The most that a secret may have, in bytes: OAuth servers make them of a few hundred, so more is another file.
    private static let largest = 65_536

    /// The path of a credential; nil where systemd has handed none over, and for a name that would lead out of its folder.
    ///
    /// - Parameters:
    ///   - name: As in `LoadCredential=`.
    ///   - directory: `CREDENTIALS_DIRECTORY` of the environment.
    package static func path(ofCredential name: String, in directory: String?) -> String? {
        guard let directory, !directory.isEmpty, !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
            return nil
        }
        return "\(directory)/\(name)"
    }

    /// Reads a file's content without the line ends that editors put behind it.
    ///
    /// - Parameter memory: What to take the secret's memory from; nil: the heap.
    package static func read(_ path: String, in memory: SecretMemory? = nil) throws(SecretFileError) -> ClientSecret {
        // Non-blocking: to open a pipe that nobody writes to would hold the daemon up for ever.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { throw SecretFileError(path: path, problem: .unreadable(errno)) }
        defer { close(descriptor) }
        do throws(SecretFileError.Problem) {
            guard try isRegularFile(descriptor) else { throw .notAFile }
            return try secret(from: descriptor, memory)
        } catch {
            throw SecretFileError(path: path, problem: error)
        }
    }

    private static func isRegularFile(_ descriptor: CInt) throws(SecretFileError.Problem) -> Bool {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(errno) }
        return status.st_mode & S_IFMT == S_IFREG
    }

    private static func secret(
        from descriptor: CInt,
        _ memory: SecretMemory?
    ) throws(SecretFileError.Problem) -> ClientSecret {
        // By hand, as an array's memory could be copied before it is overwritten. One byte more than may be there.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: largest + 1, alignment: 1)
        defer {
            if let start = buffer.baseAddress { unsafe explicit_bzero(start, buffer.count) }
            unsafe buffer.deallocate()
        }
        let count = try unsafe fill(buffer, from: descriptor)
        guard count <= largest else { throw .tooLarge }
        var text = unsafe buffer[..<count]
        while let last = unsafe text.last, last == 0x0A || last == 0x0D { unsafe text.removeLast() }
        guard unsafe !text.isEmpty else { throw .empty }
        guard unsafe text.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw .notText }
        return ClientSecret(unsafe SecretBytes(copying: UnsafeRawBufferPointer(rebasing: text), in: memory))
    }

    /// Reads until the file's or the buffer's end, and says how many bytes came.
    private static func fill(
        _ buffer: UnsafeMutableRawBufferPointer,
        from descriptor: CInt
    ) throws(SecretFileError.Problem) -> Int {
        var count = 0
        while count < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let bytes = unsafe Glibc.read(descriptor, rest.baseAddress, rest.count)
            if bytes < 0 {
                guard errno == EINTR else { throw .unreadable(errno) }
                continue
            }
            guard bytes > 0 else { break }
            count += bytes
        }
        return count
    }
}
