import Doctor
import Tenant
import Testing

@Suite("The judgement of a tenant's reachability")
struct TenantFactsTests {
    private static let now = 1_800_000_000.0
    private static let day = 86_400

    private func report(
        daysLeft: Int = 60,
        status: Int = 302,
        clockOffset: Double? = 0.2
    ) -> TenantProbe.Report {
        var report = TenantProbe.Report(host: "t.example", port: 443)
        report.addresses = .success(["192.0.2.1", "2001:db8::1"])
        report.attempts = ["192.0.2.1", "2001:db8::1"].map { .init(address: $0, result: .success(.milliseconds(12))) }
        let validity = TenantProbe.Validity(from: 0, until: Int(Self.now) + daysLeft * Self.day)
        report.handshake = .success(.init(version: "TLS 1.3", validity: validity, time: .milliseconds(20)))
        report.answer = .success(.init(status: status, clockOffset: clockOffset, time: .milliseconds(30)))
        return report
    }

    private func findings(_ report: TenantProbe.Report) -> [Finding] {
        TenantFacts(tenant: "main", report: report, now: Self.now).findings
    }

    private func finding(_ check: Finding.Check, _ report: TenantProbe.Report) throws -> Finding {
        try #require(findings(report).first { $0.check == check })
    }

    @Test("A tenant that is reached has a finding for each step, in order.")
    func well() {
        let found = findings(report())
        #expect(found.map(\.check) == [.name, .connection, .certificate, .http, .clock])
        #expect(found.allSatisfy { $0.status == .ok && $0.subject == "main" })
        #expect(found[0].found == "t.example has 192.0.2.1, 2001:db8::1")
        #expect(found[1].found == "connected: 192.0.2.1 in 12.0 ms, 2001:db8::1 in 12.0 ms")
        #expect(
            found[2].found
                == "TLS 1.3 in 20.0 ms, the certificate is trusted and for this host; it ends on 2027-03-16, "
                + "in 60 days"
        )
    }

    @Test("A host that is an address is not looked up.")
    func address() throws {
        var report = TenantProbe.Report(host: "192.0.2.1", port: 443)
        report.addresses = .success(["192.0.2.1"])
        #expect(try finding(.name, report).found == "192.0.2.1 is an address")
    }

    @Test("A certificate that ends within three weeks is a warning.", arguments: [(20, true), (22, false)])
    func certificateEnds(days: Int, warns: Bool) throws {
        let certificate = try finding(.certificate, report(daysLeft: days))
        #expect(certificate.status == (warns ? .warning : .ok))
        #expect((certificate.advice != nil) == warns)
    }

    @Test(
        "The clock is judged by its difference, and by the direction.",
        arguments: [
            (29.0, .ok, "29 s behind"), (-29, .ok, "29 s ahead of"), (31, .warning, "31 s behind"),
            (-299, .warning, "4 min ahead of"), (301, .failed, "5 min behind"), (-1e12, .failed, "years ahead of"),
            (0.4, .ok, "agrees"),
        ] as [(Double, Finding.Status, String)]
    )
    func clock(offset: Double, status: Finding.Status, text: String) throws {
        let clock = try finding(.clock, report(clockOffset: offset))
        #expect(clock.status == status)
        #expect(clock.found.contains(text))
        #expect((clock.advice != nil) == (status != .ok))
    }

    @Test("Without a date in the answer, the clock is skipped.")
    func noDate() throws {
        #expect(try finding(.clock, report(clockOffset: nil)).status == .skipped)
    }

    @Test("A tenant that answers 5xx is a warning, and any other status is well.", arguments: [200, 404, 503])
    func status(status: Int) throws {
        let http = try finding(.http, report(status: status))
        #expect(http.status == (status >= 500 ? .warning : .ok))
    }

    @Test("If only some addresses can be reached, it is a warning. If none can, it is a failure.")
    func addresses() throws {
        var report = report()
        report.attempts[1].result = .failure(CallFault(.unreachable))
        let some = try finding(.connection, report)
        #expect(some.status == .warning)
        #expect(some.found == "port 443 of t.example: 192.0.2.1 in 12.0 ms, 2001:db8::1 unreachable")
        report.attempts[0].result = .failure(CallFault(.refused))
        #expect(try finding(.connection, report).status == .failed)
        #expect(try finding(.connection, report).advice?.contains("nc -vz t.example 443") == true)
    }

    @Test("Each fault of each step is a failure with an advice.", arguments: CallFault.Cause.allCases)
    func faults(cause: CallFault.Cause) throws {
        var report = TenantProbe.Report(host: "t.example", port: 443, usesProxy: true)
        let fault = CallFault(cause, at: .tenant, status: 502)
        report.addresses = .failure(fault)
        report.tunnel = .failure(fault)
        report.handshake = .failure(fault)
        report.answer = .failure(fault)
        let found = findings(report)
        #expect(found.map(\.check) == [.name, .tunnel, .certificate, .http])
        for finding in found {
            #expect(finding.status == .failed)
            #expect(finding.advice?.isEmpty == false)
            #expect(finding.found.contains(fault.sentence))
        }
    }

    @Test("A certificate that was rejected shows its times.")
    func rejected() throws {
        var report = TenantProbe.Report(host: "t.example", port: 443)
        report.handshake = .failure(CallFault(.expired))
        report.rejected = .init(from: 0, until: Self.day)
        #expect(
            try finding(.certificate, report).found.hasSuffix("; it is valid from 1970-01-01 to 1970-01-02")
        )
    }
}
