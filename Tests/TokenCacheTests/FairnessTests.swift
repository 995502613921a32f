import Testing
import TokenCache
import TokenProtocol

@Suite("Peers take turns")
struct FairnessTests {
    private func order(_ cache: inout Simulation, _ seconds: Int) -> [String] {
        cache.advance(.seconds(seconds))
        return cache.mints().map { String(decoding: $0.key.user.user.value, as: UTF8.self) }
    }

    @Test("One app's many calls don't delay another app's single call, and each app's calls go first in, first out.")
    func turns() {
        var cache = Simulation.withEmptyBucket()
        for index in 0..<5 { #expect(cache.ask(.of("a\(index)"), timeout: .seconds(60), peer: 1) == .wait) }
        for index in 0..<2 { #expect(cache.ask(.of("b\(index)"), timeout: .seconds(60), peer: 2) == .wait) }
        #expect(cache.ask(.of("c0"), timeout: .seconds(60), peer: 3) == .wait)
        #expect(order(&cache, 10) == ["a0", "b0", "c0", "a1", "b1", "a2", "a3", "a4"])
    }

    @Test("A peer with few queued calls is not rejected because another peer has many.")
    func pacing() {
        var cache = Simulation.withEmptyBucket()
        for index in 0..<30 { _ = cache.ask(.of("a\(index)"), timeout: .seconds(60), peer: 1) }
        #expect(cache.ask(.of("a30"), timeout: .seconds(10), peer: 1).error?.code == .rateLimited)
        #expect(cache.ask(.of("b0"), timeout: .milliseconds(4_001), peer: 2) == .wait)
        #expect(cache.ask(.of("b1"), timeout: .milliseconds(4_001), peer: 2).error == nil)
        #expect(cache.ask(.of("b2"), timeout: .milliseconds(4_001), peer: 2).error?.code == .rateLimited)
    }

    @Test("A peer that joins another app's queued mint doesn't wait for that app's turn.")
    func join() {
        var cache = Simulation.withEmptyBucket()
        for index in 0..<20 { _ = cache.ask(.of("a\(index)"), timeout: .seconds(60), peer: 1) }
        #expect(cache.ask(.of("a19"), timeout: .seconds(60), peer: 2) == .wait)
        #expect(order(&cache, 3) == ["a0", "a19", "a1"])
    }

    @Test("Forced mints are limited to a quarter of the rate per peer. Other peers have their own quarter.")
    func forced() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 80, burst: 80)])
        try cache.warm(.of("ann"))
        for _ in 0..<20 {
            #expect(cache.ask(.of("ann"), noCache: true, peer: 1) == .wait)
            cache.succeed(try cache.onlyMint())
        }
        let error = cache.ask(.of("ann"), noCache: true, peer: 1).error
        #expect(error?.code == .rateLimited)
        #expect(error?.retryAfter == 3)
        #expect(cache.ask(.of("ann"), peer: 1).served != nil, "a hit forces nothing")
        #expect(cache.ask(.of("new"), peer: 1) == .wait, "nor does a first mint")
        cache.succeed(try cache.onlyMint())
        #expect(cache.ask(.of("ann"), noCache: true, peer: 2) == .wait)
        #expect(cache.ask(.of("ann"), noCache: true, peer: 1) == .wait, "that one is shared")
        cache.succeed(try cache.onlyMint())
        cache.suspend(.seconds(3))
        #expect(cache.ask(.of("ann"), noCache: true, peer: 1) == .wait)
    }

    @Test("A mint after a report is a forced one, for a caller and for a prefetch.")
    func forcedByReport() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 4, burst: 4)])
        func report(_ name: String) throws {
            let served = try #require(cache.ask(.of(name)).served)
            let action = cache.invalidate(.of(name), served.token.fingerprint)
            #expect(action == .dropped)
        }
        for name in ["ann", "bob"] { try cache.warm(.of(name)) }
        for name in ["ann", "bob"] { try report(name) }
        #expect(cache.ask(.of("ann"), peer: 1) == .wait)
        cache.succeed(try cache.onlyMint())
        #expect(cache.ask(.of("bob"), timeout: .seconds(60), peer: 1).error?.code == .rateLimited)
        #expect(cache.prefetch([.of("bob")], for: 1).refused == 1)
        #expect(cache.prefetch([.of("bob")], for: 2).queued == 1)
    }
}
