/// The storing of a minted token.
package struct EngineStore: Sendable, Equatable {
    package var names: EngineNames
    package var token: [EngineTokenNames]
    package var epoch: String
    package var nonce: String
    /// The lease's fence.
    package var fence: Int64
    /// The token's mark, by which a report of a rejected token finds it: a keyed hash of its fingerprint.
    package var mark: String
    package var sealed: [UInt8]
    /// The time that the token has left, by the sender's reckoning.
    package var left: Int
    /// The engine's time at the token's end, or nil if the sender can't tell.
    package var ends: Int64?
    package var event: EngineEventText

    /// Creates a store.
    package init(
        names: EngineNames,
        token: [EngineTokenNames],
        epoch: String,
        nonce: String,
        fence: Int64,
        mark: String,
        sealed: [UInt8],
        left: Int,
        ends: Int64? = nil,
        event: EngineEventText
    ) {
        self.names = names
        self.token = token
        self.epoch = epoch
        self.nonce = nonce
        self.fence = fence
        self.mark = mark
        self.sealed = sealed
        self.left = left
        self.ends = ends
        self.event = event
    }
}

/// The giving back of a lease.
package struct EngineRelease: Sendable, Equatable {
    /// A denial that all machines remember.
    package struct Refusal: Sendable, Equatable {
        package var sealed: [UInt8]
        package var left: Int

        /// Creates a denial.
        package init(sealed: [UInt8], left: Int) {
            self.sealed = sealed
            self.left = left
        }
    }

    package var names: EngineNames
    package var token: [EngineTokenNames]
    package var nonce: String
    package var refusal: Refusal?
    package var event: EngineEventText

    /// Creates a release.
    package init(
        names: EngineNames,
        token: [EngineTokenNames],
        nonce: String,
        refusal: Refusal?,
        event: EngineEventText
    ) {
        self.names = names
        self.token = token
        self.nonce = nonce
        self.refusal = refusal
        self.event = event
    }
}

/// The extension of a lease.
package struct EngineRenew: Sendable, Equatable {
    package var token: [EngineTokenNames]
    package var nonce: String
    package var lease: Int

    /// Creates an extension.
    package init(token: [EngineTokenNames], nonce: String, lease: Int) {
        self.token = token
        self.nonce = nonce
        self.lease = lease
    }
}

/// The drop of tokens.
package struct EngineDrop: Sendable, Equatable {
    /// The tokens that are dropped.
    package enum Target: Sendable, Equatable {
        /// All of the tenant.
        case tenant
        /// All of a user: the names of any of the user's tokens.
        case user([EngineTokenNames])
        /// Those of a user with certain scopes.
        case token([EngineTokenNames])
        /// The one with a mark, if it is still stored: its mark under each of the fleet's keys.
        case marked([EngineTokenNames], marks: [String])
    }

    package var names: EngineNames
    package var target: Target
    /// The fence of an earlier drop that is repeated after a failover, or nil for a new one.
    package var fence: Int64?
    /// The event for the other machines, or nil if they know of the drop.
    package var event: EngineEventText?

    /// Creates a drop.
    package init(names: EngineNames, target: Target, fence: Int64? = nil, event: EngineEventText?) {
        self.names = names
        self.target = target
        self.fence = fence
        self.event = event
    }
}

/// The storing of a token under the first key that was found under another one.
package struct EngineMove: Sendable, Equatable {
    package var names: EngineNames
    package var token: [EngineTokenNames]
    package var epoch: String
    /// The token's fence, which stays.
    package var fence: Int64
    /// The number of the key under whose names it was found, counted from zero.
    package var from: Int
    /// The token's mark under the first key.
    package var mark: String
    package var sealed: [UInt8]

    /// Creates a move.
    package init(
        names: EngineNames,
        token: [EngineTokenNames],
        epoch: String,
        fence: Int64,
        from: Int,
        mark: String,
        sealed: [UInt8]
    ) {
        self.names = names
        self.token = token
        self.epoch = epoch
        self.fence = fence
        self.from = from
        self.mark = mark
        self.sealed = sealed
    }
}

/// A machine's note that it is there, in the set of all machines.
package struct EnginePresence: Sendable, Equatable {
    /// The name of the set.
    package var name: String
    /// The note, at most ``EngineScript/longestNote`` bytes.
    ///
    /// Longer ones are told to nobody.
    package var note: String
    /// An earlier note of the same machine, which is removed, or nil.
    package var earlier: String?
    /// The time for which a note counts.
    package var life: Int

    /// Creates a note.
    package init(name: String, note: String, earlier: String? = nil, life: Int) {
        self.name = name
        self.note = note
        self.earlier = earlier
        self.life = life
    }
}

/// A hold of a tenant's calls.
package struct EngineHold: Sendable, Equatable {
    package var names: EngineNames
    /// The time until which no calls are sent, or nil to end a hold.
    package var left: Int?
    /// The cause, `throttled` or `paused`.
    package var cause: String
    package var event: EngineEventText

    /// Creates a hold.
    package init(names: EngineNames, left: Int?, cause: String, event: EngineEventText) {
        self.names = names
        self.left = left
        self.cause = cause
        self.event = event
    }
}

/// A look at a tenant's state.
package struct EngineState: Sendable, Equatable {
    package var names: EngineNames
    package var rate: EngineRate
    /// The highest fence that the machine has seen, below which the engine's fences don't fall after a failover.
    package var fence: Int64

    /// Creates a look at a tenant's state.
    package init(names: EngineNames, rate: EngineRate, fence: Int64 = 0) {
        self.names = names
        self.rate = rate
        self.fence = fence
    }
}

/// An event for the other machines, as the stream has it.
package struct EngineEventText: Sendable, Equatable {
    /// The sender's name, which is random for each start of a daemon.
    package var machine: String
    /// The kind of the event, a letter.
    package var kind: String
    /// The sealed details.
    package var sealed: [UInt8]

    /// Creates an event.
    package init(machine: String, kind: String, sealed: [UInt8]) {
        self.machine = machine
        self.kind = kind
        self.sealed = sealed
    }
}
