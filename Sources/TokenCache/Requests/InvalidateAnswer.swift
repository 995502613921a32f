/// The answer to a report of a rejected token.
package enum InvalidateAnswer: Sendable, Equatable {
    /// The reported token was cached and is dropped.
    case dropped
    /// The reported token was not cached.
    case unknown
    /// The token has just replaced a reported one and stays.
    ///
    /// Ask again after this number of seconds.
    case tooYoung(retryAfter: Int)
}
