import FleetProtocol

/// The id of an event in a stream: the engine's time in milliseconds, and a number within it.
struct EventID: Sendable, Hashable, Comparable {
    /// The id before all events.
    static let zero = EventID(milliseconds: 0, number: 0)

    let milliseconds: UInt64
    let number: UInt64

    private init(milliseconds: UInt64, number: UInt64) { (self.milliseconds, self.number) = (milliseconds, number) }

    /// Reads an id such as `1700000000000-0`.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = UInt64(parts[0]), let number = UInt64(parts[1])
        else { return nil }
        self.init(milliseconds: milliseconds, number: number)
    }

    /// The time in milliseconds, from zero.
    var time: Int64 { Int64(clamping: milliseconds) }

    /// False for an id that the engine's scripts let begin anew, as later ones have no lower numbers.
    var isPlausible: Bool { time <= EngineScript.latestTime }

    /// The id as the engine writes it.
    var text: String { "\(milliseconds)-\(number)" }

    static func < (left: EventID, right: EventID) -> Bool {
        (left.milliseconds, left.number) < (right.milliseconds, right.number)
    }
}
