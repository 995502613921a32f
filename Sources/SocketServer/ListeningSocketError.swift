import SystemPackage

/// Why a socket could not be bound, in a sentence for operators.
package enum ListeningSocketError: Error, Equatable, CustomStringConvertible {
    /// Another daemon answers there.
    case inUse(String)
    /// Something else stands there.
    case notASocket(String)
    /// The kernel takes no such path.
    case pathTooLong(String)
    /// There is no such group.
    case unknownGroup(String, path: String)
    /// A call of the kernel failed.
    case failed(String, String, Int32)

    /// Whether the configuration names what can't be: another attempt won't help.
    package var isWrongConfiguration: Bool {
        switch self {
        case .pathTooLong, .unknownGroup: true
        case .inUse, .notASocket, .failed: false
        }
    }

    /// The sentence.
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
