import Secrets
import TokenProtocol

@testable import TokenCache

/// The judgement of what an event has the shell do, piece by piece in the order in which the cache comes to it.
extension ModelRun {
    /// Begins to judge an event.
    func begin(_ actions: CacheActions) {
        event = actions
        wasSettled = isSettled
    }

    /// Begins to judge an event that has an answer of its own.
    func begin<Answer>(_ outcome: Outcome<Answer>) -> Answer {
        begin(outcome.actions)
        return outcome.answer
    }

    /// Judges what is left of an event when its own consequences are accounted for.
    func finish() throws {
        let survey = survey()
        try takeRecords()
        guard event.notices.isEmpty else { throw violated("operators were told without cause: \(event.notices)") }
        try takeChanges()
        try seeNewCalls(survey)
        let evicted = try reconcileEntries()
        try reconcileNegatives()
        for delivery in event.deliveries { try take(delivery, evicted: evicted) }
        try seeEndedCalls(survey)
        for order in event.calls { try take(order) }
        wake = event.wake
        event = CacheActions()
    }

    // MARK: Notices

    /// Takes the next notice, which must be one of a tenant.
    func takeNotice(_ what: String) throws -> CacheNotice {
        guard !event.notices.isEmpty else { throw violated("operators were not told that \(what)") }
        return event.notices.removeFirst()
    }

    func expect(_ notice: CacheNotice, _ what: String) throws {
        guard try takeNotice(what) == notice else {
            throw violated("operators were told something else than that \(what)")
        }
    }

    // MARK: Records

    /// Takes the one record of the end of a mint.
    func takeRecord(of call: ModelCall, _ key: ModelKey, _ end: AuditRecord.MintEnd) throws {
        let index = event.records.firstIndex { if case .mint = $0.act { true } else { false } }
        guard let index else { throw violated("the end of a mint is not in the audit trail") }
        let record = event.records.remove(at: index)
        guard record == AuditRecord(call.peer.map(Self.peer), .mint(key.key, call.cause, end)) else {
            throw violated("the audit trail tells another end of a mint")
        }
    }

    /// Takes the records of revocations; each is the only one of its token.
    private func takeRecords() throws {
        for record in event.records {
            guard case .revocation(let user, let scopes, let fingerprint, let end) = record.act else {
                throw violated("something is in the audit trail that did not happen")
            }
            guard let call = revocations.removeValue(forKey: fingerprint), let token = call.token else {
                throw violated("the audit trail tells of a revocation that was not planned, or has ended before")
            }
            guard user == token.key.key.user, scopes == token.key.key.scopes, record.peer?.uid == call.peer else {
                throw violated("the audit trail tells of another revocation")
            }
            try ends(call, as: end)
        }
        event.records = []
    }

    /// Ends a revocation that has come to an end by itself.
    private func ends(_ call: ModelCall, as end: AuditRecord.RevocationEnd) throws {
        switch end {
        case .revoked, .failed: throw violated("a revocation ended as \(end) that has not come back")
        case .expired:
            guard let token = call.token, token.expiry <= now, !call.isSent else {
                throw violated("a revocation was dropped as expired before its token's end")
            }
            tally.note(.revocationExpired)
        case .dropped:
            guard call.tenant.isRetired, !call.isSent else { throw violated("a revocation was dropped without cause") }
            tally.note(.revocationDropped)
        }
        remove(call)
        answerLogout(call, isTaken: false)
    }

    /// One of the revocations of a logout has ended.
    func answerLogout(_ call: ModelCall, isTaken: Bool) {
        call.logout?.open.removeAll { $0 === call }
        if !isTaken { call.logout?.areAllTaken = false }
        call.logout = nil
    }

    // MARK: Calls

    /// Sees which calls the cache has planned.
    private func seeNewCalls(_ survey: CallSurvey) throws {
        for call in survey.new { try see(call) }
        seen = machine.lastSerial
    }

    private func see(_ call: Call) throws {
        switch call.work {
        case .revocation(let revocation):
            guard let planned = unseen.first(where: { $0.token?.fingerprint == revocation.token.fingerprint }) else {
                throw violated("a revocation was planned without cause")
            }
            saw(planned, call)
        case .mint(let mint):
            let planned = unseen.first { $0.key?.key == mint.key && $0.cause == mint.cause }
            guard let planned = try planned ?? unforeseen(mint) else {
                return strays.append(call)
            }
            saw(planned, call)
            try checkRefresh(planned, mint)
        }
    }

    private func saw(_ planned: ModelCall, _ call: Call) {
        planned.id = call.id
        unseen.removeAll { $0 === planned }
    }

