import TokenProtocol

@testable import TokenCache

/// The denials, failures and reports of a key.
struct ModelNegative {
    enum Report {
        case unpaid
        case paid
    }

    var denial: (until: Instant, length: Duration, status: Int)?
    var failure: (until: Instant, error: ModelError)?
    var report: Report?
    var forgetAt: Instant

    func error(at now: Instant) -> ModelError? {
        if let denial, denial.until > now {
            return ModelError(code: .denied, wait: denial.until - now)
        }
        guard let failure, failure.until > now else { return nil }
        return ModelError(code: failure.error.code, wait: max(failure.error.wait ?? .zero, failure.until - now))
    }
}
