import Testing
import TokenCache
import TokenProtocol

@Suite("Incidents of tenants")
struct TenantIncidentTests {
    private static let down = CallFailure.unavailable(
        "the connection was refused",
        code: "connection_refused",
        retryAfter: nil
    )

    /// Lets time pass in steps of ten seconds, and fails the calls that are sent on the way.
    ///
    /// - Parameter callers: The number of callers in each step.
    private func pass(_ seconds: Int, _ cache: inout Simulation, callers: Int = 1, fails: Bool = true) {
        for step in 0..<(seconds / 10) {
            for index in 0..<callers { _ = cache.ask(.of("user\(step % 3).\(index)"), timeout: .seconds(1)) }
            for mint in cache.mints() {
                if fails { cache.fail(mint.call, Self.down) } else { cache.succeed(mint.call) }
            }
            cache.advance(.seconds(10))
        }
    }

    @Test("An outage of an hour is one report when it begins, one a minute, and one when it is over.")
    func outage() throws {
        var cache = Simulation()
        pass(3_600, &cache)
        let lasting = cache.takeIncidents()
        #expect(lasting.count == 61)
        #expect(lasting.allSatisfy { $0.kind == .outage && $0.tenant == "main" })
        #expect(lasting.map(\.report.phase) == [.began] + Array(repeating: .lasts, count: 60))
        #expect(lasting[1].report.duration == .seconds(60))
        #expect(lasting.first?.report.failures == 1, "the caller whose call began it")
        #expect(lasting[5].report.failures == 6, "everyone who asked since the last report")
        #expect(lasting.map(\.report.failures).reduce(0, +) >= 350)
        let cause = try #require(lasting[30].cause)
        #expect(cause == .init(reason: "the connection was refused", code: "connection_refused"))
        pass(180, &cache, fails: false)
        let ended = cache.takeIncidents()
        #expect(ended.filter { $0.report.phase == .ended }.count == 1)
        #expect(ended.count <= 3)
        let end = try #require(ended.last)
        #expect(end.report.phase == .ended)
        #expect(end.cause == nil)
        #expect(end.report.duration >= .seconds(3_590) && end.report.duration <= .seconds(3_700))
        cache.advance(.seconds(600))
        #expect(cache.takeIncidents().isEmpty)
    }

    @Test("While nobody asks, an outage is still reported once a minute.")
    func silence() throws {
        var cache = Simulation()
        try OpenCircuitTests.open(&cache)
        cache.advance(.seconds(600))
        let incidents = cache.takeIncidents()
        #expect(incidents.map(\.report.phase) == [.began] + Array(repeating: .lasts, count: 10))
        #expect(incidents.dropFirst(2).allSatisfy { $0.report.failures == 0 })
    }

    @Test("A single failed call is reported at once, and its end a minute later.")
    func single() throws {
        var cache = Simulation()
        #expect(cache.ask(.of("ann")) == .wait)
        cache.fail(try cache.onlyMint(), .rejected("the tenant answered with status 409"))
        #expect(cache.takeIncidents().map(\.report) == [.init(.began, duration: .zero, failures: 1)])
        cache.advance(.seconds(59))
        #expect(cache.takeIncidents().isEmpty)
        cache.advance(.seconds(1))
        #expect(cache.takeIncidents().map(\.report) == [.init(.ended, duration: .zero, failures: 0)])
    }

