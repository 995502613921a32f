package import TokenProtocol

/// All that an event has the shell do; the event is over when it is done.
package struct CacheActions: Equatable {
    /// Replies to those who waited.
    package var deliveries: [Delivery] = []
    /// Calls that go to tenants now.
    package var calls: [CallOrder] = []
    /// What has to be persisted for the next daemon, or dropped, in this order and before anyone gets a reply.
    package var changes: [PersistenceChange] = []
    /// What operators should read.
    package var notices: [CacheNotice] = []
    /// What belongs into the audit trail.
    package var records: [AuditRecord] = []
    /// When ``CacheStateMachine/timePassed(now:)`` is due next; nil: not before something happens.
    package var wake: Instant?

    /// Nothing is to be done.
    package init() {}
}

/// An event's own answer, and what else it has the shell do.
package struct Outcome<Answer: Equatable>: Equatable {
    /// The answer.
    package var answer: Answer
    /// What else is to be done.
    package var actions: CacheActions
}

/// What a request for a token wants besides the key.
package struct RequestOptions: Sendable, Equatable {
    /// What must be left; nil: the configured preference.
    package var minTTL: Duration?
    /// How long the caller waits.
    package var timeout: Duration
    /// Whether a cached token won't do.
    package var noCache: Bool
    /// Who asks.
    package var peer: Peer

    /// Names them.
    package init(
        minTTL: Duration? = nil,
        timeout: Duration = TokenRequest.defaultTimeout,
        noCache: Bool = false,
        peer: Peer
    ) {
        self.minTTL = minTTL
        self.timeout = timeout
        self.noCache = noCache
        self.peer = peer
    }
}

/// What becomes of a request for a token.
package enum RequestAnswer: Equatable {
    /// Answer with this token.
    case serve(TokenReply)
    /// Answer with this token; a refresh was planned in the background.
    case serveAndRefresh(TokenReply)
    /// The answer comes later.
    case wait
    /// Answer so.
    case refuse(ErrorReply)
}

/// What a prefetch came to.
package struct PrefetchCount: Sendable, Equatable {
    package var queued = 0
    package var cached = 0
    package var refused = 0
}

/// What a report of a refused token came to.
package enum InvalidateAnswer: Sendable, Equatable {
    /// That very token was cached and is gone.
    case dropped
    /// It wasn't there.
    case unknown
    /// It has just taken the place of a reported one and stays; ask again after so many seconds.
    case tooYoung(retryAfter: Int)
}
