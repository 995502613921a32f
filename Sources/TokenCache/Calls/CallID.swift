/// Identifies a call to a tenant.
package struct CallID: Sendable, Hashable, Comparable {
    /// The call's slot in the table of calls.
    let slot: Int
    /// A number that is never reused.
    let serial: UInt64

    /// Creates an ID, as the table of calls does, or something in its place.
    package init(slot: Int, serial: UInt64) { (self.slot, self.serial) = (slot, serial) }

    /// Compares the serial numbers.
    package static func == (left: CallID, right: CallID) -> Bool { left.serial == right.serial }

    /// Orders calls by the order of their queueing.
    package static func < (left: CallID, right: CallID) -> Bool { left.serial < right.serial }

    /// Hashes the serial number.
    package func hash(into hasher: inout Hasher) { hasher.combine(serial) }
}
