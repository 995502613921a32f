import FleetProtocol
import Testing
import TokenProtocol

@testable import FleetStore
@testable import TokenCache

@Suite("Orders on their way")
struct FleetOperationTests {
    private let call = CallID(slot: 0, serial: 1)
    private let clock = Clock(now: ContinuousClock.now, wall: WallTime(seconds: 1_000))

    private func translator(_ keys: FleetKeys) -> TenantTranslator {
        let settings = FleetSettings(url: EngineURL(address: .socket(path: "/engine")), keys: keys)
        return TenantTranslator(TestFleet.tenant, TestFleet.settings(), settings, machine: "m")
    }

    private func answered(
        _ operation: inout FleetOperation,
        _ outcome: EngineAnswer.Outcome
    ) throws -> FleetOperation.Reply? {
        let answer = EngineAnswer(outcome: outcome, time: 5, level: 2_500)
        let step = try operation.answered(
            answer,
            translator(TestFleet.keys()),
            epoch: "e",
            clock: clock,
            memory: nil
        )
        if case .end(let reply) = step { return reply }
        return nil
    }

    @Test("An answer that no script gives to an order is malformed, and so is a key that nobody has.")
    func malformed() throws {
        let orders: [(FleetOrder, EngineAnswer.Outcome)] = [
            (.look(call, TestFleet.peek(TestFleet.key())), .done),
            (.look(call, TestFleet.peek(TestFleet.key())), .token(sealed: [], left: 1, fence: 1, epoch: "e", name: 1)),
            (.look(call, TestFleet.peek(TestFleet.key())), .refused(sealed: [], left: 1, name: -1)),
            (.pay(call, TestFleet.tenant, reserve: 0), .nothing),
            (.drop(FleetDropID(1), FleetDrop(.tenant(TestFleet.tenant), .eviction)), .done),
        ]
        for (order, outcome) in orders {
            var operation = FleetOperation(order)
            #expect(throws: EngineFault.malformed) { try answered(&operation, outcome) }
        }
    }

    @Test("The limits of an answer are passed on in calls and as a fence.")
    func limits() throws {
        var operation = FleetOperation(.look(call, TestFleet.peek(TestFleet.key())))
        let limits = FleetLimits(level: 2.5, time: FleetFence(5))
        #expect(try answered(&operation, .nothing) == .answered(call, FleetAnswer(.nothing, limits)))
    }

    @Test("A value that doesn't open is looked for once more without it, then the second level is unavailable.")
    func notOpened() throws {
        let key = TestFleet.key()
        var operation = FleetOperation(.look(call, TestFleet.claim(key, nonce: 1)))
        let outcome = EngineAnswer.Outcome.token(sealed: [1], left: 1, fence: 7, epoch: "e", name: 0)
        #expect(try answered(&operation, outcome) == nil)
        let next = operation.call(try translator(TestFleet.keys()), epoch: "e", now: clock.now)
        guard case .look(let look) = next else { throw TestFailure("no look") }
        #expect(look.newerThan == 7)
        #expect(try answered(&operation, outcome) == .answered(call, FleetAnswer(.unavailable)))
        #expect(operation.notOpened == [0: 2])
    }

    @Test("A drop that was noted is answered, even if its tokens can't be taken out.")
    func notedDrop() throws {
        let drop = FleetDropID(1)
        var operation = FleetOperation(.drop(drop, FleetDrop(.user(TestFleet.key().user, nil), .logout(revoked: []))))
        #expect(operation.failed == .dropped(drop, nil))
        #expect(try answered(&operation, .drop(fence: 9, values: ["v"])) == nil)
        #expect(operation.failed == .dropped(drop, FleetDropAnswer(fence: FleetFence(9), epoch: "e")))
        let next = operation.call(try translator(TestFleet.keys()), epoch: "e", now: clock.now)
        guard case .take(_, ["v"], 9) = next else { throw TestFailure("\(String(describing: next))") }
        let foreign = EngineAnswer.Taken(number: 1, sealed: [], fence: 1, epoch: "e", left: 1)
        #expect(throws: EngineFault.malformed) { try answered(&operation, .taken([foreign])) }
    }

    @Test("A token's life is counted without any machine's clock, and shortened by the time that its store may take.")
    func life() throws {
        let key = TestFleet.key()
        let token = FleetToken(
            token: TestFleet.token("a").token,
            lifetime: .seconds(3_600),
            expiry: clock.now + .seconds(60),
            fence: FleetFence(3)
        )
        let lease = FleetLease(nonce: 1, fence: FleetFence(3))
        var operation = FleetOperation(.store(key, lease, token))
        let translator = try translator(TestFleet.keys())
        guard case .store(let store) = operation.call(translator, epoch: "e", now: clock.now) else {
            throw TestFailure("no store")
        }
        #expect(store.left == 59_900)
        var look = FleetOperation(.look(call, TestFleet.peek(key)))
        _ = look.call(translator, epoch: "e", now: clock.now - .seconds(2))
        let outcome = EngineAnswer.Outcome.token(sealed: store.sealed, left: 59_000, fence: 3, epoch: "e", name: 0)
        guard case .answered(_, let answer) = try answered(&look, outcome), case .found(let found) = answer.outcome
        else {
            throw TestFailure("no token")
        }
        #expect(found.expiry == clock.now + .seconds(57))
        #expect(found.token.expiresAt == WallTime(seconds: 1_057))
    }

    @Test(
        "A token that is about to expire, or has no fence, is not stored, but its lease is given back.",
        arguments: [true, false]
    )
    func released(hasFence: Bool) throws {
        let token = TestFleet.token("a", life: hasFence ? .zero : .seconds(60))
        let lease = FleetLease(nonce: 1, fence: hasFence ? FleetFence(3) : nil)
        var operation = FleetOperation(.store(TestFleet.key(), lease, token))
        guard case .release = operation.call(try translator(TestFleet.keys()), epoch: "e", now: clock.now) else {
            throw TestFailure("no release")
        }
    }
}
