/// A JSON object whose members can be looked up, for texts that need not be read fast.
package struct JSONObject {
    private var members: [(name: [UInt8], value: JSONScanner.Value)] = []

    /// Reads a text that is one object.
    ///
    /// Returns nil if it is not, has a member twice or is not UTF-8.
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

    /// Reads an object within a text that was read before.
    ///
    /// Returns nil if it is none, or has a member twice.
    package init?(_ value: JSONScanner.Value, _ text: borrowing Span<UInt8>) {
        guard value.kind == .object else { return nil }
        var scanner = JSONScanner(at: value.start, depthLimit: JSONScanner.deepest)
        do throws(JSONScanner.Malformed) { try read(text, &scanner, depth: 0) } catch { return nil }
        guard hasDistinctNames else { return nil }
    }

    /// The value of a member.
    package subscript(name: String) -> JSONScanner.Value? {
        members.first { $0.name.elementsEqual(name.utf8) }?.value
    }

    /// The elements of an array within a text that was read before, or nil for any other value.
    package static func elements(
        of value: JSONScanner.Value,
        _ text: borrowing Span<UInt8>
    ) -> [JSONScanner.Value]? {
        guard value.kind == .array else { return nil }
        var scanner = JSONScanner(at: value.start + 1, depthLimit: JSONScanner.deepest)
        var elements: [JSONScanner.Value] = []
        scanner.skipSpace(text)
        while scanner.position < value.end - 1 {
            do throws(JSONScanner.Malformed) {
                elements.append(try scanner.value(text, depth: 0))
            } catch {
                return nil
            }
            _ = scanner.comma(text)
        }
        return elements
    }

    private var hasDistinctNames: Bool {
        var names = JSONMemberNames()
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
            let name = JSONText.bytes(of: try scanner.name(text), text)
            members.append((name, try scanner.value(text, depth: depth + 1)))
            guard scanner.comma(text) else { break }
        }
        try scanner.expect(UInt8(ascii: "}"), text)
    }
}
