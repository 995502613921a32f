extension Duration {
    /// More than any setting or argument of the protocol allows, in seconds.
    private static let farBeyondAnyLimit = 1_000_000_000_000.0

    /// The nearest duration to a number of seconds from a command line.
    ///
    /// A number beyond every limit stays beyond it, and NaN becomes negative.
    package init(clampingSeconds seconds: Double) {
        let limit = Self.farBeyondAnyLimit
        self = .seconds(seconds.isNaN ? -limit : min(max(seconds, -limit), limit))
    }

    /// The number of seconds, as the protocol writes it.
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
