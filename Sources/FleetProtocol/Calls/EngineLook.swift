/// A look at a token.
package struct EngineLook: Sendable, Equatable {
    /// The purpose of a look.
    package enum Purpose: Sendable, Equatable {
        /// Nothing is taken.
        case peek
        /// If there is no token, the lease is taken and the call is paid for.
        case claim(EngineClaim)
    }

    package var names: EngineNames
    /// The token's names under all keys, the first of which are written.
    package var token: [EngineTokenNames]
    /// The identity of the engine's process.
    ///
    /// Values of another process are not trusted, as a failover may have lost a drop.
    package var epoch: String
    /// The least time that a token must have left.
    package var minLeft: Int
    /// The fence that a token must be above, or nil for any.
    package var newerThan: Int64?
    /// True if a denial is ignored.
    package var ignoresRefusal: Bool
    package var purpose: Purpose
    package var rate: EngineRate

    /// Creates a look.
    package init(
        names: EngineNames,
        token: [EngineTokenNames],
        epoch: String,
        minLeft: Int,
        newerThan: Int64? = nil,
        ignoresRefusal: Bool = false,
        purpose: Purpose,
        rate: EngineRate
    ) {
        self.names = names
        self.token = token
        self.epoch = epoch
        self.minLeft = minLeft
        self.newerThan = newerThan
        self.ignoresRefusal = ignoresRefusal
        self.purpose = purpose
        self.rate = rate
    }
}

/// The lease that a look takes.
package struct EngineClaim: Sendable, Equatable {
    /// A random name of the claim, by which the lease is stored, renewed and given back.
    package var nonce: String
    /// The length of the lease.
    package var lease: Int
    /// The thousandths of calls that the bucket must still have afterwards.
    package var reserve: Int

    /// Creates a claim.
    package init(nonce: String, lease: Int, reserve: Int = 0) {
        self.nonce = nonce
        self.lease = lease
        self.reserve = reserve
    }
}

/// The rate of a tenant's calls.
package struct EngineRate: Sendable, Equatable {
    /// The calls per minute.
    package var perMinute: Int
    /// The calls that may be sent at once after a quiet time.
    package var burst: Int

    /// Creates a rate.
    package init(perMinute: Int, burst: Int) {
        self.perMinute = perMinute
        self.burst = burst
    }
}

/// A payment for a call that mints nothing.
package struct EnginePay: Sendable, Equatable {
    package var names: EngineNames
    package var rate: EngineRate
    /// The thousandths of calls that the bucket must still have afterwards.
    package var reserve: Int

    /// Creates a payment.
    package init(names: EngineNames, rate: EngineRate, reserve: Int = 0) {
        self.names = names
        self.rate = rate
        self.reserve = reserve
    }
}
