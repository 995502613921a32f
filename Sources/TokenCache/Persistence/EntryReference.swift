/// An entry of the cache and its slot.
package struct EntryReference: Equatable {
    let entry: Entry
    let slot: Int

    /// True if both are the same entry in the same slot.
    package static func == (left: EntryReference, right: EntryReference) -> Bool {
        left.entry === right.entry && left.slot == right.slot
    }
}
