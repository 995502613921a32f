import DequeModule

/// Calls in the order in which they came, each known by a number that is higher than all before it.
///
/// Any of them can be taken out, and can be asked how many stand before it. The calls lie in chunks of bounded size, so
/// neither walks the whole queue.
struct RankedQueue {
    private struct Item {
        let number: Int
        let call: CallID
    }

    /// Past this a new chunk is begun: removing from the middle moves so many items at most.
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

    /// How many stand before the call with a number.
    func rank(of number: Int) -> Int? {
        guard let (chunk, index) = find(number), chunks[chunk][index].number == number else { return nil }
        var rank = index
        for before in 0..<chunk { rank += chunks[before].count }
        return rank
    }

    /// The first call whose number is higher than this.
    func first(after number: Int) -> (number: Int, call: CallID)? {
        find(number + 1).map { chunk, index in (chunks[chunk][index].number, chunks[chunk][index].call) }
    }

    /// The first item whose number is at least this.
    private func find(_ number: Int) -> (chunk: Int, index: Int)? {
        let chunk = Self.firstIndex(chunks.count) { (chunks[$0].last?.number ?? .min) >= number }
        guard chunk < chunks.count else { return nil }
        return (chunk, Self.firstIndex(chunks[chunk].count) { chunks[chunk][$0].number >= number })
    }

    /// The first index for which something holds that holds for all after it, by halving.
    private static func firstIndex(_ count: Int, where holds: (Int) -> Bool) -> Int {
        var range = 0..<count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            range = holds(middle) ? range.lowerBound..<middle : (middle + 1)..<range.upperBound
        }
        return range.lowerBound
    }
}
