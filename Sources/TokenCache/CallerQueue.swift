import DequeModule

/// Callers' calls in the order in which they go, each of which can be asked for its place.
///
/// Every call gets a number when it joins, higher at the end and lower at the front; so the queue is sorted by it, and
/// a call's place is found by halving.
struct CallerQueue {
    private struct Place {
        let number: Int
        let call: CallID
    }

    private var places: Deque<Place> = []
    private var numbers: [CallID: Int] = [:]
    private var last = 0
    private var first = 0

    /// How many wait.
    var count: Int { places.count }

    /// All of them, first to last.
    var inOrder: [CallID] { places.map(\.call) }

    /// Puts a call last.
    mutating func append(_ call: CallID) {
        last += 1
        numbers[call] = last
        places.append(Place(number: last, call: call))
    }

    /// Puts a call first.
    mutating func prepend(_ call: CallID) {
        first -= 1
        numbers[call] = first
        places.prepend(Place(number: first, call: call))
    }

    /// Takes the first one out.
    mutating func popFirst() -> CallID? {
        guard let place = places.popFirst() else { return nil }
        numbers[place.call] = nil
        return place.call
    }

    /// Takes a call out, wherever it stands.
    mutating func remove(_ call: CallID) {
        guard let place = place(of: call) else { return }
        places.remove(at: place)
        numbers[call] = nil
    }

    /// How many go before a call; nil: it is not queued.
    func place(of call: CallID) -> Int? {
        guard let number = numbers[call] else { return nil }
        var range = places.startIndex..<places.endIndex
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            if places[middle].number < number {
                range = (middle + 1)..<range.upperBound
            } else {
                range = range.lowerBound..<middle
            }
        }
        return range.lowerBound
    }
}
