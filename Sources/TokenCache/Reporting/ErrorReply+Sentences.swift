package import TokenProtocol

extension ErrorReply {
    /// The tenant refuses a user.
    package static func denied(_ upstream: Upstream, retryAfter: Duration?) -> ErrorReply {
        ErrorReply(
            .denied,
            "the tenant refused the request with status \(upstream.status)",
            retryAfter: retryAfter?.asRetryAfter,
            upstream: upstream
        )
    }

    /// No call goes to the tenant yet.
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

    /// The peer has forced too many mints.
    static func forcedTooOften(until: Instant, now: Instant) -> ErrorReply {
        let seconds = (until - now).asRetryAfter
        return ErrorReply(
            .rateLimited,
            "this peer has forced as many mints as it may; the next can go in \(seconds) s",
            retryAfter: seconds
        )
    }

    /// The caller's time is over.
    static let timedOut = ErrorReply(
        .timeout,
        "the caller's timeout passed before the tenant answered; its token will be cached when it comes"
    )

    /// Too many wait already.
    static let tooManyWaiting = ErrorReply(.overloaded, "too many requests wait for the tenant", retryAfter: 1)

    /// A logout came between.
    static let revokedMeanwhile = ErrorReply(
        .unavailable,
        "the user's tokens were revoked while this one was being minted",
        retryAfter: 1
    )

    /// A reload took the tenant away.
    static let tenantRemoved = ErrorReply(.unknownTenant, "the tenant is no longer configured")

    /// A reload has given the tenant another host or client.
    static let tenantChanged = ErrorReply(
        .unavailable,
        "the tenant's configuration has changed while the request waited; ask again",
        retryAfter: 1
    )
    /// The token came too late to be of use.
    static let spentOnArrival = ErrorReply(
        .badUpstream,
        "the tenant's token has less than a second left",
        retryAfter: 1
    )
}

extension CallFailure {
    /// The token came too late to be of use.
    static let spentOnArrival = CallFailure.malformed(ErrorReply.spentOnArrival.description)
}
