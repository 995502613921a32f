/// The number of a record: its offset in the storage's memory, in units of 16 bytes.
package struct RecordID: Sendable, Hashable {
    /// The offset in units.
    package let units: UInt32

    /// Creates the ID of the record at an offset in units.
    @inlinable package init(units: UInt32) { self.units = units }

    /// No record.
    ///
    /// The head of the memory is at this offset.
    @inlinable package static var none: RecordID { RecordID(units: 0) }

    /// The offset in bytes.
    @inlinable package var offset: Int { Int(units) << 4 }

    /// Creates the ID of the record at an offset in bytes, a multiple of 16.
    init(offset: Int) { units = UInt32(truncatingIfNeeded: offset >> 4) }
}
