import TokenProtocol

@testable import TokenCache

/// A request or a logout that waits for its reply.
final class ModelWaiter {
    /// The end of a call, for its waiters.
    enum Outcome {
        case token(ModelToken)
        case error(ModelError)
    }

    let name: Waiter
    let peer: PeerUID
    let tenant: ModelTenant
    let deadline: Instant
    /// The key, or nil for a logout.
    let key: ModelKey?
    let options: RequestOptions?
    /// The key's generation at the time of the request.
    let generation: Int
    let acceptsStale: Bool
    /// The mint, or nil if it has ended.
    var call: ModelCall?
    /// The end of the call, which the waiter has not been told yet.
    var outcome: Outcome?
    /// The error that the waiter gets when the cache gets to it, as the tenant is not configured any more.
    var removalError: ErrorReply.Code?
    /// A logout's revocations that have not ended, and whether the tenant revoked those that have.
    var open: [ModelCall] = []
    var areAllTaken = true
    /// The forecast on which the waiter was accepted, or nil if it doesn't bind the cache.
    var forecast: ModelTenant.WaitForecast?

    /// Creates a waiting caller.
    init(_ name: Waiter, _ key: ModelKey, _ options: RequestOptions, acceptsStale: Bool, now: Instant) {
        self.name = name
        peer = options.peer.uid
        tenant = key.tenant
        deadline = now + options.timeout
        self.key = key
        self.options = options
        generation = key.generation
        self.acceptsStale = acceptsStale
    }

    /// Creates a waiting logout.
    init(_ name: Waiter, at tenant: ModelTenant, for peer: PeerUID, until deadline: Instant) {
        self.name = name
        self.peer = peer
        self.tenant = tenant
        self.deadline = deadline
        key = nil
        options = nil
        generation = 0
        acceptsStale = false
    }
}
