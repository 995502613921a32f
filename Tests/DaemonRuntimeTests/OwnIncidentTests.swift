import Audit
import DaemonRuntime
import Logging
import SocketServer
import Testing
import TokenCache
import TokenProtocol

@Suite("The daemon's own incidents")
struct OwnIncidentTests {
    private static let start = ContinuousClock.now

    private func at(_ seconds: Int) -> Instant { Self.start + .seconds(seconds) }

    private static func faults(rejected: Int = 0, failedAccepts: Int = 0) -> ConnectionFaults {
        var faults = ConnectionFaults()
        (faults.rejected, faults.failedAccepts, faults.lastReason) = (rejected, failedAccepts, "no descriptors")
        return faults
    }

    @Test("Rejected connections are logged once when it begins, once a minute with their number, and at the end.")
    func connections() {
        let log = RecordedLog()
        let incidents = OwnIncidents(log: log.logger)
        for second in stride(from: 0, through: 300, by: 2) {
            incidents.note(Self.faults(rejected: min(second, 130) * 5), now: at(second))
        }
        #expect(
            log.lines == [
                "<3>connections are rejected or closed: all are taken event=connections_full failed=10",
                "<3>connections are still rejected or closed event=connections_full failed=300 seconds=60",
                "<3>connections are still rejected or closed event=connections_full failed=300 seconds=120",
                "<5>connections are no longer rejected failed=40 seconds=128",
            ]
        )
    }

    @Test("Failed accepts are logged with their reason.")
    func accepts() {
        let log = RecordedLog()
        let incidents = OwnIncidents(log: log.logger)
        incidents.note(Self.faults(failedAccepts: 3), now: at(0))
        incidents.note(Self.faults(failedAccepts: 9), now: at(2))
        #expect(log.lines == [#"<3>connections can't be accepted failed=3 reason="no descriptors""#])
    }

    @Test("A trail that loses records and recovers again and again makes a record a minute.")
    func auditGap() {
        let log = RecordedLog()
        let incidents = OwnIncidents(log: log.logger)
        for second in 0..<200 {
            if second < 100 {
                let report = second % 2 == 0 ? AuditTrail.Report.losesRecords("full") : .recovers(missing: 4)
                report.note(in: incidents.auditGap, now: at(second))
            }
            incidents.note(Self.faults(), now: at(second))
        }
        #expect(
            log.lines == [
                "<3>the audit trail has a gap event=audit_gap_began reason=full",
                "<3>the audit trail still has gaps event=audit_gap_lasts failed=0 reason=full seconds=60",
                "<5>the audit trail is written again event=audit_gap_ended missing=4 seconds=99",
            ]
        )
    }

    @Test("The same faults of a configuration are logged once, other ones at once, and a good one ends them.")
    func configuration() async throws {
        try await TestDaemon.run { daemon in
            try daemon.configure("cache: { max_entries: 0 }")
            for _ in 0..<10 { #expect(await daemon.reload.perform().error != nil) }
            #expect(daemon.log.count("the configuration has a fault and the old one stays in force") == 1)
            try daemon.configure("cache: { max_entries: -1, idle_ttl: 0 }")
            for _ in 0..<10 { #expect(await daemon.reload.perform().error != nil) }
            #expect(daemon.log.count("the configuration has a fault and the old one stays in force") == 3)
            try daemon.configure()
            #expect(await daemon.reload.perform() == .reloaded)
            try daemon.configure("cache: { max_entries: 0 }")
            #expect(await daemon.reload.perform().error != nil)
            #expect(daemon.log.count("the configuration has a fault and the old one stays in force") == 4)
        }
    }
}
