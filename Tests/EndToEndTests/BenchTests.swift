import Foundation
import Glibc
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

@Suite("The measurement of the daemon, with the real executables", .serialized)
struct DaemonBenchTests {
    private struct Report: Decodable {
        let rate: Double
        let tokens: Int
        let errors: [String: Int]
        let mints: Int
        let latency: [String: Double]
    }

    private func bench(_ deployment: Deployment, _ arguments: String...) throws -> (status: Int32, output: String) {
        try Program.run(
            "tokencachectl",
            ["bench"] + arguments,
            environment: ["TOKENCACHED_SOCKET": deployment.requestsPath]
        )
    }

    @Test("One user's token is minted once at most, and then every reply is a hit.")
    func oneKey() async throws {
        let deployment = try await Deployment.start(settings: "cache: { max_entries: 10 }")
        let (status, output) = try bench(
            deployment,
            "--subject",
            "ann",
            "--seconds",
            "0.3",
            "--json",
            "--pipeline",
            "4"
        )
        #expect(status == 0, "\(output)")
        let report = try JSONDecoder().decode(Report.self, from: Data(output.utf8))
        #expect(report.tokens > 0 && report.rate > 0 && report.errors.isEmpty && report.mints == 1)
        #expect(Set(report.latency.keys) == ["p50", "p90", "p99", "p999", "max"])
        #expect(await deployment.tenant.counters.mints == 1)
        let requests = try deployment.admin().stats().requests
        #expect(requests.hits >= report.tokens)
        #expect(requests.misses == 1)
        try await deployment.stop()
    }

    @Test("Several keys are minted first, and all of them are requested.")
    func severalKeys() async throws {
        let deployment = try await Deployment.start()
        let arguments = ["--subject-prefix", "u", "--keys", "20", "--allow-mints", "--seconds", "0.3"]
        let (status, output) = try Program.run(
            "tokencachectl",
            ["bench"] + arguments,
            environment: ["TOKENCACHED_SOCKET": deployment.requestsPath]
        )
        #expect(status == 0, "\(output)")
        #expect(output.contains("(20 were minted before the measurement)"))
        #expect(await deployment.tenant.counters.mints == 20)
        try await deployment.stop()
    }

    @Test("A user who is denied is an error before any load.")
    func denied() async throws {
        let deployment = try await Deployment.start()
        let (status, output) = try bench(deployment, "--subject", "unknown:zoe")
        #expect(status == 77)
        #expect(output.hasPrefix("tokencachectl: the tenant refused"))
        try await deployment.stop()
    }

    @Test(
        "Ctrl-C ends the measurement, and prints it. So does the end of the daemon, with status 1.",
        arguments: [true, false]
    )
    func early(isInterrupt: Bool) async throws {
        let deployment = try await Deployment.start()
        let tool = try Program(
            "tokencachectl",
            ["bench", "--subject", "ann", "--seconds", "600"],
            environment: ["TOKENCACHED_SOCKET": deployment.requestsPath]
        )
        // The load has begun when there are more requests than the first one. The signal is caught before that.
        let admin = try deployment.admin()
        let deadline = ContinuousClock.now + TestTimeout.duration
        while try admin.stats().requests.hits < 100, ContinuousClock.now < deadline {}
        if isInterrupt { tool.signal(SIGINT) } else { deployment.daemon.signal(SIGKILL) }
        #expect(tool.waitForEnd() == (isInterrupt ? 0 : 1))
        #expect(tool.waitForOutput("A closed loop") != nil)
        #expect(tool.written.contains("throughput  "))
        if isInterrupt {
            try await deployment.stop()
        } else {
            #expect(tool.written.contains("lost        16 connections"))
            try await deployment.tenant.stop()
        }
    }
}
