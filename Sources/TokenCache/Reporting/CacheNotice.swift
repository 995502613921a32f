package import OperatorReplies
package import TokenProtocol

/// A notice about a tenant for the operators' log.
package enum CacheNotice: Sendable, Equatable {
    /// The tenant wants no calls for this time.
    case held(String, Duration)
    /// The tenant's API wants no calls for this time.
    case apiHeld(String, Duration)
    /// The tenant's API has failed too often, and is not called for this time.
    case apiCircuitOpened(String, Duration)
    /// The tenant's API answers again.
    case apiCircuitClosed(String)
    /// An operator has ended the tenant's hold, which would have lasted so much longer.
    case holdReleased(String, Duration)
    /// The tenant has failed too often, and is not called for this time.
    case circuitOpened(String, Duration)
    /// The tenant answers again.
    case circuitClosed(String)
    /// Several users in a row were denied with any status.
    ///
    /// This is the tenant's last answer.
    case clientDoubtful(String, ErrorReply.Upstream)
    /// Several users in a row were denied with 401.
    ///
    /// If a key is known that was accepted before, it is probed.
    case clientSuspected(String, ErrorReply.Upstream, isProbed: Bool)
    /// The tenant denies the client itself.
    case clientDenied(String)
    /// The tenant accepts the client again.
    case clientAccepted(String)
    /// An incident has begun, still lasts or has ended.
    case incident(TenantIncident)
    /// A round through the tenant's prefetch file is over, after this time.
    case prefetched(String, StatsReply.Tenant.Prefetch, Duration)
    /// A mint has ended.
    case minted(MintReport)
    /// All tokens of the last daemon are read, after this time, and so many of them are cached.
    case restored(entries: Int, duration: Duration)

    /// Returns the notice that a tier of a tenant wants no calls.
    static func held(_ tier: Tier, _ tenant: String, _ length: Duration) -> CacheNotice {
        tier == .tokens ? .held(tenant, length) : .apiHeld(tenant, length)
    }

    /// Returns the notice that a tier of a tenant has failed too often.
    static func opened(_ tier: Tier, _ tenant: String, _ length: Duration) -> CacheNotice {
        tier == .tokens ? .circuitOpened(tenant, length) : .apiCircuitOpened(tenant, length)
    }

    /// Returns the notice that a tier of a tenant answers again.
    static func closed(_ tier: Tier, _ tenant: String) -> CacheNotice {
        tier == .tokens ? .circuitClosed(tenant) : .apiCircuitClosed(tenant)
    }
}
