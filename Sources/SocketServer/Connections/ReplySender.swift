import Reactor

/// Sends the replies of one connection, and keeps those that its socket does not accept yet.
struct ReplySender {
    /// The outcome of sending.
    enum Outcome: Equatable {
        /// The socket has accepted everything.
        case sent
        /// This many bytes more are kept until the socket accepts bytes again.
        case kept(Int)
        /// The kernel has no memory for kept bytes at the moment.
        case noMemory
        /// The connection is broken.
        case broken
    }

    private let socket: StreamSocket
    private var unsent = UnsentReplies()
    private var detector = SlowConsumerDetector()
    /// True if the detector was asked to begin, so that a whole interval has passed when it is asked again.
    private var isWatched = false

    /// Creates a sender with nothing to send.
    init(_ socket: StreamSocket) { self.socket = socket }

    /// True if no bytes are kept.
    var isEmpty: Bool { unsent.isEmpty }

    /// True if so many bytes are kept that no more requests may be answered.
    var isBlocking: Bool { unsent.isBlocking }

    /// Sends bytes, and keeps those that the socket doesn't accept.
    mutating func send(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        var sent = 0
        // Earlier bytes have to be sent first.
        if unsent.isEmpty {
            switch unsafe socket.send(bytes) {
            case .bytes(let count): sent = count
            // The socket is writable, so the reactor lets it try again in its next turn.
            case .noMemory: break
            case .failed: return .broken
            }
        }
        guard sent < bytes.count else { return .sent }
        unsafe unsent.append(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
        detector.sending(bytes.count - sent)
        return .kept(bytes.count - sent)
    }

    /// Sends kept bytes, as the socket accepts some again, or the kernel may have memory again.
    ///
    /// - Returns: The number of bytes that were sent, and the outcome, which is `kept(0)` if some are left.
    mutating func sendKept() -> (sent: Int, outcome: Outcome) {
        var sent = 0
        while let chunk = unsent.first {
            switch unsafe chunk.withUnsafeBytes({ unsafe socket.send($0) }) {
            case .bytes(let count):
                unsent.removeFirst(count)
                sent += count
                if count < chunk.count { return (sent, .kept(0)) }
            case .noMemory: return (sent, .noMemory)
            case .failed: return (sent, .broken)
            }
        }
        isWatched = false
        return (sent, .sent)
    }

    /// Returns true if the peer has read nothing of its replies for too long.
    ///
    /// It is asked at equal intervals while bytes are kept.
    mutating func isStalled() -> Bool {
        guard isWatched else {
            isWatched = true
            return false
        }
        return detector.check(unsent: unsent.count) == .stalled
    }

    /// Drops all kept bytes, and returns their number.
    mutating func removeAll() -> Int {
        isWatched = false
        return unsent.removeAll()
    }
}
