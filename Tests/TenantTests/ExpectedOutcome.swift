/// The expected outcome of a call.
enum ExpectedOutcome: Sendable, Equatable {
    case minted(lifetime: Double?)
    case denied(Int)
    case throttled(Double?)
    case unavailable
    case paused(Double?)
    case malformed
    case rejected
    case noMemory

    /// Returns true if both are the same but for a second, by which a time from a reply's `Date` may be off.
    func isAlmost(_ other: ExpectedOutcome) -> Bool {
        switch (self, other) {
        case (.minted(let own?), .minted(let others?)), (.throttled(let own?), .throttled(let others?)):
            abs(own - others) <= 1
        default: self == other
        }
    }
}
