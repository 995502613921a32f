import Testing

@testable import TokenCache

@Suite("The health of a client alone")
struct ClientHealthTests {
    private let now = Simulation.start

    private func deny(_ client: inout ClientHealth, _ names: [String], is401: Bool) -> [ClientHealth.Suspicion] {
        names.enumerated().map { number, name in
            client.denied(.of(name), CallID(slot: number, serial: UInt64(number)), isUnauthorized: is401, now: now)
        }
    }

    @Test("Three users denied in a row make it doubtful, and an accepted one trusted.")
    func doubtful() {
        var client = ClientHealth()
        #expect(deny(&client, ["a", "a", "b", "c"], is401: false) == [.none, .none, .none, .doubtful])
        #expect(client.state == .doubtful(since: now))
        #expect(client.accepted(.of("d")) == true)
        #expect(client.state == .trusted)
        #expect(client.accepted(.of("d")) == false, "there was no suspicion to end")
    }

    @Test("Three users denied with 401 make it suspect. A denied probe proves it, and a new secret resets it.")
    func suspected() {
        var client = ClientHealth()
        _ = client.accepted(.of("known"))
        // The third denied user makes it doubtful, too, but a suspicion says more.
        #expect(deny(&client, ["a", "b", "c"], is401: true) == [.none, .none, .suspected(probe: .of("known"))])
        let probe = CallID(slot: 9, serial: 9)
        client.probes(with: probe)
        #expect(client.probe == probe)
        #expect(client.denied(.of("known"), probe, isUnauthorized: true, now: now) == .proven)
        #expect(client.state == .denied(since: now))
        client.secretChanged()
        #expect(client.state == .trusted)
    }

    @Test("A probe that isn't sent is replaced, and a user who logs out is no probe.")
    func lost() {
        var client = ClientHealth()
        _ = client.accepted(.of("first"))
        _ = client.accepted(.of("second"))
        _ = deny(&client, ["a", "b", "c"], is401: true)
        let probe = CallID(slot: 9, serial: 9)
        client.probes(with: probe)
        client.forget(TokenKey.of("second").user)
        #expect(client.lost(CallID(slot: 8, serial: 8), wasSent: false) == nil, "it isn't the probe")
        #expect(client.lost(probe, wasSent: false) == .of("first"))
        client.probes(with: probe)
        #expect(client.lost(probe, wasSent: true) == nil)
        #expect(client.probe == nil)
    }
}
