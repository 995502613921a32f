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
    /// What an earlier daemon has put into the manager's store: files, in any order.
    package private(set) var stored: [Stored] = []

    /// A descriptor from the store.
    package struct Stored: Sendable, Equatable {
        package let name: String
        package let descriptor: CInt
    }

    /// Takes over what was handed to this process.
    ///
    /// The environment is cleared and the descriptors are closed on exec, so that no child takes them for its own.
    package static func take() throws(HandedOverSocketsError) -> HandedOverSockets {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = unsafe sd_listen_fds_with_names(1, &names)
        defer { unsafe release(names) }
        // A negative count is a fault, not "none": binding sockets of one's own would hide it behind dead names.
        guard count >= 0 else { throw .unreadable(code: -count) }
        var sockets = HandedOverSockets()
        for index in 0..<Int(count) {
            let descriptor = CInt(SD_LISTEN_FDS_START) + CInt(index)
            let name = unsafe names?[index].map { unsafe String(cString: $0) } ?? ""
            if isStored(descriptor, named: name) {
                sockets.stored.append(Stored(name: name, descriptor: descriptor))
                continue
            }
            guard isListening(descriptor) else { throw .notAListeningSocket(name) }
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

    /// Whether a descriptor is what a daemon can accept connections from: a listening Unix stream socket.
    package static func isListening(_ descriptor: CInt) -> Bool {
        sd_is_socket_unix(descriptor, CInt(SOCK_STREAM.rawValue), 1, nil, 0) > 0
    }

    /// Whether a descriptor comes from the store: what a socket unit hands over is a socket, or has one's name.
    private static func isStored(_ descriptor: CInt, named name: String) -> Bool {
        sd_is_socket(descriptor, AF_UNSPEC, 0, -1) == 0 && name != "requests" && name != "admin"
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
