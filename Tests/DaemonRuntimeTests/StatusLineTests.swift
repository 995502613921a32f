import DaemonRuntime
import OperatorReplies
import Testing
import TokenProtocol

@Suite("The line of systemctl status")
struct StatusLineTests {
    @Test("It names the tokens, the mints under way and the state of each tenant, by name.")
    func text() {
        var stats = StatsReply()
        stats.entries = 12
        stats.mints.inFlight = 3
        var (refused, failing, held) = (StatsReply.Tenant(), StatsReply.Tenant(), StatsReply.Tenant())
        (refused.client, refused.state) = ("refused", "open")
        failing.state = "open"
        (held.state, held.hold) = ("closed", 5)
        var well = StatsReply.Tenant()
        well.state = "closed"
        stats.tenants = ["d": well, "c": held, "b": failing, "a": refused]
        #expect(
            StatusLine.text(stats)
                == "12 tokens, 3 mints under way; tenants: "
                + "a refuses the client, b fails, c wants no calls for a while, d well"
        )
    }

    @Test("Of many tenants it names those that aren't well, up to twenty, and counts the others.")
    func manyTenants() {
        var stats = StatsReply()
        var failing = StatsReply.Tenant()
        failing.state = "open"
        for number in 100..<1_000 { stats.tenants["t\(number)"] = number < 130 ? failing : StatsReply.Tenant() }
        let named = (100..<120).map { "t\($0) fails" }.joined(separator: ", ")
        #expect(
            StatusLine.text(stats)
                == "0 tokens, 0 mints under way; tenants: \(named), 10 more not well, 870 well"
        )
    }
}
