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
    /// True if tokens may be found whose classes have no tokens yet.
    ///
    /// Afterwards a class is removed with its last token, as the search for unused classes may have passed it.
    var mayFindTokens: Bool { phase != .unusedClasses }
    /// The next region.
    var next = 1
    /// The number of regions to look at.
    var end: Int
    /// The regions with tokens that are to be looked at, in their order.
    ///
    /// Others may get tokens of this daemon meanwhile.
    var tokenRegions: [RegionReader.Part] = []
    /// The reader of ``tokenRegions`` when all are known.
    var reader: RegionReader?
    /// Runs a function on another thread, or does nothing.
    let inBackground: (@escaping @Sendable () -> Void) -> Void
    /// The records of one region that are to be passed on, in their order.
    var found: [RecordID] = [] {
        didSet { passedOn = 0 }
    }
    /// The number of those that were passed on.
    private var passedOn = 0
    /// The class of the last token, which most likely is that of the next.
    var lastClass = RecordID.none

    /// Creates the work for the regions that the earlier daemon has used.
    ///
    /// - Parameter inBackground: Runs a function on another thread, or does nothing.
    init(end: Int, inBackground: @escaping (@escaping @Sendable () -> Void) -> Void) {
        self.end = end
        self.inBackground = inBackground
    }

    /// Returns the next region, or nil if there is none.
    func nextRegion() -> Int? {
        guard next < end else { return nil }
        next += 1
        return next - 1
    }

    /// Returns the next record that is to be passed on, or nil if all were.
    func nextFound() -> RecordID? {
        guard passedOn < found.count else { return nil }
        passedOn += 1
        return found[passedOn - 1]
    }

    deinit { reader?.stop() }
}
