/// Scans one JSON text (RFC 8259) strictly and without copying it.
///
/// It finds values as ranges of the text.
///
/// It rejects what lenient readers ignore and others then read differently: lone surrogates, raw control characters, a
/// byte-order mark, anything after the value, and nesting beyond a limit. It keeps only a position. The text is passed
/// to each step, so nothing can outlive it. UTF-8 is checked by the caller, once for the whole text and only if a byte
/// is not ASCII.
package struct JSONScanner {
    /// The largest limit of nesting, as one bit for each level tells arrays from objects.
    package static let deepest = 64

    /// The position of the next step.
    package private(set) var position: Int
    /// True if any byte so far was not ASCII.
    package private(set) var hasNonASCII = false
    private let depthLimit: Int

    /// Creates a scanner at a position.
    ///
    /// - Parameter depthLimit: The deepest nesting of arrays and objects, the outermost counted, at most ``deepest``.
    package init(at position: Int = 0, depthLimit: Int) {
        self.position = position
        self.depthLimit = min(depthLimit, Self.deepest)
    }

    /// The text is not JSON, or is nested too deep.
    package struct Malformed: Error, Equatable {
        /// The position at which the fault was found.
        package let position: Int
        /// True if the text is nested too deep.
        package let isTooDeep: Bool
    }

    /// A value, as a range of the text.
    package struct Value: Equatable, Sendable {
        /// The kind of a value.
        package enum Kind: UInt8, Sendable {
            case string
            case escapedString
            case number
            case `true`
            case `false`
            case null
            case array
            case object
        }

        /// The value's kind.
        package let kind: Kind
        private let first: Int32
        private let last: Int32

        /// Creates a value.
        ///
        /// Texts are never as long as 2 GiB.
        init(kind: Kind, start: Int, end: Int) {
            self.kind = kind
            first = Int32(truncatingIfNeeded: start)
            last = Int32(truncatingIfNeeded: end)
        }

        /// The value's first byte.
        ///
        /// A string begins after its quote.
        package var start: Int { Int(first) }
        /// The end of the value.
        ///
        /// A string ends at its closing quote.
        package var end: Int { Int(last) }

        /// True if the value is a string.
        package var isString: Bool { kind == .string || kind == .escapedString }
    }

    // MARK: Steps

    /// Skips white space.
    package mutating func skipSpace(_ text: borrowing Span<UInt8>) {
        while position < text.count {
            switch text[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    /// Takes one byte, which must be the next one.
    package mutating func expect(_ byte: UInt8, _ text: borrowing Span<UInt8>) throws(Malformed) {
        guard position < text.count, text[position] == byte else { throw malformed }
        position += 1
    }

    /// Takes one byte if it is the next one.
    package mutating func take(_ byte: UInt8, _ text: borrowing Span<UInt8>) -> Bool {
        guard position < text.count, text[position] == byte else { return false }
        position += 1
        return true
    }

    /// Takes the next value.
    ///
    /// Arrays and objects are skipped as a whole.
    ///
    /// - Parameter depth: The number of arrays and objects that are open around it.
    package mutating func value(_ text: borrowing Span<UInt8>, depth: Int) throws(Malformed) -> Value {
        guard position < text.count else { throw malformed }
        let start = position
        switch text[position] {
        case UInt8(ascii: "\""): return try string(text)
        case UInt8(ascii: "{"):
            try skipNested(text, depth: depth)
            return Value(kind: .object, start: start, end: position)
        case UInt8(ascii: "["):
            try skipNested(text, depth: depth)
            return Value(kind: .array, start: start, end: position)
        default: return try scalar(text)
        }
    }

    /// Takes the next string, from its opening to its closing quote.
    package mutating func string(_ text: borrowing Span<UInt8>) throws(Malformed) -> Value {
        try expect(UInt8(ascii: "\""), text)
        let start = position
        var kind = Value.Kind.string
        while position < text.count {
            let byte = text[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return Value(kind: kind, start: start, end: position - 1)
            }
            guard byte >= 0x20 else { throw malformed }
            if byte == UInt8(ascii: "\\") {
                kind = .escapedString
                try escape(text)
            } else {
                if byte >= 0x80 { hasNonASCII = true }
                position += 1
            }
        }
        throw malformed
    }

    /// Takes the name of a member, and the colon after it.
    @inline(__always)
    package mutating func name(_ text: borrowing Span<UInt8>) throws(Malformed) -> Value {
        let name = try string(text)
        skipSpace(text)
        try expect(UInt8(ascii: ":"), text)
        skipSpace(text)
        return name
    }

    /// Takes the comma before another member or element.
    ///
    /// - Returns: False if there is none.
    @inline(__always)
    package mutating func comma(_ text: borrowing Span<UInt8>) -> Bool {
        skipSpace(text)
        guard take(UInt8(ascii: ","), text) else { return false }
        skipSpace(text)
        return true
    }

    /// Takes the end of the text.
    ///
    /// Only white space may precede it.
    package mutating func end(_ text: borrowing Span<UInt8>) throws(Malformed) {
        skipSpace(text)
        guard position == text.count else { throw malformed }
    }

    private var malformed: Malformed { Malformed(position: position, isTooDeep: false) }

    // MARK: Strings

    private mutating func escape(_ text: borrowing Span<UInt8>) throws(Malformed) {
        guard position + 1 < text.count else { throw malformed }
        switch text[position + 1] {
        case UInt8(ascii: "u"):
            let unit = try hexadecimal(text)
            if unit & 0xFC00 == 0xD800 {
                guard position + 1 < text.count, text[position] == UInt8(ascii: "\\"),
                    text[position + 1] == UInt8(ascii: "u"), try hexadecimal(text) & 0xFC00 == 0xDC00
                else { throw malformed }
            } else if unit & 0xFC00 == 0xDC00 {
                throw malformed
            }
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        default: throw malformed
        }
    }

    private mutating func hexadecimal(_ text: borrowing Span<UInt8>) throws(Malformed) -> UInt32 {
        guard position + 6 <= text.count else { throw malformed }
        var unit: UInt32 = 0
        for offset in 2..<6 {
            guard let digit = JSONText.hexadecimalValue(text[position + offset]) else { throw malformed }
            unit = unit << 4 | digit
        }
        position += 6
        return unit
    }

    // MARK: Scalars

    private mutating func scalar(_ text: borrowing Span<UInt8>) throws(Malformed) -> Value {
        let start = position
        switch text[position] {
        case UInt8(ascii: "t"):
            try word("true", text)
            return Value(kind: .true, start: start, end: position)
        case UInt8(ascii: "f"):
            try word("false", text)
            return Value(kind: .false, start: start, end: position)
        case UInt8(ascii: "n"):
            try word("null", text)
            return Value(kind: .null, start: start, end: position)
        default:
            try number(text)
            return Value(kind: .number, start: start, end: position)
        }
    }

    private mutating func word(_ word: StaticString, _ text: borrowing Span<UInt8>) throws(Malformed) {
        let length = word.utf8CodeUnitCount
        guard position + length <= text.count else { throw malformed }
        for offset in 0..<length {
            guard unsafe text[position + offset] == word.utf8Start[offset] else { throw malformed }
        }
        position += length
    }

    private mutating func number(_ text: borrowing Span<UInt8>) throws(Malformed) {
        _ = take(UInt8(ascii: "-"), text)
        if !take(UInt8(ascii: "0"), text) { try digits(text) }
        if take(UInt8(ascii: "."), text) { try digits(text) }
        guard position < text.count, text[position] | 0x20 == UInt8(ascii: "e") else { return }
        position += 1
        if !take(UInt8(ascii: "+"), text) { _ = take(UInt8(ascii: "-"), text) }
        try digits(text)
    }

    private mutating func digits(_ text: borrowing Span<UInt8>) throws(Malformed) {
        let start = position
        while position < text.count, text[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        guard position > start else { throw malformed }
    }

    // MARK: Nesting

    /// Skips an array or object with all that is in it, in a loop, so that a deep text can't exhaust the stack.
    private mutating func skipNested(_ text: borrowing Span<UInt8>, depth outer: Int) throws(Malformed) {
        var objects: UInt64 = 0
        var depth = 0
        repeat {
            let isObject = text[position] == UInt8(ascii: "{")
            guard outer + depth < depthLimit else { throw Malformed(position: position, isTooDeep: true) }
            position += 1
            objects = objects << 1 | (isObject ? 1 : 0)
            depth += 1
            skipSpace(text)
            if take(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"), text) {
                objects >>= 1
                depth -= 1
                guard try skipAfterValue(text, &objects, &depth) else { return }
            } else if isObject {
                _ = try name(text)
            }
            // A value begins here. A nested one is handled by the outer loop.
            while position < text.count, text[position] != UInt8(ascii: "{"), text[position] != UInt8(ascii: "[") {
                _ = try value(text, depth: outer + depth)
                guard try skipAfterValue(text, &objects, &depth) else { return }
            }
        } while position < text.count
        throw malformed
    }

    /// Skips what follows a value: closing brackets, then a comma and the next name.
    ///
    /// - Returns: False if the outermost array or object has ended.
    private mutating func skipAfterValue(
        _ text: borrowing Span<UInt8>,
        _ objects: inout UInt64,
        _ depth: inout Int
    ) throws(Malformed) -> Bool {
        while depth > 0 {
            let isObject = objects & 1 == 1
            if comma(text) {
                if isObject { _ = try name(text) }
                guard position < text.count else { throw malformed }
                return true
            }
            try expect(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"), text)
            objects >>= 1
            depth -= 1
        }
        return false
    }
}
