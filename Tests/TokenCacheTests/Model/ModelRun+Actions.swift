import Secrets
import TokenProtocol

@testable import TokenCache

/// The checks of an event's actions, one by one in the order in which the cache gets to them.
extension ModelRun {
    /// Starts the check of an event.
    func begin(_ actions: CacheActions) {
        event = actions
        wasIdle = isIdle
    }

    /// Starts the check of an event that has an answer of its own.
    func begin<Answer>(_ outcome: Outcome<Answer>) -> Answer {
        begin(outcome.actions)
        return outcome.answer
    }

    /// Checks the rest of an event's actions, after its own consequences have been removed.
    func finish() throws {
        let survey = survey()
        try takeRecords()
        try takeIncidents()
        let endsOfRounds = takeEndsOfRounds()
        guard event.notices.isEmpty else { throw violated("operators got a notice without cause: \(event.notices)") }
        try confirmNewCalls(survey)
        let evicted = try reconcileEntries()
        try reconcileNegatives()
        for delivery in event.deliveries { try take(delivery, evicted: evicted) }
        try confirmEndedCalls(survey)
        try check(endsOfRounds: endsOfRounds)
        for order in event.calls { try take(order) }
        wake = event.wake
        event = CacheActions()
    }

    // MARK: Notices

    /// Takes the next notice, which must be about a tenant.
    func takeNotice(_ what: String) throws -> CacheNotice {
        guard !event.notices.isEmpty else { throw violated("operators were not told that \(what)") }
        return event.notices.removeFirst()
    }

    func expect(_ notice: CacheNotice, _ what: String) throws {
        guard try takeNotice(what) == notice else {
            throw violated("operators got another notice than that \(what)")
        }
    }

    /// Takes the reports of incidents, which come after all other notices.
    private func takeIncidents() throws {
        while case .incident(let incident)? = event.notices.last {
            event.notices.removeLast()
            guard let tenant = configured.first(where: { $0.id.name == incident.tenant }) else {
                throw violated("operators were told of an incident of a tenant that isn't configured")
            }
            if let objection = tenant.incidents.note(incident, now: now) { throw violated(objection) }
            tally.note(incident.report.phase == .ended ? .incidentEnded : .incidentReported)
        }
    }

    // MARK: Records

    /// Takes the only record of the end of a mint.
    func takeRecord(of call: ModelCall, _ key: ModelKey, _ end: AuditRecord.MintEnd) throws {
        let index = event.records.firstIndex { if case .mint = $0.act { true } else { false } }
        guard let index else { throw violated("the end of a mint is not in the audit trail") }
        let record = event.records.remove(at: index)
        let act = AuditRecord.Act.mint(key.key, call.cause, end)
        guard record == AuditRecord(call.peer.map(Self.peer), act, trace: call.traces.record) else {
            throw violated("the audit trail has another end of a mint")
        }
        try takeReport(of: call, end)
    }

    /// Takes the only report of the end of a mint.
    private func takeReport(of call: ModelCall, _ end: AuditRecord.MintEnd) throws {
        let index = event.notices.firstIndex { if case .minted = $0 { true } else { false } }
        guard let index, case .minted(let report) = event.notices.remove(at: index) else {
            throw violated("operators can't see the end of a mint")
        }
        let code: ErrorReply.Code? = if case .failed(let code, _) = end { code } else { nil }
        guard report.tenant == call.tenant.id.name, report.cause == call.cause, report.error?.code == code,
            report.trace == call.traces.record
        else { throw violated("operators see another end of a mint") }
    }

    /// Takes the next record, which must be of an operator's act.
    func takeRecord(of act: AuditRecord.Act, by peer: PeerUID) throws {
        guard event.records.first == AuditRecord(Self.peer(peer), act) else {
            throw violated("the audit trail lacks an operator's act")
        }
        event.records.removeFirst()
    }

