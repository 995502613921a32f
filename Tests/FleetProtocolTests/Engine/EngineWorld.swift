import FleetProtocol
import TestSupport

/// Random calls of a few machines, which have few users, leases and keys, so that they meet often.
struct EngineWorld {
    /// A lease that a machine was given, or thinks it was.
    private struct Lease {
        var token: [EngineTokenNames]
        var epoch: String
        var nonce: String
        var fence: Int64
    }

    /// A token that was found.
    private struct Value {
        var token: [EngineTokenNames]
        var epoch: String
        var fence: Int64
        var name: Int
    }

    /// A drop, for a repeat and for the taking out of its values.
    private struct Drop {
        var target: EngineDrop.Target
        var fence: Int64
        var values: [String]
    }

    static let names = EngineNames(
        bucket: "p:{t}:bucket",
        hold: "p:{t}:hold",
        generation: "p:{t}:generation",
        fence: "p:{t}:fence",
        events: "p:{t}:events",
        eventCount: "p:{t}:count"
    )

    private var random: SeededRandom
    private let rate: EngineRate
    private var leases: [Lease] = []
    private var drops: [Drop] = []
    private var values: [Value] = []
    private var serial = 0
    private var time: Int64 = 0

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        rate = EngineRate(perMinute: random.pick([7, 60, 80, 1_000]), burst: random.pick([1, 3, 80]))
    }

    /// The names of all keys that there can be.
    static var allNames: [String] {
        let tokens = ["a", "b"].flatMap { key in
            ["ann", "bob"].flatMap { user in ["x", "y"].map { token(user, $0, key) } }
        }
        let own = [names.bucket, names.hold, names.generation, names.fence, names.events, names.eventCount]
        return own + ["p:{t}:c:1", "p:{t}:c:2"]
            + tokens.flatMap { [$0.value, $0.lease, $0.refusal, $0.generation, $0.userGeneration, $0.index] }
    }

    /// The names of all generations.
    static var generations: [String] {
        allNames.filter { $0.contains(":g:") || $0.contains(":u:") } + [names.generation]
    }

    private static func token(_ user: String, _ scopes: String, _ key: String) -> EngineTokenNames {
        let (token, user) = ("\(key)\(user)\(scopes)", "\(key)\(user)")
        return EngineTokenNames(
            value: "p:{t}:v:\(token)",
            lease: "p:{t}:l:\(token)",
            refusal: "p:{t}:r:\(token)",
            generation: "p:{t}:g:\(token)",
            userGeneration: "p:{t}:u:\(user)",
            index: "p:{t}:i:\(user)"
        )
    }

    // MARK: Choices

    /// The time until the next call: often none, often around a lease's or a token's end.
    mutating func step() -> Int64 {
        switch random.below(200) {
        case 0..<140: random.pick([0, 0, 0, 1, 7])
        case 140..<180: random.pick([100, 750, 999, 1_000, 1_001])
        case 180..<196: random.pick([4_999, 5_000, 5_001, 59_000, 60_000])
        case 196..<199: 3_600_000
        default: 90_000_001
        }
    }

    /// True if the time goes back, as after a failover.
    mutating func goesBack() -> Bool { random.once(in: 40) }

    private mutating func token() -> [EngineTokenNames] {
        let (user, scopes) = (random.pick(["ann", "ann", "bob"]), random.pick(["x", "x", "y"]))
        let keys = random.pick([["a"], ["a"], ["a", "b"], ["b", "a"]])
        return keys.map { Self.token(user, scopes, $0) }
    }

    private mutating func epoch() -> String { random.once(in: 12) ? "e2" : "e1" }
    private mutating func nonce() -> String { random.pick(["n1", "n2", "n3", "n4"]) }
    private mutating func fence() -> Int64 {
        // Far ahead of the time only by damage.
        if random.once(in: 60) { return time + EngineScript.fenceLead + random.pick([-1, 0, 1, 900_000_000]) }
        return (leases.randomElement(using: &random)?.fence ?? 0) + random.pick([-1, 0, 0, 1])
    }

    private mutating func bytes() -> [UInt8] {
        serial += 1
        // Bytes that a text pattern could take for something else.
        return random.pick([[], [0], [10, 13], Array(" 1 2 ".utf8), [0xFF, 0x25]]) + Array("\(serial)".utf8)
    }

    private mutating func event(_ kind: String) -> EngineEventText {
        EngineEventText(machine: random.pick(["m1", "m2"]), kind: kind, sealed: bytes())
    }

    /// The next call at a time.
    mutating func call(at time: Int64) -> EngineCall {
        self.time = time
        return switch random.below(100) {
        case 0..<40: look()
        case 40..<42: move()
        case 42..<60: store()
        case 60..<65: release()
        case 65..<68: renew()
        case 68..<80: drop()
        case 80..<84: take()
        case 84..<88: .pay(EnginePay(names: Self.names, rate: rate, reserve: random.pick([0, 500, 2_000, 100_000])))
        case 88..<92: hold()
        case 92: present()
        case 93: .claim(name: random.pick(["p:{t}:c:1", "p:{t}:c:2"]), milliseconds: 1_000)
        default: .state(EngineState(names: Self.names, rate: rate, fence: random.once(in: 3) ? max(0, fence()) : 0))
        }
    }

    private mutating func look() -> EngineCall {
        let reserve = random.pick([0, 0, 0, 500, 1_500, 90_000])
        let claim = EngineClaim(nonce: nonce(), lease: random.pick([1, 1_000, 5_000]), reserve: reserve)
        return .look(
            EngineLook(
                names: Self.names,
                token: token(),
                epoch: epoch(),
                minLeft: random.pick([0, 0, 1, 500, 1_000, 60_000]),
                newerThan: random.once(in: 4) ? random.pick([fence(), fence(), Int64.max]) : nil,
                ignoresRefusal: random.once(in: 3),
                purpose: random.once(in: 4) ? .peek : .claim(claim),
                rate: rate
            )
        )
    }

    private mutating func store() -> EngineCall {
        let lease = leases.suffix(4).randomElement(using: &random)
        return .store(
            EngineStore(
                names: Self.names,
                token: lease?.token ?? token(),
                epoch: random.once(in: 10) ? epoch() : lease?.epoch ?? epoch(),
                nonce: random.once(in: 10) ? nonce() : lease?.nonce ?? nonce(),
                fence: random.once(in: 10) ? fence() : lease?.fence ?? fence(),
                mark: random.pick(["k1", "k2"]),
                sealed: bytes(),
                left: random.pick([1, 1_000, 60_000, 60_000, 4_000_000]),
                ends: random.once(in: 4) ? time + random.pick([-1, 0, 1, 500, 59_000, 61_000]) : nil,
                event: event("s")
            )
        )
    }

    private mutating func release() -> EngineCall {
        let lease = leases.suffix(4).randomElement(using: &random)
        let refusal = EngineRelease.Refusal(sealed: bytes(), left: random.pick([1_000, 60_000]))
        return .release(
            EngineRelease(
                names: Self.names,
                token: lease?.token ?? token(),
                nonce: lease?.nonce ?? nonce(),
                refusal: random.once(in: 3) ? nil : refusal,
                event: event("r")
            )
        )
    }

    private mutating func move() -> EngineCall {
        let value = values.suffix(4).randomElement(using: &random)
        let token = value?.token ?? token()
        return .move(
            EngineMove(
                names: Self.names,
                token: token,
                epoch: random.once(in: 10) ? epoch() : value?.epoch ?? epoch(),
                fence: random.once(in: 10) ? fence() : value?.fence ?? fence(),
                from: random.once(in: 10) ? random.below(token.count) : value?.name ?? token.count - 1,
                mark: random.pick(["k1", "k2"]),
                sealed: bytes()
            )
        )
    }

    private mutating func renew() -> EngineCall {
        let lease = leases.suffix(4).randomElement(using: &random)
        return .renew(
            EngineRenew(
                token: lease?.token ?? token(),
                nonce: lease?.nonce ?? nonce(),
                lease: random.pick([1, 900, 5_000])
            )
        )
    }

    private mutating func drop() -> EngineCall {
        if random.once(in: 4), let earlier = drops.randomElement(using: &random) {
            let fence = max(0, random.once(in: 2) ? earlier.fence : fence())
            let event = random.once(in: 3) ? nil : event("d")
            return .drop(EngineDrop(names: Self.names, target: earlier.target, fence: fence, event: event))
        }
        let token = token()
        let target: EngineDrop.Target =
            switch random.below(8) {
            case 0, 1: .tenant
            case 2, 3: .user(token)
            case 4: .token(token)
            default: .marked(token, marks: token.map { _ in random.pick(["k1", "k2"]) })
            }
        return .drop(EngineDrop(names: Self.names, target: target, event: event("d")))
    }

    private mutating func take() -> EngineCall {
        let drop = drops.last { !$0.values.isEmpty }
        let values = drop?.values ?? []
        return .take(
            names: Self.names,
            values: values.isEmpty ? token().map(\.value) : values,
            fence: random.once(in: 4) ? fence() : drop?.fence ?? fence()
        )
    }

    private mutating func hold() -> EngineCall {
        .hold(
            EngineHold(
                names: Self.names,
                left: random.once(in: 3) ? nil : random.pick([1, 500, 1_000, 5_000]),
                cause: random.pick(["throttled", "paused"]),
                event: event("h")
            )
        )
    }

    private mutating func present() -> EngineCall {
        let earlier = random.once(in: 3) ? random.pick(["m1 a", "m2 a"]) : nil
        let note = random.pick(["m1 b", "m2 b"])
        return .present(EnginePresence(name: "p:m", note: note, earlier: earlier, life: 60_000))
    }

    // MARK: Answers

    /// Remembers what a machine would remember.
    mutating func note(_ answer: EngineAnswer, to call: EngineCall) {
        switch (call, answer.outcome) {
        case (.look(let look), .go(let fence)):
            guard case .claim(let claim) = look.purpose else { return }
            leases.append(Lease(token: look.token, epoch: look.epoch, nonce: claim.nonce, fence: fence))
        case (.look(let look), .token(_, _, let fence, let epoch, let name)):
            values.append(Value(token: look.token, epoch: epoch, fence: fence, name: name))
        case (.drop(let drop), .drop(let fence, let values)):
            drops.append(Drop(target: drop.target, fence: fence, values: values))
        default: break
        }
    }
}
