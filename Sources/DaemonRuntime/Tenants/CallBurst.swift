/// Tracks how many calls were made until they rest, as after the logins of a morning.
///
/// Calls leave free blocks between those of the tokens' index, and ten mebibytes of mapped code that hits don't use.
struct CallBurst {
    /// The number of calls from which it is worth to return the memory that they have left.
    ///
    /// To return it costs about as much as a few calls, and delays a hit by a fraction of a millisecond.
    static let much = 1_000

    private var underWay = 0
    private var ended = 0
    /// The number of ended calls at the last look.
    private var seen = 0

    /// Notes that a call begins.
    mutating func begin() { underWay += 1 }

    /// Notes that a call has ended.
    mutating func end() {
        underWay -= 1
        ended += 1
    }

    /// Looks at the calls, as is done every few seconds.
    ///
    /// - Returns: True if there were many since this was last true, and none since the last look.
    mutating func hasEnded() -> Bool {
        let rests = underWay == 0 && ended == seen
        seen = ended
        guard rests, ended >= Self.much else { return false }
        (ended, seen) = (0, 0)
        return true
    }
}
