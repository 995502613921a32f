package import TokenProtocol

/// Decides everything about tokens: a value that is told what happened and when, and answers what is to be done.
///
/// It looks at no clock, makes no call and draws no chance but from the generator that it is given. Its owner feeds it
/// events, hands out the replies, makes the calls that ``nextCall(now:)`` orders and comes back at ``nextTime(now:)``.
package struct CacheStateMachine {
    /// More requests than this never wait in all: each takes memory while the tenant is slow.
    package static let mostWaiting = 65_536
    /// More prefetches than this are never queued in all: at a tenant's pace that is two hours of calls.
    package static let mostPrefetches = 10_000

    /// What is known of a tenant.
    struct TenantState {
        var governor: Governor
        var identity: TenantPolicy.Identity
        /// Which tenant of this name it is: another after a reload that changed the host or the client.
        var number: Int
        /// How many callers wait for it.
        var waiting = 0
        var lastSuccess: Instant?
        var lastError: (error: ErrorReply, at: Instant)?
    }

    /// An entry as a planned time names it: the slot may hold another token by then.
    struct EntryReference {
        let slot: Int
        let serial: UInt64
    }

    var policy: CachePolicy
    var tenants: [String: TenantState] = [:]
    /// The tenants' names, sorted: going through them doesn't hold on to the table that is changed meanwhile.
    var tenantNames: [String] = []
    var store = EntryStore()
    var memories = KeyMemories()
    var flights: [CallID: Flight] = [:]
    /// The flight of each key's present generation.
    ///
    /// Raising a generation takes the flight out of here.
    var currentFlights: [UserKey: [ScopeSet: CallID]] = [:]
    var revocations: [CallID: Revocation] = [:]
    var waiting: [Waiter: WaitingCaller] = [:]
    /// Those who wait, by uid.
    var waitingByPeer: [PeerUID: WaitingCallers] = [:]
    /// Callers who had to make room for others, not told yet.
    var displaced: [Delivery] = []
    /// How many requests of each uid were refused by a quota.
    var overQuota: [PeerUID: Int] = [:]
    var logouts: [Waiter: Logout] = [:]
    var deadlines = DueTimes<Waiter>()
    var refreshTimes = DueTimes<EntryReference>()
    var expiryTimes = DueTimes<EntryReference>()
    var statistics = CacheStatistics()
    /// What operators should read, not taken yet.
    var notices: [CacheNotice] = []
    /// What belongs into the audit trail, not taken yet.
    var records: [AuditRecord] = []
    var random: any RandomNumberGenerator
    private var lastCall: UInt64 = 0
    private var lastSerial: UInt64 = 0
    private var lastTenant = 0

    /// An empty cache.
    package init(
        policy: CachePolicy,
        tenants: [String: TenantPolicy],
        random: any RandomNumberGenerator,
        now: Instant
    ) {
        self.policy = policy
        self.random = random
        tenantNames = tenants.keys.sorted()
        for (name, limits) in tenants {
            self.tenants[name] = newTenant(limits, now: now)
        }
    }

    /// What a request for a token wants besides the key.
    package struct Wish: Sendable, Equatable {
        /// What must be left; nil: the configured preference.
        package var minTTL: Duration?
        /// How long the caller waits.
        package var timeout: Duration
        /// Whether a cached token won't do.
        package var noCache: Bool
        /// Who asks.
        package var peer: Peer

        /// Makes a wish.
        package init(
            minTTL: Duration? = nil,
            timeout: Duration = TokenRequest.defaultTimeout,
            noCache: Bool = false,
            peer: Peer
        ) {
            self.peer = peer
            self.minTTL = minTTL
            self.timeout = timeout
            self.noCache = noCache
        }
    }

    /// What becomes of a request for a token.
    package enum RequestAction: Equatable {
        /// Answer with this token; nothing else has changed.
        case serve(TokenReply)
        /// Answer with this token; a refresh was planned behind it.
        case serveAndRefresh(TokenReply)
        /// The answer comes later.
        case wait
        /// Answer so; a call may have been planned all the same.
        case refuse(ErrorReply)
    }

    /// A token that a caller can have at once and without anything else to be done; nil: ask by
    /// ``request(_:_:waiter:now:)``.
    ///
    /// - Parameters:
    ///   - tenant: Its name.
    ///   - field: How the user is named.
    ///   - user: The user's name.
    ///   - scopes: The scopes.
    ///   - minTTL: What must be left; nil: the configured preference.
    ///   - peer: Who asks.
    package mutating func hit(
        _ tenant: String,
        _ field: LookupField,
        _ user: borrowing Span<UInt8>,
        _ scopes: ScopeSet,
        minTTL: Duration?,
        for peer: PeerUID,
        now: Instant
    ) -> TokenReply? {
        guard let slot = store.find(tenant, field, user, scopes), let entry = store.slots[slot].entry else {
            return nil
        }
        let verdict = entry.life.verdict(at: now, minTTL: minTTL)
        guard verdict == .serve || verdict == .serveUnmet else { return nil }
        store.touch(slot, at: now, by: peer)
        statistics.hits += 1
        return TokenReply(
            token: entry.token,
            expiresIn: entry.life.left(at: now).wholeSeconds,
            source: .cache,
            meetsMinTTL: verdict == .serve
        )
    }

    /// A caller asks for a token.
    package mutating func request(_ key: TokenKey, _ wish: Wish, waiter: Waiter, now: Instant) -> RequestAction {
        guard let slot = store.find(key), let living = Living(store, slot) else {
            return mint(for: key, wish, standIn: nil, waiter: waiter, now: now)
        }
        store.touch(slot, at: now, by: wish.peer.uid)
        guard !wish.noCache else { return mint(for: key, wish, standIn: nil, waiter: waiter, now: now) }
        switch living.life.verdict(at: now, minTTL: wish.minTTL) {
        case .serve: return .serve(hit(living, now: now))
        case .serveUnmet: return .serve(hit(living, meetsMinTTL: false, now: now))
        case .serveAndRefresh:
            let reply = hit(living, now: now)
            return planRefresh(of: slot, now: now) ? .serveAndRefresh(reply) : .serve(reply)
        case .mint(let fallback):
            return mint(for: key, wish, standIn: fallback ? living : nil, waiter: waiter, now: now)
        }
    }

    /// A token that is in the cache, with its life.
    struct Living {
        let token: EncodedToken
        let life: TokenLife

        init?(_ store: borrowing EntryStore, _ slot: Int) {
            guard let entry = store.slots[slot].entry else { return nil }
            token = entry.token
            life = entry.life
        }

        func reply(isStale: Bool = false, meetsMinTTL: Bool = true, now: Instant) -> TokenReply {
            TokenReply(
                token: token,
                expiresIn: life.left(at: now).wholeSeconds,
                source: .cache,
                isStale: isStale,
                meetsMinTTL: meetsMinTTL
            )
        }
    }

    private mutating func hit(
        _ living: Living,
        isStale: Bool = false,
        meetsMinTTL: Bool = true,
        now: Instant
    ) -> TokenReply {
        statistics.hits += 1
        return living.reply(isStale: isStale, meetsMinTTL: meetsMinTTL, now: now)
    }

    /// The caller needs a mint: joins it to one under way, plans one, or says why not.
    private mutating func mint(
        for key: TokenKey,
        _ wish: Wish,
        standIn: Living?,
        waiter: Waiter,
        now: Instant
    ) -> RequestAction {
        if let error = memories[key]?.refusal(at: now) {
            statistics.negatives += standIn == nil ? 1 : 0
            return refuse(error, standIn: standIn, now: now)
        }
        let deadline = now + wish.timeout
        let flight = currentFlights[key.user]?[key.scopes]
        if let error = pacing(key, wish, flight: flight, deadline: deadline, now: now)
            ?? takeForced(key, wish, flight: flight, now: now)
        {
            return refuse(error, standIn: standIn, now: now)
        }
        guard makeRoomToWait(for: wish.peer.uid, now: now) else {
            return refuse(.tooManyWaiting, standIn: standIn, now: now)
        }
        let call = join(flight, key: key, wish.peer, now: now)
        guard deadline > now else { return refuse(.timedOut, standIn: standIn, now: now) }
        wait(waiter, wish.peer.uid, for: call, deadline: deadline, takesLivingToken: standIn != nil)
        return .wait
    }

    private mutating func join(_ flight: CallID?, key: TokenKey, _ peer: Peer, now: Instant) -> CallID {
        guard let flight else {
            statistics.misses += 1
            return plan(key, as: .caller(peer.uid), for: peer, askedAt: now)
        }
        statistics.coalesced += 1
        flights[flight]?.askedAt = now
        flights[flight]?.owner = peer.uid
        tenants[key.user.tenant]?.governor.promote(flight, for: peer.uid)
        return flight
    }

    /// Where a mint is forced, by `no_cache` or by a report of the last token, it is paid for by who asks, too.
    private mutating func takeForced(_ key: TokenKey, _ wish: Wish, flight: CallID?, now: Instant) -> ErrorReply? {
        guard flight == nil, wish.noCache || memories[key]?.wasReported ?? false else { return nil }
        return takeForced(key, for: wish.peer.uid, now: now).map { .forcedTooOften(until: $0, now: now) }
    }

    /// Takes a forced mint of a key from a peer's own allowance; a time: it is empty until then.
    mutating func takeForced(_ key: TokenKey, for peer: PeerUID, now: Instant) -> Instant? {
        tenants[key.user.tenant]?.governor.takeForced(for: peer, now: now)
    }

    private mutating func refuse(_ error: ErrorReply, standIn: Living?, now: Instant) -> RequestAction {
        guard let standIn else { return .refuse(error) }
        return .serveAndRefresh(hit(standIn, isStale: true, now: now))
    }

    /// Whether a call for this key can't go before the deadline, and what is answered then.
    private func pacing(
        _ key: TokenKey,
        _ wish: Wish,
        flight: CallID?,
        deadline: Instant,
        now: Instant
    ) -> ErrorReply? {
        guard let tenant = tenants[key.user.tenant] else { return .tenantRemoved }
        if let flight, flights[flight]?.sent != nil { return nil }
        guard let delay = tenant.governor.delay(of: flight, for: wish.peer.uid, now: now), delay.until > deadline else {
            return nil
        }
        return .paced(delay.cause, until: delay.until, now: now)
    }

    private mutating func wait(
        _ waiter: Waiter,
        _ peer: PeerUID,
        for call: CallID,
        deadline: Instant,
        takesLivingToken: Bool
    ) {
        guard let tenant = flights[call]?.key.user.tenant else { return }
        let caller = WaitingCaller(
            call: call,
            tenant: tenant,
            peer: peer,
            deadline: deadline,
            takesLivingToken: takesLivingToken
        )
        waiting[waiter] = caller
        noteWait(of: waiter, peer)
        tenants[tenant]?.waiting += 1
        let present = waiting
        flights[call]?.join(waiter) { present[$0]?.call == call }
        planDeadline(of: waiter, at: deadline)
    }

    /// Plans the end of a wait.
    mutating func planDeadline(of waiter: Waiter, at deadline: Instant) {
        deadlines.plan(waiter, at: deadline)
        let (callers, logouts) = (waiting, logouts)
        deadlines.sweep(wanted: callers.count + logouts.count) { callers[$0] != nil || logouts[$0] != nil }
    }

    // MARK: Numbers

    /// A number for a call.
    mutating func newCall() -> CallID {
        lastCall += 1
        return CallID(number: lastCall)
    }

    /// A tenant that has not been called yet.
    mutating func newTenant(_ limits: TenantPolicy, now: Instant) -> TenantState {
        lastTenant += 1
        return TenantState(governor: Governor(limits, now: now), identity: limits.identity, number: lastTenant)
    }

    /// A number for another tenant of the same name.
    mutating func newTenantNumber() -> Int {
        lastTenant += 1
        return lastTenant
    }

    /// What operators should read since this was last asked.
    package mutating func takeNotices() -> [CacheNotice] {
        defer { notices = [] }
        return notices
    }

    /// What belongs into the audit trail since this was last asked.
    package mutating func takeRecords() -> [AuditRecord] {
        guard !records.isEmpty else { return [] }
        defer { records = [] }
        return records
    }

    /// A number for a token.
    mutating func newSerial() -> UInt64 {
        lastSerial += 1
        return lastSerial
    }

    /// Evenly from 0 up to 1.
    mutating func draw() -> Double { Double(random.next() >> 11) * 0x1p-53 }
}
