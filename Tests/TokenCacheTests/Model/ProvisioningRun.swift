import Secrets
import TestSupport
import TokenProtocol

@testable import TokenCache

/// One random run of provisions and revocations everywhere, with a scripted API of users.
///
/// It checks what must never happen, and at the end that everything has come to rest.
final class ProvisioningRun {
    /// The subjects that are provisioned.
    private static let subjects = ["ann", "Ann", "bob", "jos\u{e9}"]
    /// Subjects of users that only others create, which the tenant takes for the same.
    private static let strangers = ["ANN", "aNN", "BOB", "jose\u{301}", "JOS\u{c9}"]
    /// The subject of a user who only is logged out.
    private static let guest = "zoe"
    private static let groups = ["portal-a", "portal-b", "portal-c"]
    private static let apiRate = 600
    private static let apiBurst = 20

    private var cache: CacheStateMachine
    private var random: SeededRandom
    private var api = ScriptedUsers()
    private var now = Simulation.start
    private var wake: Instant?
    private var bucket: ModelBucket
    private var policy = TenantPolicy.provisioning(apiRate: apiRate, apiBurst: apiBurst)
    /// The calls of the API that are under way.
    private var apiCalls: [(id: CallID, call: APICall)] = []
    private var mints: [(id: CallID, key: TokenKey)] = []
    private var revocations: [CallID] = []
    /// The deadlines of the requests that wait.
    private var waiting: [Waiter: Instant] = [:]
    /// The users of each subject as the last search has found them, byte by byte.
    private var found: [[UInt8]: [TenantUser]] = [:]
    private var created = 0
    private var lastTicket: UInt64 = 0
    /// The first promise that was broken, or nil.
    private(set) var violation: String?

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        let slice = Bool.random(using: &random) ? 4 : CacheStateMachine.defaultSliceSize
        policy.ratePerMinute = 1_000_000
        policy.burst = 1_000_000
        cache = CacheStateMachine(
            policy: CachePolicy(),
            tenants: ["main": policy],
            memory: .anonymous(),
            random: SeededRandom(seed: seed &+ 1),
            sliceSize: slice,
            now: Simulation.start
        )
        bucket = ModelBucket(perMinute: Double(Self.apiRate), size: Double(Self.apiBurst), now: Simulation.start)
    }

    /// Makes some random steps, and lets everything come to rest.
    func run(steps: Int) {
        for _ in 0..<steps where violation == nil { step() }
        if violation == nil { rest() }
        if violation == nil { checkIdempotence() }
    }

    private func violated(_ rule: String) {
        if violation == nil { violation = rule }
    }

    private func step() {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<5: provision()
        case 5: logOut()
        case 6: requestToken()
        case 7..<13: endCall()
        case 13: api.meddle(subjects: Self.subjects + Self.strangers + [Self.guest], &random)
        case 14: cancel()
        case 15: administer()
        default: advance(.milliseconds(Int.random(in: 0...3_000, using: &random)))
        }
    }

    // MARK: Requests

    private func newWaiter(_ timeout: Duration) -> Waiter {
        lastTicket += 1
        let waiter = Waiter(connection: 1, ticket: lastTicket)
        waiting[waiter] = now + timeout
        return waiter
    }

    private func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &random)]
    }

    @discardableResult
    private func provision(_ given: ProvisionRequest? = nil) -> Reply? {
        let names = Self.groups.filter { _ in Bool.random(using: &random) }
        let request =
            given
            ?? ProvisionRequest(
                subject: Array(pick(Self.subjects).utf8),
                groups: Int.random(in: 0..<3, using: &random) == 0 ? nil : names,
                timeout: .seconds(pick([1, 5, 10, 30]))
            )
        let waiter = newWaiter(request.timeout)
        let peer = Peer(uid: pick([1, 2, 3]), gid: 0)
        let user = UserKey(tenant: "main", user: request.user)
        let outcome = cache.provision(user, request, waiter: waiter, for: peer, now: now)
        take(outcome.actions)
        if outcome.answer != nil { waiting[waiter] = nil }
        return outcome.answer
    }

    private func logOut() {
        let waiter = newWaiter(TokenRequest.defaultTimeout)
        let field: LookupField = Bool.random(using: &random) ? .subject : .userID
        let name = field == .subject ? Self.guest : "id-\(Int.random(in: 1...9, using: &random))"
        let outcome = cache.revoke(
            UserKey(tenant: "main", user: UserLookup(field: field, value: name)),
            scopes: nil,
            everywhere: true,
            waiter: waiter,
            for: Peer(uid: pick([1, 2, 3]), gid: 0),
            now: now
        )
        take(outcome.actions)
        if outcome.answer != nil { waiting[waiter] = nil }
    }

    /// Requests a token of a user who has none: the mint must be sent at once, whatever state the API is in.
    private func requestToken() {
        let waiter = newWaiter(.seconds(10))
        let key = TokenKey.of("user-\(lastTicket)")
        let outcome = cache.request(key, RequestOptions(timeout: .seconds(10), peer: 1), waiter: waiter, now: now)
        take(outcome.actions)
        // Earlier calls may fill the slice. The rest is done before the clock moves.
        while let wake, wake <= now { take(cache.timePassed(now: now)) }
        let isFree = mints.count + revocations.count < policy.maxConcurrent
        guard outcome.answer == .wait else { return violated("a token was refused: \(outcome.answer)") }
        if isFree, !mints.contains(where: { $0.key == key }) { violated("the API has delayed a mint") }
    }

    private func cancel() {
        // More are cancelled in slices, in which replies may still go to waiters that are gone.
        let gone = waiting.keys.sorted { $0.ticket < $1.ticket }.filter { _ in Bool.random(using: &random) }.prefix(20)
        for waiter in gone { waiting[waiter] = nil }
        take(cache.cancelWaits(of: gone, now: now))
    }

    private func administer() {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: take(cache.evict(TokenKey.of(pick(Self.subjects)).user, scopes: nil, now: now))
        case 1: take(cache.flush(tenant: nil, now: now).actions)
        case 2:
            policy.provisioning?.groups = [Glob("portal-*")] + (Bool.random(using: &random) ? [Glob("other-*")] : [])
            take(cache.reconfigure(policy: CachePolicy(), tenants: ["main": policy], now: now))
        default: take(cache.releaseHolds(of: nil, for: 0, now: now).actions)
        }
    }

    // MARK: The tenant

    private func endCall() {
        if !apiCalls.isEmpty, Int.random(in: 0..<3, using: &random) > 0 {
            let (id, call) = apiCalls.remove(at: Int.random(in: apiCalls.indices, using: &random))
            let outcome = api.perform(call, &random)
            note(call, outcome)
            take(cache.apiEnded(id, outcome, now: now))
        } else if let (id, key) = mints.popLast() {
            let token = MintOutcome.minted(
                AccessToken("token-\(id.serial)-\(key.hashValue)"),
                scope: nil,
                lifetime: nil
            )
            take(cache.ended(id, token, now: now, wall: Simulation.wall))
        } else if let id = revocations.popLast() {
            take(cache.revocationEnded(id, .accepted, now: now))
        }
    }

    /// Notes what a search has told the daemon.
    private func note(_ call: APICall, _ outcome: APIOutcome) {
        if case .findUsers(let subject, let page) = call, case .users(let users, _) = outcome {
            let exact = users.filter { $0.subject == subject }
            found[subject] = (page == nil ? [] : found[subject] ?? []) + exact
        }
        if case .created(let user) = outcome { found[user.subject] = [user] }
    }

    private func advance(_ duration: Duration) {
        let end = now + duration
        for round in 0... {
            guard let next = wake, next <= end else { break }
            guard round < 10_000 else { return violated("the cache asks to be woken again and again") }
            now = max(now, next)
            take(cache.timePassed(now: now))
        }
        now = end
        if let late = waiting.first(where: { $0.value < now }) { violated("\(late.key) waits beyond its timeout") }
    }

    // MARK: Actions

    private func take(_ actions: CacheActions) {
        wake = actions.wake
        for order in actions.calls {
            switch order {
            case .mint(let id, let key, _), .mintForClient(let id, let key, _, _): mints.append((id, key))
            case .revoke(let id, _, _, _): revocations.append(id)
            case .api(let id, _, let call, _, _):
                check(call)
                apiCalls.append((id, call))
            }
        }
        for record in actions.records {
            if case .provision(_, _, .created) = record.act { created += 1 }
        }
        for delivery in actions.deliveries {
            guard waiting.removeValue(forKey: delivery.waiter) != nil else {
                return violated("\(delivery.waiter) got a second reply, or one after it had left")
            }
        }
    }

    private func check(_ call: APICall) {
        if !bucket.pay(at: now) { violated("a call was sent beyond the API's rate") }
        if apiCalls.count >= policy.maxConcurrent { violated("too many calls of the API are under way") }
        switch call {
        case .findUsers, .listTokens, .revokeToken: break
        case .createUser(let user):
            checkAlone(user.subject)
            if found[user.subject]?.isEmpty != true { violated("a user was created who was there") }
        case .changeGroups(let id, let change): check(change, of: id)
        }
    }

    private func check(_ change: GroupChange, of id: String) {
        guard let user = found.values.joined().first(where: { $0.id == id }) else {
            return violated("a user was changed who was not found by the very subject")
        }
        checkAlone(user.subject)
        if user.status != "active" { violated("a user was changed who is \(user.status)") }
        if !Self.subjects.contains(where: { $0.utf8.elementsEqual(user.subject) }) {
            violated("a user was changed whom nobody has named")
        }
        func outside(_ groups: [TenantUser.Group]) -> [String] {
            groups.map(\.name).filter { !$0.hasPrefix("portal-") }.sorted()
        }
        switch change {
        case .edit(let adding, let removing):
            let names = adding + removing.map(\.name)
            if names.contains(where: { !$0.hasPrefix("portal-") }) {
                violated("a group outside the patterns was edited")
            }
        case .replace(let groups):
            if outside(groups) != outside(user.groups) { violated("groups outside the patterns were replaced") }
        }
    }

    /// Checks that no other change of a subject's users is under way.
    private func checkAlone(_ subject: [UInt8]) {
        let isOther = apiCalls.contains { _, call in
            switch call {
            case .createUser(let user): user.subject == subject
            case .changeGroups(let id, _): found[subject]?.contains { $0.id == id } ?? false
            case .findUsers, .listTokens, .revokeToken: false
            }
        }
        if isOther { violated("two provisions of one user are under way") }
    }

    // MARK: The end

    private func rest() {
        api.isWell = true
        for _ in 0..<5_000 where violation == nil {
            if apiCalls.isEmpty, mints.isEmpty, revocations.isEmpty {
                advance(.seconds(5))
                if apiCalls.isEmpty, mints.isEmpty, revocations.isEmpty, now > Simulation.start + .seconds(1_000) {
                    break
                }
            }
            endCall()
        }
        if !waiting.isEmpty { violated("requests wait although nothing is under way") }
        if cache.provisioning.count != 0 || cache.calls.count != 0 || cache.waiters.count != 0 {
            violated("work is left: \(cache.provisioning.count) jobs, \(cache.calls.count) calls")
        }
        // A creation without a good answer is recorded only if the user is found afterwards.
        if !(api.creations...api.creations + api.doubtfulCreations).contains(created) {
            violated("\(api.creations) users were created, and \(created) are recorded")
        }
    }

    private func checkIdempotence() {
        for subject in Self.subjects {
            let request = ProvisionRequest(subject: Array(subject.utf8), groups: ["portal-a"], timeout: .seconds(30))
            guard provision(request) == nil else { continue }
            for _ in 0..<200 where !waiting.isEmpty {
                advance(.milliseconds(100))
                endCall()
            }
            let before = api.users
            guard case .provisioned(let reply)? = provision(request), reply.isFromCache else { continue }
            guard !reply.isCreated, !reply.hasChangedGroups, api.users[reply.userID] == before[reply.userID] else {
                return violated("a second provision has changed something")
            }
            if api.users[reply.userID]?.subject != request.subject { violated("another user was provisioned") }
        }
    }
}
