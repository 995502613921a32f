import TokenProtocol

/// What a reply says about time: how long a token lives, when to come back.
package struct ReplyTimes {
    /// The longest that is believed; it also keeps the arithmetic in range.
    private static let longest = 86_400.0 * 366

    /// The reply's own date, or the local wall clock where it names none: seconds since 1970.
    let date: Double

    /// - Parameters:
    ///   - header: The reply's `Date`.
    ///   - wall: The local wall clock, in seconds since 1970.
    package init(dateHeader header: String?, wall: Double) {
        date = header.flatMap(HTTPDate.seconds) ?? wall
    }

    /// A token's lifetime: the smaller of what `expires_in` and `expires_at` say; nil where neither is usable.
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

    /// A `Retry-After`: seconds, or a date; nil where it is neither or doesn't lie ahead.
    package func retryAfter(_ header: String) -> Duration? {
        let header = header.trimmed
        let isNumber = !header.isEmpty && header.utf8.allSatisfy { (0x30...0x39).contains($0) }
        let seconds = isNumber ? Double(header) : HTTPDate.seconds(header).map { $0 - date }
        guard let seconds, seconds.isFinite, seconds > 0 else { return nil }
        return .seconds(min(seconds, Self.longest))
    }
}

extension String {
    /// Without the white space around it that proxies and servers put there (RFC 9110, section 5.5).
    var trimmed: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
