import Glibc
import Secrets
import TokenCache
import TokenProtocol

/// The content of a record: a token as numbers at fixed offsets, followed by texts.
struct TokenRecord {
    /// The offsets of the numbers.
    private enum Offset {
        static let sent = 0
        static let lifetime = 8
        static let arrived = 16
        static let jitterFraction = 24
        static let owner = 32
        static let flags = 36
        static let expiresIn = 40
        static let tokenStart = 44
        static let tokenEnd = 48
        static let field = 52
        static let fingerprint = 56
        static let lengths = 88
        static let texts = 120
    }

    private enum Flag {
        static let isUnrequested: UInt32 = 1
        static let replacedReported: UInt32 = 2
    }

    private static let textCount = 8

    private let token: PersistedToken
    private let clock: BootClock
    /// All texts but the token's own.
    private let texts: [[UInt8]]

    init(_ token: PersistedToken, _ clock: BootClock) {
        self.token = token
        self.clock = clock
        let names = [token.identity.host, token.identity.clientID, token.tenant, token.scopes.text]
        texts =
            (names + [token.token.scope, token.token.expiresAt]).map { Array($0.utf8) } + [token.user.value]
    }

    /// The size of the content in bytes.
    var size: Int { texts.reduce(Offset.texts + token.token.text.count) { $0 + $1.count } }

