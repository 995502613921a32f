import FleetProtocol

/// The bucket and the hold.
extension EngineModel {
    /// The price of a call in the bucket.
    private static let price = 60_000

    /// An answer with the state of the limits after the call.
    func answer(
        _ outcome: EngineAnswer.Outcome,
        _ names: EngineNames,
        _ rate: EngineRate,
        _ time: Int64
    ) -> EngineAnswer {
        let level = level(names, rate, time) / (Self.price / 1_000)
        return EngineAnswer(outcome: outcome, time: time, level: level, hold: hold(names, time))
    }

    /// The hold that lasts.
    func hold(_ names: EngineNames, _ time: Int64) -> EngineAnswer.Hold? {
        guard let cause = holds.value(names.hold, at: time), let left = holds.left(names.hold, at: time) else {
            return nil
        }
        return EngineAnswer.Hold(left: left, cause: cause)
    }

    /// The level of the bucket: full if there is none, and never above that.
    private func level(_ names: EngineNames, _ rate: EngineRate, _ time: Int64) -> Int {
        let full = rate.burst * Self.price
        guard let bucket = buckets.value(names.bucket, at: time) else { return full }
        return min(full, bucket.level + max(0, Int(time - bucket.at)) * rate.perMinute)
    }

    /// Pays for a call, or returns the time until it can be paid for.
    ///
    /// The reserve is cut to what a full bucket has besides the call.
    mutating func pay(_ names: EngineNames, _ rate: EngineRate, reserve: Int, _ time: Int64) -> Int? {
        let full = rate.burst * Self.price
        let level = level(names, rate, time)
        let needed = min(Self.price + reserve * (Self.price / 1_000), full)
        guard level < needed else {
            setBucket(names, rate, level - Self.price, time)
            return nil
        }
        // A bucket from the future would never fill: it counts from now.
        if let bucket = buckets.value(names.bucket, at: time), bucket.at > time {
            setBucket(names, rate, level, time)
        }
        return (needed - level + rate.perMinute - 1) / rate.perMinute
    }

    /// Sets the level.
    ///
    /// A bucket is forgotten when it is full, which is what none means.
    private mutating func setBucket(_ names: EngineNames, _ rate: EngineRate, _ level: Int, _ time: Int64) {
        let missing = rate.burst * Self.price - level
        let life = max(1, (missing + rate.perMinute - 1) / rate.perMinute)
        buckets.set(names.bucket, Bucket(level: level, at: time), for: life, at: time)
    }

    // MARK: Calls

    /// Pays for a call that mints nothing.
    mutating func perform(_ pay: EnginePay, _ time: Int64) -> EngineAnswer {
        if let hold = hold(pay.names, time) { return answer(.later(hold.left), pay.names, pay.rate, time) }
        let later = self.pay(pay.names, pay.rate, reserve: pay.reserve, time)
        return answer(later.map(EngineAnswer.Outcome.later) ?? .done, pay.names, pay.rate, time)
    }

    /// Sets a hold if it is longer than the present one, or ends it.
    mutating func perform(_ hold: EngineHold, _ time: Int64) -> EngineAnswer.Outcome {
        guard let left = hold.left else {
            if holds.remove(hold.names.hold, at: time) != nil { addEvent(hold.names, hold.event, time) }
            return .done
        }
        guard holds.left(hold.names.hold, at: time).map({ $0 < left }) ?? true else { return .done }
        holds.set(hold.names.hold, hold.cause, for: left, at: time)
        addEvent(hold.names, hold.event, time)
        return .done
    }

    /// Tells the tenant's limits and the position in its events, and keeps fences above the one that a machine knows.
    mutating func perform(_ state: EngineState, _ time: Int64) -> EngineAnswer {
        var fence = lastFence(state.names, time)
        if Self.plausible(state.fence, time) > fence {
            fence = state.fence
            setFence(state.names, fence, time)
        }
        var answer = answer(.done, state.names, state.rate, time)
        answer.events = EngineAnswer.Position(
            count: counts.value(state.names.eventCount, at: time) ?? 0,
            id: streams.value(state.names.events, at: time)?.last?.id ?? "0-0",
            fence: fence
        )
        return answer
    }

    /// Takes a machine's note, and tells all that count.
    mutating func perform(_ present: EnginePresence, _ time: Int64) -> EngineAnswer.Outcome {
        var all = notes[present.name] ?? [:]
        if let earlier = present.earlier { all[earlier] = nil }
        all[present.note] = time
        let life = Int64(present.life)
        all = all.filter { time - life < $0.value && $0.value < time + life }
        notes[present.name] = all
        return .present(all.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key))
    }

    /// Lets the first one have a name for a time.
    mutating func claim(_ name: String, _ milliseconds: Int, _ time: Int64) -> EngineAnswer.Outcome {
        guard claims.value(name, at: time) == nil else { return .lost }
        claims.set(name, true, for: milliseconds, at: time)
        return .done
    }
}
