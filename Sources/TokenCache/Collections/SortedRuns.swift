/// Numbers with their times, which are added in small runs and taken in the order of their times, the latest first.
///
/// Of two with the same time, the higher number is the later. A run is sorted when it is added, and taking merges the
/// runs. So no step sorts all of them.
struct SortedRuns {
    /// A number with its time.
    struct Item: Comparable {
        let time: Int64
        let number: UInt32

        static func < (left: Item, right: Item) -> Bool { (left.time, left.number) < (right.time, right.number) }
    }

    /// A run that is not used up.
    private struct Head {
        /// Its latest item.
        var latest: Item
        /// Its position among the runs.
        let run: UInt32
    }

    private var runs: ContiguousArray<ContiguousArray<Item>> = []
    /// The runs that are not used up: a heap, that with the latest item first.
    private var heads: ContiguousArray<Head> = []

    var isEmpty: Bool { heads.isEmpty }

    /// Adds a run.
    mutating func add(_ items: some Sequence<Item>) {
        let run = ContiguousArray(items.sorted())
        guard let latest = run.last else { return }
        heads.append(Head(latest: latest, run: UInt32(runs.count)))
        runs.append(run)
        siftUp(heads.count - 1)
    }

    /// Takes the number with the latest time.
    mutating func takeLatest() -> Int? {
        guard let head = heads.first else { return nil }
        let run = Int(head.run)
        runs[run].removeLast()
        if let next = runs[run].last {
            heads[0].latest = next
        } else {
            runs[run] = []
            let last = heads.removeLast()
            if !heads.isEmpty { heads[0] = last }
        }
        siftDown()
        return Int(head.latest.number)
    }

    private mutating func siftUp(_ start: Int) {
        var position = start
        while position > 0, heads[(position - 1) / 2].latest < heads[position].latest {
            heads.swapAt(position, (position - 1) / 2)
            position = (position - 1) / 2
        }
    }

    private mutating func siftDown() {
        var position = 0
        while true {
            let (left, right) = (2 * position + 1, 2 * position + 2)
            var latest = position
            if left < heads.count, heads[latest].latest < heads[left].latest { latest = left }
            if right < heads.count, heads[latest].latest < heads[right].latest { latest = right }
            guard latest != position else { return }
            heads.swapAt(position, latest)
            position = latest
        }
    }
}
