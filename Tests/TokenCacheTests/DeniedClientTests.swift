import OperatorReplies
import Testing
import TokenCache
import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("A client that is denied for all users")
struct DeniedClientTests {
    private func deny(_ cache: inout Simulation, _ name: String, _ upstream: ErrorReply.Upstream) throws {
        #expect(cache.ask(.of(name)) == .wait, "nobody is locked out")
        cache.fail(try cache.onlyMint(), .denied(upstream, secretChanged: false))
    }

    private func health(_ cache: inout Simulation) -> HealthReply {
        cache.machine.health(now: cache.now, wall: Date(timeIntervalSince1970: 1_795_000_000))
    }

    @Test(
        "From three denied users on health is degraded, and the log says it once, with the tenant's code.",
        arguments: [
            [403, 403, 403, 403, 403], [400, 400, 400, 400], [404, 404, 404, 404], [401, 403, 400, 404, 401, 403],
        ]
    )
    func everybody(statuses: [Int]) throws {
        var cache = Simulation()
        try cache.warm(.of("known"))
        for (number, status) in statuses.enumerated() {
            #expect(health(&cache).status == (number < 3 ? .ok : .degraded))
            try deny(&cache, "u\(number)", .init(status: status, code: "OAUTH-\(number)"))
        }
        #expect(cache.takeNotices() == [.clientDoubtful("main", .init(status: statuses[2], code: "OAUTH-2"))])
        let check = try #require(health(&cache).checks.first { $0.status == .degraded })
        #expect(check.name == "client")
        #expect(check.description?.contains("refused") == true)
        #expect(cache.mints().isEmpty, "no probe")
        #expect(cache.stats().tenants["main"]?.client == "doubtful")
        #expect(cache.ask(.of("known")).served != nil)
    }

    @Test("An accepted user ends it and resets the count. The log says so.")
    func accepted() throws {
        var cache = Simulation()
        for name in ["a", "b", "c"] { try deny(&cache, name, .init(status: 403)) }
        try cache.warm(.of("good"))
        #expect(health(&cache).status == .ok)
        #expect(cache.takeNotices() == [.clientDoubtful("main", .init(status: 403)), .clientAccepted("main")])
        for name in ["d", "e"] { try deny(&cache, name, .init(status: 403)) }
        try cache.warm(.of("better"))
        for name in ["f", "g"] { try deny(&cache, name, .init(status: 403)) }
        #expect(health(&cache).status == .ok)
        #expect(cache.takeNotices().isEmpty)
    }

    @Test("One user who is denied again and again says nothing of the client, nor does a failure.")
    func one() throws {
        var cache = Simulation()
        for _ in 0..<4 {
            try deny(&cache, "a", .init(status: 403))
            cache.suspend(.seconds(301))
        }
        for name in ["b", "c", "d"] {
            _ = cache.ask(.of(name))
            cache.fail(try cache.onlyMint(), .rejected("409"))
        }
        #expect(cache.stats().tenants["main"]?.client == "trusted")
    }

    @Test("Three more users denied with 401 make a doubtful client suspect, and cause its probe.")
    func suspicion() throws {
        var cache = Simulation()
        try cache.warm(.of("known"))
        for name in ["a", "b", "c"] { try deny(&cache, name, .init(status: 403)) }
        for name in ["d", "e", "f"] { try deny(&cache, name, .init(status: 401)) }
        #expect(cache.mints().map(\.key) == [.of("known")])
        #expect(
            cache.takeNotices() == [
                .clientDoubtful("main", .init(status: 403)),
                .clientSuspected("main", .init(status: 401), isProbed: true),
            ]
        )
    }

    @Test("A new secret ends it.")
    func newSecret() throws {
        var cache = Simulation()
        for name in ["a", "b", "c"] { try deny(&cache, name, .init(status: 400)) }
        cache.secretChanged(of: "main")
        #expect(health(&cache).status == .ok)
    }
}
