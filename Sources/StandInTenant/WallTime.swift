import FoundationEssentials

/// A time of the tenant's wall clock, for what its replies say.
package struct WallTime: Sendable, Equatable {
    /// The time in milliseconds since 1970, UTC.
    package var milliseconds: Int

    /// A time given in milliseconds since 1970, UTC.
    package init(milliseconds: Int) {
        self.milliseconds = milliseconds
    }

    /// The machine's time.
    package static func now() -> WallTime {
        WallTime(milliseconds: Int(Date().timeIntervalSince1970 * 1_000))
    }

    /// The time some seconds later, or earlier where they are negative.
    package func adding(seconds: Int) -> WallTime {
        WallTime(milliseconds: milliseconds + seconds * 1_000)
    }

    /// Whole seconds since 1970, UTC, as a JWT's claims have them.
    package var seconds: Int {
        Self.floorDivide(milliseconds, by: 1_000).quotient
    }

    /// The time in the form of the tenant's `expires_at`: `2026-11-23T22:10:00.000Z`.
    package var iso8601: String {
        let parts = calendar
        let date = "\(Self.pad(parts.year, 4))-\(Self.pad(parts.month, 2))-\(Self.pad(parts.day, 2))"
        return "\(date)T\(clockText).\(Self.pad(Self.floorDivide(milliseconds, by: 1_000).remainder, 3))Z"
    }

    /// The time in the form of HTTP's `Date` (RFC 9110, section 5.6.7): `Mon, 23 Nov 2026 22:10:00 GMT`.
    package var httpDate: String {
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]  // 1 January 1970 was a Thursday.
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let parts = calendar
        let weekday = weekdays[Self.floorDivide(day, by: 7).remainder]
        return
            "\(weekday), \(Self.pad(parts.day, 2)) \(months[parts.month - 1]) \(Self.pad(parts.year, 4)) \(clockText) GMT"
    }
}

extension WallTime {
    private static let secondsADay = 86_400

    private static func floorDivide(_ value: Int, by divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func days(of year: Int) -> [Int] {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    }

    private var day: Int {
        Self.floorDivide(seconds, by: Self.secondsADay).quotient
    }

    private var clockText: String {
        let second = Self.floorDivide(seconds, by: Self.secondsADay).remainder
        return "\(Self.pad(second / 3_600, 2)):\(Self.pad(second / 60 % 60, 2)):\(Self.pad(second % 60, 2))"
    }

    private var calendar: (year: Int, month: Int, day: Int) {
        var year = 1970
        var rest = day
        while rest < 0 {
            year -= 1
            rest += Self.days(of: year).reduce(0, +)
        }
        while rest >= Self.days(of: year).reduce(0, +) {
            rest -= Self.days(of: year).reduce(0, +)
            year += 1
        }
        var month = 1
        for length in Self.days(of: year) {
            guard rest >= length else { break }
            rest -= length
            month += 1
        }
        return (year, month, rest + 1)
    }
}
