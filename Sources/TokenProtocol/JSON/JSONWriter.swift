/// Writes one JSON value into an output buffer, with its commas.
struct JSONWriter {
    private var needsComma = false

    /// Writes an object.
    static func object(into output: inout OutputBuffer, _ members: (inout JSONWriter, inout OutputBuffer) -> Void) {
        output.append(UInt8(ascii: "{"))
        var writer = JSONWriter()
        members(&writer, &output)
        output.append(UInt8(ascii: "}"))
    }

    /// Writes a member's name, which the caller follows by its value.
    mutating func name(_ name: String, _ output: inout OutputBuffer) {
        separate(&output)
        output.append(string: name)
        output.append(UInt8(ascii: ":"))
    }

    mutating func member(_ name: String, _ value: String, _ output: inout OutputBuffer) {
        self.name(name, &output)
        output.append(string: value)
    }

    mutating func member(_ name: String, _ value: Int, _ output: inout OutputBuffer) {
        self.name(name, &output)
        output.append(value)
    }

    mutating func member(_ name: String, _ value: Bool, _ output: inout OutputBuffer) {
        self.name(name, &output)
        output.append(value ? "true" : "false")
    }

    /// Writes a number with six decimal places, which are microseconds if it is seconds.
    ///
    /// Infinity becomes `null`.
    mutating func member(_ name: String, _ value: Double, _ output: inout OutputBuffer) {
        self.name(name, &output)
        guard value.isFinite else { return output.append("null") }
        let rounded = (value * 1_000_000).rounded() / 1_000_000
        output.append(Array(String(rounded).utf8))
    }

    /// Writes a number, or `null` if there is none.
    mutating func optional(_ name: String, _ value: Double?, _ output: inout OutputBuffer) {
        if let value { return member(name, value, &output) }
        self.name(name, &output)
        output.append("null")
    }

    /// Writes an object, or `null` if there is none.
    mutating func optional<Value>(
        _ name: String,
        _ value: Value?,
        _ output: inout OutputBuffer,
        _ members: (Value, inout JSONWriter, inout OutputBuffer) -> Void
    ) {
        if let value { return member(name, &output) { members(value, &$0, &$1) } }
        self.name(name, &output)
        output.append("null")
    }

    mutating func member(
        _ name: String,
        _ output: inout OutputBuffer,
        _ members: (inout JSONWriter, inout OutputBuffer) -> Void
    ) {
        self.name(name, &output)
        Self.object(into: &output, members)
    }

    /// Writes counts by name, sorted, including zeros.
    mutating func member(_ name: String, _ counts: [String: Int], _ output: inout OutputBuffer) {
        member(name, &output) { writer, output in
            for (name, count) in counts.sorted(by: { $0.key < $1.key }) { writer.member(name, count, &output) }
        }
    }

    mutating func member<Element>(
        _ name: String,
        _ elements: [Element],
        _ output: inout OutputBuffer,
        _ write: (Element, inout OutputBuffer) -> Void
    ) {
        self.name(name, &output)
        output.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            write(element, &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    private mutating func separate(_ output: inout OutputBuffer) {
        if needsComma { output.append(UInt8(ascii: ",")) }
        needsComma = true
    }
}
