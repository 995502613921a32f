import FleetModel
import FleetProtocol
import Testing

/// The promises of the rules, step by step.
///
/// That the scripts keep the same rules is `EngineAgreementTests`' matter.
@Suite("The rules of the engine")
struct EnginePromisesTests {
    private static let names = EngineWorld.names
    private static let rate = EngineRate(perMinute: 60, burst: 2)

    /// A machine at a moment of the engine's time.
    private struct Fleet {
        var engine = EngineModel(epoch: "e1")
        var time: Int64 = 1_000_000
        var epoch = "e1"

        mutating func look(
            _ nonce: String? = nil,
            newerThan: Int64? = nil,
            keys: [String] = ["a"],
            reserve: Int = 0
        ) -> EngineAnswer.Outcome {
            let claim = nonce.map { EngineLook.Purpose.claim(EngineClaim(nonce: $0, lease: 5_000, reserve: reserve)) }
            let look = EngineLook(
                names: names,
                token: token(keys),
                epoch: epoch,
                minLeft: 1_000,
                newerThan: newerThan,
                purpose: claim ?? .peek,
                rate: rate
            )
            return engine.perform(.look(look), at: time).outcome
        }

        mutating func move(_ keys: [String], _ fence: Int64) -> EngineAnswer.Outcome {
            let move = EngineMove(
                names: names,
                token: token(keys),
                epoch: epoch,
                fence: fence,
                from: 1,
                mark: "m",
                sealed: [UInt8(ascii: "n")]
            )
            return engine.perform(.move(move), at: time).outcome
        }

        mutating func store(
            _ nonce: String,
            _ fence: Int64,
            keys: [String] = ["a"],
            ends: Int64? = nil
        ) -> EngineAnswer.Outcome {
            let store = EngineStore(
                names: names,
                token: token(keys),
                epoch: epoch,
                nonce: nonce,
                fence: fence,
                mark: "m\(fence)",
                sealed: [UInt8(ascii: "t")],
                left: 60_000,
                ends: ends,
                event: event
            )
            return engine.perform(.store(store), at: time).outcome
        }

        mutating func drop(_ target: EngineDrop.Target, fence: Int64? = nil) -> EngineAnswer.Outcome {
            let drop = EngineDrop(names: names, target: target, fence: fence, event: event)
            return engine.perform(.drop(drop), at: time).outcome
        }

        /// Mints and stores a token, and returns its fence.
        mutating func mint(_ nonce: String = "n1", newerThan: Int64? = nil) throws -> Int64 {
            guard case .go(let fence) = look(nonce, newerThan: newerThan) else { throw NoLease() }
            #expect(store(nonce, fence) == .done)
            return fence
        }

        private var event: EngineEventText { EngineEventText(machine: "m", kind: "k", sealed: []) }
    }

    private struct NoLease: Error {}

    private static func token(_ keys: [String] = ["a"], _ scopes: String = "x") -> [EngineTokenNames] {
        keys.map { key in
            EngineTokenNames(
                value: "v\(key)\(scopes)",
                lease: "l\(key)\(scopes)",
                refusal: "r\(key)\(scopes)",
                generation: "g\(key)\(scopes)",
                userGeneration: "u\(key)",
                index: "i\(key)"
            )
        }
    }

