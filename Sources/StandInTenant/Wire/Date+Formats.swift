import FoundationEssentials

extension Date {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// The time in the form of the tenant's `expires_at`: `2026-11-23T22:10:00.000Z`.
    package var iso8601: String {
        // Foundation cuts off fractions, and few milliseconds are exact in a `Double`, so half of one is added.
        addingTimeInterval(0.000_5).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// The time in the form of HTTP's `Date` (RFC 9110, section 5.6.7): `Mon, 23 Nov 2026 22:10:00 GMT`.
    package var httpDate: String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let month = Self.months[calendar.component(.month, from: self) - 1]
        let weekday = Self.weekdays[calendar.component(.weekday, from: self) - 1]
        let text = formatted(.iso8601)  // 2026-11-23T22:10:00Z
        return
            "\(weekday), \(text.dropFirst(8).prefix(2)) \(month) \(text.prefix(4)) \(text.dropFirst(11).prefix(8)) GMT"
    }
}
