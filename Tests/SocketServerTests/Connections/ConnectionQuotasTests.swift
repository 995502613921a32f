import SocketServer
import Testing

@Suite("Quotas of connections")
struct ConnectionQuotasTests {
    /// Quotas with some open connections by uid.
    private func quotas(_ open: [UInt32: Int]) -> ConnectionQuotas {
        var quotas = ConnectionQuotas()
        for (uid, count) in open { for _ in 0..<count { quotas.opened(by: uid) } }
        return quotas
    }

    @Test(
        "The uid with the most connections gives one up, if it has more than its quota and the other one has less.",
        arguments: [
            ([1: 10], 2, 1), ([1: 10], 1, nil), ([1: 6, 2: 4], 2, 1), ([1: 5, 2: 5], 2, nil), ([1: 5, 2: 5], 3, 1),
            ([1: 4, 2: 6], 1, 2), ([1: 4, 2: 3, 3: 3], 3, nil), ([1: 5, 2: 3, 3: 2], 3, 1),
        ] as [([UInt32: Int], UInt32, UInt32?)]
    )
    func donor(open: [UInt32: Int], uid: UInt32, donor: UInt32?) {
        let found = quotas(open).donor(for: uid, limit: 10, share: 0.5)
        // Two uids with as many connections are equally good donors.
        #expect(found == donor || found.flatMap { open[$0] } == donor.flatMap { open[$0] })
    }

    @Test("A uid without connections is forgotten, and its rejections are kept.")
    func counts() {
        var quotas = quotas([1: 2])
        quotas.closed(by: 1)
        #expect(quotas.open == [1: 1])
        quotas.closed(by: 1)
        #expect(quotas.open.isEmpty)
        quotas.rejected(by: 1)
        quotas.rejected(by: 1)
        #expect(quotas.rejected == [1: 2])
    }

    @Test("Rejections are counted for a limited number of uids.")
    func manyUIDs() {
        var quotas = ConnectionQuotas()
        for uid in 0..<2_000 as Range<UInt32> { quotas.rejected(by: uid) }
        quotas.rejected(by: 0)
        #expect(quotas.rejected.count == 1_024)
        #expect(quotas.rejected[0] == 2)
    }
}