    @Test("One machine gets the lease, and the others wait for it and find the token.")
    func oneMint() throws {
        var fleet = Fleet()
        #expect(fleet.look("n1") == .go(fence: 1_000_000))
        fleet.time += 100
        #expect(fleet.look("n2") == .wait(4_900))
        #expect(fleet.look() == .wait(4_900))
        #expect(fleet.look("n1") == .go(fence: 1_000_000))
        #expect(fleet.store("n1", 1_000_000) == .done)
        #expect(
            fleet.look("n2")
                == .token(sealed: [UInt8(ascii: "t")], left: 60_000, fence: 1_000_000, epoch: "e1", name: 0)
        )
    }

    @Test("A lease that has ended is another machine's, and the first one stores nothing any more.")
    func endedLease() throws {
        var fleet = Fleet()
        #expect(fleet.look("n1") == .go(fence: 1_000_000))
        fleet.time += 5_001
        #expect(fleet.look("n2") == .go(fence: 1_005_001))
        #expect(fleet.store("n1", 1_000_000) == .lost)
    }

    @Test(
        "A mint that began before a drop is stored nowhere.",
        arguments: [EngineDrop.Target.tenant, .user(token(["a"], "y"))]
    )
    func dropDuringMint(target: EngineDrop.Target) throws {
        var fleet = Fleet()
        #expect(fleet.look("n1") == .go(fence: 1_000_000))
        #expect(fleet.drop(target) == .drop(fence: 1_000_001, values: []))
        #expect(fleet.look("n2") == .go(fence: 1_000_002))
        #expect(fleet.store("n1", 1_000_000) == .lost)
        #expect(fleet.store("n2", 1_000_002) == .done)
    }

    @Test("A drop of other scopes of the user leaves the mint alone.")
    func otherScopes() {
        var fleet = Fleet()
        #expect(fleet.look("n1") == .go(fence: 1_000_000))
        #expect(fleet.drop(.token(Self.token(["a"], "y"))) == .drop(fence: 1_000_001, values: []))
        #expect(fleet.store("n1", 1_000_000) == .done)
    }

    @Test("A token of another process of the engine isn't served, as that one may have lost a drop.")
    func epochs() throws {
        var fleet = Fleet()
        _ = try fleet.mint()
        fleet.engine.restart(epoch: "e2", keeping: true)
        fleet.epoch = fleet.engine.epoch
        #expect(fleet.look() == .nothing)
    }

    @Test("A drop that is repeated after a failover leaves the token of a later login alone.")
    func repeatedDrop() throws {
        var fleet = Fleet()
        let fence = try fleet.mint()
        #expect(fleet.drop(.user(Self.token())) == .drop(fence: fence + 1, values: ["vax"]))
        let later = try fleet.mint("n2")
        #expect(fleet.drop(.user(Self.token()), fence: fence + 1) == .drop(fence: fence + 1, values: ["vax"]))
        let take = EngineCall.take(names: Self.names, values: ["vax"], fence: fence + 1)
        #expect(fleet.engine.perform(take, at: fleet.time).outcome == .taken([]))
        guard case .token(_, _, later, _, _) = fleet.look() else { throw NoLease() }
    }

    @Test("A report drops the token that was rejected, and not the one after it.")
    func marked() throws {
        var fleet = Fleet()
        let fence = try fleet.mint()
        #expect(fleet.drop(.marked(Self.token(), marks: ["m\(fence)"])) == .drop(fence: fence, values: []))
        #expect(fleet.look() == .nothing)
        let later = try fleet.mint("n2")
        #expect(fleet.drop(.marked(Self.token(), marks: ["m\(fence)"])) == .drop(fence: later, values: []))
        guard case .token(_, _, later, _, _) = fleet.look() else { throw NoLease() }
    }

    @Test("The bucket is the fleet's, keeps its reserve, and is full once when it is gone.")
    func bucket() {
        var fleet = Fleet()
        #expect(fleet.look("n1", keys: ["a"]) == .go(fence: 1_000_000))
        #expect(fleet.look("n2", keys: ["b"], reserve: 1_000) == .later(1_000))
        #expect(fleet.look("n2", keys: ["b"]) == .go(fence: 1_000_001))
        #expect(fleet.look("n3", keys: ["c"]) == .later(1_000))
        fleet.time += 999
        #expect(fleet.look("n3", keys: ["c"]) == .later(1))
        fleet.time += 1
        #expect(fleet.look("n3", keys: ["c"]) == .go(fence: 1_001_000))
        fleet.engine.restart(epoch: "e1", keeping: false)
        let state = EngineCall.state(EngineState(names: Self.names, rate: Self.rate))
        #expect(fleet.engine.perform(state, at: fleet.time).level == 2_000)
    }

    @Test("While keys are changed, each machine finds what the others store and mint.")
    func rotation() throws {
        var fleet = Fleet()
        #expect(fleet.look("n1", keys: ["a", "b"]) == .go(fence: 1_000_000))
        #expect(fleet.look("n2", keys: ["b", "a"]) == .wait(5_000))
        #expect(fleet.store("n1", 1_000_000, keys: ["a", "b"]) == .done)
        guard case .token(_, _, 1_000_000, _, 1) = fleet.look(keys: ["b", "a"]) else { throw NoLease() }
        #expect(fleet.look("n2", newerThan: 1_000_000, keys: ["b", "a"]) == .go(fence: 1_000_001))
        #expect(fleet.store("n2", 1_000_001, keys: ["b", "a"]) == .done)
        guard case .token(_, _, 1_000_001, _, 1) = fleet.look(keys: ["a", "b"]) else { throw NoLease() }
    }

    @Test("Fences don't go back behind what a machine has seen, also when the engine's clock does.")
    func fences() throws {
        var fleet = Fleet()
        let fence = try fleet.mint()
        fleet.engine.restart(epoch: "e1", keeping: false)
        fleet.time -= 500_000
        let state = EngineCall.state(EngineState(names: Self.names, rate: Self.rate, fence: fence))
        #expect(fleet.engine.perform(state, at: fleet.time).events?.fence == fence)
        #expect(fleet.look("n2") == .go(fence: fence + 1))
    }

    @Test("Fences that are far ahead of the time draw no others along, and a drop of one takes what there is.")
    func damage() throws {
        var fleet = Fleet()
        let far = fleet.time + EngineScript.fenceLead + 1
        let state = EngineCall.state(EngineState(names: Self.names, rate: Self.rate, fence: far))
        #expect(fleet.engine.perform(state, at: fleet.time).events?.fence == 0)
        let fence = try fleet.mint()
        #expect(fleet.drop(.user(Self.token()), fence: far) == .drop(fence: fence, values: ["vax"]))
        #expect(fleet.look("n1") == .go(fence: fence + 1))
        fleet.time += 1_000
        #expect(fleet.look("n2", keys: ["b"]) == .go(fence: fleet.time))
        #expect(fleet.drop(.user(Self.token())) == .drop(fence: fleet.time + 1, values: ["vax"]))
    }

    @Test("A generation that is far ahead, as the engine's clock was, drops what there is and nothing later.")
    func clockAhead() throws {
        var fleet = Fleet()
        fleet.time += 2 * EngineScript.fenceLead
        _ = fleet.drop(.tenant)
        fleet.time -= 2 * EngineScript.fenceLead
        #expect(fleet.look() == .nothing)
        fleet.time += 1
        let fence = try fleet.mint()
        #expect(fence == fleet.time)
        guard case .token(_, _, fence, _, _) = fleet.look() else { throw NoLease() }
    }

    @Test("A token that has ended on its way is not stored, and a sender's clock makes no life longer.")
    func ends() throws {
        var fleet = Fleet()
        for (nonce, ends, left) in [("n1", 60_000, 60_000), ("n2", 30_000, 30_000), ("n3", 90_000, 60_000)] {
            guard case .go(let fence) = fleet.look(nonce, newerThan: fleet.time - 1) else { throw NoLease() }
            #expect(fleet.store(nonce, fence, ends: fleet.time + Int64(ends)) == .done)
            guard case .token(_, left, fence, _, _) = fleet.look() else { throw NoLease() }
            fleet.time += 1_000
        }
        guard case .go(let fence) = fleet.look("n4", keys: ["b"]) else { throw NoLease() }
        #expect(fleet.store("n4", fence, keys: ["b"], ends: fleet.time) == .lost)
        #expect(fleet.look(keys: ["b"]) == .nothing)
    }

    @Test("A token moves to the first key with its fence and the rest of its life, unless a newer one is there.")
    func move() throws {
        var fleet = Fleet()
        #expect(fleet.look("n1", keys: ["b"]) == .go(fence: 1_000_000))
        #expect(fleet.store("n1", 1_000_000, keys: ["b"]) == .done)
        fleet.time += 1_000
        #expect(fleet.move(["a", "b"], 1_000_000) == .done)
        #expect(fleet.look(keys: ["b"]) == .nothing)
        guard case .token([UInt8(ascii: "n")], 59_000, 1_000_000, _, 0) = fleet.look(keys: ["a", "b"]) else {
            throw NoLease()
        }
        #expect(fleet.move(["a", "b"], 1_000_000) == .lost, "it is not there any more")
        _ = fleet.drop(.user(Self.token(["a"])))
        #expect(fleet.move(["b", "a"], 1_000_000) == .lost, "it was dropped")
    }

    @Test("All is forgotten 25 hours after the last change.")
    func forgotten() throws {
        var fleet = Fleet()
        _ = try fleet.mint()
        _ = fleet.drop(.tenant)
        #expect(fleet.engine.count(at: fleet.time) > 0)
        #expect(fleet.engine.count(at: fleet.time + Int64(EngineScript.memory) + 1) == 0)
    }
}
