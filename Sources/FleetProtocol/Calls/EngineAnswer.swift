/// The answer to a call of a script.
package struct EngineAnswer: Sendable, Equatable {
    /// The outcome of a call.
    package enum Outcome: Sendable, Equatable {
        /// A look found a token. `name` is the number of the key whose names it has.
        case token(sealed: [UInt8], left: Int, fence: Int64, epoch: String, name: Int)
        /// A look found a denial.
        case refused(sealed: [UInt8], left: Int, name: Int)
        /// Another machine mints the token, and has this much time left.
        case wait(Int)
        /// The lease is taken, and the call is paid for.
        case go(fence: Int64)
        /// The call may not be sent for this time.
        case later(Int)
        /// There is neither a token nor a mint.
        case nothing
        /// The call was paid for, stored, given back, extended, claimed or taken note of.
        case done
        /// The lease is another machine's, or gone.
        case lost
        /// The user's tokens were dropped after the lease was taken.
        case dropped
        /// The fence of a drop, and the names of the values that it concerns, sorted.
        case drop(fence: Int64, values: [String])
        /// The values that were taken out, with the numbers of their names in the call.
        case taken([Taken])
        /// The notes of the machines, the latest last.
        case present([String])
    }

    /// A value that was taken out.
    package struct Taken: Sendable, Equatable {
        package var number: Int
        package var sealed: [UInt8]
        package var fence: Int64
        package var epoch: String
        package var left: Int

        /// Creates a value.
        package init(number: Int, sealed: [UInt8], fence: Int64, epoch: String, left: Int) {
            self.number = number
            self.sealed = sealed
            self.fence = fence
            self.epoch = epoch
            self.left = left
        }
    }

    package var outcome: Outcome
    /// The engine's time, from 1 to ``EngineScript/latestTime``.
    package var time: Int64
    /// The level of the bucket in thousandths of calls, or nil where the call doesn't tell.
    package var level: Int?
    /// The time that is left of a hold, and its cause.
    package var hold: Hold?
    /// The number of events so far, and the id of the last one, from a look at the state.
    package var events: Position?

    /// A hold.
    package struct Hold: Sendable, Equatable {
        package var left: Int
        package var cause: String

        /// Creates a hold.
        package init(left: Int, cause: String) {
            self.left = left
            self.cause = cause
        }
    }

    /// A position in the stream of events.
    package struct Position: Sendable, Equatable {
        /// The number of events up to there, from 0 to ``EngineScript/largestNumber``.
        package var count: Int64
        /// The id of the last one, such as `1700000000000-0`, or `0-0`.
        package var id: String
        /// The tenant's last fence, or zero.
        ///
        /// With several in a millisecond it runs ahead of the engine's time.
        package var fence: Int64

        /// Creates a position.
        package init(count: Int64, id: String, fence: Int64 = 0) {
            self.count = count
            self.id = id
            self.fence = fence
        }
    }

    /// Creates an answer.
    package init(
        outcome: Outcome,
        time: Int64,
        level: Int? = nil,
        hold: Hold? = nil,
        events: Position? = nil
    ) {
        self.outcome = outcome
        self.time = time
        self.level = level
        self.hold = hold
        self.events = events
    }
}

/// An event of the stream.
package struct EngineEvent: Sendable, Equatable {
    /// Its id in the stream.
    package var id: String
    /// Its number, counted from one.
    ///
    /// A gap shows that events were lost.
    package var number: Int64
    /// The fence of a drop, or zero.
    package var fence: Int64
    package var text: EngineEventText

    /// Creates an event.
    package init(id: String, number: Int64, fence: Int64, text: EngineEventText) {
        self.id = id
        self.number = number
        self.fence = fence
        self.text = text
    }
}
