import DequeModule

/// A first-in, first-out queue of calls, each with a number that is higher than all before it.
///
/// Any call can be removed, and its rank can be asked for. The calls are in chunks of bounded size, so neither walks
/// through the whole queue.
struct RankedQueue {
    private struct Item {
        let number: Int
        let call: CallID
    }

    /// The maximum number of items in a chunk, which bounds the cost of a removal from the middle.
    private static let chunkSize = 256

    private var chunks: Deque<Deque<Item>> = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    var first: CallID? { chunks.first?.first?.call }
    var last: CallID? { chunks.last?.last?.call }

    mutating func append(_ call: CallID, number: Int) {
        if (chunks.last?.count ?? Self.chunkSize) >= Self.chunkSize { chunks.append([]) }
        chunks[chunks.count - 1].append(Item(number: number, call: call))
        count += 1
    }

    mutating func removeFirst() {
        guard !isEmpty else { return }
        chunks[0].removeFirst()
        if chunks[0].isEmpty { chunks.removeFirst() }
        count -= 1
    }

    mutating func remove(number: Int) {
        guard let (chunk, index) = find(number), chunks[chunk][index].number == number else { return }
        chunks[chunk].remove(at: index)
        if chunks[chunk].isEmpty { chunks.remove(at: chunk) }
        count -= 1
    }

    /// Returns the number of calls before the one with a number.
    func rank(of number: Int) -> Int? {
        guard let (chunk, index) = find(number), chunks[chunk][index].number == number else { return nil }
        var rank = index
        for before in 0..<chunk { rank += chunks[before].count }
        return rank
    }

    /// Returns the first call whose number is higher than this.
    func first(after number: Int) -> (number: Int, call: CallID)? {
        find(number + 1).map { chunk, index in (chunks[chunk][index].number, chunks[chunk][index].call) }
    }

    /// Finds the first item whose number is at least this.
    private func find(_ number: Int) -> (chunk: Int, index: Int)? {
        let chunk = Self.firstIndex(chunks.count) { (chunks[$0].last?.number ?? .min) >= number }
        guard chunk < chunks.count else { return nil }
        return (chunk, Self.firstIndex(chunks[chunk].count) { chunks[chunk][$0].number >= number })
    }

    /// Finds the first index for which a condition holds that holds for all later ones, by binary search.
    private static func firstIndex(_ count: Int, where holds: (Int) -> Bool) -> Int {
        var range = 0..<count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            range = holds(middle) ? range.lowerBound..<middle : (middle + 1)..<range.upperBound
        }
        return range.lowerBound
    }
}
