extension Duration {
    /// The whole milliseconds, rounded down, at most what fits.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        let (product, overflows) = Int(seconds).multipliedReportingOverflow(by: 1_000)
        guard !overflows else { return seconds < 0 ? .min : .max }
        let (rest, remainder) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000_000)
        return product + Int(rest) - (remainder < 0 ? 1 : 0)
    }
}
