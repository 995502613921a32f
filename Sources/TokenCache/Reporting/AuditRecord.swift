package import Secrets
package import TokenProtocol

/// One thing that was done with the daemon's power, for the audit trail: who had it done, what, and what came of it.
///
/// Never a token: a token is named by its fingerprint.
package struct AuditRecord: Sendable, Equatable {
    /// What happened.
    package enum Act: Sendable, Equatable {
        /// The tenant was asked for a token.
        case mint(TokenKey, MintCause, MintEnd)
        /// A token was to be revoked at the tenant.
        case revocation(UserKey, ScopeSet, Fingerprint, RevocationEnd)
        /// A peer asked for something that it may not have.
        case refusal(Refusal)
        /// An operator dropped a user's tokens.
        case evict(UserKey, ScopeSet?)
        /// An operator dropped the tokens of a tenant, or of all, which were so many.
        case flush(tenant: String?, count: Int)
        /// The configuration was read again, by an operator or by a signal; nil: it was taken over.
        case reload(ErrorReply.Code?)
    }

    /// Why a token was minted.
    package enum MintCause: String, Sendable {
        /// A caller waited for it.
        case caller
        /// It was asked for ahead of time.
        case prefetch
        /// It took the place of one that was growing old.
        case refresh
        /// The daemon tried whether the tenant still takes its client.
        case probe
    }

    /// How a mint ended.
    package enum MintEnd: Sendable, Equatable {
        /// With a token, and these scopes.
        case minted(granted: String, Fingerprint)
        /// Without one.
        case failed(ErrorReply.Code, ErrorReply.Upstream?)
    }

    /// How a revocation ended.
    package enum RevocationEnd: String, Sendable {
        /// The tenant took it.
        case revoked
        /// The tenant was asked, and refused, or could not be asked.
        case failed
        /// The token had ended by itself before its turn came.
        case expired
        /// The tenant was never asked: it is not configured any more, too many revocations waited, or the daemon ended.
        case dropped
    }

    /// A request that was forbidden, as far as it said what it wanted.
    package struct Refusal: Sendable, Equatable {
        /// A line of a request is 64 KiB; a record keeps no more than so many bytes of each text in it.
        private static let longestText = 1_024

        /// The operation.
        package let operation: OperationName
        /// The reason for which it is forbidden: one of few sentences.
        package let reason: String
        /// The tenant, cut where it is long; nil: it named none.
        package let tenant: String?
        /// The user, or the first of several who may not be asked for.
        package let user: UserLookup?
        /// The scopes, cut where they are long; nil: it named none.
        package let scope: String?

        /// Names it.
        package init(
            _ operation: OperationName,
            reason: String,
            tenant: String?,
            user: UserLookup?,
            scopes: ScopeSet?
        ) {
            self.operation = operation
            self.reason = reason
            self.tenant = tenant?.cut(Self.longestText)
            self.user = user
            self.scope = scopes?.text.cut(Self.longestText)
        }
    }

    /// Who had it done; nil: the daemon itself, or a signal.
    package var peer: Peer?
    /// What was done.
    package var act: Act

    /// Makes a record.
    package init(_ peer: Peer?, _ act: Act) {
        self.peer = peer
        self.act = act
    }
}

extension String {
    /// At most so many bytes of it, with an ellipsis where some are left out; a copy, which holds nothing else.
    fileprivate func cut(_ most: Int) -> String {
        guard utf8.count > most else { return self }
        var (kept, size) = ("", 0)
        for scalar in unicodeScalars {
            size += UTF8.width(scalar)
            guard size <= most else { break }
            kept.unicodeScalars.append(scalar)
        }
        return kept + "…"
    }
}
