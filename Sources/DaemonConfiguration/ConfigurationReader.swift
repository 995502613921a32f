import Yams

/// Goes through the file's values and gathers what is wrong with them.
struct ConfigurationReader {
    private let file: String
    private(set) var faults: [ConfigurationFaults.Fault] = []

    init(file: String) { self.file = file }

    /// Notes a fault.
    mutating func note(_ line: Int?, _ key: String, _ message: String) {
        faults.append(.init(file: file, line: line, key: key, message: message))
    }

    /// Notes what a value should be.
    mutating func note(_ item: Item, _ message: String) { note(item.line, item.path, message) }

    // MARK: Sections

    /// Reads a mapping's known keys and notes the others; what isn't a mapping is noted.
    mutating func section(
        _ item: Item?,
        known: [String],
        _ read: (inout ConfigurationReader, inout Section) -> Void
    ) {
        guard let item else { return }
        guard var section = Section(item.node, path: item.path, line: item.line) else {
            return note(item, "should be a mapping of \(known.joined(separator: ", "))")
        }
        read(&self, &section)
        noteUnknown(section, known: known)
    }

    /// Notes the keys of a section that stand there more than once.
    mutating func noteRepeated(_ section: Section) {
        for (key, line) in section.repeated { note(line, section.dotted(key.forMessage), "comes twice") }
    }

    /// Notes the keys of a section that nobody took, and those that are there twice.
    mutating func noteUnknown(_ section: Section, known: [String]) {
        noteRepeated(section)
        for (key, line) in section.keys where !known.contains(key) {
            let nearest = known.nearest(to: key).map { "; did you mean '\($0)'?" } ?? ""
            note(line, section.dotted(key.forMessage), "is not a known key\(nearest)")
        }
    }

    // MARK: Values

    /// A text that is not empty.
    mutating func text(_ item: Item?, _ rule: String = "should be text") -> String? {
        guard let item else { return nil }
        guard let text = item.text, !text.isEmpty else {
            note(item, rule)
            return nil
        }
        return text
    }

    /// A whole number in a range.
    mutating func integer(_ item: Item?, _ range: ClosedRange<Int>) -> Int? {
        guard let item else { return nil }
        guard item.isPlain, let number = item.text.flatMap(Self.whole), range.contains(number) else {
            note(item, "should be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// Yes or no.
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

    /// A number in a range.
    mutating func number(_ item: Item?, _ range: ClosedRange<Double>, _ rule: String? = nil) -> Double? {
        guard let item else { return nil }
        guard item.isPlain, let number = item.text.flatMap(Self.decimal), range.contains(number) else {
            note(item, rule ?? "should be a number from \(range.lowerBound.brief) to \(range.upperBound.brief)")
            return nil
        }
        return number
    }

    /// A duration in a range: a number of seconds, or a number with `s`, `m` or `h` behind it.
    mutating func duration(_ item: Item?, _ range: ClosedRange<Int>) -> Duration? {
        guard let item else { return nil }
        guard let seconds = item.text.flatMap(Self.seconds),
            seconds >= Double(range.lowerBound), seconds <= Double(range.upperBound)
        else {
            let bounds = "\(Self.brief(range.lowerBound)) to \(Self.brief(range.upperBound))"
            note(item, "should be a duration from \(bounds): a number of seconds, or text such as 90s, 30m or 6h")
            return nil
        }
        return .seconds(seconds)
    }

    /// A list of texts.
    mutating func texts(_ item: Item?, _ rule: String, isValid: (String) -> Bool = { _ in true }) -> [String]? {
        guard let item else { return nil }
        guard let elements = item.elements else {
            note(item, "should be a list of \(rule)")
            return nil
        }
        return elements.compactMap { element in
            guard let text = element.text, !text.isEmpty, isValid(text) else {
                note(element, "should be \(rule)")
                return nil
            }
            return text
        }
    }

    /// A whole number in digits; `+1` is none.
    static func whole(_ text: String) -> Int? {
        let digits = text.hasPrefix("-") ? text.dropFirst() : Substring(text)
        return digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    private static func seconds(_ text: String) -> Double? {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600]
        guard let unit = text.last.flatMap({ units[$0] }) else { return decimal(text) }
        return decimal(String(text.dropLast())).map { $0 * unit }
    }

    /// A number as people write it: digits with or without a fraction; `inf`, `0x10` and `1e3` are none.
    private static func decimal(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x2D }) else { return nil }
        return Double(text)
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
    /// Without a fraction where there is none.
    fileprivate var brief: String { self == rounded() ? String(Int(self)) : String(self) }
}

extension [String] {
    /// The one that a misspelt word probably means: at most two letters away, and fewer than it has.
    func nearest(to word: String) -> String? {
        let closest = map { ($0, $0.distance(to: word)) }.min { $0.1 < $1.1 }
        guard let (candidate, distance) = closest, distance <= 2, distance < candidate.count else { return nil }
        return candidate
    }
}

extension String {
    /// How many letters must be changed, added or removed to make one word of the other.
    fileprivate func distance(to other: String) -> Int {
        let (own, others) = (Array(utf8.prefix(64)), Array(other.utf8.prefix(64)))
        var row = Array(0...others.count)
        for (index, letter) in own.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, otherLetter) in others.enumerated() {
                let change = diagonal + (letter == otherLetter ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = Swift.min(change, row[column] + 1, row[column + 1] + 1)
            }
        }
        return row[others.count]
    }
}
