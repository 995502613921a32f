extension ReplyTimes {
    /// Returns the time in a `Retry-After`, in seconds or as a date, or nil if there is none or it has passed.
    package func retryAfter(_ header: String) -> Duration? {
        let header = header.trimmed
        let isNumber = !header.isEmpty && header.utf8.allSatisfy { (0x30...0x39).contains($0) }
        let seconds = isNumber ? Double(header) : HTTPDate.seconds(header).map { $0 - date }
        guard let seconds, seconds.isFinite, seconds > 0 else { return nil }
        return .seconds(min(seconds, Self.longest))
    }
}
