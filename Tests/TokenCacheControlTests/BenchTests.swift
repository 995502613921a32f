import ArgumentParser
import LoadGenerator
import Testing
import tokencachectl

@Suite("The command bench")
struct BenchTests {
    private func parse(_ arguments: String) throws {
        _ = try TokenCacheControl.parseAsRoot(arguments.split(separator: " ").map(String.init))
    }

    @Test(
        "A load that would burden a tenant, or that makes no sense, is rejected.",
        arguments: [
            "bench", "bench --subject a --subject-prefix b", "bench --subject a --keys 2",
            "bench --subject-prefix a --keys 2", "bench --subject a --keys 2 --allow-mints",
            "bench --subject-prefix a --keys 0 --allow-mints", "bench --subject a --connections 0",
            "bench --subject a --pipeline 1001", "bench --subject a --seconds 0", "bench --subject a --seconds nan",
            "bench --subject a --threads 0",
        ]
    )
    func rejected(arguments: String) {
        #expect(throws: (any Error).self) { try parse(arguments) }
    }

    @Test(
        "One key needs no consent, and several do.",
        arguments: [
            "bench --subject a", "bench --subject-prefix a", "bench --subject-prefix a --keys 9 --allow-mints",
            "bench --subject a --connections 1 --pipeline 1000 --seconds 0.1 --threads 4 --json --tenant t --socket /s",
        ]
    )
    func accepted(arguments: String) throws { try parse(arguments) }

    private func report() -> LoadReport {
        let settings = LoadSettings(path: "/s", connections: 2, pipeline: 1, time: .seconds(1), threads: 1)
        return LoadReport(Measurement(), settings, keys: 1, mints: 0)
    }

    @Test(
        "The result is aligned lines, and says what it measures. Errors and losses have lines only if there are some."
    )
    func text() {
        var report = report()
        report.rate = 1_234.5
        report.tokens = 12
        report.latency.p50 = 0.0001
        report.latency.max = 2
        let text = LoadReportView(report, display: .plain).text
        #expect(
            text.hasPrefix(
                """
                load        2 connections, 1 request in flight on each, 1 key, 1 thread, 0 s
                throughput  1235 requests/s
                latency     p50 100 µs, p90 0 s, p99 0 s, p99.9 0 s, longest 2.0 s
                tokens      12
                unanswered  0 requests were under way at the end

                A closed loop
                """
            )
        )
        #expect(report.isClean)
        report.oldestUnanswered = 2
        #expect(!report.isClean, "the daemon hangs")
        report.errors = ["denied": 2, "": 3]
        report.lostConnections = 4
        report.unanswered = 5
        report.oldestUnanswered = 3
        report.mints = 1
        let bad = LoadReportView(report, display: .plain).text
        #expect(bad.contains("errors      3 unknown replies, 2 denied\n"))
        #expect(bad.contains("lost        4 connections that the daemon has closed\n"))
        #expect(bad.contains("unanswered  5 requests were under way at the end, the oldest for 3.0 s\n"))
        #expect(bad.contains("tokens      12 (1 was minted before the measurement)\n"))
        #expect(!report.isClean)
    }

    @Test("The JSON has all figures in seconds.")
    func json() throws {
        #expect(
            try report().json == """
                {"connections":2,"errors":{},"keys":1,"latency":{"max":0,"p50":0,"p90":0,"p99":0,"p999":0},\
                "lost_connections":0,"mints":0,"oldest_unanswered":0,"pipeline":1,"rate":0,"seconds":0,"threads":1,\
                "tokens":0,"unanswered":0}
                """
        )
    }
}
