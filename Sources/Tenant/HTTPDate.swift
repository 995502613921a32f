#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The dates of HTTP and of OAuth replies, as seconds since 1970.
package enum HTTPDate {
    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    /// Reads a date in any of the three forms of RFC 9110, section 5.6.7.
    package static func seconds(_ text: String) -> Double? {
        let words = text.lowercased().split { " ,-".contains($0) }.map(String.init)
        switch words.count {
        case 6 where words[5] == "gmt": return seconds(day: words[1], words[2], year: words[3], time: words[4])
        case 5: return seconds(day: words[2], words[1], year: words[4], time: words[3])
        default: return nil
        }
    }

    /// Reads a date in RFC 3339's form.
    static func timestamp(_ text: String) -> Double? {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
        return (try? style.parse(text))?.timeIntervalSince1970
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

    /// Days since 1970-01-01 in the Gregorian calendar; years are counted from March, so that the leap day ends them.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
