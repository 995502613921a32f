package import SystemPackage

/// The reason why handed-over sockets can't be used, which is always a fault of the units.
package enum HandedOverSocketsError: Error, Equatable, CustomStringConvertible {
    /// The environment contradicts itself.
    case unreadable(Errno)
    /// A descriptor is not a listening socket.
    case notAListeningSocket(String)
    /// Two sockets have the same name.
    case duplicateName(String)
    /// A socket has another name than the daemon's two.
    case unknownName(String)

    /// A sentence for operators.
    package var description: String {
        switch self {
        case .unreadable(let error):
            "the sockets that were handed over can't be read (\(error)): LISTEN_FDS and LISTEN_FDNAMES "
                + "contradict each other"
        case .notAListeningSocket(let name):
            "the descriptor '\(name)' that was handed over is not a listening Unix stream socket; write ListenStream= "
                + "with a path into its unit"
        case .duplicateName(let name):
            "two sockets named '\(name)' were handed over; write FileDescriptorName=requests into the unit of the apps' "
                + "socket and FileDescriptorName=admin into that of the operators'"
        case .unknownName(let name):
            "a socket named '\(name)' was handed over; write FileDescriptorName=requests or FileDescriptorName=admin "
                + "into its unit"
        }
    }
}
