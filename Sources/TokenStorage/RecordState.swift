/// The state of a slot, in its first byte.
///
/// A new file is all zero, so zero is a free slot.
enum RecordState: UInt8 {
    case free
    /// The record is being written.
    case writing
    /// The record of a token.
    case token
    /// The record of a class.
    case tokenClass
    /// The record is dropped, but its bytes may still be there.
    case dropped
}
