import FleetProtocol
import Testing

@testable import FleetStore

@Suite("Drops that are repeated under other names")
struct RepeatedDropsTests {
    private let keys: KeyNames

    init() throws {
        keys = KeyNames(prefix: "p", TenantKeys(try TestFleet.keys(), host: TestFleet.host, clientID: "client"))
    }

    private func drop(_ fence: Int64) -> EngineDrop {
        let target = EngineDrop.Target.user(keys.user(field: 0, Array("ann".utf8)))
        return EngineDrop(names: keys.tenant, target: target, fence: fence, event: nil)
    }

    @Test("Each is sent until the engine has noted it.")
    func noted() {
        var drops = RepeatedDrops()
        let (first, second) = (drops.add(drop(1)), drops.add(drop(2)))
        #expect(drops.all.map(\.drop) == [drop(1), drop(2)])
        drops.noted(first.number)
        #expect(drops.all.map(\.number) == [second.number])
    }

    @Test("With too many, one drop of the tenant stands for all, with the highest fence.")
    func many() {
        var drops = RepeatedDrops()
        for fence in 1...RepeatedDrops.most { _ = drops.add(drop(Int64(fence))) }
        let (_, all) = drops.add(drop(7))
        #expect(all.target == .tenant)
        #expect(all.fence == Int64(RepeatedDrops.most))
        #expect(drops.all.map(\.drop) == [all])
    }
}
