import Tenant
import Testing
import TokenProtocol

@Suite("What the log says of calls that fail")
struct FailureHistoryTests {
    private static let refused = MintOutcome.unavailable(Unavailability("refused", code: "connection_refused"))
    private static let expired = MintOutcome.unavailable(Unavailability("expired", code: "tls_expired"))
    private static let denied = MintOutcome.denied(ErrorReply.Upstream(status: 401))

    /// The changes that are told of outcomes a second apart.
    private func said(_ outcomes: [MintOutcome], apart: Duration = .seconds(1)) -> [FailureHistory.Change?] {
        var history = FailureHistory()
        var now = ContinuousClock.now
        return outcomes.map { outcome in
            now += apart
            return history.note(outcome, now: now)
        }
    }

    private static let failsRefused = FailureHistory.Change.fails(reason: "refused", code: "connection_refused")
    private static let failsExpired = FailureHistory.Change.fails(reason: "expired", code: "tls_expired")

    @Test("Each cause is said when it comes, and once.")
    func once() {
        let outcomes = [Self.denied, Self.refused, Self.refused, Self.refused, Self.expired, Self.expired]
        #expect(said(outcomes) == [nil, Self.failsRefused, nil, nil, Self.failsExpired, nil])
        #expect(said(outcomes, apart: .seconds(3_600)) == [nil, Self.failsRefused, nil, nil, Self.failsExpired, nil])
    }

    @Test("An answer ends it, a refusal too; the next failure is another change.")
    func recovery() {
        let outcomes = [Self.refused, Self.denied, Self.denied, Self.refused]
        #expect(said(outcomes, apart: .seconds(60)) == [Self.failsRefused, .recovers, nil, Self.failsRefused])
    }

    @Test("A tenant that fails and answers by turns is told of once a minute for each cause.")
    func flapping() {
        let outcomes = Array(repeating: [Self.refused, Self.denied, Self.expired, Self.denied], count: 30).flatMap(
            \.self
        )
        #expect(said(outcomes).compactMap(\.self).count == 8)
    }

    @Test("An answer that makes no sense or a status of 5xx is a cause, too.")
    func answers() {
        let outcomes = [MintOutcome.malformed("no sense"), .unavailable(Unavailability("status 500"))]
        #expect(said(outcomes) == [.fails(reason: "no sense", code: nil), .fails(reason: "status 500", code: nil)])
    }
}