    /// A mint that no request planned: a refresh by its timer; nil: a probe, whose cause is yet to come.
    private func unforeseen(_ mint: Mint) throws -> ModelCall? {
        guard let key = key(mint.key) else { throw violated("a mint was planned for a tenant that isn't configured") }
        if mint.cause == .probe { return nil }
        guard mint.cause == .refresh, let entry = key.entry else {
            throw violated("a mint was planned that nobody asked for")
        }
        guard key.current == nil else { throw violated("a second mint of the same key and generation was planned") }
        guard entry.refreshDeadline <= now, entry.isInUse(at: now, policy) else {
            throw violated("a refresh was planned before its time, or for an idle user")
        }
        guard key.negativeError(at: now) == nil else {
            throw violated("a refresh was planned on the heels of a failure")
        }
        entry.isDeadlineJudged = true
        return planRefresh(of: key, entry)
    }

    /// Plans a refresh, as the cache does.
    func planRefresh(of key: ModelKey, _ entry: ModelEntry) -> ModelCall {
        counters.refreshesDue += 1
        let call = ModelCall(key, .refresh, for: nil)
        call.refresh = .init(tokenEnds: entry.token.expiry, deadline: entry.refreshDeadline)
        plan(call, as: .background)
        return call
    }

    /// Plans a call, which is then to be seen in the cache.
    func plan(_ call: ModelCall, as place: ModelCall.Place) {
        call.tenant.enqueue(call, as: place)
        call.key?.current = call
        calls.append(call)
        unseen.append(call)
    }

    private func checkRefresh(_ planned: ModelCall, _ mint: Mint) throws {
        guard (planned.refresh == nil) == (mint.refresh == nil) else {
            throw violated("a mint is a refresh in the cache only, or in the model only")
        }
        guard let refresh = planned.refresh, let notBefore = mint.refresh?.notBefore else { return }
        // A refresh that is tried again: the pause is drawn, within bounds.
        let pause = notBefore - now
        let last = refresh.pause.flatMap { $0.outage == planned.tenant.outage ? $0.length : nil } ?? .seconds(1)
        let bound = min(.seconds(60), (refresh.tokenEnds - now) / 4)
        let least = max(min(.seconds(1), bound), .milliseconds(100))
        let most = max(min(last * 3, bound), .milliseconds(100))
        guard planned.isRetry, pause >= least - Self.tolerance, pause <= most + Self.tolerance else {
            throw violated("a refresh is tried again after \(pause), not within \(least) and \(most)")
        }
        tally.note(.refreshTriedAgain)
        planned.refresh?.notBefore = notBefore
        planned.refresh?.pause = (pause, planned.tenant.outage)
        planned.readiness = planned.tenant.isBack ? .perhaps : .no
    }

    /// Sees which calls are gone that have not come back.
    private func seeEndedCalls(_ survey: CallSurvey) throws {
        if let present = survey.present {
            for call in calls {
                guard let id = call.id, !present.contains(id.serial) else { continue }
                // A call that was ended on the way may have taken another along.
                if calls.contains(where: { $0 === call }) { try vanished(call) }
            }
        }
        for stray in strays {
            guard let planned = unseen.first(where: { $0.key?.key == stray.mint?.key && $0.cause == .probe }) else {
                throw violated("a probe was planned without cause")
            }
            saw(planned, stray)
        }
        strays = []
        guard unseen.isEmpty else { throw violated("a call was not planned that has to be") }
    }

    /// A call is gone that was not sent.
    private func vanished(_ call: ModelCall) throws {
        guard !call.isSent, let key = call.key else {
            throw violated("a call is gone that has not come back, or a revocation without a record")
        }
        if call.isDoomed {
            tally.note(.doomedCallEnded)
            for waiter in call.waiters {
                guard let farewell = waiter.farewell else { throw violated("a call is gone that somebody waits for") }
                settle(waiter, .error(ModelError(code: farewell)))
            }
            call.waiters = []
        } else {
            if call.isAwaited { throw violated("a call is gone that somebody waits for") }
            let isOver = call.place == .background && call.refresh.map { $0.tokenEnds <= now } ?? false
            guard isOver || !isWanted(call, key) else { throw violated("a call is gone that is of use") }
            tally.note(.unwantedRefreshEnded)
        }
        remove(call)
        lost(call, wasSent: false)
    }

    /// Whether a mint's token would be of use to anyone.
    func isWanted(_ call: ModelCall, _ key: ModelKey) -> Bool {
        if call.isAwaited { return true }
        guard call.fate == .current else { return false }
        if call.isProbe, call.tenant.client.probe === call { return true }
        if call.cause == .probe, call.askedAt == nil { return false }
        guard call.refresh != nil, call.askedAt == nil else { return true }
        return key.entry?.isInUse(at: now, policy) ?? false
    }

    /// Takes a call out of all tables.
    func remove(_ call: ModelCall, isPaced: Bool = false) {
        calls.removeAll { $0 === call }
        unseen.removeAll { $0 === call }
        call.tenant.withdraw(call, isPaced: isPaced)
        if call.key?.current === call { call.key?.current = nil }
    }

    // MARK: Orders

