import Foundation
import OperatorReplies
import Testing

@Suite("The reply to explain")
struct ExplainReplyTests {
    private static var full: ExplainReply {
        var tenant = ExplainReply.Tenant()
        tenant.circuit = .halfOpen
        tenant.client = .doubtful
        tenant.hold = 1.5
        tenant.wait = 2.5
        var reply = ExplainReply(state: .due, source: .cache, reason: "it is there", tenant: tenant)
        reply.key = .init(tenant: "main", subject: "ann", scope: "a b")
        reply.token = .init(expiresIn: 90, expiresAt: "then", age: 210, lastUsed: 3, fingerprint: "abc")
        reply.refresh = .init(seconds: 2.5, cause: .backoff)
        reply.lastError = .init(
            code: "denied",
            description: "no",
            retryAfter: 4,
            upstream: .init(status: 401, code: "OAUTH-14", title: "Bad")
        )
        reply.backoff = 3.5
        reply.fleet = .init(isConnected: true, step: .yielding, seconds: 4.5)
        return reply
    }

    @Test("Each member that is written is read back, with a token and without one.")
    func bothWays() throws {
        var reply = Self.full
        #expect(try decode(ExplainReply.self, try JSONEncoder().encode(reply)) == reply)
        reply.key = .init(tenant: "main", userID: "7", scope: "a")
        #expect(try decode(ExplainReply.self, try JSONEncoder().encode(reply)) == reply)
        reply.key = .init(tenant: "main", client: "backend", scope: "")
        reply.token = nil
        reply.refresh?.seconds = nil
        #expect(try decode(ExplainReply.self, try JSONEncoder().encode(reply)) == reply)
    }

    @Test("The members of the token and of the tenant stand beside the others.")
    func isFlat() throws {
        let members = try JSONSerialization.jsonObject(with: JSONEncoder().encode(Self.full)) as? [String: Any]
        let names = [
            "key", "state", "source", "reason", "expires_in", "expires_at", "age", "last_used", "fingerprint",
            "next_refresh",
            "last_error", "backoff", "fleet", "circuit", "client", "hold", "wait",
        ]
        #expect(members?.keys.sorted() == names.sorted())
    }

    @Test("Members that an older daemon lacks, and words and members of a later one, do no harm.")
    func otherVersions() throws {
        let reply = try decode(
            ExplainReply.self,
            #"{"state":"resting","source":"attic","reason":"so","next_refresh":{"cause":"moon"},"new":{}}"#
        )
        #expect(reply.state == "resting" && reply.source == "attic" && reply.refresh?.cause == "moon")
        #expect(reply.refresh?.seconds == nil && reply.token == nil && reply.lastError == nil)
        #expect(reply.key == nil)
        #expect(reply.tenant.circuit == "unknown" && reply.tenant.wait == 0)
    }
}
