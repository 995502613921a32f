import DaemonConfiguration
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

    /// The longest wait for the first connection, which delays the start.
    private static let longestWait = Duration.milliseconds(500)
    /// The time between two looks at the connection.
    private static let pause = Duration.milliseconds(2)

    private struct State {
        var store: FleetStore?
        /// The tenants' identities, by which the next daemon knows them.
        var identities: [TenantID: TenantPolicy.Identity] = [:]
        /// The places up to which the events have been read, for the next daemon.
        var places: FleetPlacesFile?
        /// True if there may be tokens in the cache that were minted before the fleet was joined.
        var hasTokens: Bool
        /// The time of the last change of settings.
        var appliedAt: Instant?
        /// True if operators know that the engine answers.
        var isAnnounced = false
    }

    private let loop: any EventLoop
    private let memory: SecretMemory
    private let log: Logger
    private let absence: OwnIncident
    private let state: Mutex<State>

    /// Creates a membership in no fleet.
    ///
    /// - Parameters:
    ///   - loop: The event loop of the connections.
    ///   - memory: The memory for tokens.
    ///   - files: The files of the cache's tokens.
    package init(on loop: any EventLoop, memory: SecretMemory, _ files: TokenMemory.Files, log: Logger) {
        (self.loop, self.memory, self.log) = (loop, memory, log)
        state = Mutex(State(places: files.places, hasTokens: files.areInherited))
        absence = OwnIncident(.absentEngine, log: log)
    }

    // MARK: The cache

    /// Performs an order of the cache, which gives none without a fleet.
    package func perform(_ order: FleetOrder) { state.withLock(\.store)?.perform(order) }

    /// The state of the second level, or nil without a fleet.
    var status: FleetStatus? { state.withLock(\.store)?.status }

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
        guard let settings = prepared.settings else {
            await leave(frontend)
            return state.withLock { $0.hasTokens = true }
        }
        let isMember = state.withLock { $0.store != nil }
        let store = await join(frontend)
        let places = state.withLock { state in
            state.appliedAt = now
            state.identities = tenants.mapValues(\.identity)
            defer { state.hasTokens = true }
            return isMember || !state.hasTokens ? nil : state.places?.places ?? [:]
        }
        let members = tenants.mapValues { policy in
            FleetTenant(policy, place: places.map { $0[policy.identity] ?? .beginning })
        }
        store.apply(settings, trust: prepared.trust, tenants: members)
        if !isMember { await wait(for: store, within: min(settings.timeout, Self.longestWait)) }
    }

    /// Waits for the connection, so that a daemon doesn't serve what another machine has dropped in the meantime, and
    /// doesn't mint what the engine has.
    private func wait(for store: FleetStore, within time: Duration) async {
        let deadline = ContinuousClock.now + time
        while !store.status.isConnected, .now < deadline { try? await Task.sleep(for: Self.pause) }
    }

    private func join(_ frontend: Frontend) async -> FleetStore {
        if let store = state.withLock(\.store) { return store }
        let store = FleetStore(
            on: loop,
            machine: Self.newName(),
            FleetStore.Dependencies(wall: { .now }, memory: memory),
            listener: FleetMessenger(to: frontend)
        )
        state.withLock { state in
            state.store = store
            state.places = state.places ?? FleetPlacesFile()
        }
        await frontend.cache.setFleet(FleetPolicy())
        return store
    }

    private func leave(_ frontend: Frontend) async {
        guard let store = state.withLock(\.store) else { return }
        await keepPlaces(frontend)
        await frontend.cache.setFleet(nil)
        await store.shutDown()
        state.withLock { $0 = State(places: $0.places, hasTokens: true) }
        absence.forget()
    }

    /// Ends the connections with the daemon.
    ///
    /// Later orders are answered that the second level is unavailable.
    package func shutDown(_ frontend: Frontend) async {
        await keepPlaces(frontend)
        await state.withLock(\.store)?.shutDown()
    }

    // MARK: The next daemon

    /// The file of the places in the events, or nil without a fleet.
    package var placesFile: FleetPlacesFile? { state.withLock { $0.store == nil ? nil : $0.places } }

    /// Writes how far the events have been read.
    package func keepPlaces(_ frontend: Frontend) async {
        let (store, file, identities) = state.withLock { ($0.store, $0.places, $0.identities) }
        guard let store, let file else { return }
        let places = store.places
        // By then the cache has done what the events up to these places say.
        await frontend.takeTurn()
        let named = places.compactMap { tenant, place in identities[tenant].map { ($0, place) } }
        file.write(Dictionary(named) { $1 })
    }

    /// A name that no other machine has, and no earlier daemon of this one.
    private static func newName() -> String {
        String(UInt64.random(in: 1...(.max)), radix: 16) + String(UInt64.random(in: 1...(.max)), radix: 16)
    }

    // MARK: The log

    /// Logs that the engine answers, or doesn't, if that is due.
    package func report(now: Instant) {
        guard let status else { return }
        let (appliedAt, wasAnnounced) = state.withLock { state in
            let before = state.isAnnounced
            state.isAnnounced = before || status.isConnected
            return (state.appliedAt ?? now, before)
        }
        if status.isConnected {
            absence.end(now: now)
            if !wasAnnounced {
                log.info("the fleet's engine answers", metadata: [LogKey.machines: "\(max(1, status.machines))"])
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
    fileprivate init(_ policy: TenantPolicy, place: FleetPlace?) {
        self.init(
            identity: policy.identity,
            ratePerMinute: policy.ratePerMinute,
            burst: policy.burst,
            lease: policy.leaseLength,
            place: place
        )
    }
}
