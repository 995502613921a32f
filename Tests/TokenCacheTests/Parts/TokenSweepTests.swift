import Testing
import TokenProtocol

@testable import TokenCache

@Suite("The decisions of a revocation everywhere")
struct TokenSweepTests {
    private static let ann = UserLookup(field: .subject, value: "ann")

    private func user(_ subject: String, id: String, status: String = "active") -> TenantUser {
        TenantUser(id: id, subject: Array(subject.utf8), status: status)
    }

    private func code(_ step: TokenSweep.Step) -> ErrorReply.Code? {
        if case .done(let error) = step { error?.code } else { nil }
    }

    @Test("All tokens of the very subject are revoked, one after another, and counted.")
    func subject() {
        var sweep = TokenSweep(of: Self.ann)
        #expect(sweep.firstCall == .findUsers(subject: Array("ann".utf8), page: nil))
        let found = [user("Ann", id: "7"), user("ann", id: "1"), user("ann", id: "0", status: "deleted")]
        #expect(sweep.answered(.users(found, next: nil)) == .call(.listTokens(userID: "0", page: nil)))
        #expect(sweep.answered(.tokens([], next: nil)) == .call(.listTokens(userID: "1", page: nil)))
        #expect(sweep.answered(.tokens(["a"], next: "p2")) == .call(.listTokens(userID: "1", page: "p2")))
        #expect(sweep.answered(.tokens(["b"], next: nil)) == .call(.revokeToken("b")))
        #expect(sweep.answered(.done) == .call(.revokeToken("a")))
        // A token that is gone already counts as gone, and not as revoked.
        #expect(sweep.answered(.refused(.init(status: 404))) == .done(nil))
        #expect(sweep.count == 1)
    }

    @Test("An unknown subject has no tokens.")
    func unknown() {
        var sweep = TokenSweep(of: Self.ann)
        #expect(sweep.answered(.users([user("ANN", id: "7")], next: nil)) == .done(nil))
        #expect(sweep.count == 0)
    }

    @Test("A user's id needs no search.")
    func userID() {
        var sweep = TokenSweep(of: UserLookup(field: .userID, value: "1"))
        #expect(sweep.firstCall == .listTokens(userID: "1", page: nil))
        #expect(sweep.answered(.tokens([], next: nil)) == .done(nil))
    }

    @Test("A refusal or a failed call ends it, with the number that was revoked so far.")
    func fails() {
        var sweep = TokenSweep(of: UserLookup(field: .userID, value: "1"))
        _ = sweep.answered(.tokens(["a", "b"], next: nil))
        _ = sweep.answered(.done)
        #expect(code(sweep.answered(.refused(.init(status: 403)))) == .denied)
        #expect(sweep.count == 1)
        let failure = CallFailure.unavailable("it is down")
        var other = TokenSweep(of: UserLookup(field: .userID, value: "1"))
        #expect(other.answered(.failed(failure)) == .callFailed(failure))
    }

    @Test("Of a user with very many tokens the first thousand are revoked, and the caller is told that some are left.")
    func bounded() {
        var sweep = TokenSweep(of: UserLookup(field: .userID, value: "1"))
        var step = TokenSweep.Step.call(sweep.firstCall)
        var page = 0
        while case .call(.listTokens) = step {
            page += 1
            step = sweep.answered(.tokens((0..<100).map { "\(page)-\($0)" }, next: "more"))
        }
        #expect(page == 10)
        while case .call(.revokeToken) = step { step = sweep.answered(.done) }
        #expect(sweep.count == TokenSweep.maxTokens)
        #expect(code(step) == .rateLimited)
    }
}
