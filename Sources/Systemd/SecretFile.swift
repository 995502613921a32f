import Glibc
package import Secrets

/// Reads a secret from a file, such as a credential of systemd's.
package enum SecretFile {
    /// A secret is a line of text: what is larger is another file.
    private static let largest = 65_536

    /// The path of a credential; nil where systemd has handed none over.
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

    /// Reads a file's content without the line end that editors put behind it.
    package static func read(_ path: String) throws(SecretFileError) -> ClientSecret {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw SecretFileError(path: path, problem: .unreadable(errno)) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: largest + 1)
        defer { unsafe bytes.withUnsafeMutableBytes { unsafe wipe($0) } }
        var count = 0
        while count < bytes.count {
            let read = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress.map { unsafe $0 + count }, buffer.count - count)
            }
            guard read >= 0 else { throw SecretFileError(path: path, problem: .unreadable(errno)) }
            guard read > 0 else { break }
            count += read
        }
        guard count <= largest else { throw SecretFileError(path: path, problem: .tooLarge) }
        while count > 0, bytes[count - 1] == 0x0A || bytes[count - 1] == 0x0D { count -= 1 }
        guard count > 0 else { throw SecretFileError(path: path, problem: .empty) }
        guard bytes[..<count].allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw SecretFileError(path: path, problem: .notText)
        }
        return ClientSecret(
            unsafe bytes.withUnsafeBytes { unsafe SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        )
    }

    private static func wipe(_ buffer: UnsafeMutableRawBufferPointer) {
        if let start = buffer.baseAddress { unsafe explicit_bzero(start, buffer.count) }
    }
}

/// Why a secret could not be read; it never shows any of the file.
package struct SecretFileError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    package enum Problem: Equatable, Sendable {
        /// A call of the kernel failed.
        case unreadable(Int32)
        /// It holds nothing.
        case empty
        /// It holds more than a secret.
        case tooLarge
        /// It holds something that can't be an OAuth client's secret (RFC 6749, appendix A.2: visible ASCII and space).
        case notText
    }

    /// The file.
    package let path: String
    /// What is wrong with it.
    package let problem: Problem

    /// Makes it.
    package init(path: String, problem: Problem) {
        self.path = path
        self.problem = problem
    }

    /// A sentence for operators.
    package var description: String {
        switch problem {
        case .unreadable(let code):
            "\(path) can't be read: \(unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)")"
        case .empty: "\(path) is empty"
        case .tooLarge: "\(path) is larger than a secret can be"
        case .notText: "\(path) holds bytes that no client secret has: it should be one line of visible ASCII"
        }
    }
}
