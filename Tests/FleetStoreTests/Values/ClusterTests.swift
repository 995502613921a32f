import FleetProtocol
import Testing

@testable import FleetStore

@Suite("Clusters")
struct ClusterTests {
    private let seed = EngineAddress.host("127.0.0.1", port: 7_000)
    private let other = EngineAddress.host("127.0.0.1", port: 7_001)

    @Test(
        "A slot is the CRC16 of the hash tag, or of the whole key without one.",
        arguments: [
            ("123456789", 0x31C3), ("foo", 12_182), ("{foo}bar", 12_182), ("a{foo}b{bar}", 12_182),
            ("foo{}{bar}", 8_363), ("foo{{bar}}zap", 4_015), ("", 0),
        ]
    )
    func slots(key: String, slot: Int) { #expect(ClusterSlot.of(key) == slot) }

    private func node(_ host: RespValue, _ port: Int64) -> RespValue { .array([host, .integer(port), .simple("id")]) }

    private func entry(_ first: Int64, _ last: Int64, _ nodes: [RespValue]) -> RespValue {
        .array([.integer(first), .integer(last)] + nodes)
    }

    @Test("The map of a cluster says which node has a slot. A reference corrects it until the next map.")
    func routes() throws {
        let local = RespValue.simple("127.0.0.1")
        let map = RespValue.array([
            entry(0, 8_191, [node(local, 7_000), node(local, 7_002)]), entry(8_192, 16_383, [node(.null, 7_001)]),
        ])
        var routes = ClusterRoutes(seed: seed)
        #expect(routes.node(of: 0) == nil)
        let ranges = try #require(ClusterRoutes.ranges(of: map, askedAt: seed))
        routes.replace(ranges)
        #expect(routes.node(of: 8_191) == seed)
        #expect(routes.node(of: 8_192) == other, "an empty host is that of the node that was asked")
        routes.move(1, to: other)
        #expect(routes.node(of: 1) == other)
        #expect(routes.node(of: 2) == seed)
        routes.forget(other)
        #expect(routes.node(of: 1) == seed)
        #expect(routes.node(of: 8_192) == nil)
        routes.replace(ranges)
        #expect(routes.node(of: 8_192) == other)
    }

    @Test("A map with more slots than there are is none.")
    func tooManySlots() {
        let entries = (0..<2).map { _ in entry(0, 8_192, [node(.simple("127.0.0.1"), 7_000)]) }
        #expect(ClusterRoutes.ranges(of: .array(entries), askedAt: seed) == nil)
    }

    @Test("Each slot of many ranges is found, in whatever order they come.")
    func manyRanges() {
        var routes = ClusterRoutes(seed: seed)
        let nodes = (0..<1_000).map { EngineAddress.host("127.0.0.1", port: 1_000 + $0) }
        let ranges = nodes.enumerated().map { index, node in
            ClusterRoutes.Range(slots: (index * 16)...(index * 16 + 14), primary: node, replicas: [])
        }
        routes.replace(ranges.reversed())
        for (index, node) in nodes.enumerated() {
            #expect(routes.node(of: index * 16) == node)
            #expect(routes.node(of: index * 16 + 14) == node)
            #expect(routes.node(of: index * 16 + 15) == nil)
        }
    }

    @Test("All known nodes are asked in turn, replicas, too.")
    func asks() throws {
        var routes = ClusterRoutes(seed: seed)
        #expect(routes.nextToAsk() == seed)
        let replica = EngineAddress.host("127.0.0.1", port: 7_002)
        routes.replace([ClusterRoutes.Range(slots: 0...16_383, primary: other, replicas: [replica])])
        #expect(Set((0..<3).map { _ in routes.nextToAsk() }) == [seed, other, replica])
    }

    @Test(
        "A malformed map is none.",
        arguments: [
            RespValue.null, .array([.integer(1)]), .array([.array([.integer(0), .integer(1)])]),
            .array([.array([.integer(5), .integer(1), .array([.simple("a"), .integer(1)])])]),
            .array([.array([.integer(0), .integer(16_384), .array([.simple("a"), .integer(1)])])]),
            .array([.array([.integer(0), .integer(1), .array([.simple("a"), .integer(0)])])]),
        ]
    )
    func malformed(map: RespValue) { #expect(ClusterRoutes.ranges(of: map, askedAt: seed) == nil) }

    @Test("References are read.")
    func redirections() {
        #expect(Redirection("MOVED 3999 127.0.0.1:7001", from: seed) == .moved(slot: 3_999, other))
        #expect(Redirection("MOVED 3999 :7001", from: seed) == .moved(slot: 3_999, other))
        #expect(Redirection("MOVED 3999 ?:7001", from: seed) == .moved(slot: 3_999, other))
        #expect(Redirection("ASK 3999 fd00::1:7001", from: seed) == .ask(.host("fd00::1", port: 7_001)))
        #expect(Redirection("TRYAGAIN Multiple keys", from: seed) == .tryAgain)
        for text in ["MOVED", "MOVED x 127.0.0.1:1", "MOVED 16384 a:1", "MOVED 1 a:0", "MOVED 1 a", "ASK 1 a:x", "ERR"]
        {
            #expect(Redirection(text, from: seed) == nil)
        }
    }

    @Test("A call follows three references, then it has failed.")
    func hops() {
        var route = CallRoute()
        let moved = "MOVED 5 127.0.0.1:7001"
        for _ in 0..<2 {
            #expect(route.failed(moved, from: seed, isCluster: true) == .move(slot: 5, other))
        }
        #expect(route.failed("ASK 5 127.0.0.1:7001", from: seed, isCluster: true) == .ask(other))
        #expect(route.failed(moved, from: seed, isCluster: true) == .fail(.clusterDown))
    }

    @Test("A call tries again once.")
    func again() {
        var route = CallRoute()
        #expect(route.failed("TRYAGAIN", from: seed, isCluster: true) == .again)
        #expect(route.failed("TRYAGAIN", from: seed, isCluster: true) == .fail(.moving))
    }

    @Test("A script that a node doesn't have is sent once to each node.")
    func script() {
        var route = CallRoute()
        #expect(route.failed("NOSCRIPT No matching script.", from: seed, isCluster: true) == .sendScript)
        #expect(route.failed("MOVED 5 127.0.0.1:7001", from: seed, isCluster: true) == .move(slot: 5, other))
        #expect(route.failed("NOSCRIPT", from: other, isCluster: true) == .sendScript)
        #expect(route.failed("NOSCRIPT", from: other, isCluster: true) == .fail(.rejected))
    }

    @Test("An engine that isn't a cluster refers nowhere.")
    func single() {
        var route = CallRoute()
        #expect(route.failed("MOVED 5 127.0.0.1:7001", from: seed, isCluster: false) == .fail(.clusterDown))
    }
}