    /// Writes the content.
    func write(to memory: UnsafeMutableRawBufferPointer) {
        func put<Value: BitwiseCopyable>(_ value: Value, _ offset: Int) {
            unsafe memory.storeBytes(of: value, toByteOffset: offset, as: Value.self)
        }
        put(clock.nanoseconds(of: token.sent), Offset.sent)
        put(token.lifetime.wholeNanoseconds, Offset.lifetime)
        put(clock.nanoseconds(of: token.arrived), Offset.arrived)
        put(token.jitterFraction, Offset.jitterFraction)
        put(token.owner, Offset.owner)
        let flags =
            (token.isUnrequested ? Flag.isUnrequested : 0) | (token.replacedReported ? Flag.replacedReported : 0)
        put(flags, Offset.flags)
        put(UInt32(token.token.expiresInOffset), Offset.expiresIn)
        put(UInt32(token.token.tokenRange.lowerBound), Offset.tokenStart)
        put(UInt32(token.token.tokenRange.upperBound), Offset.tokenEnd)
        put(UInt32(token.user.field.rawValue), Offset.field)
        for word in 0..<4 { put(token.token.fingerprint.words[word], Offset.fingerprint + 8 * word) }
        var offset = Offset.texts
        for (index, text) in texts.enumerated() {
            put(UInt32(text.count), Offset.lengths + 4 * index)
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).copyBytes(from: text)
            offset += text.count
        }
        put(UInt32(token.token.text.count), Offset.lengths + 4 * texts.count)
        unsafe token.token.text.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).copyMemory(from: $0)
        }
    }

    /// Returns the time at which a token was last used or received.
    static func time(_ content: UnsafeRawBufferPointer, lastUsed: Int64) -> Int64 {
        guard lastUsed == LogFile.never, content.count >= Offset.texts else { return lastUsed }
        return unsafe content.loadUnaligned(fromByteOffset: Offset.arrived, as: Int64.self)
    }

    /// Returns the number of bytes before the token itself, which is at the end of the content.
    static func sizeBeforeToken(_ content: UnsafeRawBufferPointer) -> Int {
        (0..<textCount - 1).reduce(Offset.texts) { size, index in
            unsafe size + Int(content.loadUnaligned(fromByteOffset: Offset.lengths + 4 * index, as: UInt32.self))
        }
    }

    /// A reader of records, many of which share texts.
    struct Reader {
        private let clock: BootClock
        private let memory: SecretMemory?
        private var host = SharedText()
        private var clientID = SharedText()
        private var tenant = SharedText()
        private var wantedScope = SharedText()
        private var scope = SharedText()
        private var expiresAt = SharedText()
        private var lastScopes: ScopeSet?

        init(_ clock: BootClock, in memory: SecretMemory?) {
            self.clock = clock
            self.memory = memory
        }

        /// Reads a token, whose text stays in the record's memory.
        ///
        /// Returns nil if the record has none.
        ///
        /// - Parameters:
        ///   - offset: The record's offset in the file.
        ///   - file: The file.
        mutating func read(_ offset: Int, of file: LogFile) -> PersistedToken? {
            let (content, lastUsed) = unsafe (file.content(at: offset), file.lastUsed(at: offset))
            guard content.count >= Offset.texts else { return nil }
            func number<Value: BitwiseCopyable>(_ offset: Int, _ type: Value.Type = Value.self) -> Value {
                unsafe content.loadUnaligned(fromByteOffset: offset, as: type)
            }
            // A later version may know further fields. Its tokens are not this version's users' tokens.
            guard let field = UInt8(exactly: number(Offset.field, UInt32.self)).flatMap(LookupField.init) else {
                return nil
            }
            var texts = unsafe Texts(content)
            guard unsafe host.read(texts.next()), unsafe clientID.read(texts.next()), unsafe tenant.read(texts.next()),
                unsafe wantedScope.read(texts.next()), let scopes = scopes(of: field), unsafe scope.read(texts.next()),
                unsafe expiresAt.read(texts.next()), let user = unsafe texts.next(), let text = unsafe texts.next()
            else { return nil }
            let (start, stop) = (Int(number(Offset.tokenStart, UInt32.self)), Int(number(Offset.tokenEnd, UInt32.self)))
            let (jitterFraction, lifetime): (Double, Int64) = (number(Offset.jitterFraction), number(Offset.lifetime))
            guard start <= stop, (0..<1).contains(jitterFraction), lifetime > 0 else { return nil }
            let words = SIMD4((0..<4).map { number(Offset.fingerprint + 8 * $0, UInt64.self) })
            let token = EncodedToken(
                text: self.text(of: offset, text.count, in: file),
                expiresInOffset: Int(number(Offset.expiresIn, UInt32.self)),
                tokenRange: start..<stop,
                fingerprint: Fingerprint(words: words),
                scope: scope.text,
                expiresAt: expiresAt.text
            )
            guard let token else { return nil }
            let flags: UInt32 = number(Offset.flags)
            return PersistedToken(
                tenant: tenant.text,
                identity: .init(host: host.text, clientID: clientID.text),
                user: UserLookup(field: field, value: unsafe Array(user)),
                scopes: scopes,
                token: token,
                sent: clock.instant(at: number(Offset.sent)),
                lifetime: .nanoseconds(lifetime),
                jitterFraction: jitterFraction,
                arrived: clock.instant(at: number(Offset.arrived)),
                lastUsed: lastUsed == LogFile.never ? nil : clock.instant(at: lastUsed),
                isUnrequested: flags & Flag.isUnrequested != 0,
                replacedReported: flags & Flag.replacedReported != 0,
                owner: number(Offset.owner)
            )
        }

        /// Returns the token itself, in the memory of its record.
        private func text(of offset: Int, _ count: Int, in file: LogFile) -> SecretBytes {
            let start = unsafe TokenRecord.sizeBeforeToken(file.content(at: offset))
            let served = unsafe file.served(offset, start..<start + count)
            return unsafe SecretBytes(viewing: served.bytes, of: served.owner, source: memory)
        }

        /// Returns the scopes that were asked for, of which only a client's own token may have none.
        private mutating func scopes(of field: LookupField) -> ScopeSet? {
            if wantedScope.text.isEmpty { return field == .client ? .all : nil }
            if lastScopes?.text != wantedScope.text { lastScopes = ScopeSet(wantedScope.text) }
            return lastScopes
        }
    }

    /// The texts of a record, in order.
    @safe private struct Texts {
        private let content: UnsafeRawBufferPointer
        private var index = 0
        private var offset = TokenRecord.Offset.texts

        init(_ content: UnsafeRawBufferPointer) { unsafe self.content = content }

        /// Returns the next text, or nil if it would end outside the record.
        mutating func next() -> UnsafeRawBufferPointer? {
            let lengthOffset = TokenRecord.Offset.lengths + 4 * index
            let length = unsafe Int(content.loadUnaligned(fromByteOffset: lengthOffset, as: UInt32.self))
            guard unsafe length <= content.count - offset else { return nil }
            defer { offset += length }
            index += 1
            return unsafe UnsafeRawBufferPointer(rebasing: content[offset..<offset + length])
        }
    }

    /// A text that most records share.
    ///
    /// It is decoded only if it differs from the previous record's.
    private struct SharedText {
        private(set) var text = ""
        private var bytes: [UInt8] = []

        mutating func read(_ found: UnsafeRawBufferPointer?) -> Bool {
            guard let found = unsafe found else { return false }
            if unsafe !isSame(found) {
                bytes = unsafe Array(found)
                text = String(decoding: bytes, as: UTF8.self)
            }
            return true
        }

        private func isSame(_ found: UnsafeRawBufferPointer) -> Bool {
            guard found.count == bytes.count, let start = found.baseAddress else { return false }
            return unsafe bytes.withUnsafeBytes { other in
                unsafe other.baseAddress.map { unsafe memcmp($0, start, found.count) == 0 } ?? true
            }
        }
    }
}
