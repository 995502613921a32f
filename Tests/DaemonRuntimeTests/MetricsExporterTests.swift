import Foundation
import OperatorReplies
import PrometheusMetrics
import SocketServer
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@testable import DaemonRuntime

@Suite("The metrics of a daemon", .timeLimit(.minutes(3)))
struct MetricsExporterTests {
    @Test("Each request of a mixed run is counted once.")
    func requests() async throws {
        try await TestDaemon.run { daemon in
            let lines = [
                #"{"op":"token","subject":"ann","id":1}"#, #"{"op":"token","subject":"ann","id":2}"#,
                #"{"op":"token"}"#, "nothing", #"{"op":"stats"}"#, #"{"op":"token","subject":"unknown:x"}"#,
                #"{"op":"hello"}"#,
                #"{"op":"prefetch","subjects":["ann","bob"]}"#, #"{"op":"token","subject":"ann","tenant":"none"}"#,
                #"{"op":"invalidate","subject":"ann","token_sha256":"\#(String(repeating: "0", count: 64))"}"#,
                #"{"op":"token","subject":"ann"}"#, #"{"op":"revoke","subject":"ann"}"#,
            ]
            let client = try LineClient(daemon.directory.path("r"))
            try client.send(Array((lines.joined(separator: "\n") + "\n").utf8))
            for _ in lines { _ = try await client.nextLine() }
            let metrics = ScrapedMetrics(await daemon.exporter.render(), of: "tokencached_requests_total")
            #expect(metrics.sum == Double(lines.count))
            #expect(metrics[#"tokencached_requests_total{op="unknown",outcome="invalid_request"}"#] == 2)
            #expect(metrics[#"tokencached_requests_total{op="unknown",outcome="unsupported_op"}"#] == 1)
            #expect(metrics[#"tokencached_requests_total{op="token",outcome="unknown_tenant"}"#] == 1)
            #expect(metrics[#"tokencached_requests_total{op="revoke",outcome="ok"}"#] == 1)
            let uids = ScrapedMetrics(await daemon.exporter.render(), of: "tokencached_uid_requests_total")
            #expect(uids.sum == Double(lines.count))
        }
    }

    @Test("Several who ask at once each get a text, by both ways.")
    func sharing() async throws {
        try await TestDaemon.run { daemon in
            let texts = await withTaskGroup(of: String.self) { group in
                for _ in 0..<50 { group.addTask { await daemon.exporter.render() } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(texts.count == 50 && texts.allSatisfy { $0.contains("tokencached_entries 0\n") })
            let client = try LineClient(daemon.directory.path("a"))
            try client.send(Array(String(repeating: "{\"op\":\"metrics\"}\n", count: 10).utf8))
            for _ in 0..<10 {
                let line = try #require(await client.nextLine())
                #expect(line.hasPrefix(##"{"content_type":"text/plain; version=0.0.4","body":"# HELP "##))
            }
            let connections = ScrapedMetrics(await daemon.exporter.render(), of: "tokencached_connections")
            #expect(connections[#"tokencached_connections{socket="admin"}"#] == 1)
            #expect(connections[#"tokencached_connections{socket="requests"}"#] == 0)
        }
    }

    @Test("A rendering has a limited number of waiting requests, and the next one has as many again.")
    func bound() {
        let exporter = MetricsExporter()
        func ask(_ ticket: UInt64) -> Bool { exporter.ask(Waiter(connection: 1, ticket: ticket)) }
        for ticket in 0..<UInt64(MetricsExporter.maxWaiting) { #expect(ask(ticket)) }
        #expect(!ask(100))
        #expect(exporter.takeReaders().count == MetricsExporter.maxWaiting)
        #expect(ask(101))
        #expect(exporter.takeReaders().count == 1)
    }

    @Test("After the end nobody waits for a text for ever.")
    func end() async {
        let exporter = MetricsExporter()
        exporter.end()
        #expect(await exporter.render().isEmpty)
    }

    @Test("Without a snapshot each metric still has its help and type, and only instruments have series.")
    func noSnapshot() {
        let text = MetricsExporter().text(nil, droppedLogLines: 0)
        let names = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        #expect(names.map(String.init) == DaemonMetric.all.map(\.family.name).sorted())
        #expect(!text.contains("tokencached_entries 0"))
    }

    @Test("At most twenty uids are told apart. One that is shown stays, and the sum counts all.")
    func uids() {
        let exporter = MetricsExporter()
        var server = MovedCache().snapshot
        func use(_ uids: ClosedRange<UInt32>) {
            for uid in uids {
                var usage = StatsReply.Usage()
                usage.requests = Int(uid)
                server.cache.stats.uids[uid] = usage
            }
        }
        func requests() -> ScrapedMetrics {
            ScrapedMetrics(exporter.text(server, droppedLogLines: 0), of: "tokencached_uid_requests_total")
        }
        use(1...10)
        #expect(requests().values.count == 11)
        use(1...30)
        let first = requests()
        #expect(first.values.count == 21)
        #expect(first[#"tokencached_uid_requests_total{uid="10"}"#] == 10, "it was shown before")
        #expect(first[#"tokencached_uid_requests_total{uid="21"}"#] == 21, "it is among the busiest of the new ones")
        #expect(first[#"tokencached_uid_requests_total{uid="20"}"#] == nil)
        #expect(first[#"tokencached_uid_requests_total{uid="other"}"#] == Double((11...20).reduce(0, +)))
        use(40...40)
        let second = requests()
        #expect(second.values.count == 21)
        #expect(second[#"tokencached_uid_requests_total{uid="other"}"#] == Double((11...20).reduce(0, +) + 40))
    }

    @Test("The figures of a process are read whatever its program is called.")
    func process() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 3 0 12345 4096 2 184467"
        let figures = ProcessFigures(stat: stat, bootTime: 1_000)
        #expect(figures.cpuSeconds == 2)
        #expect(figures.startTime == 1_123.45)
        #expect(figures.virtualBytes == 4_096)
        #expect(figures.residentBytes == 2 * Int(sysconf(CInt(_SC_PAGESIZE))))
        #expect(ProcessFigures(stat: "", bootTime: nil) == ProcessFigures(stat: "7 (a", bootTime: nil))
        #expect(ProcessFigures.bootTime("cpu 1\nbtime 77\nprocesses 1\n") == 77)
        #expect(ProcessFigures.bootTime("cpu 1\n") == nil)
    }

    @Test("The documentation names each metric with its type, labels and help, and no other.")
    func documentation() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        let page = try String(contentsOf: root.appending(path: "Documentation/metrics.md"), encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
        let names = rows.compactMap { $0.firstMatch(of: /^\| `([a-z_]+)` \|/).map { String($0.1) } }
        #expect(names.count == rows.count)
        #expect(Set(names) == Set(DaemonMetric.all.map(\.family.name)))
        for family in DaemonMetric.all.map(\.family) {
            let labels = family.labels.map { "`\($0)`" }.joined(separator: ", ")
            let row = "| `\(family.name)` | \(family.kind.name) | \(labels.isEmpty ? "" : labels + " ")| \(family.help)"
            #expect(rows.contains { $0.hasPrefix(row) }, "there has to be a row that begins with: \(row)")
        }
    }
}
