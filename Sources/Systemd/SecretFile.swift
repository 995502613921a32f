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

    /// Who besides root and this process's own user may have a hand in a file.
    package enum Trust: Sendable {
        /// Nobody: a file that others can read or change is refused.
        case ownFile
        /// Systemd decides, which hands credentials over in a folder of the unit's own.
        case credential
    }

    /// Reads a file's content without the line ends that editors put behind it.
    ///
    /// - Parameters:
    ///   - trust: Whose hands may be in it.
    ///   - isText: Whether it may have several lines, as a key has; a client's secret is one.
    ///   - memory: What to take the secret's memory from; nil: the heap.
    package static func read(
        _ path: String,
        trusting trust: Trust = .ownFile,
        isText: Bool = false,
        in memory: SecretMemory? = nil
    ) throws(SecretFileError) -> ClientSecret {
        // Non-blocking: to open a pipe that nobody writes to would hold the daemon up for ever.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { throw SecretFileError(path: path, problem: .unreadable(errno)) }
        defer { close(descriptor) }
        do throws(SecretFileError.Problem) {
            let status = try status(of: descriptor)
            guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
            if case .ownFile = trust { try refuseShared(status) }
            return try secret(from: descriptor, isText: isText, memory)
        } catch {
            throw SecretFileError(path: path, problem: error)
        }
    }

    private static func status(of descriptor: CInt) throws(SecretFileError.Problem) -> stat {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(errno) }
        return status
    }

    /// Refuses a file that belongs to another user, is open to everyone, or is open to a group that this process isn't in.
    ///
    /// Groups are not refused as such: that is how a file of root's is given to a daemon that isn't root.
    private static func refuseShared(_ status: stat) throws(SecretFileError.Problem) {
        let isOwners = status.st_uid == 0 || status.st_uid == geteuid()
        let isGroups = status.st_mode & S_IRWXG == 0 || status.st_gid == 0 || ownGroups.contains(status.st_gid)
        guard isOwners, isGroups, status.st_mode & S_IRWXO == 0 else {
            throw .readableByOthers(mode: status.st_mode & 0o7777, owner: status.st_uid, group: status.st_gid)
        }
    }

    private static var ownGroups: [gid_t] {
        let count = getgroups(0, nil)
        guard count > 0 else { return [getegid()] }
        let further = unsafe [gid_t](unsafeUninitializedCapacity: Int(count)) { groups, filled in
            filled = Int(max(0, unsafe getgroups(count, groups.baseAddress)))
        }
        return further + [getegid()]
    }

    private static func secret(
        from descriptor: CInt,
        isText: Bool,
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
        guard unsafe text.allSatisfy({ (0x20...0x7E).contains($0) || isText && ($0 == 0x0A || $0 == 0x0D) }) else {
            throw .notText
        }
        guard let secret = unsafe SecretBytes(copying: UnsafeRawBufferPointer(rebasing: text), in: memory) else {
            throw .noMemory
        }
        return ClientSecret(secret)
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
