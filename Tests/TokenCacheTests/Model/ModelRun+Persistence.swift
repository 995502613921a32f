import Secrets
import TestSupport
import TokenProtocol

@testable import TokenCache

/// The next daemon, also after this one's death at any time.
extension ModelRun {
    // MARK: The end

    /// Shuts the daemon down: revocations that were not made are in the audit trail.
    func shutDown() throws {
        try finishSlices()
        begin(machine.shutDown(now: now))
        for record in event.records {
            guard case .revocation(_, _, let fingerprint, .dropped) = record.act,
                revocations.removeValue(forKey: fingerprint) != nil
            else { throw violated("the audit trail has other records than the revocations that were left") }
        }
        guard revocations.isEmpty else { throw violated("a revocation that was left is not in the audit trail") }
    }

    // MARK: The next daemon

    /// Ends the daemon, and restores its tokens in another one.
    func restart() throws {
        let before = entries.compactMap(\.entry)
        trace("another daemon takes over")
        forgetAll()
        now += random.pick([.zero, .milliseconds(20), .seconds(3), .seconds(100)])
        guard let next = try kept.next() else { throw violated("the next daemon can't read the tokens") }
        machine = CacheStateMachine(
            policy: policy,
            tenants: Dictionary(uniqueKeysWithValues: tenants.map { ($0.id, $0.limits) }),
            memory: next.memory,
            random: SeededRandom(seed: random.next()),
            sliceSize: sliceSize,
            now: now
        )
        kept = next.tokens
        try readRecords()
        try takeRestored()
        try checkLosses(before)
        unswept = []
        begin(machine.beginRestoring(now: now))
        try finish()
        try finishSlices()
        try checkWhenIdle()
        try recount()
    }

    /// Lets the cache read all records, in slices.
    private func readRecords() throws {
        var reported: Int?
        while machine.isRestoring {
            let actions = machine.beginRestoring(now: now)
            guard actions.deliveries.isEmpty, actions.calls.isEmpty, actions.records.isEmpty else {
                throw violated("the cache does more than to restore tokens")
            }
            for notice in actions.notices {
                guard case .restored(let count, _) = notice, reported == nil else {
                    throw violated("operators got a notice without cause: \(notice)")
                }
                reported = count
            }
        }
        guard let reported, reported >= machine.store.count else {
            throw violated("operators were not told how many tokens were restored")
        }
    }

    /// Takes the restored tokens into the account, the last used at the end.
    private func takeRestored() throws {
        let found = configured.flatMap(\.keys).compactMap { key in
            machine.store.find(key.key).flatMap { machine.store[$0] }.map { (key, $0) }
        }
        guard found.count == machine.store.count else { throw violated("a token of an unknown key was restored") }
        let never = Self.start - .seconds(1)
        for (key, entry) in found.sorted(by: {
            ($0.1.lastUsed ?? never, $0.1.slot) < ($1.1.lastUsed ?? never, $1.1.slot)
        }) {
            try take(entry, as: key)
        }
    }

    private func take(_ entry: Entry, as key: ModelKey) throws {
        guard let known = tokens[machine.store.token(of: entry.slot).fingerprint] else {
            throw violated("a token was stored that was never minted")
        }
        if known.expiry <= now || known.key.identity != key.identity || known.key.key.user.user != key.key.user.user {
            throw violated("a token was restored that must not be")
        }
        if known.isRevoked || known.isDropped && !unswept.contains(where: { $0 === known }) {
            throw violated("a dropped token was restored")
        }
        let restored = ModelEntry(
            known,
            jitterFraction: entry.life.jitterFraction,
            arrived: entry.arrived,
            lastUsed: entry.lastUsed,
            isUnrequested: entry.isUnrequested,
            replacedReported: entry.replacedReported,
            owner: machine.store.owner(of: entry.slot),
            policy: policy
        )
        restored.use = newUse()
        key.entry = restored
        known.isDropped = false
        known.key = key
        known.generation = key.generation
        tally.note(.restored)
    }

    /// Checks that no token is lost that was served, and that the cache knows as much of it as before.
    private func checkLosses(_ before: [ModelEntry]) throws {
        for old in before where old.token.expiry > now {
            let key = configured.flatMap(\.keys).first {
                $0.key.user.user == old.token.key.key.user.user
                    && $0.key.scopes == old.token.key.key.scopes && $0.identity == old.token.key.identity
            }
            guard let key else { continue }
            guard let new = key.entry, new.token === old.token else {
                throw violated("a token that was served is lost")
            }
            let isSame =
                new.jitterFraction == old.jitterFraction && new.arrived == old.arrived && new.lastUsed == old.lastUsed
                && new.isUnrequested == old.isUnrequested && new.replacedReported == old.replacedReported
                && new.owner == old.owner
            if !isSame { throw violated("a restored token is not as it was") }
        }
    }

    /// Forgets everything that only the daemon knew.
    ///
    /// The tenants stay as they were.
    private func forgetAll() {
        let configured = configured.map { tenant in
            let next = ModelTenant(tenant.id, tenant.limits, now: now)
            next.behaviour = tenant.behaviour
            return next
        }
        for key in tenants.flatMap(\.keys) { key.current = nil }
        for call in calls { (call.waiters, call.logout) = ([], nil) }
        graveyard += tenants
        tenants = configured
        (calls, unconfirmed, strays, seen) = ([], [], [], 0)
        (waiters, revocations) = ([:], [:])
        (event, wake) = (CacheActions(), nil)
        (counters, sentOnceMore) = (ModelCounters(), 0)
        hasChangedNegatives = false
    }
}
