import FleetProtocol

/// Drops.
extension EngineModel {
    /// Makes tokens invalid, and tells the names of those that may be taken out.
    mutating func perform(_ drop: EngineDrop, _ time: Int64) -> EngineAnswer.Outcome {
        let (names, token) = (drop.names, drop.target.token)
        if case .marked(_, let marks) = drop.target { return dropMarked(drop, token, marks, time) }
        // The fence of an earlier run that is far ahead of the time drops all that there is.
        let given = drop.fence.map { Self.isPlausible($0, time) ? $0 : max(lastFence(names, time), time) }
        let fence = given ?? newFence(names, above: generation(names, token, time), time)
        for name in token {
            if let lease = leases.value(name.lease, at: time), lease.fence <= fence {
                leases.remove(name.lease, at: time)
            }
        }
        var values: [String] = []
        switch drop.target {
        case .tenant: raise(names.generation, fence, time)
        case .user:
            for name in token {
                values += indexes.value(name.index, at: time) ?? []
                raise(name.userGeneration, fence, time)
            }
        case .token, .marked:
            for name in token {
                if tokens.value(name.value, at: time) != nil { values.append(name.value) }
                raise(name.generation, fence, time)
            }
        }
        setFence(names, max(lastFence(names, time), fence), time)
        if let event = drop.event { addEvent(names, event, fence: fence, time) }
        return .drop(fence: fence, values: values.sorted())
    }

    /// Drops the stored token with a mark.
    ///
    /// A later token of the user stays.
    private mutating func dropMarked(
        _ drop: EngineDrop,
        _ token: [EngineTokenNames],
        _ marks: [String],
        _ time: Int64
    ) -> EngineAnswer.Outcome {
        var matched: Int64?
        for (name, mark) in zip(token, marks) {
            guard let stored = tokens.value(name.value, at: time), stored.mark == mark else { continue }
            tokens.remove(name.value, at: time)
            matched = max(matched ?? 0, Self.plausible(stored.fence, time))
        }
        if let matched { for name in token { raise(name.generation, matched, time) } }
        let latest = max(lastFence(drop.names, time), time)
        let fence = drop.fence.map { Self.isPlausible($0, time) ? $0 : latest } ?? matched ?? latest
        if let event = drop.event { addEvent(drop.names, event, fence: fence, time) }
        return .drop(fence: fence, values: [])
    }

    /// Takes out tokens that a drop with this fence concerns.
    mutating func take(_ values: [String], upTo fence: Int64, _ time: Int64) -> EngineAnswer.Outcome {
        var taken: [EngineAnswer.Taken] = []
        for (number, name) in values.enumerated() {
            guard let token = tokens.value(name, at: time), let left = tokens.left(name, at: time),
                token.fence <= fence
            else { continue }
            tokens.remove(name, at: time)
            taken.append(
                .init(number: number, sealed: token.sealed, fence: token.fence, epoch: token.epoch, left: left)
            )
        }
        return .taken(taken)
    }

    /// The fence that a generation's key has, for comparisons with a real engine.
    package func generation(named name: String, at time: Int64) -> Int64? { generations.value(name, at: time) }

    /// Raises a generation, which is remembered for longer than any token lives.
    private mutating func raise(_ name: String, _ fence: Int64, _ time: Int64) {
        let raised = max(Self.plausible(generations.value(name, at: time) ?? 0, time), fence)
        generations.set(name, raised, for: EngineScript.memory, at: time)
    }
}

extension EngineDrop.Target {
    /// The names of the token, or of any of the user's, or none for a tenant.
    fileprivate var token: [EngineTokenNames] {
        switch self {
        case .tenant: []
        case .user(let names), .token(let names), .marked(let names, _): names
        }
    }
}
