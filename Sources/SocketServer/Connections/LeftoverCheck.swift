import Reactor

/// Reads quiet connections once more, as their last read may have left bytes (see ``InputState/isUncertain``).
///
/// A connection that is busy needs no check: its next read finds what the last one has left. While no connection is
/// uncertain there is no timer.
final class LeftoverCheck {
    /// The time between two checks: what a peer may lose by passing descriptors, once.
    static let interval = Duration.milliseconds(100)

    private let reactor: Reactor
    private var connections: [Connection] = []
    private var timer: ReactorTimer?

    /// Creates a check of no connection yet.
    init(on reactor: Reactor) { self.reactor = reactor }

    /// Checks a connection at the end of the first interval in which it isn't read.
    func add(_ connection: Connection) {
        if connections.isEmpty { schedule() }
        connections.append(connection)
    }

    private func schedule() {
        let timer = timer ?? ReactorTimer(on: reactor) { [weak self] in self?.check() }
        self.timer = timer
        timer.schedule(in: Self.interval)
    }

    private func check() {
        // A connection that is read here may be added again.
        for connection in exchange(&connections, with: []) {
            let isDone = connection.isCheckedForLeftovers()
            if !isDone { connections.append(connection) }
        }
        if !connections.isEmpty { schedule() }
    }
}

@available(*, unavailable)
extension LeftoverCheck: Sendable {}
