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
}
