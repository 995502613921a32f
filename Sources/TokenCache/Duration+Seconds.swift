extension Duration {
    /// This duration as a number of seconds.
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }

    /// Whole seconds, rounded up, at least 1: what a client is told to wait, so that it never comes too early.
    package var asRetryAfter: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(seconds) + (attoseconds > 0 ? 1 : 0))
    }

    /// Whole seconds, rounded down, never negative.
    package var wholeSeconds: Int { max(0, Int(components.seconds)) }
}
