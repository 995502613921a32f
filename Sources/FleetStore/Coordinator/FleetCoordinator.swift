import FleetProtocol
import NIOCore
import Tenant
import TokenCache

/// Keeps the connections to the engine, performs orders on them, and follows the events.
///
/// It belongs to its event loop. The decisions are in values: ``EngineNode``, ``ClusterRoutes``, ``CallRoute``,
/// ``EventCursor`` and ``FleetOperation``.
final class FleetCoordinator {
    let loop: any EventLoop
    /// This machine's name in leases and events.
    let machine: String
    let dependencies: FleetStore.Dependencies
    let listener: any FleetListening
    /// Called when the status or a place may have changed.
    let changed: () -> Void

    var settings: FleetSettings?
    var dialer: EngineDialer?
    var routes = ClusterRoutes(seed: .socket(path: ""))
    var nodes: [EngineAddress: NodeConnections] = [:]
    var tenants: [TenantID: TenantEvents] = [:]
    var calls = PendingCalls<PendingCall>()
    var counters = FleetCounters()
    var presence = FleetPresence()
    /// This machine's note in the engine, while it has one.
    var note: String?
    /// The short names of the keys in the order of their lines.
    var keyIDs: [String] = []
    /// The nodes that are only needed for a while, for keys that are being moved.
    var visited: [EngineAddress: Instant] = [:]
    /// The node that is connected to for a map of the cluster.
    var asked: EngineAddress?
    var lastAsked: Instant?
    var retryTimer: Scheduled<Void>?
    var deadlineTimer: Scheduled<Void>?
    var presenceTimer: Scheduled<Void>?
    /// True if the state is about to be published.
    var isPublishing = false

    /// Creates a coordinator without settings, which answers that the second level is unavailable.
    init(
        on loop: any EventLoop,
        machine: String,
        _ dependencies: FleetStore.Dependencies,
        _ listener: any FleetListening,
        changed: @escaping () -> Void
    ) {
        self.loop = loop
        self.machine = machine
        self.dependencies = dependencies
        self.listener = listener
        self.changed = changed
    }

    /// The time now.
    var now: Instant { dependencies.now() }

    /// A random number from 0 up to 1.
    var random: Double { dependencies.random() }

    /// Puts settings and tenants into force.
    ///
    /// Calls under way end on their old connections.
    func apply(_ settings: FleetSettings?, trust: TrustStore?, _ tenants: [TenantID: FleetTenant]) {
        let keeps = settings.flatMap { new in self.settings.map { new.sharesConnections(with: $0) } } ?? false
        let keepsKeys = self.settings?.keys == settings?.keys
        if !keeps { disconnect() }
        if self.settings?.keys != settings?.keys {
            // They are counted by position.
            (counters.opened, counters.notOpened) = ([:], [:])
            keyIDs = settings?.keys.ids ?? []
        }
        self.settings = settings
        guard let settings else {
            self.tenants = [:]
            return changed()
        }
        // The file of authorities may have another content by now.
        dialer = EngineDialer(settings: settings, trust: trust, loop: loop)
        if !keeps { routes = ClusterRoutes(seed: settings.url.address) }
        replace(tenants, settings)
        assign()
        if presenceTimer == nil || !keepsKeys { present() }
        changed()
    }

    private func replace(_ tenants: [TenantID: FleetTenant], _ settings: FleetSettings) {
        for (id, old) in self.tenants where tenants[id] == nil {
            giveAllLeasesBack(of: id)
            self.tenants[id] = nil
            if let node = old.node.flatMap({ nodes[$0] }) { updateReaders(node) }
        }
        for (id, tenant) in tenants {
            var translator = TenantTranslator(id, tenant, settings, machine: machine)
            if let old = self.tenants[id] {
                translator.engineTime = old.translator.engineTime
                self.tenants[id]?.translator = translator
            } else {
                self.tenants[id] = TenantEvents(translator, since: now)
            }
        }
    }

    /// Gives all connections up.
    private func disconnect() {
        for id in tenants.keys { giveAllLeasesBack(of: id) }
        withdraw()
        presence.lost()
        for (address, node) in nodes {
            lose(tenantsOf: address)
            node.close(drains: true)
        }
        nodes = [:]
        visited = [:]
        (asked, lastAsked) = (nil, nil)
        retryTimer?.cancel()
        presenceTimer?.cancel()
        (retryTimer, presenceTimer) = (nil, nil)
        for id in tenants.keys { tenants[id]?.node = nil }
    }

    /// Ends everything.
    ///
    /// No order is performed any more.
    ///
    /// - Parameter ended: Called once, when the engine knows that this machine is gone and has its leases back, or doesn't
    ///   answer in time.
    func shutDown(_ ended: @escaping () -> Void) {
        var ended: (() -> Void)? = ended
        let end = {
            ended?()
            ended = nil
        }
        var awaited = 0
        let answered = {
            awaited -= 1
            if awaited == 0 { end() }
        }
        for id in tenants.keys { awaited += giveAllLeasesBack(of: id, answered) }
        if withdraw(answered) { awaited += 1 }
        if awaited > 0 {
            loop.assumeIsolated().scheduleTask(in: TimeAmount(min(callTime, Self.farewell)), end)
        } else {
            end()
        }
        disconnect()
        deadlineTimer?.cancel()
        deadlineTimer = nil
        settings = nil
        tenants = [:]
        for call in calls.takeAll() { call.completion(.failure(.notConnected)) }
        changed()
    }

    /// The longest time for which the end waits for the engine.
    private static let farewell = Duration.milliseconds(200)
}
