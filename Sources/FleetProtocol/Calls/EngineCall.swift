/// A run of one of the engine's scripts.
///
/// All keys of a call belong to one tenant, and so to one slot of a cluster. All times are milliseconds. Times of day are
/// the engine's own, never a machine's.
package enum EngineCall: Sendable, Equatable {
    /// Looks a token up, and may take the lease of its mint.
    case look(EngineLook)
    /// Pays for a call that mints nothing, such as a revocation.
    case pay(EnginePay)
    /// Stores a minted token, and gives its lease back.
    case store(EngineStore)
    /// Gives a lease back without a token, with the tenant's denial of the user if there is one.
    case release(EngineRelease)
    /// Extends a lease.
    case renew(EngineRenew)
    /// Makes a user's tokens invalid, or all of a tenant's.
    case drop(EngineDrop)
    /// Takes stored tokens out that a drop with this fence concerns, for their revocation.
    case take(names: EngineNames, values: [String], fence: Int64)
    /// Lets all machines stop calling the tenant for a while, or ends that.
    case hold(EngineHold)
    /// Lets one machine of the fleet do something once, such as the revocation of a token that several have.
    case claim(name: String, milliseconds: Int)
    /// Reads the tenant's state, after a connection or a hold.
    case state(EngineState)
    /// Stores a token again under the first key that was found under another one, for the time that it has left.
    case move(EngineMove)
    /// Notes that this machine is there, and reads the notes of all machines.
    case present(EnginePresence)
}

/// The names of a tenant's keys in the engine.
package struct EngineNames: Sendable, Hashable {
    /// The token bucket: a hash of `level` (60,000 for a call, so that a millisecond adds a whole number) and `at` (the
    /// engine's time).
    package var bucket: String
    /// The hold: its cause, with the time that is left as its expiry.
    package var hold: String
    /// The fence up to which all of the tenant's tokens are invalid.
    package var generation: String
    /// The last fence.
    package var fence: String
    /// The stream of events.
    package var events: String
    /// The number of events so far.
    package var eventCount: String

    /// Creates the names.
    package init(bucket: String, hold: String, generation: String, fence: String, events: String, eventCount: String) {
        self.bucket = bucket
        self.hold = hold
        self.generation = generation
        self.fence = fence
        self.events = events
        self.eventCount = eventCount
    }
}

/// The names of a token's keys, under one of the fleet's keys.
///
/// A machine reads the names under all keys that it has, and writes under the first. So the keys can be changed while
/// machines run.
package struct EngineTokenNames: Sendable, Hashable {
    /// The sealed token.
    package var value: String
    /// The lease of its mint.
    package var lease: String
    /// The tenant's denial of the user, sealed.
    package var refusal: String
    /// The fence up to which tokens of this user with these scopes are invalid.
    package var generation: String
    /// The fence up to which all tokens of this user are invalid.
    package var userGeneration: String
    /// The set of the names of the user's values.
    package var index: String

    /// Creates the names.
    package init(
        value: String,
        lease: String,
        refusal: String,
        generation: String,
        userGeneration: String,
        index: String
    ) {
        self.value = value
        self.lease = lease
        self.refusal = refusal
        self.generation = generation
        self.userGeneration = userGeneration
        self.index = index
    }
}
