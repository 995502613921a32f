/// Writes a value's members into an object, in the order in which the value encodes them.
///
/// Foundation's encoder sorts or shuffles members and writes numbers in another form. This one is for the values of
/// `OperatorReplies`: it throws nothing, and numbers are `Int` or `Double`.
final class OrderedEncoder: Encoder {
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    // One struct, so that a member costs one check for exclusive access.
    private var text: Text

    private init(_ text: Text) { self.text = text }

    /// Appends the members of a value to an object that has been opened.
    ///
    /// - Parameter hasMembers: True if the object has a member already.
    static func write(_ value: some Encodable, hasMembers: Bool, _ output: inout OutputBuffer) {
        let encoder = OrderedEncoder(Text(output: output, form: .object, needsComma: hasMembers))
        // The bytes may be tokens' and have one owner at a time: a second one would make the next append copy them.
        output = OutputBuffer()
        // Neither this encoder nor the replies throw.
        try? value.encode(to: encoder)
        swap(&output, &encoder.text.output)
    }

    func container<Key>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        text.open(.object)
        return KeyedEncodingContainer(Members(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        text.open(.list)
        return Values(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Values(encoder: self) }

    /// Writes a value by its own `encode(to:)`.
    private func write(_ value: some Encodable) throws {
        let outer = text.form
        text.form = .undecided
        try value.encode(to: self)
        text.close(in: outer)
    }
}

extension OrderedEncoder {
    /// The text so far, and the state of the value that is being written.
    private struct Text {
        /// The form of the value that is being written.
        enum Form {
            case undecided
            case object
            case list
        }

        var output: OutputBuffer
        var form: Form
        var needsComma: Bool

        /// Opens the value, unless another container has done so.
        ///
        /// A value may write its members in several containers.
        mutating func open(_ form: Form) {
            guard self.form == .undecided else { return }
            self.form = form
            needsComma = false
            output.append(form == .object ? UInt8(ascii: "{") : UInt8(ascii: "["))
        }

        /// Closes the value, and continues with the one that contains it.
        mutating func close(in outer: Form) {
            switch form {
            case .undecided: break
            case .object: output.append(UInt8(ascii: "}"))
            case .list: output.append(UInt8(ascii: "]"))
            }
            form = outer
            needsComma = true
        }

        /// Writes a member's name, and its value by a closure, which writes nothing if the value encodes itself.
        mutating func member(_ name: String, _ value: (inout OutputBuffer) -> Void) {
            output.append(name: name, isFirst: !needsComma)
            needsComma = true
            value(&output)
        }

        /// Writes a list's element, or a single value.
        mutating func element(_ value: (inout OutputBuffer) -> Void) {
            if form == .list {
                if needsComma { output.append(UInt8(ascii: ",")) }
                needsComma = true
            }
            value(&output)
        }
    }

    /// Writes the members of an object.
    private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let encoder: OrderedEncoder
        var codingPath: [any CodingKey] { [] }

        func encodeNil(forKey key: Key) { member(key) { $0.append("null") } }
        func encode(_ value: Bool, forKey key: Key) { member(key) { $0.append(value ? "true" : "false") } }
        func encode(_ value: String, forKey key: Key) { member(key) { $0.append(string: value) } }
        func encode(_ value: Int, forKey key: Key) { member(key) { $0.append(value) } }
        func encode(_ value: Double, forKey key: Key) { member(key) { $0.append(value) } }

        func encode(_ value: some Encodable, forKey key: Key) throws {
            member(key) { _ in }
            try encoder.write(value)
        }

        private func member(_ key: Key, _ append: (inout OutputBuffer) -> Void) {
            encoder.text.member(key.stringValue, append)
        }

        func superEncoder() -> any Encoder { encoder }
        func superEncoder(forKey key: Key) -> any Encoder { encoder }

        func nestedContainer<Inner>(keyedBy type: Inner.Type, forKey key: Key) -> KeyedEncodingContainer<Inner> {
            preconditionFailure("a nested value is encoded by its own type")
        }

        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            preconditionFailure("a nested value is encoded by its own type")
        }
    }

    /// Writes the elements of a list, or a single value.
    private struct Values: UnkeyedEncodingContainer, SingleValueEncodingContainer {
        let encoder: OrderedEncoder
        var codingPath: [any CodingKey] { [] }
        private(set) var count = 0

        mutating func encodeNil() { element { $0.append("null") } }
        mutating func encode(_ value: Bool) { element { $0.append(value ? "true" : "false") } }
        mutating func encode(_ value: String) { element { $0.append(string: value) } }
        mutating func encode(_ value: Int) { element { $0.append(value) } }
        mutating func encode(_ value: Double) { element { $0.append(value) } }

        mutating func encode(_ value: some Encodable) throws {
            element { _ in }
            try encoder.write(value)
        }

        private mutating func element(_ append: (inout OutputBuffer) -> Void) {
            count += 1
            encoder.text.element(append)
        }

        func superEncoder() -> any Encoder { encoder }

        func nestedContainer<Inner>(keyedBy type: Inner.Type) -> KeyedEncodingContainer<Inner> {
            preconditionFailure("a nested value is encoded by its own type")
        }

        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            preconditionFailure("a nested value is encoded by its own type")
        }
    }
}
