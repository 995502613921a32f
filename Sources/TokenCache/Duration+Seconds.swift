extension Duration {
    /// The duration in seconds.
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }

    /// The duration in whole seconds, rounded up, at least 1, so that a client never comes back too early.
    package var asRetryAfter: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(seconds) + (attoseconds > 0 ? 1 : 0))
    }

    /// The duration in whole seconds, rounded down, never negative.
    package var wholeSeconds: Int { max(0, Int(components.seconds)) }
}
