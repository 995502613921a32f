package import TokenProtocol

extension ErrorReply {
    /// The error for a user that the tenant denies.
    package static func denied(_ upstream: Upstream, retryAfter: Duration?) -> ErrorReply {
        ErrorReply(
            .denied,
            "the tenant refused the request with status \(upstream.status)",
            retryAfter: retryAfter?.asRetryAfter,
            upstream: upstream
        )
    }

    /// The error for a call that can't be sent in time.
    static func paced(_ cause: Governor.Delay.Cause, until start: Instant, now: Instant) -> ErrorReply {
        let seconds = (start - now).asRetryAfter
        switch cause {
        case .throttled:
            return ErrorReply(.rateLimited, "the tenant asks for no calls for \(seconds) s", retryAfter: seconds)
        case .paused:
            return ErrorReply(
                .unavailable,
                "the tenant is not well and asks for no calls for \(seconds) s",
                retryAfter: seconds
            )
        case .faults:
            return ErrorReply(
                .unavailable,
                "the tenant has failed too often and is tried again in \(seconds) s",
                retryAfter: seconds
            )
        case .client:
            return ErrorReply(
                .unavailable,
                "the tenant refuses this daemon's client and is tried again in \(seconds) s",
                retryAfter: seconds
            )
        case .rate:
            return ErrorReply(
                .rateLimited,
                "the calls that the tenant allows are spoken for; the next can go in \(seconds) s",
                retryAfter: seconds
            )
        }
    }

    /// The error for a peer that has forced too many mints.
    static func forcedTooOften(until: Instant, now: Instant) -> ErrorReply {
        let seconds = (until - now).asRetryAfter
        return ErrorReply(
            .rateLimited,
            "this peer has forced as many mints as it may; the next can go in \(seconds) s",
            retryAfter: seconds
        )
    }

    /// The error for a caller that has timed out.
    static let timedOut = ErrorReply(
        .timeout,
        "the caller's timeout passed before the tenant answered; its token will be cached when it comes"
    )

    /// The error for too many waiting requests.
    static let tooManyWaiting = ErrorReply(.overloaded, "too many requests wait for the tenant", retryAfter: 1)

    /// The error for a user who has as many mints under way as one user may have.
    static let tooManyMints = ErrorReply(
        .overloaded,
        "too many tokens with different scopes are being minted for this user",
        retryAfter: 1
    )

    /// The error for a token whose user has logged out in the meantime.
    static let revokedMeanwhile = ErrorReply(
        .unavailable,
        "the user's tokens were revoked while this one was being minted",
        retryAfter: 1
    )

    /// The error for a tenant that a reload has removed.
    static let tenantRemoved = ErrorReply(.unknownTenant, "the tenant is no longer configured")

    /// The error for a client that a reload has removed, or that never was there.
    static let clientRemoved = ErrorReply(.invalidRequest, "the tenant has no client of that name")

    /// The error for the report of a token that can't be reported yet.
    static func reportedTooSoon(retryAfter: Duration) -> ErrorReply {
        ErrorReply(
            .rateLimited,
            "the refused token has just replaced another refused one; it can be reported in \(retryAfter.asRetryAfter) s",
            retryAfter: retryAfter.asRetryAfter
        )
    }

    /// The error for a tenant that has another host or client since a reload.
    static let tenantChanged = ErrorReply(
        .unavailable,
        "the tenant's configuration has changed while the request waited; ask again",
        retryAfter: 1
    )

    /// The error for a token that arrived too late to be of use.
    static let expiredOnArrival = ErrorReply(
        .badUpstream,
        "the tenant's token has less than a second left",
        retryAfter: 1
    )
}

extension CallFailure {
    /// The failure of a mint whose token arrived too late to be of use.
    static let expiredOnArrival = CallFailure.malformed(ErrorReply.expiredOnArrival.description)
}
