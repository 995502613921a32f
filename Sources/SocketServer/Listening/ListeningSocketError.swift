import SystemPackage

/// The reason why a socket could not be bound, with a sentence for operators.
package enum ListeningSocketError: Error, Equatable, CustomStringConvertible {
    /// Another daemon answers at the path.
    case inUse(String)
    /// A file that is not a socket exists at the path.
    case notASocket(String)
    /// The path is longer than the kernel allows.
    case pathTooLong(String)
    /// The socket's group does not exist.
    case unknownGroup(String, path: String)
    /// A system call failed. The values are the path, a sentence and the error's number.
    case failed(String, String, Int32)

    /// True if the configuration is wrong, so that another attempt won't help.
    package var isWrongConfiguration: Bool {
        switch self {
        case .pathTooLong, .unknownGroup: true
        case .inUse, .notASocket, .failed: false
        }
    }

    /// A sentence for operators.
    package var description: String {
        switch self {
        case .inUse(let path): "socket \(path): another daemon is listening there"
        case .notASocket(let path): "socket \(path): something that is not a socket stands there"
        case .pathTooLong(let path):
            "socket \(path): the path is too long; the kernel allows \(UnixSocketAddress.longestPath) bytes"
        case .unknownGroup(let group, let path): "socket \(path): there is no group \(group)"
        case .failed(let path, let what, let code): "socket \(path): \(what): \(Errno(rawValue: code))"
        }
    }
}
