/// A size of slots, of which a region has only one.
///
/// Up to 2 KiB the sizes are 16 bytes apart. Above they are the largest of which a certain number fits into a region.
struct SlotSize: Equatable {
    /// The size of the unit of all sizes and offsets in bytes.
    static let unit = 16
    /// The largest size in units that is chosen by the content alone.
    private static let largestExact = 128
    /// The number of sizes.
    static let count = 2 * largestExact + 1
    /// The maximum size of a record in bytes.
    static let largest = Region.capacity * unit

    /// The size in units.
    let units: Int
    /// The position among all sizes, from zero.
    let index: Int

    /// Returns the size for a record, or nil if none is large enough.
    init?(for bytes: Int) {
        let needed = max(1, (bytes + Self.unit - 1) / Self.unit)
        guard needed <= Region.capacity else { return nil }
        if needed <= Self.largestExact {
            (units, index) = (needed, needed)
        } else {
            let perRegion = Region.capacity / needed
            (units, index) = (Region.capacity / perRegion, Self.largestExact + perRegion)
        }
    }

    /// Returns the size of this number of units, or nil if no slots have it.
    init?(units: Int) {
        guard units > 0, let size = SlotSize(for: units * Self.unit), size.units == units else { return nil }
        self = size
    }

    /// The size in bytes.
    var bytes: Int { units * Self.unit }
}
