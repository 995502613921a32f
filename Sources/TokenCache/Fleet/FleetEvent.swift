/// The answer of the second level to a look or a payment.
package struct FleetAnswer: Sendable, Equatable {
    /// The outcome.
    package enum Outcome: Sendable, Equatable {
        /// There is a token.
        case found(FleetToken)
        /// The tenant has denied the user.
        case refused(FleetRefusal)
        /// Another machine mints the token, and its lease ends after this time unless it is extended.
        case wait(Duration)
        /// The lease is taken, and the call is paid for. The fence is that of the lease, none for a mere payment.
        case go(FleetFence)
        /// The bucket or a hold allows no call for this time.
        case later(Duration)
        /// There is neither a token nor a mint.
        case nothing
        /// The second level didn't answer in time, or not as it should. A lease may have been taken all the same.
        case unavailable
    }

    package var outcome: Outcome
    /// The state of the tenant's limits, or nil if the second level didn't answer.
    package var limits: FleetLimits?

    /// Creates an answer.
    package init(_ outcome: Outcome, _ limits: FleetLimits? = nil) {
        self.outcome = outcome
        self.limits = limits
    }
}

/// The state of a tenant's limits in the whole fleet.
package struct FleetLimits: Sendable, Equatable {
    /// The calls that the bucket allows at once.
    package var level: Double
    /// The time that is left of a hold, and its cause.
    package var hold: Hold?
    /// The engine's time as a fence.
    package var time: FleetFence

    /// The tenant's answer that has started a hold.
    package enum HoldCause: String, Sendable {
        /// 429.
        case throttled
        /// 503 with a `Retry-After`.
        case paused
    }

    /// A hold.
    package struct Hold: Sendable, Equatable {
        package var left: Duration
        package var cause: HoldCause

        /// Creates a hold.
        package init(left: Duration, cause: HoldCause) {
            self.left = left
            self.cause = cause
        }
    }

    /// Creates a state.
    package init(level: Double, hold: Hold? = nil, time: FleetFence) {
        self.level = level
        self.hold = hold
        self.time = time
    }
}

/// The answer to a drop.
package struct FleetDropAnswer: Sendable, Equatable {
    /// The fence of the drop.
    package var fence: FleetFence
    /// The engine's process that has noted it.
    ///
    /// After a failover another one may not know it.
    package var epoch: String
    /// The user's tokens that only the second level had, to be revoked.
    package var tokens: [FleetStoredToken]

    /// Creates an answer.
    package init(fence: FleetFence, epoch: String, tokens: [FleetStoredToken] = []) {
        self.fence = fence
        self.epoch = epoch
        self.tokens = tokens
    }
}

/// A token that a logout has taken out of the second level.
package struct FleetStoredToken: Sendable, Equatable {
    package var key: TokenKey
    package var token: FleetToken

    /// Creates a token.
    package init(key: TokenKey, token: FleetToken) {
        self.key = key
        self.token = token
    }
}

/// News from the other machines or of the connection to the second level.
package enum FleetEvent: Sendable, Equatable {
    /// Another machine has dropped tokens.
    case dropped(FleetDrop, fence: FleetFence)
    /// Another machine has stored a token, or given a lease back.
    case changed(TokenKey)
    /// Another machine was told by the tenant to wait, or an operator has ended that: the state is to be read anew.
    case holdChanged(TenantID)
    /// The tenant's limits.
    case limits(TenantID, FleetLimits)
    /// Events of a tenant were lost: each of its tokens up to the fence is looked up before it is served again.
    case eventsLost(TenantID, upTo: FleetFence)
    /// Somebody has emptied the engine: this machine repeats its drops, as others may have missed the last ones.
    case emptied(TenantID)
    /// The second level answers for a tenant again, and all earlier events have been passed on.
    ///
    /// The machines are those that were seen in the last minute, this one included. A drop that another epoch has noted is
    /// repeated.
    case connected(TenantID, epoch: String)
    /// The second level doesn't answer for a tenant.
    case disconnected(TenantID)
    /// The number of machines that were seen in the last minute.
    case machines(Int)
}
