import Glibc
package import TokenProtocol

/// A view of one token's record in the storage's memory.
///
/// It is an address and nothing else, so its use costs neither a reference count nor a check. It is valid until the
/// record is removed.
///
///     0 state · 1 field and flags · 2 user's length · 4 check · 8 last used · 14 token's length · 16 owner · 20 class
///     24 sent · 30 jitter · 32 fingerprint · 40 lifetime and arrived · 48 expires at
///     52 user, token · the fence of the token's mint, in eight bytes, if the flags say so
///
/// Times are whole microseconds: those of the last use and of the sending in 48 bits, which last for nine years after the
/// machine's boot, and that of the arrival since the sending in 37 bits, which last for more than a day. The lifetime has
/// whole milliseconds in the 27 bits below.
///
/// The check covers all but the state, the last use and the owner, which change.
@safe package struct TokenRecord {
    /// The offsets of the numbers.
    @usableFromInline enum Offset {
        @usableFromInline static let fieldAndFlags = 1
        @usableFromInline static let userLength = 2
        static let check = 4
        /// The last use, and above it the token's length.
        @usableFromInline static let lastUsed = 8
        @usableFromInline static let owner = 16
        @usableFromInline static let tokenClass = 20
        /// The time of the sending, and above it the jitter.
        @usableFromInline static let sent = 24
        @usableFromInline static let fingerprint = 32
        @usableFromInline static let life = 40
        @usableFromInline static let expiresAt = 48
        @usableFromInline static let content = 52
    }

    /// The bits of the byte that holds the field and the flags.
    @usableFromInline enum Bits {
        @usableFromInline static let field: UInt8 = 0x0f
        @usableFromInline static let isUnrequested: UInt8 = 0x10
        @usableFromInline static let replacedReported: UInt8 = 0x20
        static let hasFence: UInt8 = 0x40
    }

    /// The last use of a token that was never used.
    @inlinable package static var never: Int64 { .min }
    /// The number of nanoseconds in the unit of a lifetime.
    @usableFromInline static let lifetimeUnit: Int64 = 1_000_000
    /// The number of bits of a lifetime, above which the arrival is.
    @usableFromInline static let lifetimeBits = 27
    /// The maximum length of a user's name, and of an escaped token.
    static let longestText = Int(UInt16.max)

    @usableFromInline let start: UnsafeMutableRawPointer

    @inlinable init(_ start: UnsafeMutableRawPointer) { unsafe self.start = start }

    // MARK: The user

    /// The number of bytes of the user's name.
    @inlinable package var userLength: Int { Int(load(Offset.userLength, UInt16.self)) }

    /// The bytes of the user's name.
    @inlinable package var user: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start + Offset.content, count: userLength)
    }

    /// The number of the field by which the user is named.
    @inlinable package var fieldNumber: UInt8 { load(Offset.fieldAndFlags, UInt8.self) & Bits.field }

    /// The field by which the user is named, or nil if this version doesn't know it.
    @inlinable package var field: LookupField? { LookupField(rawValue: fieldNumber) }

    /// True if the user's name has these bytes.
    @inlinable package func hasUser(_ bytes: borrowing Span<UInt8>) -> Bool {
        guard bytes.count == userLength else { return false }
        return unsafe bytes.withUnsafeBytes { unsafe hasUser($0) }
    }

    /// True if the user's name has these bytes.
    @inlinable package func hasUser(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count == userLength, let other = bytes.baseAddress else { return false }
        return unsafe memcmp(start + Offset.content, other, bytes.count) == 0
    }

    // MARK: The token

    /// The token as it is written between the quotes of a JSON string.
    @inlinable package var escapedToken: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start + Offset.content + userLength, count: tokenLength)
    }

    /// The number of bytes of ``escapedToken``.
    @inlinable package var tokenLength: Int { Int(load(Offset.lastUsed, RecordTime.self).rest) }

    /// The first 64 bits of the token's SHA-256, as in `Fingerprint.words`.
    @inlinable package var fingerprintPrefix: UInt64 { load(Offset.fingerprint, UInt64.self) }

    /// The record of the texts that the token shares with others.
    @inlinable package var classID: RecordID { RecordID(units: load(Offset.tokenClass, UInt32.self)) }

    // MARK: Times

    /// The time at which it was requested from the tenant.
    @inlinable package var sent: Int64 { load(Offset.sent, RecordTime.self).nanoseconds }

    /// The time at which it was received.
    @inlinable package var arrived: Int64 {
        sent &+ Int64(load(Offset.life, UInt64.self) >> Self.lifetimeBits) &* RecordTime.unit
    }

    /// The lifetime from ``sent`` on, in nanoseconds.
    @inlinable package var lifetime: Int64 {
        Int64(load(Offset.life, UInt64.self) & (1 << Self.lifetimeBits - 1)) &* Self.lifetimeUnit
    }

    /// The random number of this token, as a share of 2¹⁶.
    @inlinable package var jitter: UInt16 { load(Offset.sent, RecordTime.self).rest }

    /// The expiry by the wall clock in seconds since 1970.
    @inlinable package var expiresAt: UInt32 { load(Offset.expiresAt, UInt32.self) }

    /// The time of the last request for it, or ``never``.
    ///
    /// The next daemon finds the value that was set last.
    @inlinable package var lastUsed: Int64 {
        get {
            let time = load(Offset.lastUsed, RecordTime.self)
            return time.isNever ? Self.never : time.nanoseconds
        }
        nonmutating set {
            // One store, so that a daemon that is killed leaves the old time or the new one.
            let rest = load(Offset.lastUsed, RecordTime.self).rest
            store(newValue == Self.never ? .never(rest: rest) : RecordTime(newValue, rest: rest), Offset.lastUsed)
        }
    }

    // MARK: Use

    /// The uid that owns the token.
    ///
    /// The next daemon finds the value that was set last.
    @inlinable package var owner: UInt32 {
        get { load(Offset.owner, UInt32.self) }
        nonmutating set { store(newValue, Offset.owner) }
    }

    /// True if no request caused its mint.
    @inlinable package var isUnrequested: Bool {
        load(Offset.fieldAndFlags, UInt8.self) & Bits.isUnrequested != 0
    }

    /// True if it replaced a token that an app had reported as rejected.
    @inlinable package var replacedReported: Bool {
        load(Offset.fieldAndFlags, UInt8.self) & Bits.replacedReported != 0
    }

    // MARK: The fleet

    /// The number of bytes of a fence.
    static let fenceLength = MemoryLayout<Int64>.size

    /// True if other machines that share the tenant's tokens may know of it.
    private var hasFence: Bool { load(Offset.fieldAndFlags, UInt8.self) & Bits.hasFence != 0 }

    /// The length of the fence.
    var lengthOfFence: Int { hasFence ? Self.fenceLength : 0 }

    /// The number by which the machines of a fleet order mints and drops, zero if the fleet doesn't know of the token.
    package var fence: Int64 {
        guard hasFence else { return 0 }
        return unsafe start.loadUnaligned(
            fromByteOffset: Offset.content + userLength + tokenLength,
            as: Int64.self
        )
    }

    // MARK: Bytes

    @inlinable func load<Value: BitwiseCopyable>(_ offset: Int, _ type: Value.Type) -> Value {
        unsafe start.load(fromByteOffset: offset, as: type)
    }

    @inlinable func store<Value: BitwiseCopyable>(_ value: Value, _ offset: Int) {
        unsafe start.storeBytes(of: value, toByteOffset: offset, as: Value.self)
    }
}

@available(*, unavailable)
extension TokenRecord: Sendable {}
