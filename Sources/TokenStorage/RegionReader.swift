import Synchronization

/// Finds the undamaged records of an earlier daemon's regions, if possible on another thread, ahead of their restoring.
///
/// It takes half of the time of a restore, as each page is used for the first time and each byte is read. The storage does
/// the same for a region that no one else has begun with, so it never waits for a slow thread, except for the last region.
// `@unchecked Sendable`, because addresses and `AddressRange` are not Sendable. It is sound: `records` never changes, and is
// valid while `range` exists, of which this object uses nothing, but holds a reference. A region is looked at by the one
// thread that took it from `state`, once. The storage changes no byte of a region before it has taken the region or its
// result from `state`, whose lock orders the accesses.
final class RegionReader: @unchecked Sendable {
    /// A region that is to be looked at.
    struct Part {
        let index: Int
        /// The slots that can have records.
        let slots: StrideTo<UInt32>
        /// The size of a slot in bytes.
        let slotSize: Int
    }

    /// The whole records of a region, in their order.
    struct Found {
        let index: Int
        var records: [RecordID]
    }

    /// The next region for the storage.
    enum Next {
        case found(Found)
        /// Another thread is about to finish the last region.
        case pending
        /// There is none.
        case over
    }

    private struct State {
        /// The regions that nobody has taken, the next at the end.
        var untaken: [Part]
        /// The results that the storage has not taken, the next at the end.
        var found: [Found] = []
        /// The results of the other thread since the storage has taken ``found``.
        var new: [Found] = []
        /// True if the other thread has taken a region and not returned its result.
        var isBusy = false

        mutating func takeFound() -> Found? {
            if found.isEmpty {
                found = new.reversed()
                new = []
            }
            return found.popLast()
        }
    }

    private enum Task {
        case take(Found)
        case look(Part)
        case pending
        case over
    }

    private let records: TokenRecords
    private let range: AddressRange
    private let state: Mutex<State>

    /// Creates a reader of regions, in the order in which they are to be restored.
    init(_ regions: [Part], _ records: TokenRecords, in range: AddressRange) {
        self.records = records
        self.range = range
        state = Mutex(State(untaken: regions.reversed()))
    }

    /// Returns the records of the next region, for the storage.
    func next() -> Next {
        let task = state.withLock { state -> Task in
            if let found = state.takeFound() { return .take(found) }
            if let part = state.untaken.popLast() { return .look(part) }
            return state.isBusy ? .pending : .over
        }
        switch task {
        case .take(let found): return .found(found)
        case .look(let part): return .found(look(at: part))
        case .pending: return .pending
        case .over: return .over
        }
    }

    /// Looks at regions until none is left, on another thread.
    func readAhead() {
        while let part = takeAhead() {
            let found = look(at: part)
            state.withLock {
                $0.new.append(found)
                $0.isBusy = false
            }
        }
    }

    /// Ends ``readAhead()`` after its present region.
    func stop() { state.withLock { $0.untaken = [] } }

    private func takeAhead() -> Part? {
        state.withLock { state in
            let part = state.untaken.popLast()
            state.isBusy = part != nil
            return part
        }
    }

    private func look(at part: Part) -> Found {
        var found = Found(index: part.index, records: [])
        for units in part.slots {
            let id = RecordID(units: units)
            let record = records[id]
            if record.state == .token, record.isWhole(in: part.slotSize) { found.records.append(id) }
        }
        return found
    }
}
