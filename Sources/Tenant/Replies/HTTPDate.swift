/// Reads the dates of HTTP and of OAuth replies, as seconds since 1970.
package enum HTTPDate {
    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    /// Reads a date in any of the three forms of RFC 9110, section 5.6.7.
    package static func seconds(_ text: String) -> Double? {
        let words = text.lowercased().split { " \t,-".contains($0) }.map(String.init)
        switch words.count {
        case 6 where words[5] == "gmt": return seconds(day: words[1], words[2], year: words[3], time: words[4])
        case 5: return seconds(day: words[2], words[1], year: words[4], time: words[3])
        default: return nil
        }
    }

    /// Reads a date in RFC 3339's form, in which `T` and `Z` may be small letters and `T` a space (section 5.6).
    static func timestamp(_ text: String) -> Double? {
        var scanner = DigitScanner(text)
        guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2), scanner.take("-"),
            let day = scanner.number(2), scanner.take("Tt "), let hour = scanner.number(2), scanner.take(":"),
            let minute = scanner.number(2), scanner.take(":"), let second = scanner.number(2)
        else { return nil }
        guard (1...12).contains(month), (1...length(ofMonth: month, year)).contains(day), hour < 24, minute < 60,
            second <= 60, let fraction = scanner.fraction(), let offset = scanner.offset(), scanner.isAtEnd
        else { return nil }
        let seconds = days(year: year, month: month, day: day) * 86_400 + hour * 3_600 + minute * 60 + second
        return Double(seconds - offset) + fraction
    }

    private static func length(ofMonth month: Int, _ year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    private static func seconds(day: String, _ month: String, year: String, time: String) -> Double? {
        let clock = time.split(separator: ":").map { Int($0) }
        guard let day = Int(day), let month = months.firstIndex(of: month), var year = Int(year), clock.count == 3,
            let hour = clock[0], let minute = clock[1], let second = clock[2], (1...31).contains(day),
            (0..<24).contains(hour), (0..<60).contains(minute), (0...60).contains(second), (0...9_999).contains(year)
        else { return nil }
        // Two digits mean the year that is at most 50 years ahead.
        if year < 100 { year += year < 76 ? 2_000 : 1_900 }
        let days = days(year: year, month: month + 1, day: day)
        return Double(days * 86_400 + hour * 3_600 + minute * 60 + second)
    }

    /// Returns the days since 1970-01-01 in the Gregorian calendar.
    ///
    /// Years are counted from March, so that the leap day is their last.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
