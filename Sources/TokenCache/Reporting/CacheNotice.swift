package import TokenProtocol

/// Something about a tenant that an operator should read in the log.
package enum CacheNotice: Sendable, Equatable {
    /// The tenant wants to be left alone for so long.
    case held(String, Duration)
    /// The tenant has failed too often; it is not called for so long.
    case circuitOpened(String, Duration)
    /// The tenant answers again.
    case circuitClosed(String)
    /// Several users in a row were refused, with whatever status; what the tenant said of the last one.
    case clientDoubtful(String, ErrorReply.Upstream)
    /// Several users in a row were refused with 401; where a key is known that was accepted before, it is probed.
    case clientSuspected(String, ErrorReply.Upstream, isProbed: Bool)
    /// The tenant refuses the client itself.
    case clientRefused(String)
    /// The tenant takes the client again.
    case clientAccepted(String)
}
