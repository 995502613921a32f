import Foundation
import Secrets
import TokenCache
import TokenProtocol
import TokenStorage

/// A cache with a tenant that takes any number of calls, and a clock that only the benchmark moves.
struct CacheBenchmark {
    private static let tenant = TenantID(number: 1, name: "main")
    private static let peer = Peer(uid: 1, gid: 1)
    /// The maximum number of waiting requests.
    private static let maxWaiters = CacheStateMachine.maxWaiters

    let size: Int
    private var machine: CacheStateMachine
    private var now = ContinuousClock.now
    private var ticket: UInt64 = 0
    private var calls: [CallOrder] = []
    private(set) var longest = Duration.zero

    init(_ size: Int) {
        self.size = size
        guard let storage = TokenStorage(in: AnonymousPages()) else { fatalError("there is no memory") }
        let memory = CacheMemory(storage: storage, clock: BootClock(), secrets: nil)
        machine = Self.machine(size, in: memory, now: now)
    }

    private static func machine(_ size: Int, in memory: CacheMemory, now: Instant) -> CacheStateMachine {
        CacheStateMachine(
            policy: policy(size),
            tenants: [tenant: limits(concurrent: 1_000)],
            memory: memory,
            random: SystemRandomNumberGenerator(),
            now: now
        )
    }

    private static func policy(_ size: Int) -> CachePolicy {
        var policy = CachePolicy()
        policy.maxEntries = size
        policy.idleTTL = .seconds(2_000)
        return policy
    }

    private static func limits(concurrent: Int) -> TenantPolicy {
        TenantPolicy(
            identity: .init(host: "https://tenant.example", clientID: "client"),
            ratePerMinute: 10_000_000,
            burst: 10_000_000,
            maxConcurrent: concurrent
        )
    }

    private static let scopes = [ScopeSet("user_default")].compactMap(\.self)[0]

    private static func key(_ number: Int) -> TokenKey {
        TokenKey(tenant: tenant, user: UserLookup(field: .subject, value: "auth0|user-\(number)"), scopes: scopes)
    }

    // MARK: Measuring

    /// Forgets the events so far.
    mutating func begin() { longest = .zero }

    /// Measures an event and all slices that follow from it.
    mutating func measure(_ event: (inout CacheStateMachine, Instant) -> CacheActions) {
        var actions = time { event(&$0, $1) }
        while let wake = actions.wake, wake <= now { actions = time { $0.timePassed(now: $1) } }
    }

    private mutating func time(_ event: (inout CacheStateMachine, Instant) -> CacheActions) -> CacheActions {
        let actions = timed(event)
        calls += actions.calls
        return actions
    }

    mutating func timed<Result>(_ event: (inout CacheStateMachine, Instant) -> Result) -> Result {
        let began = Self.processorTime
        let result = event(&machine, now)
        longest = max(longest, Self.processorTime - began)
        return result
    }

