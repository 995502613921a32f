import OperatorReplies
import Testing
import TokenCache
import TokenProtocol

@Suite("The circuit")
struct CircuitTests {
    static let down = MintFailure.unavailable("the tenant answered with status 500", pause: nil)
    /// With this draw an opening has the length that is written down.
    private static let even = 0.5

    /// Opens the circuit by five faults in a row.
    static func open(_ cache: inout Simulation) throws {
        for index in 0..<5 {
            #expect(cache.ask(.of("down\(index)")) == .wait)
            cache.fail(try cache.onlyMint(), down)
        }
    }

    private func state(_ cache: inout Simulation) -> CircuitState? {
        cache.stats().tenants["main"]?.state
    }

    @Test("Five faults in a row open it: callers are told when to come back, and living tokens are served.")
    func opens() throws {
        var cache = Simulation(draw: Self.even)
        try cache.warm(.of("ann"))
        for index in 0..<5 {
            #expect(state(&cache) == "closed")
            #expect(cache.ask(.of("user\(index)")) == .wait)
            cache.fail(try cache.onlyMint(), Self.down)
        }
        #expect(state(&cache) == "open")
        #expect(cache.takeNotices() == [.circuitOpened("main", .seconds(5))])
        let refusal = cache.ask(.of("new"), timeout: .seconds(4)).refusal
        #expect(refusal?.code == .unavailable)
        #expect(refusal?.retryAfter == 5)
        #expect(cache.ask(.of("ann")).served != nil)
        #expect(cache.orders().isEmpty)
    }

    @Test("An answer between them, be it a refusal, begins the row anew.")
    func row() throws {
        var cache = Simulation()
        let refused = MintFailure.denied(ErrorReply.Upstream(status: 404), secretChanged: false)
        for (index, failure) in [Self.down, Self.down, Self.down, Self.down, refused, Self.down].enumerated() {
            _ = cache.ask(.of("user\(index)"))
            cache.fail(try cache.onlyMint(), failure)
        }
        #expect(state(&cache) == "closed")
    }

    @Test("Statuses that speak of the request, such as 409 and 422, don't open it, and are told to their key alone.")
    func rejected() throws {
        var cache = Simulation()
        for index in 0..<20 {
            #expect(cache.ask(.of("user\(index)")) == .wait)
            let failure = MintFailure.rejected("the tenant answered with status 409")
            #expect(cache.fail(try cache.onlyMint(), failure).first?.reply.error?.code == .badUpstream)
        }
        #expect(state(&cache) == "closed")
    }

    @Test(
        "Half of ten calls within 30 s open it, too; what is older doesn't count.",
        arguments: [(false, .open), (true, .closed)] as [(Bool, CircuitState)]
    )
    func share(isSpread: Bool, expected: CircuitState) throws {
        var cache = Simulation()
        for index in 0..<10 {
            _ = cache.ask(.of("user\(index)"))
            let call = try cache.onlyMint()
            if index % 2 == 0 { cache.succeed(call) } else { cache.fail(call, Self.down) }
            if isSpread { cache.suspend(.seconds(4)) }
        }
        #expect(state(&cache) == expected)
    }

    @Test("When it has been open long enough one call goes as a probe; who comes meanwhile waits for it.")
    func probe() throws {
        var cache = Simulation(draw: Self.even)
        try Self.open(&cache)
        #expect(cache.ask(.of("ann"), timeout: .seconds(30)) == .wait)
        #expect(cache.ask(.of("bob"), timeout: .seconds(30)) == .wait)
        cache.advance(.milliseconds(4_999))
        #expect(cache.orders().isEmpty)
        cache.advance(.milliseconds(1))
        let probe = try cache.onlyMint()
        #expect(state(&cache) == "half_open")
        #expect(cache.ask(.of("cid"), timeout: .seconds(1)) == .wait)
        #expect(cache.orders().isEmpty)
        cache.succeed(probe)
        #expect(state(&cache) == "closed")
        #expect(cache.mints().map(\.key) == [.of("bob"), .of("cid")])
        #expect(cache.takeNotices().last == .circuitClosed("main"))
    }

    @Test("A probe that fails opens it for twice as long, up to a minute; one that is refused shows that it is there.")
    func doubling() throws {
        var cache = Simulation(draw: Self.even)
        try Self.open(&cache)
        for length in [10, 20, 40, 60, 60] {
            cache.suspend(.seconds(60))
            #expect(cache.ask(.of("u\(length)\(cache.now)")) == .wait)
            let error = cache.fail(try cache.onlyMint(), Self.down).first?.reply.error
            #expect(error?.retryAfter == length)
        }
        cache.suspend(.seconds(60))
        #expect(cache.ask(.of("nobody")) == .wait)
        cache.fail(try cache.onlyMint(), .denied(ErrorReply.Upstream(status: 404), secretChanged: false))
        #expect(state(&cache) == "closed")
        try Self.open(&cache)
        #expect(cache.ask(.of("new"), timeout: .zero).refusal?.retryAfter == 5)
    }

    @Test("Openings are spread by a fifth up and down.", arguments: [(0.0, 4), (0.999_999, 6)])
    func spread(draw: Double, seconds: Int) throws {
        var cache = Simulation(draw: draw)
        try Self.open(&cache)
        #expect(cache.ask(.of("new"), timeout: .zero).refusal?.retryAfter == seconds)
    }

    @Test("Those who wait and can't be served before it lets a call go are told at once.")
    func tellsWaiting() throws {
        var cache = Simulation(tenants: ["main": .test(concurrent: 1)], draw: Self.even)
        for index in 0..<4 {
            _ = cache.ask(.of("down\(index)"))
            #expect(cache.fail(try cache.onlyMint(), Self.down).count == 1)
        }
        _ = cache.ask(.of("down4"))
        #expect(cache.ask(.of("short"), timeout: .seconds(2)) == .wait)
        #expect(cache.ask(.of("long"), timeout: .seconds(20)) == .wait)
        let deliveries = cache.fail(try cache.onlyMint(), Self.down)
        #expect(deliveries.map(\.waiter.ticket) == [5, 6])
        #expect(deliveries.last?.reply.error?.retryAfter == 5)
        cache.advance(.seconds(5))
        #expect(cache.mints().map(\.key) == [.of("long")])
    }

    @Test("A hold and the circuit: the later end counts.")
    func both() throws {
        var cache = Simulation(tenants: ["main": .test(concurrent: 10)], draw: Self.even)
        for index in 0..<6 { _ = cache.ask(.of("user\(index)")) }
        let calls = cache.mints().map(\.call)
        cache.fail(calls[0], .throttled(retryAfter: .seconds(20)))
        for call in calls.dropFirst() { cache.fail(call, Self.down) }
        #expect(cache.ask(.of("new")).refusal?.retryAfter == 21)
        #expect(cache.ask(.of("new")).refusal?.code == .rateLimited)
        cache.suspend(.seconds(22))
        #expect(cache.ask(.of("new")) == .wait)
    }
}
