import Glibc
import Secrets
import TokenCache
import TokenProtocol

/// A token as the content of a record: numbers in fixed places, then texts one behind the other.
struct TokenRecord {
    /// Where the numbers stand.
    private enum Place {
        static let sent = 0
        static let lifetime = 8
        static let arrived = 16
        static let draw = 24
        static let owner = 32
        static let flags = 36
        static let split = 40
        static let tokenStart = 44
        static let tokenEnd = 48
        static let field = 52
        static let fingerprint = 56
        static let lengths = 88
        static let texts = 120
    }

    private enum Flag {
        static let cameUnasked: UInt32 = 1
        static let replacedReported: UInt32 = 2
    }

    private static let textCount = 8

    private let token: PersistedToken
    private let clock: BootClock
    /// All but the token's own.
    private let texts: [[UInt8]]

    init(_ token: PersistedToken, _ clock: BootClock) {
        self.token = token
        self.clock = clock
        let names = [token.identity.host, token.identity.clientID, token.tenant, token.scopes.text]
        texts =
            (names + [token.token.scope, token.token.expiresAt]).map { Array($0.utf8) } + [token.user.value]
    }

    /// How many bytes it takes.
    var size: Int { texts.reduce(Place.texts + token.token.text.count) { $0 + $1.count } }

    /// Writes it.
    func write(to memory: UnsafeMutableRawBufferPointer) {
        func put<Value: BitwiseCopyable>(_ value: Value, _ place: Int) {
            unsafe memory.storeBytes(of: value, toByteOffset: place, as: Value.self)
        }
        put(clock.nanoseconds(of: token.sent), Place.sent)
        put(token.lifetime.wholeNanoseconds, Place.lifetime)
        put(clock.nanoseconds(of: token.arrived), Place.arrived)
        put(token.jitterFraction, Place.draw)
        put(token.owner, Place.owner)
        let flags = (token.cameUnasked ? Flag.cameUnasked : 0) | (token.replacedReported ? Flag.replacedReported : 0)
        put(flags, Place.flags)
        put(UInt32(token.token.split), Place.split)
        put(UInt32(token.token.tokenRange.lowerBound), Place.tokenStart)
        put(UInt32(token.token.tokenRange.upperBound), Place.tokenEnd)
        put(UInt32(token.user.field == .subject ? 0 : 1), Place.field)
        for word in 0..<4 { put(token.token.fingerprint.words[word], Place.fingerprint + 8 * word) }
        var place = Place.texts
        for (index, text) in texts.enumerated() {
            put(UInt32(text.count), Place.lengths + 4 * index)
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[place...]).copyBytes(from: text)
            place += text.count
        }
        put(UInt32(token.token.text.count), Place.lengths + 4 * texts.count)
        unsafe token.token.text.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[place...]).copyMemory(from: $0)
        }
    }

    /// When a token was last asked for, or came.
    static func time(_ content: UnsafeRawBufferPointer, lastAsked: Int64) -> Int64 {
        guard lastAsked == LogFile.never, content.count >= Place.texts else { return lastAsked }
        return unsafe content.loadUnaligned(fromByteOffset: Place.arrived, as: Int64.self)
    }

    /// How many bytes of a record's content stand before the token itself, which is at its end.
    static func sizeBeforeToken(_ content: UnsafeRawBufferPointer) -> Int {
        (0..<textCount - 1).reduce(Place.texts) { size, index in
            unsafe size + Int(content.loadUnaligned(fromByteOffset: Place.lengths + 4 * index, as: UInt32.self))
        }
    }

    /// Reads records, many of which have the same names in them.
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

        /// A token, which stays where it is: its text is the record's own; nil where the record holds none.
        ///
        /// - Parameter place: Where in the file the record is.
        mutating func read(_ place: Int, of file: LogFile) -> PersistedToken? {
            let (content, lastAsked) = unsafe (file.content(at: place), file.lastAsked(at: place))
            guard content.count >= Place.texts else { return nil }
            func number<Value: BitwiseCopyable>(_ place: Int, _ type: Value.Type = Value.self) -> Value {
                unsafe content.loadUnaligned(fromByteOffset: place, as: type)
            }
            var texts = unsafe Texts(content)
            guard unsafe host.read(texts.next()), unsafe clientID.read(texts.next()), unsafe tenant.read(texts.next()),
                unsafe wantedScope.read(texts.next()), let scopes = scopes(), unsafe scope.read(texts.next()),
                unsafe expiresAt.read(texts.next()), let user = unsafe texts.next(), let text = unsafe texts.next()
            else { return nil }
            let (start, stop) = (Int(number(Place.tokenStart, UInt32.self)), Int(number(Place.tokenEnd, UInt32.self)))
            let (draw, lifetime): (Double, Int64) = (number(Place.draw), number(Place.lifetime))
            guard start <= stop, (0..<1).contains(draw), lifetime > 0 else { return nil }
            let words = SIMD4((0..<4).map { number(Place.fingerprint + 8 * $0, UInt64.self) })
            let textStart = unsafe TokenRecord.sizeBeforeToken(content)
            let served = unsafe file.served(place, textStart..<textStart + text.count)
            let token = EncodedToken(
                text: unsafe SecretBytes(viewing: served.bytes, of: served.owner, source: memory),
                split: Int(number(Place.split, UInt32.self)),
                tokenRange: start..<stop,
                fingerprint: Fingerprint(words: words),
                scope: scope.text,
                expiresAt: expiresAt.text
            )
            guard let token else { return nil }
            let flags: UInt32 = number(Place.flags)
            let field: LookupField = number(Place.field, UInt32.self) == 0 ? .subject : .userID
            return PersistedToken(
                tenant: tenant.text,
                identity: .init(host: host.text, clientID: clientID.text),
                user: UserLookup(field: field, value: unsafe Array(user)),
                scopes: scopes,
                token: token,
                sent: clock.instant(at: number(Place.sent)),
                lifetime: .nanoseconds(lifetime),
                jitterFraction: draw,
                arrived: clock.instant(at: number(Place.arrived)),
                lastAsked: lastAsked == LogFile.never ? nil : clock.instant(at: lastAsked),
                cameUnasked: flags & Flag.cameUnasked != 0,
                replacedReported: flags & Flag.replacedReported != 0,
                owner: number(Place.owner)
            )
        }

        private mutating func scopes() -> ScopeSet? {
            if lastScopes?.text != wantedScope.text { lastScopes = ScopeSet(wantedScope.text) }
            return lastScopes
        }
    }

    /// The texts of a record, one after another.
    @safe private struct Texts {
        private let content: UnsafeRawBufferPointer
        private var index = 0
        private var place = TokenRecord.Place.texts

        init(_ content: UnsafeRawBufferPointer) { unsafe self.content = content }

        /// The next text; nil where it would end outside.
        mutating func next() -> UnsafeRawBufferPointer? {
            let lengthPlace = TokenRecord.Place.lengths + 4 * index
            let length = unsafe Int(content.loadUnaligned(fromByteOffset: lengthPlace, as: UInt32.self))
            guard unsafe length <= content.count - place else { return nil }
            defer { place += length }
            index += 1
            return unsafe UnsafeRawBufferPointer(rebasing: content[place..<place + length])
        }
    }

    /// A text that most records share: it is made anew only where it differs from the last record's.
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
