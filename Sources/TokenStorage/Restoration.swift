/// The work that is left of taking over an earlier daemon's records.
final class Restoration {
    /// The steps of the work.
    enum Phase {
        /// All regions are looked at. The records of classes are found, as those of tokens refer to them.
        case classes
        /// The records of tokens are found and passed on.
        case tokens
        /// The classes without tokens are removed.
        case unusedClasses
    }

    var phase = Phase.classes
    /// The next region.
    var next = 1
    /// The number of regions to look at.
    var end: Int
    /// The regions with tokens that are to be looked at.
    ///
    /// Others may get tokens of this daemon meanwhile.
    var tokenRegions: [Int] = []
    /// The records of one region that are to be passed on.
    var found: [RecordID] = []
    /// The class of the last token, which most likely is that of the next.
    var lastClass = RecordID.none

    /// Creates the work for the regions that the earlier daemon has used.
    init(end: Int) { self.end = end }

    /// Returns the next region, or nil if there is none.
    func nextRegion() -> Int? {
        guard next < end else { return nil }
        next += 1
        return next - 1
    }
}
