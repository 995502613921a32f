/// Goes over one JSON text (RFC 8259) strictly and without copying it: what it finds are ranges of the text.
///
/// It refuses what lenient readers pass over and strict ones then read differently: lone surrogates, raw control
/// characters, a byte-order mark, anything behind the value, nesting past a limit. It keeps only a position; the text is
/// handed to each step, so nothing can outlive it. UTF-8 is checked by the caller once for the whole text, and only
/// where a byte is not ASCII.
package struct JSONScanner {
    /// The deepest nesting that can be asked for: one bit a level tells arrays from objects.
    package static let deepest = 64

    /// Where the next step begins.
    package private(set) var position: Int
    /// Whether any byte so far was not ASCII.
    package private(set) var hasNonASCII = false
    private let depthLimit: Int

    /// Begins at a position.
    ///
    /// - Parameter depthLimit: How deep arrays and objects may nest, the outermost counted, at most ``deepest``.
    package init(at position: Int = 0, depthLimit: Int) {
        self.position = position
        self.depthLimit = min(depthLimit, Self.deepest)
    }

    /// The text is not JSON, or nests too deep.
    package struct Malformed: Error, Equatable {
        /// At which byte it was noticed.
        package let position: Int
        /// Whether it is the nesting.
        package let isTooDeep: Bool
    }

    /// A value as it stands in the text.
    package struct Value: Equatable, Sendable {
        /// What it is.
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

        /// What it is.
        package let kind: Kind
        private let first: Int32
        private let last: Int32

        /// A value of a text, none of which is as long as 2 GiB.
        init(kind: Kind, start: Int, end: Int) {
            self.kind = kind
            first = Int32(truncatingIfNeeded: start)
            last = Int32(truncatingIfNeeded: end)
        }

        /// Where it begins: a string's first byte behind the quote.
        package var start: Int { Int(first) }
        /// Where it ends: a string's closing quote.
        package var end: Int { Int(last) }

        /// Whether it is a string.
        package var isString: Bool { kind == .string || kind == .escapedString }
    }

    // MARK: Steps

    /// Passes white space.
    package mutating func skipSpace(_ text: borrowing Span<UInt8>) {
        while position < text.count {
            switch text[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    /// Takes one byte that has to stand here.
    package mutating func expect(_ byte: UInt8, _ text: borrowing Span<UInt8>) throws(Malformed) {
        guard position < text.count, text[position] == byte else { throw malformed }
        position += 1
    }

    /// Takes one byte if it stands here.
    package mutating func take(_ byte: UInt8, _ text: borrowing Span<UInt8>) -> Bool {
        guard position < text.count, text[position] == byte else { return false }
        position += 1
        return true
    }

    /// The value that begins here, arrays and objects passed over whole.
    ///
    /// - Parameter depth: How many arrays and objects are open around it.
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

    /// The string that begins here with its quote.
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

    /// Nothing but white space may follow.
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

    /// Passes over an array or object, whatever is in it, in a loop: a deep text can't exhaust the stack.
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
                guard try goOn(text, &objects, &depth) else { return }
            } else if isObject {
                try name(text)
            }
            // Here a value begins: a nested one goes around again.
            while position < text.count, text[position] != UInt8(ascii: "{"), text[position] != UInt8(ascii: "[") {
                _ = try value(text, depth: outer + depth)
                guard try goOn(text, &objects, &depth) else { return }
            }
        } while position < text.count
        throw malformed
    }

    /// Passes what stands behind a value: closing brackets, then a comma and the next name; false: all is closed.
    private mutating func goOn(
        _ text: borrowing Span<UInt8>,
        _ objects: inout UInt64,
        _ depth: inout Int
    ) throws(Malformed) -> Bool {
        while depth > 0 {
            let isObject = objects & 1 == 1
            skipSpace(text)
            if take(UInt8(ascii: ","), text) {
                skipSpace(text)
                if isObject { try name(text) }
                guard position < text.count else { throw malformed }
                return true
            }
            try expect(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"), text)
            objects >>= 1
            depth -= 1
        }
        return false
    }

    private mutating func name(_ text: borrowing Span<UInt8>) throws(Malformed) {
        _ = try string(text)
        skipSpace(text)
        try expect(UInt8(ascii: ":"), text)
        skipSpace(text)
    }
}
