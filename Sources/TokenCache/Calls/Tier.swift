/// A group of calls that the tenant counts together.
///
/// Each has its own rate, hold and circuit breaker, so that trouble with one doesn't stop the other.
enum Tier: CaseIterable {
    /// Mints and revocations of tokens.
    case tokens
    /// The API for users and their tokens.
    case api
}
