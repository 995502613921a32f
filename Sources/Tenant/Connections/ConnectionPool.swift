import NIOCore
import Synchronization

/// Keeps a tenant's connections between calls.
///
/// The number of concurrent calls is decided where they are ordered, so the pool has no limit of its own and no queue.
/// The connection that was used last is taken first, so that those that are not needed become idle.
final class ConnectionPool: Sendable {
    /// The time after which an idle connection is closed: less than servers commonly keep one.
    static let idleTimeout = Duration.seconds(30)
    /// The age from which a connection is no longer used for new calls.
    ///
    /// A new connection looks up the tenant's name again, which may lead elsewhere by now while the old server still
    /// runs.
    static let maxAge = Duration.seconds(60)

    private struct Kept {
        let connection: TenantConnection
        let since: ContinuousClock.Instant
        let timer: Scheduled<Void>
    }

    private struct State {
        /// The connections that wait for a call, the one used last at the end.
        var kept: [Kept] = []
        var open: [ObjectIdentifier: TenantConnection] = [:]
        var generation = 0
        var isShutDown = false
    }

    private let state = Mutex(State())

    /// The generation of connections that are opened now.
    var generation: Int { state.withLock { $0.generation } }

    /// Adds a new connection, which is in use.
    ///
    /// - Returns: True if it may be used. After a shutdown it is closed at once.
    func add(_ connection: TenantConnection) -> Bool {
        let id = ObjectIdentifier(connection)
        let isWanted = state.withLock { state in
            if !state.isShutDown { state.open[id] = connection }
            return !state.isShutDown
        }
        guard isWanted else {
            connection.close()
            return false
        }
        connection.onClose { [weak self] in self?.remove(id) }
        return true
    }

    /// Removes a kept connection, to make a call on it, or nil if there is none that may be used.
    func take(now: ContinuousClock.Instant) -> TenantConnection? {
        while let kept = state.withLock({ $0.kept.popLast() }) {
            kept.timer.cancel()
            let connection = kept.connection
            if connection.isOpen, now - connection.opened < Self.maxAge, now - kept.since < Self.idleTimeout {
                return connection
            }
            connection.close()
        }
        return nil
    }

    /// Puts a connection back after a call that got its reply.
    func put(_ connection: TenantConnection, now: ContinuousClock.Instant) {
        let life = min(Self.idleTimeout, Self.maxAge - (now - connection.opened))
        guard life > .zero, connection.isOpen else { return connection.close() }
        let timer = connection.schedule(in: life) { [weak self] in self?.expire(connection, since: now) }
        let isKept = state.withLock { state in
            guard !state.isShutDown, state.generation == connection.generation else { return false }
            state.kept.append(Kept(connection: connection, since: now, timer: timer))
            return true
        }
        guard !isKept else { return }
        timer.cancel()
        connection.close()
    }

    /// Drops all present connections, as one of them turned out to be broken.
    ///
    /// Those in use are closed after their call.
    func distrust() {
        let kept = state.withLock { state in
            state.generation += 1
            defer { state.kept = [] }
            return state.kept
        }
        for kept in kept {
            kept.timer.cancel()
            kept.connection.close()
        }
    }

    /// Closes all connections, including those in use, and keeps none from here on.
    func shutdown() {
        let open = state.withLock { state in
            state.isShutDown = true
            for kept in state.kept { kept.timer.cancel() }
            state.kept = []
            return Array(state.open.values)
        }
        for connection in open { connection.close() }
    }

    private func expire(_ connection: TenantConnection, since: ContinuousClock.Instant) {
        let isExpired = state.withLock { state in
            let index = state.kept.firstIndex { $0.connection === connection && $0.since == since }
            if let index { state.kept.remove(at: index) }
            return index != nil
        }
        if isExpired { connection.close() }
    }

    private func remove(_ id: ObjectIdentifier) {
        state.withLock { state in
            state.open[id] = nil
            state.kept.removeAll { ObjectIdentifier($0.connection) == id }
        }
    }
}
