import FleetStore
import NIOCore
import NIOPosix
import Synchronization
import Tenant
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@testable import TokenCache

/// A machine of a fleet: a store, and what it has told.
final class TestMachine: Sendable {
    let store: FleetStore
    let recorder = FleetRecorder()
    private let lastID = Atomic<UInt64>(0)

    init(_ name: String, presenceInterval: Duration = FleetStore.presenceInterval) {
        store = FleetStore(
            on: MultiThreadedEventLoopGroup.singleton.next(),
            machine: name,
            FleetStore.Dependencies(
                wall: { WallTime(seconds: 1_700_000_000) },
                presenceInterval: presenceInterval
            ),
            listener: recorder
        )
    }

    /// Puts an engine's settings into force, and waits for the connection of the tenant.
    @discardableResult
    func connect(
        _ settings: FleetSettings,
        _ tenants: [TenantID: FleetTenant] = [TestFleet.tenant: TestFleet.settings()]
    ) async throws -> String {
        try store.apply(settings, tenants: tenants)
        return try await connected()
    }

    /// Waits for the connection of a tenant, and returns the epoch.
    func connected(_ tenant: TenantID = TestFleet.tenant) async throws -> String {
        let event = await recorder.next { event in
            if case .happened(.connected(tenant, _)) = event { true } else { false }
        }
        guard case .happened(.connected(_, let epoch)) = event else {
            throw TestFailure("not connected: \(String(describing: store.status.lastFault))")
        }
        return epoch
    }

    /// Waits until the cache is told that the second level is away.
    func disconnected(_ tenant: TenantID = TestFleet.tenant) async throws {
        try await happened(.disconnected(tenant))
    }

    /// Waits for an event.
    func happened(_ expected: FleetEvent) async throws {
        let event = await recorder.next { $0 == .happened(expected) }
        guard event != nil else { throw TestFailure("\(expected) has not happened") }
    }

    /// Waits for a drop of another machine, and returns it with its fence.
    func dropped() async throws -> (FleetDrop, FleetFence) {
        let event = await recorder.next { event in
            if case .happened(.dropped) = event { true } else { false }
        }
        guard case .happened(.dropped(let drop, let fence)) = event else { throw TestFailure("no drop") }
        return (drop, fence)
    }

    private func nextID() -> UInt64 { lastID.add(1, ordering: .relaxed).newValue }

    private func nextCall() -> CallID { CallID(slot: 0, serial: nextID()) }

    /// Looks a token up.
    func look(_ look: FleetLook) async throws -> FleetAnswer {
        let call = nextCall()
        return try await answer(to: call, .look(call, look))
    }

    /// Pays for a call.
    func pay(_ tenant: TenantID = TestFleet.tenant, reserve: Double = 0) async throws -> FleetAnswer {
        let call = nextCall()
        return try await answer(to: call, .pay(call, tenant, reserve: reserve))
    }

    private func answer(to call: CallID, _ order: FleetOrder) async throws -> FleetAnswer {
        store.perform(order)
        let event = await recorder.next { event in
            if case .answered(call, _) = event { true } else { false }
        }
        guard case .answered(_, let answer) = event else { throw TestFailure("no answer") }
        return answer
    }

    /// Drops tokens.
    func drop(_ drop: FleetDrop) async throws -> FleetDropAnswer? {
        let id = FleetDropID(nextID())
        store.perform(.drop(id, drop))
        let event = await recorder.next { event in
            if case .dropAnswered(id, _) = event { true } else { false }
        }
        guard case .dropAnswered(_, let answer) = event else { throw TestFailure("no answer to a drop") }
        return answer
    }

    /// Claims the revocation of a token.
    func claim(_ token: FleetToken) async throws -> Bool {
        let call = nextCall()
        store.perform(.claimRevocation(call, TestFleet.tenant, token.token.fingerprint))
        let event = await recorder.next { event in
            if case .claimed(call, _) = event { true } else { false }
        }
        guard case .claimed(_, let isOurs) = event else { throw TestFailure("no answer to a claim") }
        return isOurs
    }

    /// Mints a token: takes the lease, and stores it.
    @discardableResult
    func mint(_ key: TokenKey, _ text: String, newerThan: FleetFence? = nil) async throws -> FleetFence {
        let nonce = UInt64.random(in: 0...UInt64.max)
        let answer = try await look(TestFleet.claim(key, nonce: nonce, newerThan: newerThan))
        guard case .go(let fence) = answer.outcome else { throw TestFailure("no lease but \(answer.outcome)") }
        store.perform(.store(key, FleetLease(nonce: nonce, fence: fence), TestFleet.token(text, fence: fence)))
        // A store whose script the engine doesn't know is sent again, behind a look.
        try await until("it is stored") {
            if case .found(let token) = try await look(TestFleet.peek(key)).outcome {
                token.fence == fence
            } else {
                false
            }
        }
        return fence
    }
}

extension FleetStore {
    /// Puts settings into force with the authorities of their file.
    func apply(_ settings: FleetSettings?, tenants: [TenantID: FleetTenant]) throws {
        let isSecure = settings?.url.isSecure ?? false
        apply(settings, trust: isSecure ? try TrustStore(settings?.caFile, protocols: []) : nil, tenants: tenants)
    }
}

/// The reason why a test can't go on.
struct TestFailure: Error {
    let text: String

    init(_ text: String) { self.text = text }
}

/// Waits for something that is told to nobody.
func until(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + TestTimeout.duration
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TestFailure("not in time: \(what)") }
        await Task.yield()
    }
}

/// Runs something with machines of a fleet, and ends them.
///
/// - Parameter presenceInterval: The time between two looks of a machine at the others.
func withMachines(
    _ count: Int = 2,
    presenceInterval: Duration = FleetStore.presenceInterval,
    _ body: ([TestMachine]) async throws -> Void
) async throws {
    let machines = (0..<count).map { TestMachine("machine\($0)", presenceInterval: presenceInterval) }
    do {
        try await body(machines)
        for machine in machines { await machine.store.shutDown() }
    } catch {
        for machine in machines { await machine.store.shutDown() }
        throw error
    }
}

extension EngineServer {
    /// The settings for this engine, with a long time limit, as a test's machine may be busy.
    func settings(_ change: (inout FleetSettings) throws -> Void = { _ in }) throws -> FleetSettings {
        var settings = FleetSettings(
            url: EngineURL(address: .socket(path: socket)),
            timeout: TestTimeout.duration,
            keys: try TestFleet.keys()
        )
        try change(&settings)
        return settings
    }
}