    /// The time that this thread has used of a processor.
    private static var processorTime: Duration {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    // MARK: Work

    private mutating func ask(_ key: TokenKey, timeout: Duration = .seconds(10)) {
        ticket += 1
        let (options, waiter) = (
            RequestOptions(timeout: timeout, peer: Self.peer), Waiter(connection: 1, ticket: ticket)
        )
        measure { $0.request(key, options, waiter: waiter, now: $1).actions }
    }

    private mutating func endCalls(_ result: (Int) -> MintOutcome) {
        let open = calls
        calls = []
        for (index, order) in open.enumerated() {
            guard case .mint(let call, _, _) = order else { continue }
            let result = result(index)
            measure { $0.ended(call, result, now: $1, wall: Date()) }
        }
    }

    mutating func fill(from first: Int = 0) {
        for number in first..<first + size {
            ask(Self.key(number))
            endCalls { _ in .minted(AccessToken("token-\(number)"), scope: nil, lifetime: .seconds(1_000)) }
        }
    }

    /// Answers a hit on each token, and measures a batch of a thousand as one event.
    mutating func hit() {
        var output = OutputBuffer()
        let noID: [UInt8] = []
        for start in stride(from: 0, to: size, by: 1_000) {
            let names = (start..<start + 1_000).map { Self.key($0).user.user.value }
            timed { machine, now in
                for name in names {
                    let isHit = machine.answerHit(
                        Self.tenant,
                        .subject,
                        name.span,
                        Self.scopes,
                        minTTL: nil,
                        for: Self.peer.uid,
                        at: machine.time(of: now),
                        id: noID.span,
                        into: &output
                    )
                    precondition(isHit, "each token is there")
                }
            }
            unsafe output.drain { _ in }
        }
    }

    /// Fills a cache whose memory is a file, and replaces it by the next daemon's.
    mutating func replace() {
        guard let file = TokenFile.make(mayBeSecret: false), let storage = TokenStorage(in: file) else {
            fatalError("there is no memory")
        }
        file.setKept(true)
        let clock = BootClock()
        machine = Self.machine(size, in: CacheMemory(storage: storage, clock: clock, secrets: nil), now: now)
        fill()
        let stored = file.stored.map { ($0.name, dup($0.descriptor)) }
        guard let next = TokenFile(takingOver: stored), let restored = try? TokenStorage(restoring: next) else {
            fatalError("the file can't be taken over")
        }
        machine = Self.machine(size, in: CacheMemory(storage: restored, clock: clock, secrets: nil), now: now)
    }

    mutating func restore() { measure { $0.beginRestoring(now: $1) } }

    mutating func reload(changesPolicy: Bool) {
        var policy = Self.policy(size)
        if changesPolicy { policy.ahead = 0.6 }
        measure { $0.reconfigure(policy: policy, tenants: [Self.tenant: Self.limits(concurrent: 1_000)], now: $1) }
    }

    mutating func pass(_ duration: Duration) {
        now += duration
        measure { $0.timePassed(now: $1) }
    }

    mutating func halveLimit() {
        let policy = Self.policy(size / 2)
        measure { $0.reconfigure(policy: policy, tenants: [Self.tenant: Self.limits(concurrent: 1_000)], now: $1) }
    }

    /// Adds a thousand tenants that are never called.
    mutating func addTenants() {
        let limits = (1...1_000).map { (TenantID(number: UInt32($0), name: "t\($0)"), Self.limits(concurrent: 1)) }
        let policy = Self.policy(size)
        measure { $0.reconfigure(policy: policy, tenants: Dictionary(uniqueKeysWithValues: limits), now: $1) }
    }

    mutating func listRefreshes() {
        let request = EntriesRequest(limit: 100, order: .nextRefresh)
        for _ in 0..<1_000 { _ = timed { $0.entries(request, of: nil, now: $1) } }
    }

    mutating func readStatistics() {
        for _ in 0..<1_000 { _ = timed { $0.stats(now: $1) } }
    }

    mutating func denyUsers() {
        for number in 0..<size {
            ask(Self.key(number))
            endCalls { _ in .failed(.denied(.init(status: 404), secretChanged: false)) }
        }
    }

    mutating func evict() {
        for number in 0..<size {
            let user = Self.key(number).user
            measure { $0.evict(user, scopes: nil, now: $1) }
        }
    }

    /// Adds callers that wait for a tenant that takes one call at a time.
    mutating func addWaiters(ofOne: Bool = false) {
        limitCalls()
        addCallers(ofOne: ofOne)
    }

    /// Gives the tenant a limit of one call at a time.
    mutating func limitCalls() {
        let limits = Self.limits(concurrent: 1)
        let policy = Self.policy(size)
        measure { $0.reconfigure(policy: policy, tenants: [Self.tenant: limits], now: $1) }
    }

    mutating func addCallers(ofOne: Bool = false) {
        for number in 0..<min(size, Self.maxWaiters) { ask(Self.key(ofOne ? 0 : number)) }
    }

    mutating func throttle() { endCalls { _ in .failed(.throttled(retryAfter: .seconds(60))) } }

    mutating func answer() { endCalls { _ in .minted(AccessToken("token"), scope: nil, lifetime: nil) } }

    mutating func prefetch() {
        let limits = Self.limits(concurrent: 1)
        let policy = Self.policy(size)
        measure { $0.reconfigure(policy: policy, tenants: [Self.tenant: limits], now: $1) }
        for start in stride(from: 0, to: min(size, CacheStateMachine.maxPrefetches), by: 1_000) {
            let keys = (start..<start + 1_000).map { Self.key($0) }
            measure { $0.prefetch(keys, for: Self.peer, now: $1).actions }
        }
    }

    mutating func logOut() {
        for number in 0..<1_000 {
            ticket += 1
            let waiter = Waiter(connection: 2, ticket: ticket)
            let user = Self.key(-1 - number).user
            measure { $0.revoke(user, scopes: nil, waiter: waiter, for: Self.peer, now: $1).actions }
        }
    }
}