    @Test("A failed refresh affects nobody, so its report has no failures.")
    func refresh() throws {
        var cache = Simulation(jitterFraction: 0.5)
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(750))
        #expect(cache.ask(.of("ann")).refreshes)
        cache.fail(try cache.onlyMint(), Self.down)
        #expect(cache.takeIncidents().map(\.report.failures) == [0])
    }

    @Test("Calls that the daemon's own end cuts off are no outage.")
    func ownEnd() throws {
        var cache = Simulation()
        // More than the circuit breaker would bear.
        for name in ["ann", "bob", "cid", "dan", "eve", "fay"] {
            #expect(cache.ask(.of(name)) == .wait)
            cache.fail(
                try cache.onlyMint(),
                .unavailable("the daemon is shutting down", code: "shutting_down", retryAfter: nil)
            )
        }
        #expect(cache.takeIncidents().isEmpty)
    }

    @Test("Holds that follow each other are one incident, with the callers who were rejected because of them.")
    func holds() throws {
        var cache = Simulation(jitterFraction: 0)
        for step in 0..<13 {
            #expect(cache.ask(.of("user\(step)")) == .wait)
            cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(9)))
            #expect(cache.ask(.of("late\(step)"), timeout: .seconds(1)).error?.code == .rateLimited)
            cache.advance(.seconds(10))
        }
        let lasting = cache.takeIncidents()
        #expect(lasting.map(\.kind) == [.hold, .hold, .hold])
        #expect(lasting.map(\.report.phase) == [.began, .lasts, .lasts])
        #expect(lasting.last.map { $0.report.failures >= 10 } == true)
        #expect(lasting.last?.cause?.reason?.hasPrefix("the tenant asks for no calls for") == true)
        cache.advance(.seconds(60))
        let end = try #require(cache.takeIncidents().last)
        #expect(end.report.phase == .ended)
        #expect(end.report.duration == .seconds(129))
    }

    @Test("A client that becomes worse is reported at once, and its end ten seconds after it is accepted.")
    func client() throws {
        var cache = Simulation(jitterFraction: 0.5)
        try cache.warm(.of("known"))
        let unauthorized = CallFailure.denied(.init(status: 401, code: "OAUTH-1"), secretChanged: false)
        for name in ["a", "b", "c"] {
            #expect(cache.ask(.of(name)) == .wait)
            cache.fail(try #require(cache.mints().last?.call), unauthorized)
        }
        let suspected = cache.takeIncidents()
        #expect(suspected.map(\.kind) == [.client(.suspected(isProbed: true))])
        #expect(suspected.first?.cause == .init(status: 401, code: "OAUTH-1"))
        #expect(suspected.first?.report.failures == 1)
        cache.fail(try cache.onlyMint(), unauthorized)
        let denied = cache.takeIncidents()
        #expect(denied.map(\.kind) == [.client(.denied)], "the circuit that opens for it is no outage")
        #expect(denied.map(\.report.phase) == [.began])
        cache.suspend(.seconds(10))
        #expect(cache.ask(.of("new")) == .wait)
        cache.succeed(try cache.onlyMint())
        cache.advance(.seconds(9))
        #expect(cache.takeIncidents().isEmpty)
        cache.advance(.seconds(1))
        #expect(cache.takeIncidents().map(\.report) == [.init(.ended, duration: .seconds(10), failures: 0)])
    }

    @Test("A tenant that denies nearly everyone is reported once a minute, however often it accepts one between.")
    func nearlyEveryone() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 10_000, burst: 10_000)])
        for step in 0..<121 {
            for index in 0..<4 {
                #expect(cache.ask(.of("user\(step).\(index)")) == .wait)
                let call = try cache.onlyMint()
                if index == 3 {
                    cache.succeed(call)
                } else {
                    cache.fail(call, .denied(.init(status: 403), secretChanged: false))
                }
            }
            cache.advance(.seconds(1))
        }
        #expect(cache.takeIncidents().map(\.report.phase) == [.began, .lasts, .lasts])
    }

    @Test("The end of each mint is reported with its tenant, cause, error and time, and without the user.")
    func mints() throws {
        var cache = Simulation()
        #expect(cache.ask(.of("ann")) == .wait)
        let call = try cache.onlyMint()
        cache.suspend(.milliseconds(250))
        cache.succeed(call)
        #expect(
            cache.takeMintReports() == [
                MintReport(tenant: "main", cause: .caller, error: nil, duration: .milliseconds(250))
            ]
        )
        #expect(cache.ask(.of("bob")) == .wait)
        cache.fail(try cache.onlyMint(), Self.down)
        let failed = try #require(cache.takeMintReports().first)
        #expect(failed.error?.code == .unavailable)
        #expect(failed.error?.cause == "connection_refused")
        #expect(!"\(failed)".contains("bob"))
    }
}
