import OperatorReplies
import Testing
import TokenCache
import TokenProtocol

@Suite("The circuit breaker")
struct OpenCircuitTests {
    static let down = CallFailure.unavailable("the tenant answered with status 500", retryAfter: nil)
    /// With this fraction an opening has its nominal length.
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

    @Test("Five faults in a row open the circuit: callers are told when to come back, and valid tokens are served.")
    func opens() throws {
        var cache = Simulation(jitterFraction: Self.even)
        try cache.warm(.of("ann"))
        for index in 0..<5 {
            #expect(state(&cache) == "closed")
            #expect(cache.ask(.of("user\(index)")) == .wait)
            cache.fail(try cache.onlyMint(), Self.down)
        }
        #expect(state(&cache) == "open")
        #expect(cache.takeNotices() == [.circuitOpened("main", .seconds(5))])
        let error = cache.ask(.of("new"), timeout: .seconds(4)).error
        #expect(error?.code == .unavailable)
        #expect(error?.retryAfter == 5)
        #expect(cache.ask(.of("ann")).served != nil)
        #expect(cache.orders().isEmpty)
    }

    @Test("An answer in between, even a denial, resets the count of faults.")
    func row() throws {
        var cache = Simulation()
        let denied = CallFailure.denied(ErrorReply.Upstream(status: 404), secretChanged: false)
        for (index, failure) in [Self.down, Self.down, Self.down, Self.down, denied, Self.down].enumerated() {
            _ = cache.ask(.of("user\(index)"))
            cache.fail(try cache.onlyMint(), failure)
        }
        #expect(state(&cache) == "closed")
    }

    @Test("Statuses about the request, such as 409 and 422, don't open the circuit, and only their key gets the error.")
    func rejected() throws {
        var cache = Simulation()
        for index in 0..<20 {
            #expect(cache.ask(.of("user\(index)")) == .wait)
            let failure = CallFailure.rejected("the tenant answered with status 409")
            #expect(cache.fail(try cache.onlyMint(), failure).first?.reply.error?.code == .badUpstream)
        }
        #expect(state(&cache) == "closed")
    }

    @Test(
        "Faults in half of ten calls within 30 s open the circuit, too. Older calls don't count.",
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

    @Test("After an opening one call goes as a probe. Callers who come in the meantime wait for it.")
    func probe() throws {
        var cache = Simulation(jitterFraction: Self.even)
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

    @Test("A failed probe opens it for twice as long, up to a minute. A denied one shows that the tenant is there.")
    func doubling() throws {
        var cache = Simulation(jitterFraction: Self.even)
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
        #expect(cache.ask(.of("new"), timeout: .zero).error?.retryAfter == 5)
    }

    @Test("Openings vary by a fifth up and down.", arguments: [(0.0, 4), (0.999_999, 6)])
    func spread(jitterFraction: Double, seconds: Int) throws {
        var cache = Simulation(jitterFraction: jitterFraction)
        try Self.open(&cache)
        #expect(cache.ask(.of("new"), timeout: .zero).error?.retryAfter == seconds)
    }

    @Test("Waiting callers who can't be served before the circuit lets a call go are told at once.")
    func tellsWaiting() throws {
        var cache = Simulation(tenants: ["main": .test(concurrent: 1)], jitterFraction: Self.even)
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

    @Test("Of a hold and an open circuit the later end counts.")
    func both() throws {
        var cache = Simulation(tenants: ["main": .test(concurrent: 10)], jitterFraction: Self.even)
        for index in 0..<6 { _ = cache.ask(.of("user\(index)")) }
        let calls = cache.mints().map(\.call)
        cache.fail(calls[0], .throttled(retryAfter: .seconds(20)))
        for call in calls.dropFirst() { cache.fail(call, Self.down) }
        #expect(cache.ask(.of("new")).error?.retryAfter == 21)
        #expect(cache.ask(.of("new")).error?.code == .rateLimited)
        cache.suspend(.seconds(22))
        #expect(cache.ask(.of("new")) == .wait)
    }
}
