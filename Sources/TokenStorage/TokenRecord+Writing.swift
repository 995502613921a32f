import Glibc
package import Secrets
import Synchronization
import TokenProtocol

extension TokenRecord {
    private static let quote = UInt8(ascii: "\"")
    private static let escape = UInt8(ascii: "\\")

    /// Returns the size of a token's record, or nil if it can't have one.
    ///
    /// - Parameter length: The length of the escaped token.
    static func size(of token: NewToken, length: Int) -> Int? {
        guard !token.user.value.isEmpty, token.user.value.count <= longestText, length <= longestText else {
            return nil
        }
        return Offset.content + token.user.value.count + length + (token.fence == 0 ? 0 : fenceLength)
    }

    /// Returns the length of a token with its escapes.
    static func escapedLength(of token: AccessToken) -> Int {
        unsafe token.bytes.withUnsafeBytes { bytes in
            guard unsafe needsEscapes(bytes) else { return bytes.count }
            return unsafe bytes.reduce(0) { $0 + (needsEscape($1) ? 2 : 1) }
        }
    }

    /// Writes a token, the state last.
    func write(_ token: NewToken, length: Int, class id: RecordID) {
        unsafe start.storeBytes(of: RecordState.writing.rawValue, as: UInt8.self)
        atomicMemoryFence(ordering: .releasing)
        writeNumbers(of: token, length: length, class: id)
        writeTexts(of: token)
        if token.fence != 0 { store(token.fence, Offset.content + userLength + tokenLength) }
        store(check, Offset.check)
        atomicMemoryFence(ordering: .releasing)
        unsafe start.storeBytes(of: RecordState.token.rawValue, as: UInt8.self)
    }

    private func writeNumbers(of token: NewToken, length: Int, class id: RecordID) {
        let flags =
            (token.isUnrequested ? Bits.isUnrequested : 0) | (token.replacedReported ? Bits.replacedReported : 0)
            | (token.fence != 0 ? Bits.hasFence : 0)
        store(token.user.field.rawValue | flags, Offset.fieldAndFlags)
        store(UInt16(token.user.value.count), Offset.userLength)
        store(RecordTime(0, rest: UInt16(length)), Offset.lastUsed)
        lastUsed = token.lastUsed
        store(token.owner, Offset.owner)
        store(id.units, Offset.tokenClass)
        store(RecordTime(token.sent, rest: token.jitter), Offset.sent)
        let lifetime = min(UInt64(max(0, token.lifetime / Self.lifetimeUnit)), 1 << Self.lifetimeBits - 1)
        let arrived = min(UInt64(max(0, (token.arrived - sent) / RecordTime.unit)), .max >> Self.lifetimeBits)
        store(arrived << Self.lifetimeBits | lifetime, Offset.life)
        store(token.fingerprint.words[0], Offset.fingerprint)
        store(token.expiresAt, Offset.expiresAt)
    }

    private func writeTexts(of token: NewToken) {
        unsafe UnsafeMutableRawBufferPointer(start: start + Offset.content, count: userLength)
            .copyBytes(from: token.user.value)
        unsafe token.token.bytes.withUnsafeBytes { bytes in
            guard bytes.count == tokenLength else { return unsafe writeEscaped(bytes) }
            unsafe UnsafeMutableRawBufferPointer(mutating: escapedToken).copyMemory(from: bytes)
        }
    }

    private func writeEscaped(_ bytes: UnsafeRawBufferPointer) {
        var position = Offset.content + userLength
        for index in bytes.indices {
            let byte = unsafe bytes[index]
            if Self.needsEscape(byte) {
                store(Self.escape, position)
                position += 1
            }
            store(byte, position)
            position += 1
        }
    }

    /// True if a byte of a token is escaped in JSON.
    ///
    /// A token is visible ASCII, so only quotation marks and backslashes are, with one backslash before them.
    private static func needsEscape(_ byte: UInt8) -> Bool { byte == quote || byte == escape }

    private static func needsEscapes(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress else { return false }
        return unsafe memchr(start, CInt(quote), bytes.count) != nil || memchr(start, CInt(escape), bytes.count) != nil
    }

    // MARK: The check

    /// The checksum of all that doesn't change.
    var check: UInt32 {
        let lengths = UInt64(tokenLength) << 16 | UInt64(userLength)
        let head = UInt64(load(Offset.fieldAndFlags, UInt8.self)) << 32 | lengths
        let count = Offset.content - Offset.sent + userLength + tokenLength + lengthOfFence
        return unsafe Checksum.of(start + Offset.sent, count, after: Checksum.mixed(UInt64(classID.units), head))
    }

    // MARK: The token itself

    /// Returns the token without its escapes, for its revocation.
    ///
    /// - Parameter memory: The source of its memory. If that is full, or nil, the token is on the heap.
    package func accessToken(in memory: SecretMemory?) -> AccessToken {
        let count = unescapedCount
        return AccessToken(
            unsafe SecretBytes(count: count, in: memory, writing: writeUnescaped)
                ?? SecretBytes(count: count, writing: writeUnescaped)
        )
    }

    /// The SHA-256 of the token, computed anew.
    package var fingerprint: Fingerprint { accessToken(in: nil).fingerprint }

    private func writeUnescaped(_ memory: UnsafeMutableRawBufferPointer) {
        var position = 0
        forEachUnescapedByte { byte in
            unsafe memory[position] = byte
            position += 1
        }
    }

    private var unescapedCount: Int {
        var count = 0
        forEachUnescapedByte { _ in count += 1 }
        return count
    }

    private func forEachUnescapedByte(_ body: (UInt8) -> Void) {
        let text = unsafe escapedToken
        var position = 0
        while position < text.count {
            if unsafe text[position] == Self.escape, position + 1 < text.count { position += 1 }
            body(unsafe text[position])
            position += 1
        }
    }
}
