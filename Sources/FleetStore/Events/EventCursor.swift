import FleetProtocol

/// Follows a tenant's events: where to read on, which were lost, and when all earlier ones have been read.
///
/// The numbers of events tell what is missing, and the ids of entries only where to read on. Whoever writes to the engine can
/// add entries with any id and number, so neither is trusted further than it agrees with the engine's count.
struct EventCursor: Sendable, Equatable {
    /// The consequence of an event.
    enum Outcome: Sendable, Equatable {
        /// Pass the event on.
        case event(EngineEvent)
        /// Events were lost: nothing up to this fence is certain.
        case lost(upTo: Int64)
        /// Somebody has emptied the engine.
        case emptied
        /// All events that there were at the connection have been read.
        case caughtUp
    }

    private enum State: Sendable, Equatable {
        /// There is no connection.
        case idle
        /// The events up to an id are being read, and then the engine's count of events is that of its state.
        case catchingUp(target: EventID, count: Int64)
        /// Events arrive as they happen.
        case live
    }

    /// The last event that was taken note of, to be kept for the next daemon.
    private(set) var place: FleetPlace?
    /// The number of the last event that the engine was known to have.
    private(set) var newest: Int64 = 0
    private var state = State.idle
    private var next = EventID.zero
    private var last: Int64 = 0
    private var epoch = ""
    /// True if what was missed before can't be read any more, as the stream has begun anew.
    private var hasBegunAnew = false
    /// True if the next event has the number after the last one, unless events are gone.
    ///
    /// It is false at the beginning of another process's events.
    private var continues = false
    /// True if the stream couldn't be read, so that the next connection passes over what it has.
    private var isUnreadable = false
    private var time: Int64 = 0

    /// Creates a cursor, with the place that an earlier daemon has kept.
    init(_ place: FleetPlace?) { self.place = place }

    /// True if all earlier events have been read.
    var isLive: Bool { state == .live }
    /// The id after which to read on.
    var nextID: String { next.text }
    /// The events that have not been read yet.
    var behind: Int64 { max(0, newest - (place?.count ?? newest)) }

    /// The connection is lost.
    mutating func disconnected() { state = .idle }

    /// The stream has something that can't be read.
    mutating func failed() { isUnreadable = true }

    // MARK: The connection

    /// The tenant's state was read after a connection.
    ///
    /// - Parameters:
    ///   - epoch: The engine's process and term.
    ///   - continues: True if it goes on with the events of the place's epoch, so that their numbers can be compared.
    ///   - time: The engine's time, or the last fence if that is later.
    /// - Returns: What is known at once. All else is told when it has been read.
    mutating func connected(
        to position: EngineAnswer.Position,
        epoch: String,
        continues isSameHistory: Bool,
        time: Int64
    ) -> [Outcome] {
        (self.epoch, self.time, newest) = (epoch, time, position.count)
        (hasBegunAnew, continues) = (false, false)
        defer { isUnreadable = false }
        let target = EventID(position.id) ?? .zero
        guard let place, !isUnreadable else {
            let isFresh = self.place == nil
            begin(at: target, position.count)
            return isFresh ? [] : [.lost(upTo: time)]
        }
        if place.epoch == epoch {
            resume(place, target, position.count)
        } else if target == .zero, position.count == 0 {
            begin(at: target, 0)
        } else {
            // Another process goes on with those events of which it knows. Another engine numbers its own.
            (next, last) = (.zero, isSameHistory ? place.count : 0)
            hasBegunAnew = target == .zero
            state = .catchingUp(target: target, count: position.count)
        }
        return []
    }

    private mutating func begin(at id: EventID, _ count: Int64) {
        (next, last, state, continues) = (id, count, .live, true)
        place = FleetPlace(id: id.text, count: count, epoch: epoch)
    }

    private mutating func resume(_ place: FleetPlace, _ target: EventID, _ count: Int64) {
        let id = EventID(place.id) ?? .zero
        (next, last) = (id, place.count)
        if count == place.count, id == target {
            state = .live
            return
        }
        state = .catchingUp(target: target, count: count)
        // A stream that was removed begins again with ids of that time, or from the first number.
        hasBegunAnew = count < place.count || target != .zero && target < id
        continues = !hasBegunAnew
        if hasBegunAnew || target == .zero { next = .zero }
    }

    // MARK: Events

    /// An event was read.
    mutating func received(_ event: EngineEvent) -> [Outcome] {
        guard let id = EventID(event.id), next < id else { return [] }
        var outcomes: [Outcome] = []
        if isLive, event.number <= last {
            outcomes.append(.emptied)
        } else if event.number > last ? event.number - last > 1 : continues {
            outcomes.append(.lost(upTo: max(time, id.time, event.fence)))
        }
        continues = true
        (next, last) = (id, event.number)
        newest = isLive ? event.number : max(newest, event.number)
        place = FleetPlace(id: event.id, count: event.number, epoch: epoch)
        outcomes.append(.event(event))
        return outcomes + arrived(at: id)
    }

    /// Entries up to an id were read, the last of which may be no event.
    mutating func passed(_ id: EventID) -> [Outcome] {
        guard next < id else { return [] }
        next = id
        return arrived(at: id)
    }

    /// The engine has nothing more to read, for the moment.
    mutating func exhausted() -> [Outcome] {
        guard case .catchingUp(let target, let count) = state else { return [] }
        next = max(next, target)
        return caughtUp(count)
    }

    private mutating func arrived(at id: EventID) -> [Outcome] {
        guard case .catchingUp(let target, let count) = state, target <= id else { return [] }
        return caughtUp(target == id ? count : last)
    }

    private mutating func caughtUp(_ count: Int64) -> [Outcome] {
        let isMissing = hasBegunAnew || count > last
        (state, last, newest, hasBegunAnew) = (.live, count, count, false)
        place = FleetPlace(id: next.text, count: count, epoch: epoch)
        return (isMissing ? [.lost(upTo: max(time, next.time))] : []) + [.caughtUp]
    }

    // MARK: What is trusted

    /// True if an entry comes after all that were read.
    func isBefore(_ id: EventID) -> Bool { next < id }

    /// A number for ``agrees(with:before:)``.
    var checkpoint: Int64? { isLive ? last : nil }

    /// False if the engine has counted other events than those that were read, so that the next ones may not be seen either.
    ///
    /// - Parameters:
    ///   - count: The number of events when a read was sent that has found all that there was.
    ///   - checkpoint: The ``checkpoint`` before its entries were taken.
    func agrees(with count: Int64, before checkpoint: Int64?) -> Bool {
        guard isLive, let checkpoint else { return true }
        return checkpoint <= count && count <= last
    }
}