    /// Takes the records of revocations.
    ///
    /// Each is the only one of its token.
    private func takeRecords() throws {
        for record in event.records {
            guard case .revocation(let user, let scopes, let fingerprint, let end) = record.act else {
                throw violated("the audit trail has a record of something that did not happen")
            }
            guard let call = revocations.removeValue(forKey: fingerprint), let token = call.token else {
                throw violated("the audit trail has a revocation that was not queued, or has ended before")
            }
            guard user == token.key.key.user, scopes == token.key.key.scopes, record.peer?.uid == call.peer,
                record.trace == call.traces.record
            else {
                throw violated("the audit trail has another revocation")
            }
            try ends(call, as: end)
        }
        event.records = []
    }

    /// Ends a revocation without a call.
    private func ends(_ call: ModelCall, as end: AuditRecord.RevocationEnd) throws {
        switch end {
        case .revoked, .failed: throw violated("a revocation ended as \(end) before its call did")
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

    /// Completes one of the revocations of a logout.
    func answerLogout(_ call: ModelCall, isTaken: Bool) {
        call.logout?.open.removeAll { $0 === call }
        if !isTaken { call.logout?.areAllTaken = false }
        call.logout = nil
    }

    // MARK: Calls

    /// Checks the calls that the cache has queued.
    private func confirmNewCalls(_ survey: CallSurvey) throws {
        for call in survey.new { try confirm(call) }
        seen = machine.lastSerial
    }

    private func confirm(_ call: Call) throws {
        switch call.work {
        case .revocation(let revocation):
            guard let queued = unconfirmed.first(where: { $0.token?.fingerprint == revocation.token.fingerprint })
            else {
                throw violated("a revocation was queued without cause")
            }
            confirmed(queued, call)
        case .api: throw violated("a call of the API was queued that nobody requested")
        case .mint(let mint):
            let queued = unconfirmed.first { $0.key?.key == mint.key && $0.cause == mint.cause }
            guard let queued = try queued ?? unexpectedMint(mint) else {
                return strays.append(call)
            }
            confirmed(queued, call)
            try checkRefresh(queued, mint)
        }
    }

    private func confirmed(_ queued: ModelCall, _ call: Call) {
        queued.id = call.id
        unconfirmed.removeAll { $0 === queued }
    }

    /// Returns the model's call for a mint that no request caused: a refresh by its timer, or nil for a probe whose
    /// cause follows.
    private func unexpectedMint(_ mint: Mint) throws -> ModelCall? {
        guard let key = key(mint.key) else { throw violated("a mint was queued for a tenant that isn't configured") }
        if mint.cause == .probe { return nil }
        if mint.round != nil { return try roundMint(mint) }
        guard mint.cause == .refresh, let entry = key.entry else {
            throw violated("a mint was queued that nobody requested")
        }
        guard key.current == nil else { throw violated("a second mint of the same key and generation was queued") }
        guard entry.refreshDeadline <= now, entry.isInUse(at: now, policy) else {
            throw violated("a refresh was queued before its time, or for an idle user")
        }
        guard key.negativeError(at: now) == nil else {
            throw violated("a refresh was queued right after a failure")
        }
        entry.isDeadlineJudged = true
        return enqueueRefresh(of: key, entry)
    }

    /// Queues a refresh, as the cache does.
    func enqueueRefresh(of key: ModelKey, _ entry: ModelEntry) -> ModelCall {
        counters.refreshesDue += 1
        let call = ModelCall(key, .refresh, for: nil)
        call.refresh = .init(tokenEnds: entry.token.expiry, deadline: entry.refreshDeadline)
        enqueue(call, as: .background)
        return call
    }

    /// Queues a call, which then has to appear in the cache.
    func enqueue(_ call: ModelCall, as position: ModelCall.Position) {
        call.tenant.enqueue(call, as: position)
        call.key?.current = call
        calls.append(call)
        unconfirmed.append(call)
    }

    private func checkRefresh(_ queued: ModelCall, _ mint: Mint) throws {
        guard (queued.refresh == nil) == (mint.refresh == nil) else {
            throw violated("a mint is a refresh in either the cache or the model")
        }
        guard let refresh = queued.refresh, let notBefore = mint.refresh?.notBefore else { return }
        // The pause before a retry is random, within bounds.
        let pause = notBefore - now
        let last = refresh.pause.flatMap { $0.outage == queued.tenant.outage ? $0.length : nil } ?? .seconds(1)
        let bound = min(.seconds(60), (refresh.tokenEnds - now) / 4)
        let least = max(min(.seconds(1), bound), .milliseconds(100))
        let most = max(min(last * 3, bound), .milliseconds(100))
        guard queued.isRetry, pause >= least - Self.tolerance, pause <= most + Self.tolerance else {
            throw violated("a refresh is retried after \(pause), not within \(least) and \(most)")
        }
        tally.note(.refreshTriedAgain)
        queued.refresh?.notBefore = notBefore
        queued.refresh?.pause = (pause, queued.tenant.outage)
        queued.readiness = queued.tenant.isBack ? .perhaps : .no
    }

    /// Checks the calls that are gone without having been sent.
    private func confirmEndedCalls(_ survey: CallSurvey) throws {
        if let present = survey.present {
            for call in calls {
                guard let id = call.id, !present.contains(id.serial) else { continue }
                // A call that was ended may have ended another one with it.
                if calls.contains(where: { $0 === call }) { try endedUnsent(call) }
            }
        }
        for stray in strays {
            guard let queued = unconfirmed.first(where: { $0.key?.key == stray.mint?.key && $0.cause == .probe })
            else {
                throw violated("a probe was queued without cause")
            }
            confirmed(queued, stray)
        }
        strays = []
        guard unconfirmed.isEmpty else { throw violated("an expected call was not queued") }
    }

    /// Checks a call that is gone without having been sent.
    private func endedUnsent(_ call: ModelCall) throws {
        guard !call.isSent, let key = call.key else {
            throw violated("a call is gone that has not ended, or a revocation without a record")
        }
        if call.isDoomed {
            tally.note(.doomedCallEnded)
            for waiter in call.waiters {
                guard let removalError = waiter.removalError else {
                    throw violated("a call is gone that somebody waits for")
                }
                complete(waiter, .error(ModelError(code: removalError)))
            }
            call.waiters = []
        } else {
            if call.isAwaited { throw violated("a call is gone that somebody waits for") }
            let isOver = call.position == .background && call.refresh.map { $0.tokenEnds <= now } ?? false
            guard isOver || !isWanted(call, key) else { throw violated("a call is gone that is of use") }
            tally.note(.unwantedRefreshEnded)
        }
        remove(call)
        lost(call, wasSent: false)
    }

    /// True if a mint's token would be of use to anyone.
    func isWanted(_ call: ModelCall, _ key: ModelKey) -> Bool {
        if call.isAwaited { return true }
        guard call.fate == .current else { return false }
        if call.isProbe, call.tenant.client.probe === call { return true }
        if call.cause == .probe, call.requestedAt == nil { return false }
        if call.position == .round { return call.isOfRound }
        guard call.refresh != nil, call.requestedAt == nil else { return true }
        return key.entry?.isInUse(at: now, policy) ?? false
    }

    /// Removes a call from all tables.
    func remove(_ call: ModelCall, isPaced: Bool = false) {
        calls.removeAll { $0 === call }
        unconfirmed.removeAll { $0 === call }
        call.tenant.withdraw(call, isPaced: isPaced)
        call.round?.underWay -= 1
        if call.key?.current === call { call.key?.current = nil }
    }

    // MARK: Orders

    /// Takes a call that is sent now, and checks it against the rules.
    private func take(_ order: CallOrder) throws {
        switch order {
        case .mint(let id, let key, let trace):
            if key.user.isClient { throw violated("a client's own token was minted as a user's") }
            try take(id, key, trace)
        case .mintForClient(let id, let key, let clientID, let trace):
            guard let client = self.key(key)?.client, client.clientID == clientID else {
                throw violated("a token was minted for a client that isn't configured")
            }
            tally.note(.clientTokenSent)
            try take(id, key, trace)
        case .api: throw violated("the tenant's API was called")
        case .revoke(let id, let tenant, let token, let trace):
            guard let call = call(id), let queued = call.token, queued.fingerprint == token.fingerprint else {
                throw violated("a revocation was sent that was not queued")
            }
            guard tenant == queued.key.tenant.id, tenant.name == queued.key.tenant.id.name else {
                throw violated("a token was sent to another tenant than the one that minted it")
            }
            guard queued.expiry > now else { throw violated("an expired token was revoked") }
            try check(trace, of: call)
            try go(call)
        }
    }

    /// Takes a mint that is sent now.
    private func take(_ id: CallID, _ key: TokenKey, _ trace: TraceContext?) throws {
        guard let call = call(id), call.key?.key == key else {
            throw violated("a mint was sent that was not queued")
        }
        guard let known = call.key, isWanted(call, known) else {
            throw violated("a mint was sent that is of no use: \(call)\(call.isProbe ? ", a probe" : "")")
        }
        counters.started += 1
        try check(trace, of: call)
        try go(call)
    }

    private func go(_ call: ModelCall) throws {
        trace("\(call) goes")
        if let objection = call.tenant.objection(to: call, now: now) { throw violated(objection) }
        note(turnOf: call)
        call.tenant.start(call, now: now)
    }

    private func note(turnOf call: ModelCall) {
        switch call.position {
        case .first: tally.note(call.isProbe ? .probe : .sentWithNewSecret)
        case .caller: tally.note(.callerTurn)
        case .prefetch: tally.note(.prefetchTurn)
        case .round: tally.note(.roundTurn)
        case .background:
            tally.note(.refreshTurn)
            if call.tenant.waiting > 0 { tally.note(.refreshBesideCallers) }
            if !call.tenant.prefetches.isEmpty { tally.note(.urgentBeforePrefetch) }
        case .sent: break
        }
    }

    // MARK: Entries

    /// Removes entries that have expired, or that are over the limit.
    ///
    /// - Returns: The entries that are over the limit.
    private func reconcileEntries() throws -> [ModelEntry] {
        // Before the cache drops entries over the limit, it gets to all timers that are due.
        if entryCount != machine.store.count || entryCount >= policy.maxEntries { try judgeDeadlines() }
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
                throw violated("another token than the oldest was evicted")
            }
            victim.entry = nil
            entry.token.isDropped = true
            present.removeAll { $0 === victim }
            counters.evictions["capacity", default: 0] += 1
            evicted.append(entry)
            tally.note(.evictedOverLimit)
        }
        guard present.count == machine.store.count else { throw violated("a token is cached that should not be") }
        return evicted
    }

