import TokenProtocol

/// Reads the times in a reply: a token's lifetime, and when to call again.
package struct ReplyTimes {
    /// The longest time that is believed, in seconds, which also keeps the arithmetic in range.
    private static let longest = 86_400.0 * 366

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

    /// Returns the time in a `Retry-After`, in seconds or as a date, or nil if there is none or it has passed.
    package func retryAfter(_ header: String) -> Duration? {
        let header = header.trimmed
        let isNumber = !header.isEmpty && header.utf8.allSatisfy { (0x30...0x39).contains($0) }
        let seconds = isNumber ? Double(header) : HTTPDate.seconds(header).map { $0 - date }
        guard let seconds, seconds.isFinite, seconds > 0 else { return nil }
        return .seconds(min(seconds, Self.longest))
    }
}
