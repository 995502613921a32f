/// The names of the members of one object so far, to find duplicates.
///
/// A few names are compared one by one. Further ones are kept in a set, so that the time for a text of nothing but
/// names grows only with its length.
struct JSONMemberNames {
    private static let few = 8

    private var few: [[UInt8]] = []
    private var many: Set<[UInt8]> = []

    /// Adds a name.
    ///
    /// - Returns: False if it is a duplicate.
    mutating func insert(_ name: [UInt8]) -> Bool {
        guard few.count == Self.few else {
            guard !few.contains(name) else { return false }
            few.append(name)
            return true
        }
        return !few.contains(name) && many.insert(name).inserted
    }
}
