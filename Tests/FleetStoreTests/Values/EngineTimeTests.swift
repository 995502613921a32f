import FleetProtocol
import Testing
import TokenCache

@testable import FleetStore

@Suite("The engine's time on a machine")
struct EngineTimeTests {
    private let time = EngineTime(time: 1_000_000, at: ContinuousClock.now)

    @Test("It goes on with the machine's clock, and is rounded down.")
    func elapsed() {
        #expect(time.time(at: time.at + .microseconds(2_900)) == 1_000_002)
        #expect(time.time(at: time.at - .microseconds(1)) == 999_999)
    }

    @Test("A fence that is days ahead is bounded.")
    func bounded() {
        let now = time.at + .milliseconds(5)
        #expect(time.bounded(7, at: now) == 7)
        let latest = 1_000_005 + 2 * EngineScript.fenceLead
        #expect(time.bounded(latest, at: now) == latest)
        #expect(time.bounded(.max, at: now) == latest)
    }

    @Test("A store tells the engine when the token ends, and without an answer to count from takes the time limit off.")
    func store() throws {
        let settings = FleetSettings(url: EngineURL(address: .socket(path: "/engine")), keys: try TestFleet.keys())
        var translator = TenantTranslator(TestFleet.tenant, TestFleet.settings(), settings, machine: "m")
        let lease = FleetLease(nonce: 1, fence: FleetFence(9))
        var token = TestFleet.token("secret", fence: FleetFence(9))
        token.expiry = time.at + .seconds(60)
        let order = FleetOrder.store(TestFleet.key(), lease, token)
        guard case .store(let blind)? = translator.call(order, epoch: "e", now: time.at + .seconds(1)) else {
            throw TestFailure("no store")
        }
        #expect(blind.left == 58_900)
        #expect(blind.ends == nil)
        translator.engineTime = time
        guard case .store(let store)? = translator.call(order, epoch: "e", now: time.at + .seconds(1)) else {
            throw TestFailure("no store")
        }
        #expect(store.left == 59_000)
        #expect(store.ends == 1_060_000)
    }
}
