import DaemonConfiguration
import FleetProtocol
import FleetStore
package import Logging
package import NIOCore
package import Secrets
import Synchronization
import Tenant
package import TokenCache
import TokenProtocol

/// The daemon's place in a fleet: the second level, which is there only while the configuration has a section `fleet`.
///
/// The orders of the cache go to ``FleetStore`` on the tenants' event loop, and its news come back to the cache in their
/// order. The cache is told of the second level before the first connection, and of its end before the last one is closed.
/// So every order finds the store that answers it.
package final class FleetMembership: Sendable {
    /// The time without an engine at the start, or after a change of settings, before operators are told of it.
    private static let patience = Duration.seconds(2)

    private struct State {
        var store: FleetStore?
        /// The keys' short names in the order of their lines.
        var keys: [String] = []
        /// The time of the last change of settings.
        var appliedAt: Instant?
        /// True if operators know that the engine answers.
        var isAnnounced = false
    }

    private let loop: any EventLoop
    private let memory: SecretMemory
    private let log: Logger
    private let absence: OwnIncident
    private let state = Mutex(State())

    /// Creates a membership in no fleet.
    ///
    /// - Parameters:
    ///   - loop: The event loop of the connections.
    ///   - memory: The memory for tokens.
    package init(on loop: any EventLoop, memory: SecretMemory, log: Logger) {
        (self.loop, self.memory, self.log) = (loop, memory, log)
        absence = OwnIncident(.absentEngine, log: log)
    }

    // MARK: The cache

    /// Performs an order of the cache, which gives none without a fleet.
    package func perform(_ order: FleetOrder) { state.withLock(\.store)?.perform(order) }

    /// The state of the second level, or nil without a fleet.
    var status: (fleet: FleetStatus, keys: [String])? {
        state.withLock { state in state.store.map { ($0.status, state.keys) } }
    }

    // MARK: Settings

    /// Puts a fleet into force, changes its settings, or ends it.
    ///
    /// Call it after the tenants are known to the cache.
    package func apply(
        _ prepared: Prepared,
        _ tenants: [TenantID: TenantPolicy],
        of frontend: Frontend,
        now: Instant = .now
    ) async {
        guard let settings = prepared.settings else { return await leave(frontend) }
        let store = await join(frontend)
        let keys = settings.keys.ids
        state.withLock { state in (state.keys, state.appliedAt, state.isAnnounced) = (keys, now, false) }
        store.apply(settings, trust: prepared.trust, tenants: tenants.mapValues { FleetTenant($0) })
    }

    private func join(_ frontend: Frontend) async -> FleetStore {
        if let store = state.withLock(\.store) { return store }
        let store = FleetStore(
            on: loop,
            machine: Self.newName(),
            FleetStore.Dependencies(wall: { .now }, memory: memory),
            listener: FleetMessenger(to: frontend)
        )
        state.withLock { $0.store = store }
        await frontend.cache.setFleet(FleetPolicy())
        return store
    }

    private func leave(_ frontend: Frontend) async {
        guard let store = state.withLock(\.store) else { return }
        await frontend.cache.setFleet(nil)
        await store.shutDown()
        state.withLock { $0 = State() }
        absence.forget()
    }

    /// Ends the connections with the daemon.
    ///
    /// Later orders are answered that the second level is unavailable.
    package func shutDown() async { await state.withLock(\.store)?.shutDown() }

    /// A name that no other machine has, and no earlier daemon of this one.
    private static func newName() -> String {
        String(UInt64.random(in: 1...(.max)), radix: 16) + String(UInt64.random(in: 1...(.max)), radix: 16)
    }

    // MARK: The log

    /// Logs that the engine answers, or doesn't, if that is due.
    package func report(now: Instant) {
        guard let (status, _) = status else { return }
        let (appliedAt, wasAnnounced) = state.withLock { state in
            let before = state.isAnnounced
            state.isAnnounced = before || status.isConnected
            return (state.appliedAt ?? now, before)
        }
        if status.isConnected {
            absence.end(now: now)
            if !wasAnnounced {
                log.notice("the fleet's engine answers", metadata: [LogKey.machines: "\(status.machines)"])
            }
        } else if now - max(appliedAt, status.since ?? appliedAt) >= Self.patience {
            let reason = status.lastFault.map { "\($0.kind.rawValue): \($0.detail)" } ?? "no answer yet"
            absence.note(
                until: nil,
                [LogKey.reason: "\(reason)", LogKey.tenants: "\(status.tenantsAway)"],
                now: now
            )
        }
        absence.report(at: now)
    }
}

extension FleetTenant {
    /// The tenant of a policy.
    fileprivate init(_ policy: TenantPolicy) {
        self.init(
            identity: policy.identity,
            ratePerMinute: policy.ratePerMinute,
            burst: policy.burst,
            lease: policy.leaseLength
        )
    }
}
