package import SystemPackage

/// The descriptor of a listening socket, which never blocks.
package struct ListeningPort: Sendable {
    /// The outcome of an attempt to accept a connection.
    package enum Accepted: Sendable, Equatable {
        /// The descriptor of a connection, which doesn't block and is closed in other programs.
        case connection(CInt)
        /// No connection waits.
        case nothing
        /// The connection can't be accepted now, because descriptors or memory are short.
        case failed(Errno)
    }

    /// The descriptor.
    package let descriptor: CInt
    private let calls: SystemCalls

    /// Creates a port from the descriptor of a listening socket.
    package init(_ descriptor: CInt, calls: SystemCalls = .kernel) {
        (self.descriptor, self.calls) = (descriptor, calls)
    }

    /// Accepts the next connection.
    package func accept() -> Accepted {
        while true {
            let result = calls.accept(descriptor)
            if result >= 0 { return .connection(CInt(result)) }
            switch Errno(rawValue: CInt(-result)) {
            // A connection that has ended already is not the next one's fault.
            case .interrupted, .connectionAbort: continue
            case .wouldBlock: return .nothing
            case let error: return .failed(error)
            }
        }
    }
}
