import NIOCore
import NIOPosix
import Secrets
import Synchronization
package import Tenant
import TokenCache
import TokenProtocol

/// Finds out if an engine can be used as the second level, in the same way as the daemon.
///
/// It takes a lease in the name of a tenant that doesn't exist, stores a random text as a token of that tenant, looks it up and
/// drops it. So each command that the daemon needs is called, and a value is sealed and opened. No machine of the fleet takes
/// note of it.
package struct EngineProbe: Sendable {
    /// A step of the probe.
    package enum Step: String, Sendable {
        /// The connection, with the password and the test of writing.
        case connect
        /// The lease and the payment.
        case lease
        /// The look for what was stored, which has to open.
        case open
        /// The drop.
        case drop
    }

    /// The findings.
    package struct Report: Sendable, Equatable {
        /// The engine's name and version, such as `redis 7.0.15`, or nil if it wasn't told.
        package var version: String?
        /// The step that failed, or nil if all were done.
        package var failed: Step?
        /// The last failure of a call.
        package var fault: FleetStatus.Fault?
        /// The time of one call, which is known if all steps were done.
        package var latency: Duration?

        /// Creates a report.
        package init(
            version: String? = nil,
            failed: Step? = nil,
            fault: FleetStatus.Fault? = nil,
            latency: Duration? = nil
        ) {
            self.version = version
            self.failed = failed
            self.fault = fault
            self.latency = latency
        }
    }

    private static let tenant = TenantID(number: 0, name: "doctor")
    private static let lease = Duration.seconds(10)
    /// The life of what it stores.
    private static let life = Duration.seconds(60)
    /// The calls that it may send, more than it needs.
    private static let calls = 1_000

    private let settings: FleetSettings
    private let trust: TrustStore?

    /// Creates a probe.
    ///
    /// - Parameter trust: The authorities that vouch for an engine with TLS.
    package init(_ settings: FleetSettings, trust: TrustStore?) {
        (self.settings, self.trust) = (settings, trust)
    }

    /// Performs the steps until one fails.
    ///
    /// - Parameter limit: The time limit for the connection. The other steps have that of the settings.
    package func run(limit: Duration) async -> Report {
        let listener = ProbeListener()
        let store = FleetStore(
            on: MultiThreadedEventLoopGroup.singleton.next(),
            machine: "doctor",
            FleetStore.Dependencies(wall: { WallTime(seconds: 0) }, announces: false),
            listener: listener
        )
        store.apply(settings, trust: trust, tenants: [Self.tenant: member])
        let (failed, latency) = await perform(store, listener, limit)
        let version = store.status.version
        // The state is published a turn of the loop later, which is over by then.
        await store.shutDown()
        let fault = failed == nil ? nil : store.status.lastFault
        return Report(version: version, failed: failed, fault: fault, latency: latency)
    }

    private var member: FleetTenant {
        FleetTenant(
            identity: TenantPolicy.Identity(host: "tokencachectl doctor", clientID: "doctor"),
            ratePerMinute: Self.calls,
            burst: Self.calls,
            lease: Self.lease
        )
    }

    private func perform(
        _ store: FleetStore,
        _ listener: ProbeListener,
        _ limit: Duration
    ) async -> (failed: Step?, latency: Duration?) {
        guard await listener.connected(within: limit) else { return (.connect, nil) }
        let name = String(UInt64.random(in: 1...(.max)), radix: 36)
        let key = TokenKey(tenant: Self.tenant, user: UserLookup(field: .subject, value: name), scopes: .all)
        let claim = FleetClaim(nonce: .random(in: 1...(.max)))
        let asked = await listener.answer { store.perform(.look($0, look(key, claim))) }
        guard case .go(let fence) = asked else { return (.lease, nil) }
        let token = FleetToken(
            token: GrantedToken(AccessToken(name), scope: "", expiresAt: WallTime(seconds: 0)),
            lifetime: Self.life,
            expiry: .now + Self.life,
            fence: fence
        )
        store.perform(.store(key, FleetLease(nonce: claim.nonce, fence: fence), token))
        let began = ContinuousClock.now
        let found = await listener.answer { store.perform(.look($0, look(key, nil))) }
        let latency = ContinuousClock.now - began
        guard case .found = found else { return (.open, nil) }
        let isDropped = await listener.drop { store.perform(.drop($0, FleetDrop(.user(key.user, nil), .eviction))) }
        return isDropped ? (nil, latency) : (.drop, nil)
    }

    private func look(_ key: TokenKey, _ claim: FleetClaim?) -> FleetLook {
        FleetLook(key: key, claim: claim, minLeft: .seconds(1))
    }
}

/// Waits for what a store tells of one order at a time.
private final class ProbeListener: FleetListening {
    private enum Event: Sendable {
        case connected
        case answered(FleetAnswer.Outcome)
        case dropped(Bool)
    }

    private let events: AsyncStream<Event>
    private let event: AsyncStream<Event>.Continuation
    private let lastID = Atomic<UInt64>(0)

    init() { (events, event) = AsyncStream.makeStream() }

    func fleetAnswered(_ call: CallID, _ answer: FleetAnswer) { event.yield(.answered(answer.outcome)) }

    func fleetDropAnswered(_ drop: FleetDropID, _ answer: FleetDropAnswer?) { event.yield(.dropped(answer != nil)) }

    func revocationClaimed(_ call: CallID, _ isOurs: Bool) {}

    func fleetHappened(_ happened: FleetEvent) {
        if case .connected = happened { event.yield(.connected) }
    }

    /// Waits for the connection, and returns false if there is none in time.
    func connected(within limit: Duration) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.next { if case .connected = $0 { true } else { nil } } ?? false }
            group.addTask {
                try? await Task.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    /// Gives an order, and returns the outcome.
    func answer(_ order: (CallID) -> Void) async -> FleetAnswer.Outcome? {
        order(CallID(slot: 0, serial: lastID.add(1, ordering: .relaxed).newValue))
        return await next { if case .answered(let outcome) = $0 { outcome } else { nil } }
    }

    /// Orders a drop, and returns true if the engine has noted it.
    func drop(_ order: (FleetDropID) -> Void) async -> Bool {
        order(FleetDropID(lastID.add(1, ordering: .relaxed).newValue))
        return await next { if case .dropped(let isNoted) = $0 { isNoted } else { nil } } ?? false
    }

    private func next<Value>(_ value: (Event) -> Value?) async -> Value? {
        for await event in events {
            if let value = value(event) { return value }
        }
        return nil
    }
}
