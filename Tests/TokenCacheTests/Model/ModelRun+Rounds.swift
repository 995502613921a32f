import OperatorReplies
import Secrets
import TestSupport
import TokenProtocol

@testable import TokenCache

/// Rounds through prefetch files.
extension ModelRun {
    /// Starts a round, or rarely ends one.
    func beginRoundAtRandom() throws {
        let tenant = random.pick(tenants)
        if random.once(in: 6) { return try endRound(of: tenant) }
        let subjects = (0..<random.below(8)).map { _ in "user\(random.below(Self.users))" }
        let scopes = random.pick(Self.scopes)
        trace("a round of \(tenant.id.name) begins: \(subjects), \(scopes)")
        let isTaken = begin(machine.beginPrefetchRound(of: tenant.id, subjects, scopes, now: now))
        guard isTaken != tenant.isRetired else { throw violated("a round began at a tenant that isn't configured") }
        if isTaken {
            tenant.round = ModelRound(subjects, scopes, now: now)
            tally.note(.roundBegan)
        }
        try finish()
    }

    private func endRound(of tenant: ModelTenant) throws {
        trace("a round of \(tenant.id.name) is ended")
        begin(machine.endPrefetchRound(of: tenant.id, now: now))
        tenant.round = nil
        try finish()
    }

    /// Returns the model's call for a mint of a round.
    func roundMint(_ mint: Mint) throws -> ModelCall {
        guard let key = key(mint.key), let round = key.tenant.round else {
            throw violated("a mint was queued for a round that there isn't")
        }
        if let objection = round.mint(mint.key, now: now) { throw violated(objection) }
        guard key.current == nil else { throw violated("a round queued a second mint of a key") }
        if let entry = machine.store.find(mint.key).flatMap({ machine.store[$0] }),
            let known = key.entry, known.token.fingerprint.words[0] == entry.fingerprintPrefix,
            known.isServable(at: now), case .serve = known.verdict(at: now, minTTL: nil)
        {
            throw violated("a round minted a token that is cached")
        }
        if machine.negatives[mint.key]?.error(at: now)?.code == .denied {
            throw violated("a round minted for a user who was just denied")
        }
        let call = ModelCall(key, .prefetch, for: nil)
        call.round = round
        enqueue(call, as: .round)
        return call
    }

    /// Takes the notices of rounds that are over.
    func takeEndsOfRounds() -> [CacheNotice] {
        let ends = event.notices.filter { if case .prefetched = $0 { true } else { false } }
        event.notices.removeAll { if case .prefetched = $0 { true } else { false } }
        return ends
    }

    /// Checks the rounds that are over, when all else that the event has ended is known.
    func check(endsOfRounds: [CacheNotice]) throws {
        for notice in endsOfRounds {
            guard case .prefetched(let name, let results, let time) = notice else { continue }
            guard let tenant = configured.first(where: { $0.id.name == name }), let round = tenant.round else {
                throw violated("operators were told of the end of a round that there isn't")
            }
            if let objection = round.objection(to: results, after: time, now: now) { throw violated(objection) }
            tenant.round = nil
            tally.note(.roundEnded)
        }
    }

    /// Checks that rounds go on: whatever may be queued is.
    func checkRounds() throws {
        for tenant in configured {
            guard let known = machine.tenants[tenant.id] else { continue }
            guard (known.round == nil) == (tenant.round == nil) else { throw violated("a round is over for no reason") }
            guard let round = known.round else { continue }
            if round.canTake(limit: tenant.limits.maxConcurrent, now: now) { throw violated("a round doesn't go on") }
            if let next = round.nextTime(now), let wake, wake > next { throw violated("a round is not woken") }
            try checkPause(of: round)
        }
    }

    private func checkPause(of round: PrefetchRound) throws {
        guard let next = round.nextTime(now) else { return }
        if next - now > PrefetchRound.pause { throw violated("a round pauses for too long") }
    }
}
