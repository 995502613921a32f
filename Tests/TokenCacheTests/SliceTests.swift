import OperatorReplies
import Secrets
import TestSupport
import Testing
import TokenProtocol

@testable import TokenCache

/// Work on what many fill is divided into slices: an event does a bounded part, and asks to be called again at once.
@Suite("Long work is divided into slices")
struct SliceTests {
    private static let slice = 50
    private static let wide: [TenantID: TenantPolicy] = [
        "main": .test(rate: 1_000_000, burst: 1_000_000, concurrent: 1_000)
    ]

    private func machine(
        policy: CachePolicy = CachePolicy(),
        tenants: [TenantID: TenantPolicy] = Self.wide,
        sliceSize: Int = Self.slice
    ) -> CacheStateMachine {
        CacheStateMachine(
            policy: policy,
            tenants: tenants,
            memory: .anonymous(),
            random: ConstantGenerator(0),
            sliceSize: sliceSize,
            now: Simulation.start
        )
    }

    /// Requests users, each by a caller of its own.
    private func ask(
        _ machine: inout CacheStateMachine,
        _ count: Int,
        _ key: (Int) -> TokenKey,
        timeout: Duration = .seconds(10),
        now: Instant
    ) -> [CallOrder] {
        (0..<count).flatMap { index in
            let options = RequestOptions(timeout: timeout, peer: 7 as Peer)
            let waiter = Waiter(connection: 1, ticket: UInt64(index))
            return machine.request(key(index), options, waiter: waiter, now: now).actions.calls
        }
    }

    private func mint(
        _ machine: inout CacheStateMachine,
        _ count: Int,
        tenant: TenantID = "main",
        lifetime: Duration = .seconds(1_000),
        now: Instant
    ) {
        let calls = ask(&machine, count, { .of("user\($0)", tenant: tenant) }, now: now)
        for (index, order) in calls.enumerated() {
            guard case .mint(let call, _, _) = order else { continue }
            let result = MintOutcome.minted(.init("token-\(tenant.name)-\(index)"), scope: nil, lifetime: lifetime)
            _ = machine.ended(call, result, now: now, wall: Simulation.wall)
        }
    }

    /// Calls the machine until nothing is due, and returns each slice's actions.
    private func slices(_ machine: inout CacheStateMachine, _ first: CacheActions, now: Instant) -> [CacheActions] {
        var slices = [first]
        while let wake = slices.last?.wake, wake <= now, slices.count < 10_000 {
            slices.append(machine.timePassed(now: now))
        }
        return slices
    }

    @Test("The many waiters of a mint get replies in slices, and the waiter of another mint isn't delayed.")
    func manyWaiters() throws {
        var machine = machine()
        let now = Simulation.start
        let calls = ask(&machine, 1_000, { _ in .of("ann") }, now: now)
        let other = machine.request(
            .of("bob"),
            RequestOptions(peer: 8),
            waiter: Waiter(connection: 2, ticket: 1),
            now: now
        ).actions.calls
        guard case .mint(let call, _, _)? = calls.first, case .mint(let second, _, _)? = other.first else {
            return #expect(Bool(false))
        }
        let result = MintOutcome.minted(.init("a"), scope: nil, lifetime: nil)
        let first = machine.ended(call, result, now: now, wall: Simulation.wall)
        #expect(first.deliveries.count == Self.slice / StepCost.reply)
        let next = machine.ended(second, result, now: now, wall: Simulation.wall)
        #expect(next.deliveries.contains { $0.waiter.connection == 2 } || next.wake == now)
        let rest = slices(&machine, next, now: now)
        #expect(rest.prefix(2).contains { $0.deliveries.contains { $0.waiter.connection == 2 } })
        #expect(rest.allSatisfy { $0.deliveries.count <= Self.slice })
        #expect(first.deliveries.count + rest.reduce(0) { $0 + $1.deliveries.count } == 1_001)
    }

    @Test("Of many waiters that are being answered nobody gets the token after its user's logout.")
    func logoutOfManyWaiters() {
        var machine = machine()
        let now = Simulation.start
        guard case .mint(let call, _, _)? = ask(&machine, 500, { _ in .of("ann") }, now: now).first else {
            return #expect(Bool(false))
        }
        _ = machine.ended(call, .minted(.init("a"), scope: nil, lifetime: nil), now: now, wall: Simulation.wall)
        let logout = machine.revoke(
            TokenKey.of("ann").user,
            scopes: nil,
            waiter: Waiter(connection: 2, ticket: 1),
            for: 7,
            now: now
        )
        let replies = slices(&machine, logout.actions, now: now).flatMap(\.deliveries)
        #expect(replies.count == 500 - Self.slice / StepCost.reply)
        #expect(replies.allSatisfy { $0.reply.error?.code == .unavailable })
    }

