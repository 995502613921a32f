/// The names of the members of one object that have been seen, to find one that comes twice.
///
/// A few names are compared one by one; more of them go into a set, so that a text of nothing but names costs no more
/// than it is long.
struct JSONNames {
    private static let few = 8

    private var few: [[UInt8]] = []
    private var many: Set<[UInt8]> = []

    /// Notes a name; false: it was there before.
    mutating func insert(_ name: [UInt8]) -> Bool {
        guard few.count == Self.few else {
            guard !few.contains(name) else { return false }
            few.append(name)
            return true
        }
        return !few.contains(name) && many.insert(name).inserted
    }
}

/// One JSON object whose members can be looked up; for texts that are not on the hot path.
package struct JSONObject {
    private var members: [(name: [UInt8], value: JSONScanner.Value)] = []

    /// Reads a text that is one object; nil where it is not, holds a name twice or is not UTF-8.
    package init?(_ text: borrowing Span<UInt8>, depthLimit: Int) {
        var scanner = JSONScanner(depthLimit: depthLimit)
        do throws(JSONScanner.Malformed) {
            scanner.skipSpace(text)
            try read(text, &scanner, depth: 0)
            try scanner.end(text)
        } catch {
            return nil
        }
        guard !scanner.hasNonASCII || JSONText.isUTF8(text), hasDistinctNames else { return nil }
    }

    /// Reads an object inside a text that was read before.
    package init?(_ value: JSONScanner.Value, _ text: borrowing Span<UInt8>) {
        guard value.kind == .object else { return nil }
        var scanner = JSONScanner(at: value.start, depthLimit: JSONScanner.deepest)
        do throws(JSONScanner.Malformed) { try read(text, &scanner, depth: 0) } catch { return nil }
    }

    /// The value of a member.
    package subscript(name: String) -> JSONScanner.Value? {
        members.first { $0.name.elementsEqual(name.utf8) }?.value
    }

    /// The first element of an array.
    package static func first(of value: JSONScanner.Value, _ text: borrowing Span<UInt8>) -> JSONScanner.Value? {
        guard value.kind == .array else { return nil }
        var scanner = JSONScanner(at: value.start + 1, depthLimit: JSONScanner.deepest)
        scanner.skipSpace(text)
        guard !scanner.take(UInt8(ascii: "]"), text) else { return nil }
        do throws(JSONScanner.Malformed) { return try scanner.value(text, depth: 0) } catch { return nil }
    }

    private var hasDistinctNames: Bool {
        var names = JSONNames()
        return members.allSatisfy { names.insert($0.name) }
    }

    private mutating func read(
        _ text: borrowing Span<UInt8>,
        _ scanner: inout JSONScanner,
        depth: Int
    ) throws(JSONScanner.Malformed) {
        try scanner.expect(UInt8(ascii: "{"), text)
        scanner.skipSpace(text)
        if scanner.take(UInt8(ascii: "}"), text) { return }
        while true {
            let name = JSONText.bytes(of: try scanner.string(text), text)
            scanner.skipSpace(text)
            try scanner.expect(UInt8(ascii: ":"), text)
            scanner.skipSpace(text)
            members.append((name, try scanner.value(text, depth: depth + 1)))
            scanner.skipSpace(text)
            guard scanner.take(UInt8(ascii: ","), text) else { break }
            scanner.skipSpace(text)
        }
        try scanner.expect(UInt8(ascii: "}"), text)
    }
}

extension JSONText {
    /// Whether bytes are well-formed UTF-8.
    package static func isUTF8(_ text: borrowing Span<UInt8>) -> Bool {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: copy text)
            return true
        } catch {
            return false
        }
    }
}
