import Testing
import TokenProtocol

@testable import TokenCache

@Suite("The waiters, and the results on their way to them")
struct WaitersTests {
    private let now = Simulation.start
    private let call = CallID(slot: 0, serial: 1)

    private func add(
        _ number: Int,
        of peer: PeerUID,
        _ waiters: inout Waiters,
        _ list: inout Waiters.List
    ) -> Waiters.ID {
        waiters.add(
            Waiter(connection: 1, ticket: UInt64(number)),
            of: peer,
            at: "main",
            for: .mint(call, acceptsStale: false),
            since: now,
            until: now + .seconds(number),
            to: &list
        )
    }

    @Test("Waiters are counted by uid and tenant, and found by name, deadline and order.")
    func find() {
        var (waiters, list) = (Waiters(), Waiters.List())
        let ids = [(1, 7), (2, 8), (3, 8)].map { add($0, of: PeerUID($1), &waiters, &list) }
        #expect(waiters.count == 3 && waiters.count(for: "main") == 3 && waiters.count(for: "other") == 0)
        #expect(waiters.countsByPeer == [7: 1, 8: 2])
        #expect(waiters.busiest?.peer == 8 && waiters.last(of: 8) == ids[2])
        #expect(waiters.find(Waiter(connection: 1, ticket: 2)) == ids[1])
        #expect(waiters.first(of: list) == ids[0])
        #expect(waiters.nextDeadline == now + .seconds(1))
        #expect(waiters.due(at: now) == nil && waiters.due(at: now + .seconds(1)) == ids[0])
    }

    @Test("A list keeps its order while some are removed and the first is moved to its end.")
    func lists() {
        var (waiters, list) = (Waiters(), Waiters.List())
        let ids = (1...4).map { add($0, of: 7, &waiters, &list) }
        waiters.rotate(&list)
        waiters.remove(ids[2], from: &list)
        var order: [UInt64] = []
        while let id = waiters.first(of: list), let member = waiters.remove(id, from: &list) {
            order.append(member.waiter.ticket)
        }
        #expect(order == [2, 4, 1])
        #expect(list.isEmpty && waiters.count == 0 && waiters.nextDeadline == nil)
        #expect(waiters.countsByPeer.isEmpty && waiters.count(for: "main") == 0)
    }

    @Test("An ID finds no other waiter that has got its slot.")
    func reuse() {
        var (waiters, list) = (Waiters(), Waiters.List())
        let old = add(1, of: 7, &waiters, &list)
        waiters.remove(old, from: &list)
        let new = add(2, of: 7, &waiters, &list)
        #expect(waiters[old] == nil && waiters[new] != nil)
        #expect(waiters.remove(old, from: &list) == nil)
        #expect(waiters.count == 1)
    }

    @Test("Completed calls take turns until all their waiters have the result.")
    func completions() {
        var (waiters, first, second) = (Waiters(), Waiters.List(), Waiters.List())
        _ = add(1, of: 7, &waiters, &first)
        _ = add(2, of: 7, &waiters, &second)
        var completions = Completions()
        let (ann, bob, cid) = (CallID(slot: 0, serial: 1), CallID(slot: 1, serial: 2), CallID(slot: 2, serial: 3))
        completions.add(cid, .init(key: .of("cid"), result: .error(.timedOut), waiters: Waiters.List()))
        #expect(completions.isEmpty, "nobody waits for that call")
        completions.add(ann, .init(key: .of("ann"), result: .error(.timedOut), waiters: first))
        completions.add(bob, .init(key: .of("bob"), result: .error(.timedOut), waiters: second))
        #expect(completions.first == ann)
        completions.rotate()
        #expect(completions.first == bob)
        completions.update(bob, Waiters.List())
        #expect(completions.first == ann && completions[bob] == nil)
        completions.update(ann, Waiters.List())
        #expect(completions.isEmpty)
    }
}
