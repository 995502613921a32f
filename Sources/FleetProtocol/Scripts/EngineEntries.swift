/// The entries of one stream that a read has found.
package struct EngineEntries: Sendable, Equatable {
    /// The events, the earliest first.
    package private(set) var events: [EngineEvent] = []
    /// The id of the last entry, from which the next read goes on, or nil if there was none.
    package private(set) var lastID: String?
    /// The number of entries that are no events.
    ///
    /// They are passed over, so that a foreign entry doesn't stop the reader.
    package private(set) var foreign = 0

    /// The number of entries.
    package var count: Int { events.count + foreign }

    /// Reads the entries of one stream, the reply to `XRANGE`.
    package init(_ reply: RespValue) throws(EngineReplyFault) {
        if case .error(let text) = reply { throw .error(text) }
        guard let entries = reply.elements else { throw .malformed }
        for entry in entries {
            guard let parts = entry.elements, parts.count == 2, let id = parts[0].text else { throw .malformed }
            lastID = id
            if let event = EngineEvent(id: id, fields: parts[1]) {
                events.append(event)
            } else {
                foreign += 1
            }
        }
    }

    /// Reads the entries by the names of their streams, the reply to `XREAD`.
    ///
    /// There are none if the time of `BLOCK` has passed.
    package static func byStream(_ reply: RespValue) throws(EngineReplyFault) -> [String: EngineEntries] {
        if case .error(let text) = reply { throw .error(text) }
        var streams: [String: EngineEntries] = [:]
        for (name, entries) in try pairs(reply) { streams[name] = try EngineEntries(entries) }
        return streams
    }

    /// The names and entries: a map, or in RESP2 an array of pairs.
    private static func pairs(_ reply: RespValue) throws(EngineReplyFault) -> [(String, RespValue)] {
        var pairs: [(String, RespValue)] = []
        switch reply {
        case .null: return []
        case .map:
            for (key, value) in reply.pairs ?? [] {
                guard let name = key.text else { throw .malformed }
                pairs.append((name, value))
            }
        default:
            guard let elements = reply.elements else { throw .malformed }
            for element in elements {
                guard let pair = element.elements, pair.count == 2, let name = pair[0].text else { throw .malformed }
                pairs.append((name, pair[1]))
            }
        }
        return pairs
    }
}

extension EngineEvent {
    /// Reads the fields of an entry with their values, or returns nil if they are no event's.
    fileprivate init?(id: String, fields: RespValue) {
        guard let fields = fields.pairs else { return nil }
        var values: [String: RespValue] = [:]
        for (key, value) in fields { if let name = key.text { values[name] = value } }
        guard let number = values["n"]?.number, 1...EngineScript.largestNumber ~= number,
            let fence = values["f"]?.number, 0...EngineScript.largestNumber ~= fence,
            let machine = values["m"]?.text, let kind = values["k"]?.text, let sealed = values["p"]?.bytes
        else { return nil }
        let text = EngineEventText(machine: machine, kind: kind, sealed: sealed)
        self.init(id: id, number: number, fence: fence, text: text)
    }
}
