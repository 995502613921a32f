import TokenProtocol

/// Reads the times in a reply: a token's lifetime, and when to call again.
package struct ReplyTimes {
    /// The longest time that is believed, in seconds, which also keeps the arithmetic in range.
    static let longest = 86_400.0 * 366

    /// The reply's own date, or the local wall clock if it has none, in seconds since 1970.
    let date: Double

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - header: The reply's `Date`.
    ///   - wall: The local wall clock, in seconds since 1970.
    package init(dateHeader header: String?, wall: Double) {
        date = header.flatMap(HTTPDate.seconds) ?? wall
    }

    /// Returns a token's lifetime, the smaller of `expires_in` and `expires_at`, or nil if neither is usable.
    ///
    /// - Parameters:
    ///   - expiresIn: Seconds.
    ///   - expiresAt: A date in RFC 3339's form.
    package func lifetime(expiresIn: Double?, expiresAt: String?) -> Duration? {
        let usable = [expiresIn, expiresAt.flatMap(HTTPDate.timestamp).map { $0 - date }]
            .compactMap { $0 }
            .filter { $0.isFinite && $0 > 0 }
        return usable.min().map { .seconds(min($0, Self.longest)) }
    }
}
