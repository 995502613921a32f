import Foundation
import OperatorReplies
import Testing

@Suite("The reply to stats")
struct StatsReplyTests {
    @Test("Each member that is written is read back.")
    func bothWays() throws {
        let stats = StatsReply.full
        #expect(try decode(StatsReply.self, try JSONEncoder().encode(stats)) == stats)
    }

    @Test("Counts that an older daemon lacks are zero, and its groups of members have their defaults.")
    func absentMembers() throws {
        #expect(try decode(StatsReply.self, "{}") == StatsReply())
        let stats = try decode(StatsReply.self, #"{"mints":{"started":2},"uids":{"7":{}},"tenants":{"main":{}}}"#)
        #expect(stats.mints.started == 2 && stats.mints.queued.ahead == 0)
        #expect(stats.uids == [7: StatsReply.Usage()])
        #expect(stats.tenants["main"]?.state == "unknown" && stats.tenants["main"]?.client == "unknown")
    }

    @Test("A fleet that is away degrades the daemon, and one that is connected doesn't.")
    func fleetCheck() {
        var fleet = StatsReply.Fleet()
        (fleet.tenantsAway, fleet.since) = (2, "2026-01-02T03:04:05Z")
        #expect(fleet.check.status == .degraded && fleet.check.since == fleet.since)
        #expect(fleet.check.description?.hasPrefix("the engine does not answer for 2 tenants:") == true)
        fleet.isConnected = true
        #expect(fleet.check == HealthReply.Check(name: "fleet", tenant: nil, status: .ok))
    }

    @Test("Members and states of a later daemon do no harm.")
    func laterMembers() throws {
        let text = #"""
            {"new":[1],"requests":{"token":1,"later":2,"hit":3,"shape":{}},"uids":{"x":{},"7":{"new":1}},
             "tenants":{"main":{"state":"resting"}}}
            """#
        let stats = try decode(StatsReply.self, text)
        #expect(stats.requests.byOperation == ["token": 1, "later": 2] && stats.requests.hits == 3)
        #expect(stats.uids.keys.sorted() == [7])
        #expect(stats.tenants["main"]?.state == CircuitState(rawValue: "resting"))
    }

    @Test(
        "A number that doesn't fit counts as the nearest that does.",
        arguments: [
            ("1e300", Int.max), ("-1e300", .min), ("1e18", 1_000_000_000_000_000_000), ("0.1e-300", 0), ("1.9", 1),
            ("9223372036854775807", .max), ("null", 0),
        ]
    )
    func anyNumber(text: String, count: Int) throws {
        #expect(try decode(StatsReply.self, "{\"entries\":\(text)}").entries == count)
    }

    @Test("What is no number where one belongs is an error.", arguments: [#""1""#, "[]", "true"])
    func noNumber(text: String) {
        #expect(throws: DecodingError.self) { try decode(StatsReply.self, "{\"entries\":\(text)}") }
        #expect(throws: DecodingError.self) { try decode(StatsReply.self, "{\"uptime\":\(text)}") }
    }
}

extension StatsReply {
    /// Statistics whose members all differ from their defaults.
    static var full: StatsReply {
        var stats = StatsReply()
        stats.uptime = 1.5
        stats.version = "1.2.3"
        stats.entries = 1
        stats.negativeEntries = 2
        stats.bytes = 3
        stats.requests.byOperation = ["token": 4]
        stats.requests.hits = 5
        stats.requests.misses = 6
        stats.requests.coalesced = 7
        stats.requests.negatives = 8
        stats.requests.errors = ["denied": 9]
        stats.mints.started = 10
        stats.mints.succeeded = 11
        stats.mints.failed = ["denied": 12]
        stats.mints.inFlight = 13
        stats.mints.queued.foreground = 14
        stats.mints.queued.ahead = 15
        stats.refreshes.due = 16
        stats.refreshes.done = 17
        stats.refreshes.late = 18
        stats.refreshes.skippedIdle = 19
        stats.evictions = ["expired": 20]
        stats.connections.open = 21
        stats.connections.accepted = 22
        stats.connections.rejected = 23
        stats.connections.unsent = 24
        stats.uids[7, default: .init()].connections = 25
        stats.uids[7]?.waiting = 26
        stats.uids[7]?.entries = 27
        stats.uids[7]?.overloaded = 28
        stats.latency.hits.p50 = 0.25
        stats.latency.hits.p90 = 0.5
        stats.latency.hits.p99 = 0.75
        stats.latency.hits.p999 = 1
        stats.latency.hits.max = 1.25
        stats.latency.mints.p50 = 2.5
        stats.nextRefresh = 29
        stats.tenants["main"] = .full
        stats.fleet = .full
        return stats
    }
}

extension StatsReply.Fleet {
    /// A fleet whose members all differ from their defaults.
    fileprivate static var full: StatsReply.Fleet {
        var fleet = StatsReply.Fleet()
        fleet.isConnected = true
        fleet.since = "2026-01-02T03:04:05Z"
        (fleet.tenantsAway, fleet.machines, fleet.epochs, fleet.circuit) = (1, 2, ["abc"], .closed)
        (fleet.hits, fleet.leftToOthers, fleet.dropsSent, fleet.dropsReceived) = (3, 4, 5, 6)
        (fleet.calls, fleet.failed, fleet.eventsBehind, fleet.settledFor) = (7, ["timeout": 8], 9, 10.5)
        var key = Key(id: "k")
        (key.machines, key.sealing, key.opened, key.notOpened) = (11, 12, 13, 14)
        fleet.keys = [key, Key(id: "other")]
        return fleet
    }
}

extension StatsReply.Tenant {
    /// A tenant whose members all differ from their defaults.
    fileprivate static var full: StatsReply.Tenant {
        var tenant = StatsReply.Tenant()
        tenant.state = .open
        tenant.openFor = 1
        tenant.openings = 2
        tenant.hold = 3
        tenant.client = .denied
        tenant.rateTokens = 4.5
        tenant.inFlight = 5
        tenant.queued.callers = 6
        tenant.queued.prefetches = 7
        tenant.queued.refreshes = 8
        tenant.lastSuccess = 9
        tenant.lastError = LastError(code: "denied", description: "no", ago: 10)
        return tenant
    }
}
