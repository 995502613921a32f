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

    /// Writes a member's name.
    ///
    /// The caller writes the value after it.
    mutating func name(_ name: String, _ output: inout OutputBuffer) {
        output.append(name: name, isFirst: !needsComma)
        needsComma = true
    }

    mutating func member(_ name: String, _ value: String, _ output: inout OutputBuffer) {
        self.name(name, &output)
        output.append(string: value)
    }

    mutating func member(_ name: String, _ value: Int, _ output: inout OutputBuffer) {
        self.name(name, &output)
        output.append(value)
    }

    mutating func member(_ name: String, _ value: Int?, _ output: inout OutputBuffer) {
        self.name(name, &output)
        if let value { output.append(value) } else { output.append("null") }
    }

    mutating func member(_ name: String, _ value: Bool, _ output: inout OutputBuffer) {
        self.name(name, &output)
        output.append(value ? "true" : "false")
    }

    /// Writes the members of an encodable value into the object.
    mutating func members(of value: some Encodable, _ output: inout OutputBuffer) {
        OrderedEncoder.write(value, hasMembers: needsComma, &output)
        needsComma = true
    }

    mutating func member(
        _ name: String,
        _ output: inout OutputBuffer,
        _ members: (inout JSONWriter, inout OutputBuffer) -> Void
    ) {
        self.name(name, &output)
        Self.object(into: &output, members)
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
}