    /// Takes a call that goes now, and holds it against the rules.
    private func take(_ order: CallOrder) throws {
        switch order {
        case .mint(let id, let key):
            guard let call = call(id), call.key?.key == key else { throw violated("a mint went that was not planned") }
            guard let known = call.key, isWanted(call, known) else {
                throw violated("a mint went that is of no use to anyone: \(call)\(call.isProbe ? ", a probe" : "")")
            }
            counters.started += 1
            try go(call)
        case .revoke(let id, let tenant, let token):
            guard let call = call(id), let planned = call.token, planned.fingerprint == token.fingerprint else {
                throw violated("a revocation went that was not planned")
            }
            guard tenant == planned.key.tenant.id, tenant.name == planned.key.tenant.id.name else {
                throw violated("a token was sent to another tenant than the one that minted it")
            }
            guard planned.expiry > now else { throw violated("a token was revoked that has ended") }
            try go(call)
        }
    }

    private func go(_ call: ModelCall) throws {
        trace("\(call) goes")
        if let objection = call.tenant.objection(to: call, now: now) { throw violated(objection) }
        note(turnOf: call)
        call.tenant.start(call, now: now)
    }

    private func note(turnOf call: ModelCall) {
        switch call.place {
        case .first: tally.note(call.isProbe ? .probe : .sentWithNewSecret)
        case .caller: tally.note(.callerTurn)
        case .prefetch: tally.note(.prefetchTurn)
        case .background:
            tally.note(.refreshTurn)
            if call.tenant.waiting > 0 { tally.note(.refreshBesideCallers) }
            if !call.tenant.prefetches.isEmpty { tally.note(.urgentBeforePrefetch) }
        case .sent: break
        }
    }

    // MARK: Entries

    /// Tokens are gone that have ended, or for which there is no room.
    ///
    /// - Returns: Those for which there is no room.
    private func reconcileEntries() throws -> [ModelEntry] {
        guard entryCount != machine.store.count else { return [] }
        var present = entries
        for key in present where key.entry.map({ $0.token.expiry <= now }) ?? false {
            guard machine.store.find(key.key) == nil else { continue }
            key.entry = nil
            counters.evictions["expired", default: 0] += 1
        }
        present.removeAll { $0.entry == nil }
        var evicted: [ModelEntry] = []
        while present.count > machine.store.count {
            guard present.count > policy.maxEntries, let victim = nextToGo(present), let entry = victim.entry else {
                throw violated("a token is gone without cause")
            }
            guard machine.store.find(victim.key) == nil else {
                throw violated("another token than the oldest had to go")
            }
            victim.entry = nil
            entry.token.isDropped = true
            present.removeAll { $0 === victim }
            counters.evictions["capacity", default: 0] += 1
            evicted.append(entry)
            tally.note(.evictedForRoom)
        }
        guard present.count == machine.store.count else { throw violated("a token is there that should not be") }
        return evicted
    }

    /// Memories of keys may be gone where there is room for a few only: those that would be forgotten soonest.
    private func reconcileNegatives() throws {
        guard hasChangedNegatives else { return }
        hasChangedNegatives = false
        guard policy.maxEntries < 2 * keys.count else { return }
        let remembered = keys.filter { $0.negative != nil }.sorted { $0.forgetAt < $1.forgetAt }
        guard let first = remembered.first(where: { machine.negatives[$0.key] != nil }) else {
            if remembered.count > policy.maxEntries { throw violated("all that was remembered of keys is gone") }
            return
        }
        for key in remembered where machine.negatives[key.key] == nil {
            // The remains of a flush take up room until they are swept.
            let hadRoom = wasSettled && remembered.count <= policy.maxEntries
            if hadRoom || key.forgetAt > first.forgetAt { throw violated("what is remembered of a user is gone") }
            key.negative = nil
            tally.note(.forgottenForRoom)
        }
    }

    /// The token that was asked for longest ago, among the uids that have more than their share, or else among all.
    private func nextToGo(_ present: [ModelKey]) -> ModelKey? {
        let counts = Dictionary(grouping: present) { $0.entry?.owner ?? EntryStore.nobody }.mapValues(\.count)
        let share = min(policy.entriesShare, 1 / Double(counts.count))
        let bound = max(1, Int(Double(policy.maxEntries) * share))
        let greedy = present.filter { counts[$0.entry?.owner ?? EntryStore.nobody, default: 0] > bound }
        return (greedy.isEmpty ? present : greedy).min { $0.entry?.use ?? 0 < $1.entry?.use ?? 0 }
    }
}

/// The calls of a cache: those that are new, and all that are there.
struct CallSurvey {
    var new: [Call] = []
    /// nil: nothing has changed.
    var present: Set<UInt64>?
}

extension ModelRun {
    /// Looks for calls that the model doesn't know, if there may be any.
    func survey() -> CallSurvey {
        var survey = CallSurvey()
        guard machine.lastSerial != seen || machine.calls.count != calls.count else { return survey }
        var present: Set<UInt64> = []
        for slot in machine.calls.indices {
            guard let call = machine.calls.call(at: slot) else { continue }
            present.insert(call.id.serial)
            if call.id.serial > seen { survey.new.append(call) }
        }
        survey.new.sort { $0.id < $1.id }
        survey.present = present
        return survey
    }
}
