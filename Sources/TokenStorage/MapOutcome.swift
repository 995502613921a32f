/// The outcome of mapping a part of a storage's memory.
package enum MapOutcome: Sendable {
    /// The part is mapped.
    case mapped
    /// The kernel refused, and the addresses are still reserved.
    case refused
    /// The kernel refused, and the addresses may belong to something else now.
    case lost
}
