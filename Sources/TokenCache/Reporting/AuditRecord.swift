import SafeText
package import Secrets
package import TokenProtocol

/// A record of the audit trail: one use of the daemon's power, by whom, and its outcome.
///
/// It never contains a token. Tokens are identified by their fingerprints.
package struct AuditRecord: Sendable, Equatable {
    /// The act that is recorded.
    package enum Act: Sendable, Equatable {
        /// A token was requested from the tenant.
        case mint(TokenKey, MintCause, MintEnd)
        /// A token was to be revoked at the tenant.
        case revocation(UserKey, ScopeSet, Fingerprint, RevocationEnd)
        /// A user of a subject was created or changed at the tenant, or that has failed.
        ///
        /// The user's id is nil if none was found or created.
        case provision(UserKey, userID: String?, ProvisionStep)
        /// All of a user's tokens were to be revoked, of which the tenant's API has revoked this number.
        ///
        /// The failure is nil if none of them is left.
        case revokeEverywhere(UserKey, count: Int, Failure?)
        /// A peer requested something that it is not allowed to have.
        case forbidden(ForbiddenRequest)
        /// An operator dropped a user's tokens.
        case evict(UserKey, ScopeSet?)
        /// An operator dropped this number of tokens of a tenant, or of all.
        case flush(tenant: String?, count: Int)
        /// An operator ended a tenant's hold, which would have lasted so much longer.
        case releaseHold(tenant: String, left: Duration)
        /// An operator wanted to end the hold of a tenant, or of all, and there was none.
        case noHold(tenant: String?)
        /// The configuration was reloaded by an operator or a signal.
        ///
        /// The code is nil if it was applied.
        case reload(ErrorReply.Code?)
        /// An operator set the level of the log.
        case logLevel(LogLevelRequest)
    }

    /// The cause of a mint.
    package enum MintCause: String, Sendable, CaseIterable {
        /// A caller waited for it.
        case caller
        /// It was prefetched.
        case prefetch
        /// It renewed an older token.
        case refresh
        /// The daemon probed whether the tenant still accepts its client.
        case probe
    }

    /// The end of a mint.
    package enum MintEnd: Sendable, Equatable {
        /// A token with these scopes was minted.
        case minted(granted: String, Fingerprint)
        /// No token was minted.
        case failed(ErrorReply.Code, ErrorReply.Upstream?)

        /// The kind of failure, or nil if a token was minted.
        var error: ErrorReply.Code? { if case .failed(let code, _) = self { code } else { nil } }
    }

    /// The end of a revocation.
    package enum RevocationEnd: String, Sendable, CaseIterable {
        /// The tenant revoked the token.
        case revoked
        /// The tenant refused, or could not be reached.
        case failed
        /// The token had expired before its turn.
        case expired
        /// It was not sent: the tenant is not configured any more, too many revocations waited, or the daemon ended.
        case dropped
    }

    /// A forbidden request, with the values that it named.
    package struct ForbiddenRequest: Sendable, Equatable {
        /// The maximum number of bytes per text.
        ///
        /// A request line may have 64 KiB.
        private static let maxText = 1_024

        /// The operation.
        package let operation: OperationName
        /// The reason, one of a few sentences.
        package let reason: String
        /// The tenant, shortened if it is long, or nil if none was named.
        package let tenant: String?
        /// The user, or the first of several who are not allowed.
        package let user: UserLookup?
        /// The scopes, shortened if they are long, or nil if none were named.
        package let scope: String?
        /// The first group that an app may not assign, or nil if none was named.
        package let group: String?

        /// Creates a record of a forbidden request.
        package init(
            _ operation: OperationName,
            reason: String,
            tenant: String?,
            user: UserLookup?,
            scopes: ScopeSet?,
            group: String? = nil
        ) {
            self.operation = operation
            self.reason = reason
            self.tenant = tenant?.truncated(to: Self.maxText)
            self.user = user
            self.scope = scopes?.text.truncated(to: Self.maxText)
            self.group = group?.truncated(to: Self.maxText)
        }
    }

    /// The peer that caused it, or nil for the daemon itself or a signal.
    package var peer: Peer?
    /// The act.
    package var act: Act
    /// The traces of the requests that asked for a call to a tenant, or nil if there are none.
    package var trace: TraceRecord?

    /// Creates a record of an act by a peer.
    package init(_ peer: Peer?, _ act: Act, trace: TraceRecord? = nil) {
        self.peer = peer
        self.act = act
        self.trace = trace
    }
}
