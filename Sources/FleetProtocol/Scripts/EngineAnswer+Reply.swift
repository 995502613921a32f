/// A reply that isn't one of a script's.
package enum EngineReplyFault: Error, Equatable {
    /// The engine's error, which begins with a code.
    case error(String)
    /// The reply has another form than the script's answers.
    case malformed
}

extension EngineAnswer {
    /// Reads the reply to a call.
    package init(to call: EngineCall, _ reply: RespValue) throws(EngineReplyFault) {
        if case .error(let text) = reply { throw .error(text) }
        guard let parts = reply.elements, parts.count >= Self.headCount, let word = parts[0].text,
            let time = parts[1].number, 1...EngineScript.latestTime ~= time, let level = parts[2].number,
            let left = parts[3].number, let cause = parts[4].text
        else { throw .malformed }
        let rest = Array(parts.dropFirst(Self.headCount))
        guard call.script.words.contains(word), let outcome = Outcome(word, rest),
            outcome.fences.allSatisfy({ Self.isPlausible($0, at: time) })
        else { throw .malformed }
        self.init(
            outcome: outcome,
            time: time,
            level: level < 0 ? nil : Int(level),
            hold: left < 0 ? nil : Hold(left: Int(left), cause: cause)
        )
        if case .state = call {
            guard rest.count == 3, let count = rest[0].number, 0...EngineScript.largestNumber ~= count,
                let id = rest[1].text, let fence = rest[2].number, Self.isPlausible(fence, at: time)
            else { throw .malformed }
            events = Position(count: count, id: id, fence: fence)
        }
    }

    /// The number of parts that each answer has.
    private static let headCount = 5

    /// True unless a fence is so far ahead of the engine's time that no script gives it.
    ///
    /// A machine that took such a one for the latest would take all drops for older ones than its tokens.
    package static func isPlausible(_ fence: Int64, at time: Int64) -> Bool { fence <= latestFence(at: time) }

    /// The latest plausible fence.
    ///
    /// That of a drop follows the last one, and so may be a little more than a day ahead.
    package static func latestFence(at time: Int64) -> Int64 { time &+ 2 * EngineScript.fenceLead }
}

extension EngineScript {
    /// The first words of the script's answers.
    fileprivate var words: Set<String> {
        switch self {
        case .look: ["token", "refused", "wait", "go", "later", "nothing"]
        case .pay: ["done", "later"]
        case .store: ["done", "lost", "dropped"]
        case .release, .renew, .claim, .move: ["done", "lost"]
        case .drop: ["drop"]
        case .take: ["taken"]
        case .hold, .state: ["done"]
        case .present: ["present"]
        }
    }
}

extension EngineAnswer.Outcome {
    /// The fences that an outcome tells.
    fileprivate var fences: [Int64] {
        switch self {
        case .token(_, _, let fence, _, _), .go(let fence), .drop(let fence, _): [fence]
        // The seals of values that are taken out tell their fences, and nothing follows from these.
        case .taken, .refused, .wait, .later, .nothing, .done, .lost, .dropped, .present: []
        }
    }

    /// Reads an outcome from its word and its parts, or returns nil if they don't belong together.
    fileprivate init?(_ word: String, _ parts: [RespValue]) {
        switch word {
        case "token":
            guard parts.count == 5, let name = parts[0].count, let left = parts[1].count,
                let fence = parts[2].number, let epoch = parts[3].text, let sealed = parts[4].bytes
            else { return nil }
            self = .token(sealed: sealed, left: left, fence: fence, epoch: epoch, name: name)
        case "refused":
            guard parts.count == 3, let name = parts[0].count, let left = parts[1].count, let sealed = parts[2].bytes
            else { return nil }
            self = .refused(sealed: sealed, left: left, name: name)
        case "wait", "later":
            guard parts.count == 1, let time = parts[0].count else { return nil }
            self = word == "wait" ? .wait(time) : .later(time)
        case "go":
            guard parts.count == 1, let fence = parts[0].number, fence >= 0 else { return nil }
            self = .go(fence: fence)
        case "nothing": self = .nothing
        case "done": self = .done
        case "lost": self = .lost
        case "dropped": self = .dropped
        case "drop":
            guard let fence = parts.first?.number, fence >= 0 else { return nil }
            // Somebody else may have written names that are no text.
            self = .drop(fence: fence, values: parts.dropFirst().compactMap(\.text).sorted())
        case "taken":
            guard let taken = EngineAnswer.Taken.read(parts) else { return nil }
            self = .taken(taken)
        case "present": self = .present(parts.compactMap(\.text))
        default: return nil
        }
    }
}

extension EngineAnswer.Taken {
    /// Reads values of five parts each, without those whose epoch is no text, which no machine has stored.
    fileprivate static func read(_ parts: [RespValue]) -> [EngineAnswer.Taken]? {
        guard parts.count.isMultiple(of: 5) else { return nil }
        var taken: [EngineAnswer.Taken] = []
        for start in stride(from: 0, to: parts.count, by: 5) {
            guard let number = parts[start].count, let left = parts[start + 1].count,
                let fence = parts[start + 2].number, let sealed = parts[start + 4].bytes
            else { return nil }
            guard let epoch = parts[start + 3].text else { continue }
            taken.append(.init(number: number, sealed: sealed, fence: fence, epoch: epoch, left: left))
        }
        return taken
    }
}

extension RespValue {
    /// A number that isn't negative.
    fileprivate var count: Int? { number.flatMap { $0 < 0 ? nil : Int($0) } }
}
