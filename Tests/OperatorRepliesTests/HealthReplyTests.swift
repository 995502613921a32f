import Foundation
import OperatorReplies
import Testing

@Suite("The reply to health")
struct HealthReplyTests {
    private static let checks = [
        HealthReply.Check(name: "hold", tenant: "main", status: .ok),
        HealthReply.Check(name: "client", tenant: "main", status: .failing, description: "refused", since: "then"),
        HealthReply.Check(name: "access", tenant: nil, status: .degraded, description: "unknown"),
    ]

    @Test("The status is the worst of the checks, and is ok without any.")
    func worst() {
        #expect(HealthReply(checks: []).status == .ok)
        #expect(HealthReply(checks: [Self.checks[0]]).status == .ok)
        #expect(HealthReply(checks: [Self.checks[2], Self.checks[0]]).status == .degraded)
        #expect(HealthReply(checks: Self.checks).status == .failing)
        let later = HealthReply.Check(name: "new", tenant: nil, status: "melting")
        #expect(HealthReply(checks: Self.checks + [later]).status == "melting")
    }

    @Test("Each member that is written is read back.")
    func bothWays() throws {
        let health = HealthReply(checks: Self.checks)
        #expect(try decode(HealthReply.self, try JSONEncoder().encode(health)) == health)
    }

    @Test("A status that this version doesn't know is kept as it is, and so is one that the checks don't explain.")
    func laterStatus() throws {
        let health = try decode(HealthReply.self, #"{"status":"melting","checks":[],"new":1}"#)
        #expect(health.status.rawValue == "melting")
    }

    @Test("A reply without a status is an error, as a probe must not take it for a good one.")
    func noStatus() {
        #expect(throws: DecodingError.self) { try decode(HealthReply.self, #"{"checks":[]}"#) }
    }
}
