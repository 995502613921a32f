import FleetProtocol

/// Looks and mints.
extension EngineModel {
    /// The fence up to which a token is invalid: the highest of its tenant, its user and itself, under any name.
    ///
    /// One that is far ahead of the time is replaced by the latest fence.
    mutating func generation(_ names: EngineNames, _ token: [EngineTokenNames], _ time: Int64) -> Int64 {
        let all = [names.generation] + token.flatMap { [$0.generation, $0.userGeneration] }
        for name in all {
            guard let fence = generations.value(name, at: time), !Self.isPlausible(fence, time) else { continue }
            generations.set(name, max(lastFence(names, time), time), for: EngineScript.memory, at: time)
        }
        return all.compactMap { generations.value($0, at: time) }.max() ?? 0
    }

    /// A fence for a mint or a drop, above all earlier ones and not below the time.
    func newFence(_ names: EngineNames, above generation: Int64, _ time: Int64) -> Int64 {
        max(lastFence(names, time) + 1, time, generation + 1)
    }

    /// The last fence of a mint or a drop.
    func lastFence(_ names: EngineNames, _ time: Int64) -> Int64 {
        Self.plausible(fences.value(names.fence, at: time) ?? 0, time)
    }

    /// A fence, or zero for one that is too far ahead of the time.
    static func plausible(_ fence: Int64, _ time: Int64) -> Int64 { isPlausible(fence, time) ? fence : 0 }

    /// True unless a fence is too far ahead of the time.
    static func isPlausible(_ fence: Int64, _ time: Int64) -> Bool { fence <= time + EngineScript.fenceLead }

    /// Keeps the last fence.
    mutating func setFence(_ names: EngineNames, _ fence: Int64, _ time: Int64) {
        fences.set(names.fence, fence, for: EngineScript.memory, at: time)
    }

    /// Looks for a token, a denial and a lease in this order, and then takes the lease if that is wished.
    mutating func perform(_ look: EngineLook, _ time: Int64) -> EngineAnswer {
        let generation = generation(look.names, look.token, time)
        let found =
            token(look, above: generation, time)
            ?? (look.ignoresRefusal ? nil : refusal(look, above: generation, time))
            ?? lease(look, above: generation, time)
        if let found { return answer(found, look.names, look.rate, time) }
        guard case .claim(let claim) = look.purpose else { return answer(.nothing, look.names, look.rate, time) }
        if let hold = hold(look.names, time) { return answer(.later(hold.left), look.names, look.rate, time) }
        if let later = pay(look.names, look.rate, reserve: claim.reserve, time) {
            return answer(.later(later), look.names, look.rate, time)
        }
        let fence = newFence(look.names, above: generation, time)
        guard Self.plausible(fence, time) == fence else {
            return answer(.nothing, look.names, look.rate, time)
        }
        setFence(look.names, fence, time)
        if let name = look.token.first {
            let lease = Lease(epoch: look.epoch, fence: fence, nonce: claim.nonce)
            leases.set(name.lease, lease, for: claim.lease, at: time)
        }
        return answer(.go(fence: fence), look.names, look.rate, time)
    }

    /// A token of this epoch that wasn't dropped and is as wished.
    private func token(_ look: EngineLook, above generation: Int64, _ time: Int64) -> EngineAnswer.Outcome? {
        for (number, names) in look.token.enumerated() {
            guard let token = tokens.value(names.value, at: time), let left = tokens.left(names.value, at: time),
                token.epoch == look.epoch, Self.plausible(token.fence, time) > generation, left >= look.minLeft,
                look.newerThan.map({ token.fence > $0 }) ?? true
            else { continue }
            return .token(sealed: token.sealed, left: left, fence: token.fence, epoch: token.epoch, name: number)
        }
        return nil
    }

    /// A denial that wasn't dropped.
    private func refusal(_ look: EngineLook, above generation: Int64, _ time: Int64) -> EngineAnswer.Outcome? {
        for (number, names) in look.token.enumerated() {
            guard let refusal = refusals.value(names.refusal, at: time),
                let left = refusals.left(names.refusal, at: time),
                Self.plausible(refusal.fence, time) > generation
            else { continue }
            return .refused(sealed: refusal.sealed, left: left, name: number)
        }
        return nil
    }

