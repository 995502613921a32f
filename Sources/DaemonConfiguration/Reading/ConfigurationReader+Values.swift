/// The kinds of values.
///
/// Each method returns nil for a key that is missing, and for a wrong value, which it records as a fault.
extension ConfigurationReader {
    /// Reads a text that is not empty.
    mutating func text(_ item: Item?, _ rule: String = "should be text") -> String? {
        guard let item else { return nil }
        guard let text = item.text, !text.isEmpty else {
            note(item, rule)
            return nil
        }
        return text
    }

    /// Reads a whole number in a range.
    mutating func integer(_ item: Item?, _ range: ClosedRange<Int>) -> Int? {
        guard let item else { return nil }
        guard item.isPlain, let number = item.text.flatMap(Self.whole), range.contains(number) else {
            note(item, "should be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// Reads `true` or `false`.
    mutating func flag(_ item: Item?) -> Bool? {
        guard let item else { return nil }
        switch item.isPlain ? item.text : nil {
        case "true": return true
        case "false": return false
        default:
            note(item, "should be true or false")
            return nil
        }
    }

    /// Reads a number in a range.
    mutating func number(_ item: Item?, _ range: ClosedRange<Double>, _ rule: String? = nil) -> Double? {
        guard let item else { return nil }
        guard item.isPlain, let number = item.text.flatMap(Self.decimal), range.contains(number) else {
            note(item, rule ?? "should be a number from \(range.lowerBound.brief) to \(range.upperBound.brief)")
            return nil
        }
        return number
    }

    /// Reads a duration in a range of seconds: a number of seconds, or a number that `ms`, `s`, `m` or `h` follows.
    ///
    /// - Parameter alternative: A further value, for the fault of a wrong one.
    mutating func duration(_ item: Item?, _ range: ClosedRange<Int>, alternative: String = "") -> Duration? {
        guard let item else { return nil }
        guard let seconds = item.text.flatMap(Self.seconds),
            seconds >= Double(range.lowerBound), seconds <= Double(range.upperBound)
        else {
            let bounds = Self.bounds(range) + alternative
            note(item, "should be a duration from \(bounds): a number of seconds, or text such as 90s, 30m or 6h")
            return nil
        }
        return .seconds(seconds)
    }

    /// Reads a duration in a range of milliseconds.
    mutating func shortDuration(_ item: Item?, _ range: ClosedRange<Int>) -> Duration? {
        guard let item else { return nil }
        let milliseconds = item.text.flatMap(Self.seconds).map { $0 * 1_000 }
        guard let milliseconds, milliseconds >= Double(range.lowerBound), milliseconds <= Double(range.upperBound)
        else {
            let (least, most) = (Self.briefMilliseconds(range.lowerBound), Self.briefMilliseconds(range.upperBound))
            let rule = "should be a duration from \(least) to \(most)"
            note(item, "\(rule): a number of seconds, or text such as 100ms or 2s")
            return nil
        }
        return .microseconds(Int64((milliseconds * 1_000).rounded()))
    }

    /// Reads a list of texts.
    ///
    /// - Parameters:
    ///   - isValid: Checks each text.
    ///   - suggestion: Returns what is added to the fault of a text.
    mutating func texts(
        _ item: Item?,
        _ rule: String,
        isValid: (String) -> Bool = { _ in true },
        suggestion: (String?) -> String = { _ in "" }
    ) -> [String]? {
        guard let item else { return nil }
        guard let elements = item.elements else {
            note(item, "should be a list of \(rule)")
            return nil
        }
        return elements.compactMap { element in
            guard let text = element.text, !text.isEmpty, isValid(text) else {
                note(element, "should be \(rule)\(suggestion(element.text))")
                return nil
            }
            return text
        }
    }

    /// Reads one of the words that a type has.
    mutating func choice<Word: CaseIterable & RawRepresentable<String>>(_ item: Item, of type: Word.Type) -> Word? {
        if let word = item.text.flatMap(Word.init(rawValue:)) { return word }
        let words = Word.allCases.map(\.rawValue)
        note(item, "should be one of \(words.joined(separator: ", "))\(words.suggestion(for: item.text))")
        return nil
    }

    /// Returns the whole number that a text consists of, or nil for any other text, such as `+1`.
    static func whole(_ text: String) -> Int? {
        let digits = text.hasPrefix("-") ? text.dropFirst() : Substring(text)
        return digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    private static func seconds(_ text: String) -> Double? {
        if text.hasSuffix("ms") { return decimal(String(text.dropLast(2))).map { $0 / 1_000 } }
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600]
        guard let unit = text.last.flatMap({ units[$0] }) else { return decimal(text) }
        return decimal(String(text.dropLast())).map { $0 * unit }
    }

    /// Returns the decimal number that a text consists of, or nil for any other text, such as `inf`, `0x10` or `1e3`.
    private static func decimal(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x2D }) else { return nil }
        return Double(text)
    }

    /// Returns a range of seconds for people.
    static func bounds(_ range: ClosedRange<Int>) -> String {
        "\(brief(range.lowerBound)) to \(brief(range.upperBound))"
    }

    /// Returns a duration as the file would have it, such as `100ms`, `90s`, `30m` or `6h`.
    static func text(of duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        if attoseconds != 0 { return "\(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)ms" }
        if seconds > 0, seconds % 3_600 == 0 { return "\(seconds / 3_600)h" }
        return seconds > 60 && seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s"
    }

    private static func briefMilliseconds(_ count: Int) -> String {
        count % 1_000 == 0 ? brief(count / 1_000) : "\(count) ms"
    }

    private static func brief(_ seconds: Int) -> String {
        switch seconds {
        case 0: "0"
        case let seconds where seconds % 3_600 == 0: "\(seconds / 3_600) h"
        case let seconds where seconds % 60 == 0: "\(seconds / 60) min"
        default: "\(seconds) s"
        }
    }
}

extension Double {
    /// The number without a fraction of zero.
    var brief: String { self == rounded() ? String(Int(self)) : String(self) }
}
