/// Reads a line in the plain form of a request for a token: framing and parsing in one pass over the bytes.
///
/// It accepts only what ``RequestParser`` reads as the same request. It declines everything else, and the parser then
/// reads the line in full: escapes, unknown members and most known ones, a member that comes twice, nested values, more
/// than one space, numbers other than short integers, malformed lines, and a line whose end was not read yet. A new
/// member of the protocol is declined like any unknown one.
///
/// It compares and searches up to eight bytes at once, in the order of a little-endian processor.
package struct PlainTokenScanner {
    /// The most digits of an id, which then has at most 50 bits.
    private static let maxIDDigits = 15
    /// The most digits of a `min_ttl`.
    private static let maxMinTTLDigits = 5

    private var position: Int
    private var hasOperation = false

    @inline(__always)
    private init(at position: Int) { self.position = position }

    /// Reads the line at a position.
    ///
    /// It is not inlined, because the compiler would otherwise spill the parts of all requests of a chunk.
    ///
    /// - Parameters:
    ///   - start: The line's first byte.
    ///   - request: A new request, which is the line's afterwards if the line is accepted.
    /// - Returns: The first byte of the next line, or nil if the line is declined.
    @inline(never)
    package static func read(
        _ chunk: borrowing Span<UInt8>,
        from start: Int,
        into request: inout PlainTokenRequest
    ) -> Int? {
        var scanner = PlainTokenScanner(at: start)
        guard start >= 0, scanner.take(UInt8(ascii: "{"), chunk) else { return nil }
        repeat {
            guard scanner.member(&request, chunk) else { return nil }
        } while scanner.take(UInt8(ascii: ","), chunk)
        guard scanner.take(UInt8(ascii: "}"), chunk), scanner.hasOperation, !request.user.isEmpty else { return nil }
        let end = scanner.position
        _ = scanner.take(UInt8(ascii: "\r"), chunk)
        let isEnded = scanner.take(UInt8(ascii: "\n"), chunk)
        return isEnded && end &- start <= ProtocolLimits.longestLine ? scanner.position : nil
    }

    // MARK: Members

    /// Takes a member, or returns false if it is none of those of a plain request, or comes twice.
    @inline(__always)
    private mutating func member(_ request: inout PlainTokenRequest, _ chunk: borrowing Span<UInt8>) -> Bool {
        skipSpace(chunk)
        let name = word(chunk)
        switch name & Self.fiveBytes {
        case Self.word("\"id\":\0\0\0"): return id(&request, chunk)
        case Self.word("\"op\":\0\0\0"): return operation(chunk)
        default: position &+= 8
        }
        switch name {
        case Self.word("\"subject"): return colon(afterQuote: true, chunk) && user(.subject, &request, chunk)
        case Self.word("\"user_id"): return colon(afterQuote: true, chunk) && user(.userID, &request, chunk)
        case Self.word("\"client\""): return colon(chunk) && user(.client, &request, chunk)
        case Self.word("\"tenant\""): return colon(chunk) && string(&request.tenant, chunk)
        case Self.word("\"scope\":"): return string(&request.scope, chunk)
        case Self.word("\"min_ttl"): return colon(afterQuote: true, chunk) && minTTL(&request, chunk)
        default: return false
        }
    }

    @inline(__always)
    private mutating func id(_ request: inout PlainTokenRequest, _ chunk: borrowing Span<UInt8>) -> Bool {
        position &+= 5
        skipSpace(chunk)
        let start = position
        if peek(chunk) == UInt8(ascii: "\"") {
            guard let end = stringEnd(chunk), end &- start &- 1 <= RequestParser.longestID else { return false }
        } else {
            guard integer(maxDigits: Self.maxIDDigits, chunk) != nil else { return false }
        }
        guard request.id.isEmpty else { return false }
        request.id = Self.range(start, position)
        return true
    }

    @inline(__always)
    private mutating func operation(_ chunk: borrowing Span<UInt8>) -> Bool {
        position &+= 5
        skipSpace(chunk)
        guard !hasOperation, word(chunk) & Self.sevenBytes == Self.word("\"token\"\0") else { return false }
        position &+= 7
        hasOperation = true
        return true
    }

    @inline(__always)
    private mutating func user(
        _ field: LookupField,
        _ request: inout PlainTokenRequest,
        _ chunk: borrowing Span<UInt8>
    ) -> Bool {
        request.field = field
        return string(&request.user, chunk) && request.user.count <= RequestReader.longestUser
    }

    @inline(__always)
    private mutating func minTTL(_ request: inout PlainTokenRequest, _ chunk: borrowing Span<UInt8>) -> Bool {
        skipSpace(chunk)
        guard request.minTTL == nil, let seconds = integer(maxDigits: Self.maxMinTTLDigits, chunk),
            seconds <= Int(RequestReader.longestMinTTL)
        else { return false }
        request.minTTL = .seconds(seconds)
        return true
    }

    // MARK: Values

    /// Takes a string without escapes that is not empty, as the first value of its member.
    @inline(__always)
    private mutating func string(_ value: inout Range<Int>, _ chunk: borrowing Span<UInt8>) -> Bool {
        skipSpace(chunk)
        let start = position &+ 1
        guard peek(chunk) == UInt8(ascii: "\""), let end = stringEnd(chunk), start < end, value.isEmpty else {
            return false
        }
        value = Self.range(start, end)
        return true
    }

    /// Takes a string without escapes, and returns its end.
    @inline(__always)
    private mutating func stringEnd(_ chunk: borrowing Span<UInt8>) -> Int? {
        position = Self.asciiEnd(chunk, from: position &+ 1)
        if peek(chunk) >= 0x80 { position = Self.utf8End(chunk, from: position) }
        let end = position
        return take(UInt8(ascii: "\""), chunk) ? end : nil
    }

    /// The first byte that can't be in a plain string of ASCII: a quotation mark, a backslash, a control character or
    /// one that isn't ASCII.
    @inline(never)
    private static func asciiEnd(_ chunk: borrowing Span<UInt8>, from start: Int) -> Int {
        var position = start
        while position &+ 8 <= chunk.count {
            let word = unsafe chunk.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self)
            let found = marks(word)
            guard found == 0 else { return position &+ found.trailingZeroBitCount / 8 }
            position &+= 8
        }
        while position < chunk.count, unsafe marks(UInt64(chunk[unchecked: position]) | Self.sevenSpaces) == 0 {
            position &+= 1
        }
        return position
    }

    /// The first byte that can't be in a plain string, from the first on that isn't ASCII.
    ///
    /// Returns the start if the bytes up to there are not UTF-8.
    @inline(never)
    private static func utf8End(_ chunk: borrowing Span<UInt8>, from start: Int) -> Int {
        var position = start
        while position < chunk.count {
            let byte = unsafe chunk[unchecked: position]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
            position &+= 1
        }
        return JSONText.isUTF8(chunk.extracting(start..<position)) ? position : start
    }

    /// Takes an integer as JSON writes it, without a sign.
    @inline(__always)
    private mutating func integer(maxDigits: Int, _ chunk: borrowing Span<UInt8>) -> Int? {
        let (start, first) = (position, peek(chunk))
        var number = 0
        while position &- start < maxDigits {
            let digit = peek(chunk) &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            number = number &* 10 &+ Int(digit)
            position &+= 1
        }
        let count = position &- start
        return count == 1 || count > 1 && first != UInt8(ascii: "0") ? number : nil
    }

    // MARK: Bytes

    /// The next byte, or zero, which no line in this form has, at the end of the chunk.
    @inline(__always)
    private func peek(_ chunk: borrowing Span<UInt8>) -> UInt8 {
        guard position < chunk.count else { return 0 }
        return unsafe chunk[unchecked: position]
    }

    /// The next eight bytes, or zero if fewer are left.
    ///
    /// A member and the end of its line are never shorter.
    @inline(__always)
    private func word(_ chunk: borrowing Span<UInt8>) -> UInt64 {
        guard position &+ 8 <= chunk.count else { return 0 }
        return unsafe chunk.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self)
    }

    /// Takes one byte if it is the next one.
    @inline(__always)
    private mutating func take(_ byte: UInt8, _ chunk: borrowing Span<UInt8>) -> Bool {
        guard peek(chunk) == byte else { return false }
        position &+= 1
        return true
    }

    /// Takes one space, which some encoders write after a comma or a colon.
    @inline(__always)
    private mutating func skipSpace(_ chunk: borrowing Span<UInt8>) {
        if peek(chunk) == UInt8(ascii: " ") { position &+= 1 }
    }

    /// Takes the colon after a name.
    @inline(__always)
    private mutating func colon(afterQuote: Bool = false, _ chunk: borrowing Span<UInt8>) -> Bool {
        (!afterQuote || take(UInt8(ascii: "\""), chunk)) && take(UInt8(ascii: ":"), chunk)
    }

    // MARK: Words

    private static let fiveBytes: UInt64 = 0xFF_FFFF_FFFF
    private static let sevenBytes: UInt64 = 0xFF_FFFF_FFFF_FFFF
    /// Makes a word of a single byte, with bytes above it that are not marked.
    private static let sevenSpaces: UInt64 = 0x2020_2020_2020_2000

    /// Eight characters as they are read from memory.
    @inline(__always)
    private static func word(_ text: StaticString) -> UInt64 {
        unsafe UnsafeRawPointer(text.utf8Start).loadUnaligned(as: UInt64.self)
    }

    /// Marks bytes that end a plain string of ASCII by their highest bits: the lowest mark is right, others may not be.
    ///
    /// A byte below 0x80 gets its highest bit by a subtraction only if that borrows: 1 from a quotation mark or
    /// backslash that was compared, or 0x20 from a control character. A borrow only reaches higher bytes.
    @inline(__always)
    private static func marks(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        return ((quotes &- ones) | (backslashes &- ones) | (word &- (ones &* 0x20)) | word) & (ones &* 0x80)
    }

    /// A range whose bounds are in order, because the position only grows.
    @inline(__always)
    private static func range(_ start: Int, _ end: Int) -> Range<Int> {
        unsafe Range(uncheckedBounds: (start, end))
    }
}
