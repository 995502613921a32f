import Secrets
import SocketServer
import Testing
import TokenProtocol

@Suite("Outcomes of requests")
struct RequestOutcomeTests {
    @Test("A token counts as a hit, as minted or as stale, an error by its code, and every other reply as ok.")
    func outcomes() {
        let token = GrantedToken(AccessToken("t"), scope: "a", expiresAt: WallTime(seconds: 0))
        func label(_ reply: Reply) -> String { RequestOutcome(reply).label }
        #expect(label(.token(TokenReply(token: token, expiresIn: 1, source: .cache))) == "hit")
        #expect(label(.token(TokenReply(token: token, expiresIn: 1, source: .cache, meetsMinTTL: false))) == "hit")
        #expect(label(.token(TokenReply(token: token, expiresIn: 1, source: .cache, isStale: true))) == "stale")
        #expect(label(.token(TokenReply(token: token, expiresIn: 1, source: .tenant))) == "minted")
        for code in ErrorReply.Code.allCases { #expect(label(.error(ErrorReply(code, ""))) == code.rawValue) }
        #expect(label(.flushed(3)) == "ok")
        #expect(label(.revoked(false, upstream: nil)) == "ok")
        #expect(RequestOutcome.cancelled.label == "cancelled")
    }
}
