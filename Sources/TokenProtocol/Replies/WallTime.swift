/// A time by the wall clock in whole seconds, for display only.
package struct WallTime: Sendable, Hashable {
    /// The seconds since 1970.
    package let seconds: UInt32

    /// Creates a time by its seconds since 1970.
    package init(seconds: UInt32) { self.seconds = seconds }

    /// The time in UTC in the form of RFC 3339.
    package var text: String {
        let bytes = bytes
        return unsafe bytes.span.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes of ``text``.
    package var bytes: InlineArray<20, UInt8> {
        let (year, month, day) = date
        let time = seconds % Self.day
        var bytes = InlineArray<20, UInt8>(repeating: UInt8(ascii: "-"))
        Self.write(year / 100, at: 0, to: &bytes)
        Self.write(year % 100, at: 2, to: &bytes)
        Self.write(month, at: 5, to: &bytes)
        Self.write(day, at: 8, to: &bytes)
        bytes[10] = UInt8(ascii: "T")
        Self.write(time / 3_600, at: 11, to: &bytes)
        bytes[13] = UInt8(ascii: ":")
        Self.write(time / 60 % 60, at: 14, to: &bytes)
        bytes[16] = UInt8(ascii: ":")
        Self.write(time % 60, at: 17, to: &bytes)
        bytes[19] = UInt8(ascii: "Z")
        return bytes
    }

    private static let day: UInt32 = 86_400
    /// The days from 1 March of the year 0 to 1970.
    private static let daysBefore1970: UInt32 = 719_468
    /// The days of four centuries, after which the calendar repeats.
    private static let daysOfEra: UInt32 = 146_097

    /// The date in the Gregorian calendar.
    ///
    /// Years are counted from 1 March here, so that the leap day is the last one. Then each group of five months has 153
    /// days.
    private var date: (year: UInt32, month: UInt32, day: UInt32) {
        let days = seconds / Self.day + Self.daysBefore1970
        let dayOfEra = days % Self.daysOfEra
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let isNextYear = month >= 10
        return (
            days / Self.daysOfEra * 400 + yearOfEra + (isNextYear ? 1 : 0),
            isNextYear ? month - 9 : month + 3,
            dayOfYear - (153 * month + 2) / 5 + 1
        )
    }

    private static func write(_ number: UInt32, at index: Int, to bytes: inout InlineArray<20, UInt8>) {
        bytes[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10)
        bytes[index + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10)
    }
}
