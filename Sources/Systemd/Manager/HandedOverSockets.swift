import CSystemd
import Glibc
import SystemPackage

/// The listening sockets that systemd has handed over, by their names in the unit.
///
/// Their order changes from start to start, so they are told apart only by name (`FileDescriptorName=`).
package struct HandedOverSockets: Sendable, Equatable {
    /// The apps' socket.
    package private(set) var requests: CInt?
    /// The operators' socket.
    package private(set) var admin: CInt?
    /// The files that an earlier daemon has put into the manager's store, in any order.
    package private(set) var stored: [Stored] = []

    /// A descriptor from the store.
    package struct Stored: Sendable, Equatable {
        package let name: String
        package let descriptor: CInt
    }

    /// Takes over the descriptors that were handed to this process.
    ///
    /// The environment is cleared and the descriptors are closed on exec, so that no child process uses them.
    package static func take() throws(HandedOverSocketsError) -> HandedOverSockets {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = unsafe sd_listen_fds_with_names(1, &names)
        defer { unsafe release(names) }
        // A negative count is a fault, not an absence: the daemon would bind sockets of its own, which nobody connects
        // to.
        guard count >= 0 else { throw .unreadable(Errno(rawValue: -count)) }
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

    /// Creates a value without sockets.
    package init() {}

    /// Adds a socket by its name.
    package mutating func add(_ descriptor: CInt, named name: String) throws(HandedOverSocketsError) {
        switch name {
        case "requests" where requests == nil: requests = descriptor
        case "admin" where admin == nil: admin = descriptor
        case "requests", "admin": throw .duplicateName(name)
        default: throw .unknownName(name)
        }
    }

    /// Returns true if a descriptor is a listening Unix stream socket.
    package static func isListening(_ descriptor: CInt) -> Bool {
        sd_is_socket_unix(descriptor, CInt(SOCK_STREAM.rawValue), 1, nil, 0) > 0
    }

    /// Returns true if a descriptor is from the store, because it neither is a socket nor has the name of one.
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
