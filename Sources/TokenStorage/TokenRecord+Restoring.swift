import TokenProtocol

/// The checks of a record of an earlier daemon.
extension TokenRecord {
    /// The state of the slot, or nil if it has none that is known.
    var state: RecordState? { RecordState(rawValue: load(0, UInt8.self)) }

    /// True if the record fits into its slot and is not damaged.
    func isWhole(in size: Int) -> Bool {
        userLength > 0 && Offset.content + userLength + tokenLength + lengthOfFence <= size
            && check == load(Offset.check, UInt32.self)
    }

    /// True if the numbers can be those of a token.
    ///
    /// A later version may know further fields. Its tokens are not this version's users' tokens.
    func isPlausible(now: Int64) -> Bool {
        field != nil && lifetime > 0 && sent > 0 && arrived <= now
    }

    /// Corrects the time of the last use, which the checksum doesn't cover.
    ///
    /// It is right as a rule, and then nothing is written.
    func limitLastUse(to now: Int64) {
        let used = lastUsed
        if used > now { lastUsed = now }
        if used < 0, used != Self.never { lastUsed = Self.never }
    }
}
