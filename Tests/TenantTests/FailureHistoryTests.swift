import Tenant
import Testing
import TokenCache
import TokenProtocol

@Suite("Failures that the log reports")
struct FailureHistoryTests {
    private static let refused = MintOutcome.failed(.unavailable("refused", code: "connection_refused"))
    private static let expired = MintOutcome.failed(.unavailable("expired", code: "tls_expired"))
    private static let denied = MintOutcome.failed(.denied(ErrorReply.Upstream(status: 401)))

    /// Returns the changes that are reported of outcomes a time apart.
    private func reported(_ outcomes: [MintOutcome], apart: Duration = .seconds(1)) -> [FailureHistory.Change?] {
        var history = FailureHistory()
        var now = ContinuousClock.now
        return outcomes.map { outcome in
            now += apart
            return history.note(outcome, now: now)
        }
    }

    private static let failsRefused = FailureHistory.Change.fails(reason: "refused", code: "connection_refused")
    private static let failsExpired = FailureHistory.Change.fails(reason: "expired", code: "tls_expired")

    @Test("Each cause is reported when it first occurs, and once.")
    func once() {
        let outcomes = [Self.denied, Self.refused, Self.refused, Self.refused, Self.expired, Self.expired]
        #expect(reported(outcomes) == [nil, Self.failsRefused, nil, nil, Self.failsExpired, nil])
        #expect(
            reported(outcomes, apart: .seconds(3_600)) == [nil, Self.failsRefused, nil, nil, Self.failsExpired, nil]
        )
    }

    @Test("A call that the daemon's end has cut off is no failure of the tenant.")
    func shutDown() {
        let ended = MintOutcome.failed(.unavailable("the daemon is shutting down", code: "shutting_down"))
        #expect(reported([ended, Self.refused, ended]) == [nil, Self.failsRefused, nil])
    }

    @Test("An answer, even a denial, is a recovery, and the next failure is another change.")
    func recovery() {
        let outcomes = [Self.refused, Self.denied, Self.denied, Self.refused]
        #expect(reported(outcomes, apart: .seconds(60)) == [Self.failsRefused, .recovers, nil, Self.failsRefused])
    }

    @Test("A tenant that fails and answers by turns is reported once a minute for each cause.")
    func flapping() {
        let outcomes = Array(repeating: [Self.refused, Self.denied, Self.expired, Self.denied], count: 30).flatMap(
            \.self
        )
        #expect(reported(outcomes).compactMap(\.self).count == 8)
    }

    @Test("A malformed answer and a status of 5xx are causes, too.")
    func answers() {
        let outcomes = [MintOutcome.failed(.malformed("no sense")), .failed(.unavailable("status 500"))]
        #expect(reported(outcomes) == [.fails(reason: "no sense", code: nil), .fails(reason: "status 500", code: nil)])
    }
}
