/// Measures for how long a peer has taken not one byte of what waits for it.
///
/// It is asked at equal intervals, and sees only two numbers: how many bytes were ever handed to the socket, and how many
/// of them still wait.
package struct StallMeter: Sendable {
    /// How long a peer may take nothing: longer than any pause of a living process, short enough to free its memory.
    package static let patience = Duration.seconds(30)
    /// How often it is asked; a stalled peer is let go at most this much late.
    package static let interval = Duration.seconds(5)

    /// What a look has found.
    package enum Finding: Sendable, Equatable {
        /// Nothing waits: there is no need to look again before something is sent.
        case idle
        /// Something waits; look again.
        case waiting
        /// The peer has taken nothing for too long.
        case stalled
    }

    private var handedOver = 0
    private var taken = 0
    private var stalledFor = Duration.zero

    /// Nothing was sent yet.
    package init() {}

    /// Notes bytes that are being handed to the socket.
    package mutating func sending(_ count: Int) { handedOver += count }

    /// Looks, an interval after the last time.
    ///
    /// - Parameter waiting: How many bytes the socket has not taken yet.
    package mutating func look(waiting: Int) -> Finding {
        let takenByNow = handedOver - waiting
        let hasMoved = takenByNow > taken
        taken = takenByNow
        guard waiting > 0 else {
            stalledFor = .zero
            return .idle
        }
        stalledFor = hasMoved ? .zero : stalledFor + Self.interval
        return stalledFor < Self.patience ? .waiting : .stalled
    }
}
