/// Detects a peer that has not read a single byte of its replies for too long.
///
/// It is asked at equal intervals, and needs two numbers only: the bytes that were ever handed to the socket, and those
/// of them that are still unsent.
package struct SlowConsumerDetector: Sendable {
    /// The time after which a peer that reads nothing is closed.
    ///
    /// It is longer than any pause of a living process, and short enough to free the memory of a stopped one.
    package static let timeout = Duration.seconds(30)
    /// The time between two checks.
    ///
    /// A peer is closed at most this much late.
    package static let checkInterval = Duration.seconds(5)

    /// The result of a check.
    package enum Result: Sendable, Equatable {
        /// Nothing is unsent. The next check is needed once something was sent.
        case idle
        /// Something is unsent, and has to be checked again.
        case waiting
        /// The peer has read nothing for too long.
        case stalled
    }

    private var sent = 0
    private var read = 0
    private var stalledFor = Duration.zero

    /// Creates a detector for a connection on which nothing was sent yet.
    package init() {}

    /// Notes bytes that are being handed to the socket.
    package mutating func sending(_ count: Int) { sent += count }

    /// Checks the peer's progress, one interval after the last check.
    ///
    /// - Parameter unsent: The number of bytes that the socket has not accepted yet.
    package mutating func check(unsent: Int) -> Result {
        let readByNow = sent - unsent
        let hasProgressed = readByNow > read
        read = readByNow
        guard unsent > 0 else {
            stalledFor = .zero
            return .idle
        }
        stalledFor = hasProgressed ? .zero : stalledFor + Self.checkInterval
        return stalledFor < Self.timeout ? .waiting : .stalled
    }
}
