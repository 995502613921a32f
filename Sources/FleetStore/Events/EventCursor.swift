import FleetProtocol

/// Follows a tenant's events: where to read on, which were lost, and when all earlier ones have been read.
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
        /// The events up to an id are being read.
        case catchingUp(target: EventID)
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
    /// True if the engine's process has fewer events than it had, as somebody has emptied it.
    ///
    /// The events that this machine has missed before are gone.
    private var wasEmptied = false
    /// True if the next event has the number after the last one, unless events are gone.
    ///
    /// It is false at the beginning of another process's events.
    private var continues = false
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

    /// The tenant's state was read after a connection.
    ///
    /// - Parameter time: The engine's time.
    /// - Returns: True if there is nothing to catch up with.
    mutating func connected(to position: EngineAnswer.Position, epoch: String, time: Int64) -> Bool {
        (self.epoch, self.time, newest) = (epoch, time, position.count)
        let target = EventID(position.id) ?? .zero
        wasEmptied = place.map { $0.epoch == epoch && $0.count > position.count } ?? false
        continues = false
        if let place, place.epoch == epoch, place.count <= position.count, let id = EventID(place.id) {
            (next, last, continues) = (id, place.count, true)
            if place.count == position.count { return live() }
        } else if let place, target != .zero || wasEmptied {
            // Another process numbers its events anew, or goes on with those of which it knows.
            (next, last) = (.zero, place.count)
        } else {
            (next, last, continues) = (target, position.count, true)
            place = FleetPlace(id: target.text, count: position.count, epoch: epoch)
            return live()
        }
        state = .catchingUp(target: target)
        return false
    }

    private mutating func live() -> Bool {
        state = .live
        return true
    }

    /// An event was read.
    mutating func received(_ event: EngineEvent) -> [Outcome] {
        guard let id = EventID(event.id), next < id else { return [] }
        var outcomes: [Outcome] = []
        if isLive, event.number <= last {
            outcomes.append(.emptied)
        } else if event.number > last ? event.number - last > 1 : continues {
            outcomes.append(.lost(upTo: max(time, id.milliseconds, event.fence)))
        }
        continues = true
        (next, last) = (id, event.number)
        newest = isLive ? event.number : max(newest, event.number)
        place = FleetPlace(id: event.id, count: event.number, epoch: epoch)
        outcomes.append(.event(event))
        if case .catchingUp(let target) = state, target <= id { outcomes.append(contentsOf: caughtUp()) }
        return outcomes
    }

    /// Entries up to an id were read, the last of which may be no event.
    mutating func passed(_ text: String) -> [Outcome] {
        guard let id = EventID(text), next < id else { return [] }
        next = id
        if case .catchingUp(let target) = state, target <= id { return caughtUp() }
        return []
    }

    /// The engine has nothing more to read, for the moment.
    mutating func exhausted() -> [Outcome] {
        guard case .catchingUp(let target) = state else { return [] }
        // The missed events are gone, unless there were none that are new.
        let lost: [Outcome] = newest > last ? [.lost(upTo: max(time, target.milliseconds))] : []
        (next, last) = (max(next, target), newest)
        return lost + caughtUp()
    }

    private mutating func caughtUp() -> [Outcome] {
        state = .live
        newest = last
        place = FleetPlace(id: next.text, count: last, epoch: epoch)
        defer { wasEmptied = false }
        return (wasEmptied ? [.lost(upTo: max(time, next.milliseconds))] : []) + [.caughtUp]
    }
}