    @Test("After a 429 callers who wait in vain are told in slices, and all of them before the clock moves.")
    func throttled() throws {
        var machine = machine(tenants: ["main": .test(rate: 60, burst: 1_000, concurrent: 1)])
        let now = Simulation.start
        let calls = ask(&machine, 1_000, { .of("user\($0)") }, now: now)
        guard case .mint(let call, _, _)? = calls.first else { return #expect(Bool(false)) }
        let failure = MintOutcome.failed(.throttled(retryAfter: .seconds(60)))
        let slices = slices(&machine, machine.ended(call, failure, now: now, wall: Simulation.wall), now: now)
        #expect(slices.allSatisfy { $0.deliveries.count <= 2 * Self.slice })
        #expect(slices.reduce(0) { $0 + $1.deliveries.count } == 1_000)
        #expect(machine.waiters.count == 0 && machine.calls.count == 0)
    }

    @Test("A flush returns the number at once. Its memory is freed in slices, and none of its tokens is served.")
    func flush() {
        var machine = machine(tenants: ["main": Self.wide["main"] ?? .test(), "other": .test()])
        let now = Simulation.start
        mint(&machine, 500, now: now)
        let outcome = machine.flush(tenant: "main", now: now)
        #expect(outcome.answer == 500)
        #expect(machine.stats(now: now).entries == 0 && machine.stats(now: now).bytes == 0)
        #expect(machine.store.find(.of("user499")) == nil)
        #expect(machine.entries(EntriesRequest(limit: 10), of: nil, now: now)?.entries.isEmpty == true)
        #expect(machine.entries(EntriesRequest(order: .nextRefresh), of: nil, now: now)?.entries.isEmpty == true)
        #expect(outcome.actions.wake == now)
        // A token that is received before the sweep has reached its slot stays.
        mint(&machine, 1, now: now)
        #expect(slices(&machine, outcome.actions, now: now).count > 5)
        #expect(machine.stats(now: now).entries == 1)
        #expect(machine.store.find(.of("user0")) != nil)
        #expect(machine.store.floor(of: "main") == 0)
    }

    @Test("Tokens that are due at once are refreshed and dropped in slices.", arguments: [950, 1_000])
    func dueAtOnce(seconds: Int) {
        var policy = CachePolicy()
        policy.idleTTL = .seconds(2_000)
        var machine = machine(policy: policy)
        mint(&machine, 500, now: Simulation.start)
        let later = Simulation.start + .seconds(seconds)
        let slices = slices(&machine, machine.timePassed(now: later), now: later)
        #expect(slices.count >= 500 / Self.slice)
        #expect(slices.allSatisfy { $0.calls.count <= Self.slice })
        #expect(slices.reduce(0) { $0 + $1.calls.count } == (seconds == 950 ? 500 : 0))
        #expect(machine.stats(now: later).entries == (seconds == 950 ? 500 : 0))
    }

    @Test("Refreshes that are not wanted any more are dropped in slices.")
    func unwanted() {
        var policy = CachePolicy()
        policy.idleTTL = .seconds(100)
        var machine = machine(policy: policy)
        mint(&machine, 501, now: Simulation.start)
        let later = Simulation.start + .seconds(750)
        _ = ask(&machine, 1, { _ in .of("held") }, now: later).map { order in
            guard case .mint(let call, _, _) = order else { return }
            let failure = MintOutcome.failed(.throttled(retryAfter: .seconds(200)))
            _ = machine.ended(call, failure, now: later, wall: Simulation.wall)
        }
        #expect(ask(&machine, 500, { .of("user\($0)") }, now: later).isEmpty)
        #expect(machine.calls.count == 500)
        let end = later + .seconds(201)
        let slices = slices(&machine, machine.timePassed(now: end), now: end)
        #expect(slices.count >= 500 / Self.slice)
        #expect(machine.calls.count == 0)
        #expect(slices.allSatisfy { $0.calls.isEmpty })
    }

    @Test("A reload that changes lives applies to each token at once, while the timers follow in slices.")
    func policy() {
        var machine = machine()
        mint(&machine, 500, now: Simulation.start)
        let later = Simulation.start + .seconds(500)
        var policy = CachePolicy()
        policy.ahead = 0.3
        _ = machine.reconfigure(policy: policy, tenants: Self.wide, now: later)
        let options = RequestOptions(peer: 7)
        let answer = machine.request(.of("user499"), options, waiter: Waiter(connection: 3, ticket: 1), now: later)
            .answer
        #expect(answer.refreshes)
    }

    @Test("A smaller limit is reached in slices.")
    func shrink() {
        var machine = machine()
        let now = Simulation.start
        mint(&machine, 500, now: now)
        var policy = CachePolicy()
        policy.maxEntries = 10
        let slices = slices(&machine, machine.reconfigure(policy: policy, tenants: Self.wide, now: now), now: now)
        #expect(slices.count >= 490 / Self.slice)
        #expect(machine.stats(now: now).entries == 10)
    }

    @Test("Entries of a tenant with few are found without a walk through all others.")
    func entries() {
        var machine = machine(tenants: ["main": Self.wide["main"] ?? .test(), "other": .test()])
        let now = Simulation.start
        mint(&machine, 500, now: now)
        mint(&machine, 3, tenant: "other", now: now)
        let page = machine.entries(EntriesRequest(limit: 2), of: "other", now: now)
        #expect(page?.entries.count == 2)
        let rest = machine.entries(EntriesRequest(limit: 2, after: page?.next), of: "other", now: now)
        #expect(rest?.entries.count == 1 && rest?.next == nil)
        #expect(Array(machine.store.slots(from: 0, of: "other")).count == 3)
    }

    @Test("A new secret voids denials at once. Their memory is freed in slices.")
    func secret() {
        var machine = machine()
        let now = Simulation.start
        for (index, order) in ask(&machine, 300, { .of("user\($0)") }, now: now).enumerated() {
            guard case .mint(let call, _, _) = order else { continue }
            let upstream = ErrorReply.Upstream(status: index % 2 == 0 ? 401 : 403)
            let result = MintOutcome.failed(.denied(upstream, secretChanged: false))
            _ = machine.ended(call, result, now: now, wall: Simulation.wall)
        }
        let actions = machine.secretChanged(of: ClientReference("main"), now: now)
        #expect(machine.negatives[.of("user298")] == nil)
        #expect(machine.negatives[.of("user299")] != nil)
        #expect(slices(&machine, actions, now: now).count >= 300 / Self.slice)
        #expect(machine.stats(now: now).negativeEntries == 150)
    }

    @Test("Thousands of waits that end together are cancelled in slices, and all of them in the end.")
    func leaving() {
        var machine = machine(tenants: ["main": .test(rate: 1, burst: 1)])
        let now = Simulation.start
        _ = ask(&machine, 500, { .of("user\($0)") }, timeout: .seconds(100_000), now: now)
        let waiters = (0..<500).map { Waiter(connection: 1, ticket: UInt64($0)) }
        let first = machine.cancelWaits(of: waiters, now: now)
        #expect(machine.waiters.count >= 500 - 32 - Self.slice)
        #expect(slices(&machine, first, now: now).count >= (500 - 32) / Self.slice)
        #expect(machine.waiters.count == 0)
    }

    @Test("A flush right after a new secret drops all denials, though the secret's own sweep ends first.")
    func flushAfterSecret() {
        var machine = machine()
        let now = Simulation.start
        for order in ask(&machine, 120, { .of("user\($0)") }, now: now) {
            guard case .mint(let call, _, _) = order else { continue }
            let result = MintOutcome.failed(.denied(ErrorReply.Upstream(status: 403), secretChanged: false))
            _ = machine.ended(call, result, now: now, wall: Simulation.wall)
        }
        _ = machine.secretChanged(of: ClientReference("main"), now: now)
        // Two slices of three. The third is done together with the flush.
        _ = machine.timePassed(now: now)
        let actions = machine.flush(tenant: "main", now: now).actions
        #expect(machine.negatives[.of("user0")] == nil)
        _ = slices(&machine, actions, now: now)
        #expect((0..<120).allSatisfy { machine.negatives[.of("user\($0)")] == nil })
        #expect(machine.stats(now: now).negativeEntries == 0)
    }

    @Test("A flushed entry is no eviction, and the oldest of the others is evicted.")
    func evictionDuringSweep() {
        var policy = CachePolicy()
        policy.maxEntries = 40
        let limits = TenantPolicy.test(rate: 1_000_000, burst: 1_000_000, concurrent: 1_000)
        var machine = machine(policy: policy, tenants: ["main": limits, "other": limits], sliceSize: 1)
        let now = Simulation.start
        mint(&machine, 20, now: now)
        mint(&machine, 20, tenant: "other", now: now)
        // The other tenant's entries are the oldest now, and in the slots that the sweep reaches last.
        _ = ask(&machine, 20, { .of("user\($0)") }, now: now)
        let late = ask(&machine, 21, { .of("late\($0)") }, now: now)
        var actions = machine.flush(tenant: "other", now: now).actions
        for (index, order) in late.enumerated() {
            guard case .mint(let call, _, _) = order else { continue }
            let result = MintOutcome.minted(.init("late-\(index)"), scope: nil, lifetime: .seconds(1_000))
            actions = machine.ended(call, result, now: now, wall: Simulation.wall)
        }
        #expect(machine.store.slots.count == 61, "the sweep has freed no slot yet")
        _ = slices(&machine, actions, now: now)
        #expect(machine.stats(now: now).evictions["capacity"] == 1)
        #expect((0..<20).filter { machine.store.find(.of("user\($0)")) == nil } == [0])
        #expect((0..<21).allSatisfy { machine.store.find(.of("late\($0)")) != nil })
    }

    @Test("One user's entries, denials and mints are bounded, however many scopes are requested.")
    func scopes() throws {
        var cache = Simulation(tenants: Self.wide)
        for index in 0..<100 { try cache.warm(.of("ann", scope: "s\(index)")) }
        #expect(cache.stats().entries == EntryStore.maxPerUser)
        #expect(cache.ask(.of("ann", scope: "s99")).served != nil)
        var slow = Simulation(tenants: ["main": .test(rate: 1, burst: 1)])
        let answers = (0..<100).map { slow.ask(.of("ann", scope: "s\($0)"), timeout: .seconds(300), peer: 1) }
        #expect(answers.count { $0 == .wait } <= CacheStateMachine.maxMintsPerUser)
    }
}