    /// A lease of this epoch that wasn't dropped: the caller's own from an earlier try, or another machine's.
    private func lease(_ look: EngineLook, above generation: Int64, _ time: Int64) -> EngineAnswer.Outcome? {
        for names in look.token {
            guard let lease = leases.value(names.lease, at: time), let left = leases.left(names.lease, at: time),
                lease.epoch == look.epoch, Self.plausible(lease.fence, time) > generation
            else { continue }
            if case .claim(let claim) = look.purpose, claim.nonce == lease.nonce { return .go(fence: lease.fence) }
            return .wait(left)
        }
        return nil
    }

    // MARK: The end of a mint

    /// The lease with a nonce, and its name.
    private func lease(
        of nonce: String,
        _ token: [EngineTokenNames],
        _ time: Int64
    ) -> (lease: Lease, name: String)? {
        for names in token {
            if let lease = leases.value(names.lease, at: time), lease.nonce == nonce { return (lease, names.lease) }
        }
        return nil
    }

    /// Stores a token whose lease lives and that wasn't dropped meanwhile.
    mutating func perform(_ store: EngineStore, _ time: Int64) -> EngineAnswer.Outcome {
        guard let (lease, name) = lease(of: store.nonce, store.token, time), lease.fence == store.fence,
            lease.epoch == store.epoch, let first = store.token.first
        else { return .lost }
        leases.remove(name, at: time)
        guard store.fence > generation(store.names, store.token, time) else { return .dropped }
        let left = min(store.left, store.ends.map { Int($0 - time) } ?? store.left)
        guard left > 0 else {
            addEvent(store.names, store.event, time)
            return .lost
        }
        for names in store.token {
            refusals.remove(names.refusal, at: time)
            tokens.remove(names.value, at: time)
        }
        let token = StoredToken(epoch: store.epoch, fence: store.fence, mark: store.mark, sealed: store.sealed)
        set(token, first, left, time)
        addEvent(store.names, store.event, time)
        return .done
    }

    private mutating func set(_ token: StoredToken, _ names: EngineTokenNames, _ left: Int, _ time: Int64) {
        tokens.set(names.value, token, for: left, at: time)
        var index = indexes.value(names.index, at: time) ?? []
        index.insert(names.value)
        let life = max(left, indexes.left(names.index, at: time) ?? 0)
        indexes.set(names.index, index, for: life, at: time)
    }

    /// Stores a token again under the first names, if it is still what it was, and there is none that is newer.
    mutating func perform(_ move: EngineMove, _ time: Int64) -> EngineAnswer.Outcome {
        let from = move.token[move.from]
        guard let first = move.token.first, var token = tokens.value(from.value, at: time),
            let left = tokens.left(from.value, at: time), left > 0, token.epoch == move.epoch,
            token.fence == move.fence,
            token.fence > generation(move.names, move.token, time),
            tokens.value(first.value, at: time).map({ $0.fence < token.fence }) ?? true
        else { return .lost }
        (token.mark, token.sealed) = (move.mark, move.sealed)
        tokens.remove(from.value, at: time)
        set(token, first, left, time)
        return .done
    }

    /// Gives a lease back, and keeps the denial.
    mutating func perform(_ release: EngineRelease, _ time: Int64) -> EngineAnswer.Outcome {
        guard let (lease, name) = lease(of: release.nonce, release.token, time) else { return .lost }
        leases.remove(name, at: time)
        if let refusal = release.refusal, let first = release.token.first, refusal.left > 0 {
            let stored = Refusal(fence: lease.fence, sealed: refusal.sealed)
            refusals.set(first.refusal, stored, for: refusal.left, at: time)
        }
        addEvent(release.names, release.event, time)
        return .done
    }

    /// Extends a lease.
    mutating func perform(_ renew: EngineRenew, _ time: Int64) -> EngineAnswer.Outcome {
        guard let (_, name) = lease(of: renew.nonce, renew.token, time) else { return .lost }
        leases.extend(name, by: renew.lease, at: time)
        return .done
    }
}
