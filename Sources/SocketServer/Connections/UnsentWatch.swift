import Reactor
import SystemPackage

/// Watches the connections whose replies their sockets have not accepted yet.
final class UnsentWatch {
    /// The pause before bytes are sent again for which the kernel had no memory.
    private static let memoryPause = Duration.milliseconds(20)

    private let reactor: Reactor
    /// The connections whose peers have not read all of their replies.
    private var unread: [UInt64: Connection] = [:]
    private var unreadTimer: ReactorTimer?
    /// The connections for whose bytes the kernel had no memory.
    private var starved: [UInt64: Connection] = [:]
    private var starvedTimer: ReactorTimer?

    /// Creates a watch of no connection yet.
    init(on reactor: Reactor) { self.reactor = reactor }

    /// Waits until a connection's socket accepts bytes again, and checks that its peer reads.
    ///
    /// - Returns: False if that is not possible, so that the connection has to be closed.
    func add(_ connection: Connection) -> Bool {
        guard unread[connection.number] == nil else { return true }
        do throws(Errno) {
            try reactor.change(connection, to: .readingAndWriting)
        } catch {
            return false
        }
        unread[connection.number] = connection
        let timer = unreadTimer ?? ReactorTimer(on: reactor) { [weak self] in self?.checkProgress() }
        unreadTimer = timer
        if !timer.isScheduled { timer.schedule(in: SlowConsumerDetector.checkInterval) }
        return true
    }

    /// Waits no longer, as the peer has read all.
    func remove(_ connection: Connection) {
        unread[connection.number] = nil
        try? reactor.change(connection, to: .reading)
    }

    /// Makes a connection send again after a moment, as the kernel has no memory for its bytes.
    func sendAgain(_ connection: Connection) {
        starved[connection.number] = connection
        let timer = starvedTimer ?? ReactorTimer(on: reactor) { [weak self] in self?.sendStarved() }
        starvedTimer = timer
        if !timer.isScheduled { timer.schedule(in: Self.memoryPause) }
    }

    /// Drops a connection that is being closed.
    func forget(_ connection: Connection) {
        unread[connection.number] = nil
        starved[connection.number] = nil
    }

    private func sendStarved() {
        for connection in exchange(&starved, with: [:]).values { connection.sendUnsent() }
    }

    private func checkProgress() {
        for connection in unread.values { connection.checkProgress() }
        if !unread.isEmpty { unreadTimer?.schedule(in: SlowConsumerDetector.checkInterval) }
    }
}

@available(*, unavailable)
extension UnsentWatch: Sendable {}
