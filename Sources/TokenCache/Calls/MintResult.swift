package import Secrets
package import TokenProtocol

/// What a call for a token came to, as far as the cache has to know.
package enum MintResult: Sendable {
    /// The tenant minted it.
    case minted(AccessToken, scope: String?, lifetime: Duration?)
    /// It did not.
    case failed(MintFailure)
}

/// What a call to revoke a token came to.
package enum RevocationResult: Sendable, Equatable {
    /// The tenant took it.
    case taken
    /// The tenant refused.
    case refused
    /// It did not get that far.
    case failed(MintFailure)
}

/// Why a call for a token failed.
package enum MintFailure: Sendable, Equatable {
    /// The tenant refused this user; where it was the client's secret, whether a new one has been found since.
    case denied(ErrorReply.Upstream, secretChanged: Bool)
    /// The tenant wants no calls for a while; nil: it didn't say how long, or not so that it can be understood.
    case throttled(retryAfter: Duration?)
    /// The tenant can't be reached or isn't well; with a code where there was no answer, and a time where it asked for a
    /// pause.
    case unavailable(String, code: String? = nil, pause: Pause?)
    /// The tenant's answer makes no sense.
    case malformed(String)
    /// The tenant refused this request, and not because of the user: a status like 409 or 422. It says nothing of the
    /// tenant's health.
    case rejected(String)
    /// The tenant minted a token, and this machine has no memory left for it. It says nothing against the tenant.
    case noMemory

    /// A `Retry-After` of a tenant that isn't well.
    package enum Pause: Sendable, Equatable {
        /// It can be understood.
        case asked(Duration)
        /// It can't.
        case unreadable
    }
}

/// A call that is to be made now.
package enum CallOrder: Sendable, Equatable {
    /// Mint a token.
    case mint(CallID, TokenKey)
    /// Revoke a token.
    case revoke(CallID, TenantID, AccessToken)
}

/// Names a call to a tenant.
package struct CallID: Sendable, Hashable, Comparable {
    /// Where the call is found.
    let slot: Int
    /// Given once and never again.
    let serial: UInt64

    /// Compares the serial numbers.
    package static func == (left: CallID, right: CallID) -> Bool { left.serial == right.serial }

    /// By the order in which they were planned.
    package static func < (left: CallID, right: CallID) -> Bool { left.serial < right.serial }

    /// Hashes the serial number.
    package func hash(into hasher: inout Hasher) { hasher.combine(serial) }
}

/// The reply to one request that waited.
package struct Delivery: Sendable, Equatable {
    /// Whose.
    package let waiter: Waiter
    /// What it gets.
    package let reply: Reply

    /// Pairs them.
    package init(waiter: Waiter, reply: Reply) {
        self.waiter = waiter
        self.reply = reply
    }
}
