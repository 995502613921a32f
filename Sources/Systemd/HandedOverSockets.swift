import CSystemd
import Glibc

// Systemd: what a service manager and its service tell each other.
//
// Why it exists: libsystemd's calls take descriptors by number, texts with line ends and an environment that is the
// process's own. This module is their only importer; it gives sockets by name, notices as values, and secrets as bytes.
// Without systemd every part of it says so and does nothing.

/// The listening sockets that systemd has handed over, by their names in the unit.
///
/// Their order changes from start to start, so only the name (`FileDescriptorName=`) tells which is which.
package struct HandedOverSockets: Sendable, Equatable {
    /// The apps' socket.
    package private(set) var requests: CInt?
    /// The operators' socket.
    package private(set) var admin: CInt?

    /// Takes over what was handed to this process; the environment is cleared, so that no child takes it for its own.
    package static func take() throws(HandedOverSocketsError) -> HandedOverSockets {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = unsafe sd_listen_fds_with_names(1, &names)
        defer { unsafe release(names) }
        guard count >= 0 else { throw .unreadable(code: -count) }
        var sockets = HandedOverSockets()
        for index in 0..<Int(count) {
            let descriptor = CInt(SD_LISTEN_FDS_START) + CInt(index)
            let name = unsafe names?[index].map { unsafe String(cString: $0) } ?? ""
            guard sd_is_socket_unix(descriptor, CInt(SOCK_STREAM.rawValue), 1, nil, 0) > 0 else {
                throw .notAListeningSocket(name)
            }
            try sockets.add(descriptor, named: name)
        }
        return sockets
    }

    /// None.
    package init() {}

    /// Sorts a socket in by its name.
    package mutating func add(_ descriptor: CInt, named name: String) throws(HandedOverSocketsError) {
        switch name {
        case "requests" where requests == nil: requests = descriptor
        case "admin" where admin == nil: admin = descriptor
        case "requests", "admin": throw .twice(name)
        default: throw .unknownName(name)
        }
    }

    private static func release(_ names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) {
        guard let names = unsafe names else { return }
        var index = 0
        while let name = unsafe names[index] {
            unsafe free(name)
            index += 1
        }
        unsafe free(names)
    }
}

/// Why the sockets that were handed over can't be used; each is a fault of the units.
package enum HandedOverSocketsError: Error, Equatable, CustomStringConvertible {
    /// The environment contradicts itself.
    case unreadable(code: CInt)
    /// A descriptor is something else.
    case notAListeningSocket(String)
    /// Two sockets have the same name.
    case twice(String)
    /// A socket has a name that means nothing here.
    case unknownName(String)

    /// A sentence for operators.
    package var description: String {
        switch self {
        case .unreadable(let code):
            "the sockets that were handed over can't be read (error \(code)): LISTEN_FDS and LISTEN_FDNAMES contradict "
                + "each other"
        case .notAListeningSocket(let name):
            "the descriptor '\(name)' that was handed over is not a listening Unix stream socket"
        case .twice(let name): "two sockets named '\(name)' were handed over; each unit needs a name of its own"
        case .unknownName(let name):
            "a socket named '\(name)' was handed over; write FileDescriptorName=requests or FileDescriptorName=admin "
                + "into its unit"
        }
    }
}
