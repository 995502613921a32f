/// A time in a record, and a number of 16 bits beside it, in eight bytes.
///
/// The time has whole microseconds since the machine's boot in 48 bits.
@usableFromInline struct RecordTime: BitwiseCopyable, Sendable {
    /// The number of nanoseconds in the unit of times.
    @usableFromInline static let unit: Int64 = 1_000
    @usableFromInline static let mask: UInt64 = 0xffff_ffff_ffff

    @usableFromInline let bits: UInt64

    @inlinable init(bits: UInt64) { self.bits = bits }

    /// Creates a time in nanoseconds, rounded down, and the number beside it.
    ///
    /// Times before the boot become the boot, and those after nine years become nine years.
    @inlinable init(_ nanoseconds: Int64, rest: UInt16) {
        let time = min(UInt64(max(0, nanoseconds)) / UInt64(Self.unit), Self.mask - 1)
        bits = time | UInt64(rest) << 48
    }

    /// Returns the mark of a time that never was, and the number beside it.
    @inlinable static func never(rest: UInt16) -> RecordTime { RecordTime(bits: mask | UInt64(rest) << 48) }

    /// True if it is the mark of a time that never was.
    @inlinable var isNever: Bool { bits & Self.mask == Self.mask }

    /// The time in nanoseconds.
    @inlinable var nanoseconds: Int64 { Int64(bits & Self.mask) &* Self.unit }

    /// The number beside it.
    @inlinable var rest: UInt16 { UInt16(truncatingIfNeeded: bits >> 48) }
}
