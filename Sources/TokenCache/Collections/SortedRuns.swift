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

    /// The latest item of a run, by which the runs are in order: the latest comes first.
    private struct Head: Comparable {
        let latest: Item

        static func < (left: Head, right: Head) -> Bool { left.latest > right.latest }
    }

    private var runs: ContiguousArray<ContiguousArray<Item>> = []
    /// The runs that are not used up, by their latest items.
    private var heads = IndexedHeap<Head, Int>()

    var isEmpty: Bool { heads.isEmpty }

    /// Adds a run.
    mutating func add(_ items: some Sequence<Item>) {
        let run = ContiguousArray(items.sorted())
        guard let latest = run.last else { return }
        runs.append(run)
        _ = heads.insert(runs.count - 1, at: Head(latest: latest))
    }

    /// Takes the number with the latest time.
    mutating func takeLatest() -> Int? {
        guard let index = heads.removeMin(), let item = runs[index].popLast() else { return nil }
        if let next = runs[index].last {
            _ = heads.insert(index, at: Head(latest: next))
        } else {
            runs[index] = []
        }
        return Int(item.number)
    }
}
