/// Parses the engine's values from bytes that arrive in any pieces.
///
/// Each byte is looked at a fixed number of times, however the pieces are cut, and no more memory is taken than the bytes
/// that have arrived justify. After a fault the connection is of no use: each further call throws the same fault.
package struct RespParser: Sendable {
    private let limits: RespLimits
    private var buffer: [UInt8] = []
    /// The number of bytes of the buffer that have been parsed.
    private var position = 0
    /// The place from which the end of a line is searched.
    private var searched = 0
    /// The bytes of the present value, all levels together.
    private var size = 0
    /// The aggregates that are open, the outermost first.
    private var open: [RespAggregate] = []
    /// The string whose length has been read.
    private var string: (kind: UInt8, count: Int)?
    private var fault: RespFault?

    /// Creates a parser.
    package init(limits: RespLimits = RespLimits()) { self.limits = limits }

    /// The number of bytes that wait for the rest of their value.
    package var pending: Int { buffer.count - position + size }

    /// Takes bytes.
    package mutating func append(_ bytes: some Sequence<UInt8>) {
        guard fault == nil else { return }
        buffer.append(contentsOf: bytes)
    }

    /// Returns the next value, or nil if it isn't complete yet.
    package mutating func next() throws(RespFault) -> RespValue? {
        if let fault { throw fault }
        do throws(RespFault) {
            while let item = try item() {
                if let value = try add(item) {
                    size = 0
                    return value
                }
            }
        } catch {
            fault = error
            (buffer, position, size, open) = ([], 0, 0, [])
            throw error
        }
        compact()
        return nil
    }

    private mutating func compact() {
        // Only when all is parsed, or much: so that bytes aren't moved again and again.
        guard position > 0, position == buffer.count || position >= 65_536 else { return }
        buffer.removeSubrange(..<position)
        (position, searched) = (0, 0)
    }

    // MARK: Aggregates

    /// Adds an item to the innermost open aggregate, and returns the value that is complete by it, if any.
    private mutating func add(_ item: RespItem) throws(RespFault) -> RespValue? {
        var value: RespValue
        switch item {
        case .value(let single): value = single
        case .aggregate(let aggregate):
            guard aggregate.missing == 0 else {
                guard open.count < limits.depth else { throw .tooDeep }
                open.append(aggregate)
                return nil
            }
            guard let empty = aggregate.value else { return nil }
            value = empty
        }
        while var last = open.popLast() {
            last.elements.append(value)
            last.missing -= 1
            guard last.missing == 0 else {
                open.append(last)
                return nil
            }
            // Attributes describe the value that follows, and are passed over.
            guard let whole = last.value else { return nil }
            value = whole
        }
        return value
    }

    // MARK: Items

    private mutating func item() throws(RespFault) -> RespItem? {
        if let string { return try read(string) }
        guard let line = try line(), let kind = line.first else { return nil }
        let text = line.dropFirst()
        switch kind {
        case UInt8(ascii: "$"), UInt8(ascii: "="), UInt8(ascii: "!"):
            guard let count = try count(text, unit: 1) else { return .value(.null) }
            string = (kind, count)
            return try read((kind, count))
        case UInt8(ascii: "*"), UInt8(ascii: "%"), UInt8(ascii: "~"), UInt8(ascii: ">"), UInt8(ascii: "|"):
            guard let count = try count(text, unit: 3) else { return .value(.null) }
            return .aggregate(RespAggregate(kind: kind, count: count))
        default:
            guard let value = RespValue(line: text, kind: kind) else { throw .malformed }
            return .value(value)
        }
    }

    /// Reads a string and its line end.
    private mutating func read(_ string: (kind: UInt8, count: Int)) throws(RespFault) -> RespItem? {
        let end = position + string.count
        guard buffer.count >= end + 2 else { return nil }
        guard buffer[end] == UInt8(ascii: "\r"), buffer[end + 1] == UInt8(ascii: "\n") else { throw .malformed }
        let bytes = buffer[position..<end]
        try take(through: end + 2)
        self.string = nil
        switch string.kind {
        case UInt8(ascii: "!"): return .value(.error(String(decoding: bytes, as: UTF8.self)))
        case UInt8(ascii: "="):
            // A form of three letters and a colon come before the text.
            guard bytes.count >= 4 else { throw .malformed }
            return .value(.bulk(Array(bytes.dropFirst(4))))
        default: return .value(.bulk(Array(bytes)))
        }
    }

    /// Reads a line without its end, or returns nil if it isn't complete.
    private mutating func line() throws(RespFault) -> ArraySlice<UInt8>? {
        let start = max(position, searched)
        guard let end = buffer[start...].firstIndex(where: { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") })
        else {
            searched = buffer.count
            guard buffer.count - position <= limits.line else { throw .tooLarge }
            return nil
        }
        searched = end
        guard end - position <= limits.line else { throw .tooLarge }
        guard buffer[end] == UInt8(ascii: "\r"), end > position else { throw .malformed }
        guard end + 1 < buffer.count else { return nil }
        guard buffer[end + 1] == UInt8(ascii: "\n") else { throw .malformed }
        let line = buffer[position..<end]
        try take(through: end + 2)
        return line
    }

    /// Reads the length of a string or an aggregate, nil for null.
    ///
    /// - Parameter unit: The least number of bytes for each one.
    private func count(_ text: ArraySlice<UInt8>, unit: Int) throws(RespFault) -> Int? {
        guard let number = DecimalNumber.read(text), number >= -1 else { throw .malformed }
        guard number >= 0 else { return nil }
        guard number <= (limits.size - size) / unit else { throw .tooLarge }
        return Int(number)
    }

    private mutating func take(through end: Int) throws(RespFault) {
        size += end - position
        (position, searched) = (end, end)
        guard size <= limits.size else { throw .tooLarge }
    }
}