    /// Removes negative entries that are over the limit: those that would be forgotten soonest.
    private func reconcileNegatives() throws {
        guard hasChangedNegatives else { return }
        hasChangedNegatives = false
        guard policy.maxEntries < 2 * keys.count else { return }
        let remembered = keys.filter { $0.negative != nil }.sorted { $0.forgetAt < $1.forgetAt }
        guard let first = remembered.first(where: { machine.negatives[$0.key] != nil }) else {
            if remembered.count > policy.maxEntries { throw violated("all negative entries are gone") }
            return
        }
        for key in remembered where machine.negatives[key.key] == nil {
            // The remains of a flush count until they are swept.
            let hadSpace = wasIdle && remembered.count <= policy.maxEntries
            if hadSpace || key.forgetAt > first.forgetAt { throw violated("a negative entry is gone") }
            key.negative = nil
            tally.note(.forgottenOverLimit)
        }
    }

    /// Returns the least recently used token of the uids over their quota, or of all if there are none.
    private func nextToGo(_ present: [ModelKey]) -> ModelKey? {
        let counts = Dictionary(grouping: present) { $0.entry?.owner ?? EntryStore.nobody }.mapValues(\.count)
        let share = min(policy.entriesShare, 1 / Double(counts.count))
        let bound = max(1, Int(Double(policy.maxEntries) * share))
        let overQuota = present.filter { counts[$0.entry?.owner ?? EntryStore.nobody, default: 0] > bound }
        return (overQuota.isEmpty ? present : overQuota).min { $0.entry?.use ?? 0 < $1.entry?.use ?? 0 }
    }
}

extension ModelRun {
    /// Finds calls that the model doesn't know, if there may be any.
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
