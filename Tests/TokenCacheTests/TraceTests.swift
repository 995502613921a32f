import Secrets
import TestSupport
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Traces")
struct TraceTests {
    /// The span that every call of these tests gets, as their random numbers are constant.
    private static let span = SpanID(random: UInt64(1) << 63)

    /// The context of a request in the trace of a number.
    private static func trace(_ number: UInt64, isSampled: Bool = true) throws -> TraceContext {
        let traceID = try #require(TraceID(high: 7, low: number))
        return TraceContext(traceID: traceID, spanID: SpanID(random: 1_000 + number), isSampled: isSampled)
    }

    /// The context that a call must have in a trace.
    private static func sent(_ number: UInt64, isSampled: Bool = true) throws -> TraceContext {
        try trace(number, isSampled: isSampled).continued(by: span)
    }

    private static func ids(_ numbers: UInt64...) throws -> [TraceID] { try numbers.map { try trace($0).traceID } }

    /// Returns the traces of the calls that are sent now.
    private func traces(_ cache: inout Simulation) -> [TraceContext?] {
        cache.orders().map { order in
            switch order {
            case .mint(_, _, let trace), .mintForClient(_, _, _, let trace), .revoke(_, _, _, let trace),
                .api(_, _, _, _, let trace):
                trace
            }
        }
    }

    /// Returns the only mint that is sent now, and its trace.
    private func onlyMint(_ cache: inout Simulation) throws -> (call: CallID, trace: TraceContext?) {
        let orders = cache.orders()
        guard orders.count == 1, case .mint(let call, _, let trace) = orders[0] else {
            throw CancellationError()
        }
        return (call, trace)
    }

