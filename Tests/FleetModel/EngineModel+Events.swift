package import FleetProtocol

/// The stream of events.
extension EngineModel {
    /// The events of a tenant after a place, the earliest first.
    ///
    /// - Parameter id: The id of the last one that the reader has, or `0-0` for all.
    package func events(of names: EngineNames, after id: String = "0-0", at time: Int64) -> [EngineEvent] {
        let place = StreamID(id)
        let events = (streams.value(names.events, at: time) ?? []).suffix(eventLimit)
        return events.filter { StreamID($0.id) > place }
    }

    /// Adds an event, and forgets the earliest ones.
    mutating func addEvent(_ names: EngineNames, _ text: EngineEventText, fence: Int64 = 0, _ time: Int64) {
        let number = (counts.value(names.eventCount, at: time) ?? 0) + 1
        counts.set(names.eventCount, number, for: EngineScript.memory, at: time)
        // Taken out first, so that appending copies nothing.
        var events = streams.remove(names.events, at: time) ?? []
        let id = events.last.map { StreamID($0.id).next(at: time) } ?? StreamID(time: time, sequence: 0)
        events.append(EngineEvent(id: id.text, number: number, fence: fence, text: text))
        // Twice as many are kept, so that few events move.
        if events.count > 2 * eventLimit { events.removeFirst(events.count - eventLimit) }
        streams.set(names.events, events, for: EngineScript.memory, at: time)
    }
}

/// The id of an event: the time in milliseconds and a number within it.
private struct StreamID: Comparable {
    var time: Int64
    var sequence: Int64

    init(time: Int64, sequence: Int64) { (self.time, self.sequence) = (time, sequence) }

    init(_ text: String) {
        let parts = text.split(separator: "-").map { Int64($0) ?? 0 }
        self.init(time: parts.first ?? 0, sequence: parts.count > 1 ? parts[1] : 0)
    }

    var text: String { "\(time)-\(sequence)" }

    /// The id that follows, which is never an earlier one, also if the time has gone back.
    func next(at now: Int64) -> StreamID {
        now > time ? StreamID(time: now, sequence: 0) : StreamID(time: time, sequence: sequence + 1)
    }

    static func < (left: StreamID, right: StreamID) -> Bool {
        (left.time, left.sequence) < (right.time, right.sequence)
    }
}
