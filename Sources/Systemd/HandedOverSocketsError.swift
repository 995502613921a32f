import SafeText

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
            "the sockets that were handed over can't be read (\(errorText(code))): LISTEN_FDS and LISTEN_FDNAMES "
                + "contradict each other"
        case .notAListeningSocket(let name):
            "the descriptor '\(name)' that was handed over is not a listening Unix stream socket; write ListenStream= "
                + "with a path into its unit"
        case .twice(let name):
            "two sockets named '\(name)' were handed over; write FileDescriptorName=requests into the unit of the apps' "
                + "socket and FileDescriptorName=admin into that of the operators'"
        case .unknownName(let name):
            "a socket named '\(name)' was handed over; write FileDescriptorName=requests or FileDescriptorName=admin "
                + "into its unit"
        }
    }
}
