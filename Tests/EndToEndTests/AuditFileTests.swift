import Foundation
import TestSupport
import Testing

@Suite("The audit file of the real daemon")
struct AuditFileTests {
    @Test(
        "A file that may not grow for a while doesn't end the daemon, and a record counts those that are missing."
    )
    func limitedFile() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("audit.jsonl")
        let deployment = try await Deployment.startOpen("audit: { to: \(path) }")
        let admin = try deployment.admin()
        func evict(_ count: Int) throws {
            for index in 0..<count {
                #expect(try admin.ask(#"{"op":"evict","subject":"user\#(index)"}"#)["evicted"] as? Bool == true)
            }
        }
        try evict(10)
        // The limit may leave space for a part of a line.
        try deployment.daemon.limitFileSize(to: 1_000)
        try evict(50)
        _ = try #require(deployment.daemon.waitForOutput("the audit trail has a gap"), "\(deployment.written)")
        try deployment.daemon.limitFileSize(to: nil)
        try evict(10)
        try await deployment.stop()
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
        let events = lines.map { $0["event"] as? String }
        let missing = lines.compactMap { $0["event"] as? String == "loss" ? $0["count"] as? Int : nil }.reduce(0, +)
        #expect(missing > 0)
        #expect(events.count { $0 == "evict" } + missing == 70, "\(events)")
        #expect(deployment.written.contains("the audit trail is written again"))
    }
}
