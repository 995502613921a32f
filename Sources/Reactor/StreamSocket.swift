package import SystemPackage

/// The descriptor of a connection, which never blocks.
package struct StreamSocket: Sendable {
    /// The outcome of a read.
    package enum Received: Sendable, Equatable {
        /// This many bytes.
        case bytes(Int)
        /// The peer sends no more.
        case end
        /// Nothing for now.
        case nothing
        /// The connection is broken.
        case failed(Errno)
    }

    /// The outcome of sending.
    package enum Sent: Sendable, Equatable {
        /// The socket has accepted this many bytes, which may be fewer than offered, or none.
        case bytes(Int)
        /// The kernel has no memory for them at the moment.
        case noMemory
        /// The connection is broken.
        case failed(Errno)
    }

    /// The descriptor.
    package let descriptor: CInt
    private let calls: SystemCalls

    /// Creates a socket from the descriptor of a connection.
    package init(_ descriptor: CInt, calls: SystemCalls = .kernel) {
        (self.descriptor, self.calls) = (descriptor, calls)
    }

    /// Reads the bytes that are there.
    ///
    /// - Parameter buffer: The memory that they are written to, which must not be empty.
    package func receive(into buffer: UnsafeMutableRawBufferPointer) -> Received {
        guard let start = buffer.baseAddress else { return .nothing }
        while true {
            let result = unsafe calls.receive(descriptor, start, buffer.count)
            if result > 0 { return .bytes(result) }
            if result == 0 { return .end }
            switch Errno(rawValue: CInt(-result)) {
            case .interrupted: continue
            case .wouldBlock: return .nothing
            case let error: return .failed(error)
            }
        }
    }

    /// Sends as many bytes as the socket accepts.
    package func send(_ bytes: UnsafeRawBufferPointer) -> Sent {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return .bytes(0) }
        while true {
            let result = unsafe calls.send(descriptor, start, bytes.count)
            // If the socket has accepted a part, it is full. Another call would only find that out.
            if result >= 0 { return .bytes(result) }
            switch Errno(rawValue: CInt(-result)) {
            case .interrupted: continue
            case .wouldBlock: return .bytes(0)
            case .noMemory, .noBufferSpace: return .noMemory
            case let error: return .failed(error)
            }
        }
    }
}
