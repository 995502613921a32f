import Testing
import TokenProtocol

@testable import TokenCache

@Suite("The table of calls")
struct CallTableTests {
    private func insert(_ key: TokenKey, serial: UInt64, into table: inout CallTable) -> CallID {
        let id = table.nextID(serial: serial)
        let work = Call.Work.mint(Mint(key: key, cause: .caller, owner: 1))
        table.insert(Call(id: id, tenant: key.user.tenant, peer: nil, phase: .queued(.first(id)), work: work))
        return id
    }

    @Test("A key's current mint is the latest of its generation.")
    func current() {
        var table = CallTable()
        let first = insert(.of("ann"), serial: 1, into: &table)
        #expect(table.current(.of("ann"), above: 0) == first)
        #expect(table.current(.of("ann"), above: 1) == nil, "a flush has raised the floor")
        #expect(table.current(.of("ann", scope: "b"), above: 0) == nil)
        table.update(first) { $0.mint?.fate = .superseded }
        #expect(table.current(.of("ann"), above: 0) == nil)
        let second = insert(.of("ann"), serial: 2, into: &table)
        #expect(table.current(.of("ann"), above: 0) == second)
    }

    @Test("A user's mints are found, whichever of them is removed first.", arguments: 0..<3)
    func mints(removed: Int) {
        var table = CallTable()
        var ids = (1...3).map { insert(.of("ann", scope: "s\($0)"), serial: UInt64($0), into: &table) }
        _ = insert(.of("bob"), serial: 4, into: &table)
        #expect(table.mints(of: TokenKey.of("ann").user).sorted() == ids)
        table.remove(ids.remove(at: removed))
        #expect(table.mints(of: TokenKey.of("ann").user).sorted() == ids)
        #expect(table.count == 3)
    }

    @Test("An ID finds no other call that has got its slot.")
    func reuse() {
        var table = CallTable()
        let old = insert(.of("ann"), serial: 1, into: &table)
        table.remove(old)
        let new = insert(.of("bob"), serial: 2, into: &table)
        #expect(old.slot == new.slot)
        #expect(table[old] == nil && table[new] != nil)
        table.update(old) { $0.phase = .sent(at: Simulation.start) }
        #expect(table.remove(old) == nil)
        #expect(table[new]?.sent == nil)
    }
}
