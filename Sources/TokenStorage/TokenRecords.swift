/// The memory of all records, as an address.
///
/// It is valid while its ``TokenStorage`` exists. The address never changes, so a copy can be kept beside the storage,
/// and a hit needs no reference count.
@safe package struct TokenRecords {
    @usableFromInline let start: UnsafeMutableRawPointer

    init(_ start: UnsafeMutableRawPointer) { unsafe self.start = start }

    /// Returns the record of a token, which must exist.
    @inlinable package subscript(id: RecordID) -> TokenRecord { unsafe TokenRecord(start + id.offset) }

    /// Returns the record of a class, which must exist.
    @inlinable package subscript(class id: RecordID) -> ClassRecord { unsafe ClassRecord(start + id.offset) }
}

@available(*, unavailable)
extension TokenRecords: Sendable {}
