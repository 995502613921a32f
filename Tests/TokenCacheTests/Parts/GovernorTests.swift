import Testing

@testable import TokenCache

@Suite("The governor of a tenant")
struct GovernorTests {
    private let now = Simulation.start

    private func call(_ number: Int) -> CallID { CallID(slot: number, serial: UInt64(number)) }

    private func governor(rate: Int = 60, burst: Int = 10, concurrent: Int = 8) -> Governor {
        Governor(.test(rate: rate, burst: burst, concurrent: concurrent), now: now)
    }

    /// Sends calls while any may go, and returns them in their order.
    private func send(_ governor: inout Governor, _ tickets: [CallID: Governor.Ticket]) -> [Int] {
        var sent: [Int] = []
        while let id = governor.candidate(at: now, someoneWaits: true), let ticket = tickets[id] {
            governor.start(id, ticket, usesClient: true, someoneWaits: true, now: now)
            sent.append(id.slot)
        }
        return sent
    }

    @Test("Calls go by rank: first ones, callers' calls, prefetches, refreshes.")
    func ranks() {
        var governor = governor()
        let expiry = now + .seconds(100)
        let ranks: [Governor.Rank] = [
            .background(tokenEnds: expiry, urgentFrom: nil, notBefore: nil), .prefetch(1), .caller(1), .first,
        ]
        var tickets: [CallID: Governor.Ticket] = [:]
        for (number, rank) in ranks.enumerated() { tickets[call(number)] = governor.enqueue(call(number), as: rank) }
        #expect(governor.queued == 4 && governor.queuedCallers == 2 && governor.queuedAhead == 2)
        #expect(send(&governor, tickets) == [3, 2, 1, 0])
        #expect(governor.queued == 0 && governor.underWay == 4)
    }

    @Test("The bucket and the number of concurrent calls limit what goes, and tell the time of the next call.")
    func limits() {
        var governor = governor(burst: 3, concurrent: 2)
        var tickets: [CallID: Governor.Ticket] = [:]
        for number in 0..<4 { tickets[call(number)] = governor.enqueue(call(number), as: .caller(1)) }
        #expect(send(&governor, tickets) == [0, 1])
        #expect(governor.nextTime(now, someoneWaits: true) == nil, "a call has to end first")
        #expect(governor.ended(call(0), .success, jitterFraction: 0.5, now: now) == .none)
        #expect(send(&governor, tickets) == [2])
        #expect(governor.ended(call(1), .success, jitterFraction: 0.5, now: now) == .none)
        #expect(send(&governor, tickets) == [])
        #expect(governor.nextTime(now, someoneWaits: true) == now + .seconds(1))
        let ticket = tickets[call(3)]
        #expect(governor.delay(of: ticket, for: 1, now: now) == .init(until: now + .seconds(1), cause: .rate))
        #expect(governor.delay(of: nil, for: 1, now: now) == .init(until: now + .seconds(2), cause: .rate))
    }

    @Test("Of a hold and an open circuit the later end blocks calls.")
    func block() {
        var governor = governor()
        governor.hold(.seconds(20), cause: .throttled, jitterFraction: 0, now: now)
        #expect(governor.block(now) == .init(until: now + .seconds(20), cause: .throttled))
        governor.hold(.seconds(2), cause: .paused, jitterFraction: 0, now: now)
        #expect(governor.blockedUntil(now) == now + .seconds(20), "a shorter hold changes nothing")
        let later = now + .seconds(18)
        _ = governor.denyClient(jitterFraction: 0.5, now: later)
        #expect(governor.block(later)?.cause == .client)
        #expect(governor.acceptClient() == .closed)
        #expect(governor.block(later)?.cause == .throttled)
        #expect(governor.block(now + .seconds(20)) == nil)
    }

    @Test("Forced mints have an allowance per peer, which is asked for without being charged.")
    func forced() {
        var governor = governor(rate: 60, burst: 8)
        for _ in 0..<2 {
            #expect(governor.forcedMintTime(for: 1, now: now) == nil)
            #expect(governor.forcedMintTime(for: 1, now: now) == nil)
            governor.takeForced(for: 1, now: now)
        }
        #expect(governor.forcedMintTime(for: 1, now: now) == now + .seconds(4))
        #expect(governor.forcedMintTime(for: 2, now: now) == nil)
    }

    @Test("A retry waits for the end of its pause, or until all pauses end.")
    func pauses() {
        var governor = governor()
        let (end, expiry) = (now + .seconds(10), now + .seconds(100))
        let rank = Governor.Rank.background(tokenEnds: expiry, urgentFrom: nil, notBefore: end)
        for number in 0..<2 { _ = governor.enqueue(call(number), as: rank) }
        #expect(governor.candidate(at: now, someoneWaits: false) == nil)
        #expect(governor.endPause(at: now) == false)
        #expect(governor.endPause(at: end) == true)
        #expect(governor.candidate(at: end, someoneWaits: false) != nil)
        #expect(governor.hasPauses)
        #expect(governor.endAnyPause() == true)
        #expect(!governor.hasPauses && !governor.endAnyPause())
    }

    @Test("A released hold is over at once. The bucket and the circuit stay as they are.")
    func releasedHold() {
        var governor = governor(burst: 2)
        governor.hold(.seconds(60), cause: .throttled, jitterFraction: 0, now: now)
        _ = governor.denyClient(jitterFraction: 0.5, now: now)
        let open = governor.circuit.openUntil(now)
        let later = now + .seconds(10)
        #expect(governor.releaseHold(now: later) == .seconds(50))
        #expect(governor.currentHold(at: later) == nil && governor.available(at: later) == 2)
        #expect(open != nil && governor.circuit.openUntil(now) == open)
        #expect(governor.releaseHold(now: later) == nil)
        governor.hold(.seconds(60), cause: .paused, jitterFraction: 0, now: later)
        #expect(governor.heldSince == later, "another hold is a new one")
        #expect(governor.releaseHold(now: later + .seconds(60)) == nil, "it has ended by itself")
    }
}