    @Test("A mint is sent and recorded in its caller's trace, as a span of its own.", arguments: [true, false])
    func caller(isSampled: Bool) throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann"), in: try Self.trace(1, isSampled: isSampled))
        let mint = try onlyMint(&cache)
        #expect(mint.trace == (try Self.sent(1, isSampled: isSampled)))
        cache.suspend(.milliseconds(1_500))
        cache.succeed(mint.call)
        let record = TraceRecord(sent: mint.trace)
        #expect(cache.records.map(\.trace) == [record])
        let report = MintReport(
            tenant: "main",
            cause: .caller,
            error: nil,
            duration: .milliseconds(1_500),
            trace: record
        )
        #expect(cache.takeMintReports() == [report])
    }

    @Test("A mint that fails is recorded in its trace.")
    func failure() throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann"), in: try Self.trace(1))
        let mint = try onlyMint(&cache)
        cache.fail(mint.call, .unavailable("down"))
        #expect(cache.records.map(\.trace) == [TraceRecord(sent: try Self.sent(1))])
    }

    @Test("A mint whose callers have no trace has none.")
    func none() throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann"))
        let mint = try onlyMint(&cache)
        #expect(mint.trace == nil)
        cache.succeed(mint.call)
        #expect(cache.records.map(\.trace) == [nil])
    }

    @Test("Callers who share a mint that was sent are recorded beside its trace, each trace once and eight at most.")
    func sharing() throws {
        var cache = Simulation()
        for number in 1...3 as ClosedRange<UInt64> { _ = cache.ask(.of("ann"), in: try Self.trace(number)) }
        _ = cache.ask(.of("ann"), in: try Self.trace(2))
        let mint = try onlyMint(&cache)
        #expect(mint.trace == (try Self.sent(1)))
        for number in 4...20 as ClosedRange<UInt64> { _ = cache.ask(.of("ann"), in: try Self.trace(number)) }
        cache.succeed(mint.call)
        let others = try Self.ids(2, 3, 4, 5, 6, 7, 8)
        #expect(cache.records.map(\.trace) == [TraceRecord(sent: mint.trace, others: others)])
    }

    @Test("A caller with a trace who joins a queued mint without one gives it, and one who joins a sent mint doesn't.")
    func joining() throws {
        var cache = Simulation.withEmptyBucket()
        _ = cache.ask(.of("ann"))
        _ = cache.ask(.of("ann"), in: try Self.trace(1))
        cache.advance(.seconds(1))
        let mint = try onlyMint(&cache)
        #expect(mint.trace == (try Self.sent(1)))
        _ = cache.ask(.of("bob"))
        cache.advance(.seconds(1))
        let other = try onlyMint(&cache)
        _ = cache.ask(.of("bob"), in: try Self.trace(2))
        #expect(other.trace == nil)
        cache.succeed(other.call)
        #expect(cache.records.last?.trace == TraceRecord(sent: nil, others: try Self.ids(2)))
    }

    @Test("A caller who has left before the mint is sent doesn't give it a trace, and is recorded.")
    func left() throws {
        var cache = Simulation.withEmptyBucket()
        let waiter = cache.newWaiter()
        _ = cache.ask(.of("ann"), in: try Self.trace(1), as: waiter)
        _ = cache.ask(.of("ann"), in: try Self.trace(2))
        cache.cancelWaits(of: [waiter])
        cache.advance(.seconds(1))
        let mint = try onlyMint(&cache)
        #expect(mint.trace == (try Self.sent(2)))
        cache.succeed(mint.call)
        #expect(cache.records.last?.trace == TraceRecord(sent: mint.trace, others: try Self.ids(1)))
    }

    @Test("A mint that all its callers have left is sent without a trace.")
    func allLeft() throws {
        var cache = Simulation.withEmptyBucket()
        let waiter = cache.newWaiter()
        _ = cache.ask(.of("ann"), in: try Self.trace(1), as: waiter)
        cache.cancelWaits(of: [waiter])
        cache.advance(.seconds(1))
        let mint = try onlyMint(&cache)
        #expect(mint.trace == nil)
        cache.succeed(mint.call)
        #expect(cache.records.last?.trace == TraceRecord(sent: nil, others: try Self.ids(1)))
    }

    @Test("A request that doesn't wait for the mint that it starts gives it a trace, and a prefetch does.")
    func unawaited() throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann"), timeout: .zero, in: try Self.trace(1))
        _ = cache.prefetch([.of("bob"), .of("eve")], in: try Self.trace(2))
        #expect(traces(&cache) == [try Self.sent(1), try Self.sent(2), try Self.sent(2)])
    }

    @Test("A caller who waits for a prefetched token gives its own trace.")
    func awaitedPrefetch() throws {
        var cache = Simulation.withEmptyBucket()
        _ = cache.prefetch([.of("ann")], in: try Self.trace(1))
        _ = cache.ask(.of("ann"), in: try Self.trace(2))
        cache.advance(.seconds(1))
        #expect(traces(&cache) == [try Self.sent(2)])
    }

    @Test("A hit gives no trace to the refresh that it causes, and neither does the timer.")
    func refreshes() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(940))
        guard case .serveAndRefresh = cache.ask(.of("ann"), in: try Self.trace(1)) else {
            return #expect(Bool(false), "the token is due")
        }
        let refresh = try onlyMint(&cache)
        #expect(refresh.trace == nil)
        cache.succeed(refresh.call)
        #expect(cache.records.last?.trace == nil)
    }

    @Test("A mint that is sent again with a new secret is the same span, also if its caller has left.")
    func newSecret() throws {
        var cache = Simulation()
        let waiter = cache.newWaiter()
        _ = cache.ask(.of("ann"), in: try Self.trace(1), as: waiter)
        let mint = try onlyMint(&cache)
        _ = cache.ask(.of("ann"), in: try Self.trace(2))
        cache.cancelWaits(of: [waiter])
        cache.fail(mint.call, .denied(ErrorReply.Upstream(status: 401), secretChanged: true))
        let again = try onlyMint(&cache)
        #expect(again.trace == mint.trace)
        cache.succeed(again.call)
        #expect(cache.records.map(\.trace) == [TraceRecord(sent: mint.trace, others: try Self.ids(2))])
    }

    @Test("A logout's revocations are sent and recorded in its trace.")
    func logout() throws {
        var cache = Simulation()
        for scope in ["a", "b"] { try cache.warm(.of("ann", scope: scope)) }
        #expect(cache.revoke(TokenKey.of("ann").user, in: try Self.trace(1)) == nil)
        let orders = cache.orders()
        for case .revoke(let call, _, _, let trace) in orders {
            #expect(trace == (try Self.sent(1)))
            cache.endRevocation(call, .accepted)
        }
        #expect(cache.records.suffix(2).map(\.trace) == Array(repeating: TraceRecord(sent: try Self.sent(1)), count: 2))
    }

    @Test("A revocation that is not sent is recorded with its logout's trace.")
    func unsentRevocation() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"))
        cache.reconfigure(tenants: [:])
        _ = cache.revoke(TokenKey.of("ann").user, in: try Self.trace(1))
        cache.shutDown()
        for record in cache.records.dropFirst() {
            #expect(record.trace == TraceRecord(sent: nil, others: try Self.ids(1)))
        }
    }

    @Test("Spans differ where the random numbers do.")
    func spans() throws {
        let tenants: [TenantID: TenantPolicy] = ["main": .test(concurrent: 20)]
        var machine = CacheStateMachine(
            policy: CachePolicy(),
            tenants: tenants,
            memory: .anonymous(),
            random: SystemRandomNumberGenerator(),
            now: Simulation.start
        )
        let options = RequestOptions(timeout: .zero, peer: 7, trace: try Self.trace(1))
        let spans = (0..<10).flatMap { number in
            let waiter = Waiter(connection: 1, ticket: UInt64(number))
            let outcome = machine.request(.of("user\(number)"), options, waiter: waiter, now: Simulation.start)
            return outcome.actions.calls.compactMap { order in
                if case .mint(_, _, let trace) = order { trace?.spanID } else { nil }
            }
        }
        #expect(spans.count == 10 && Set(spans).count == 10)
    }
}
