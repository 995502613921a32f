import Foundation
import OperatorReplies
import Testing
import TokenCacheClient
import tokencachectl

@Suite("Successive looks at the statistics")
struct StatsLooksTests {
    private func stats(uptime: Double, hits: Int, misses: Int = 0, mints: Int = 0, errors: Int = 0) -> StatsReply {
        var stats = StatsReply()
        stats.uptime = uptime
        stats.requests.hits = hits
        stats.requests.misses = misses
        stats.requests.errors = ["denied": errors]
        stats.mints.started = mints
        return stats
    }

    @Test("Rates are the differences of two looks by the daemon's own time.")
    func rates() throws {
        var looks = StatsLooks()
        looks.saw(stats(uptime: 10, hits: 100))
        #expect(!looks.text(.plain).contains("now  "))
        looks.saw(stats(uptime: 14, hits: 400, misses: 100, mints: 6, errors: 2))
        #expect(
            looks.text(.plain).contains("now          100 token requests (75 % hits), 1.5 mints, 0.5 errors a second\n")
        )
        looks.saw(stats(uptime: 16, hits: 400, misses: 100, mints: 6, errors: 2))
        #expect(looks.text(.plain).contains("now          0.0 token requests, 0.0 mints, 0.0 errors a second\n"))
    }

    @Test("After a restart there are no rates, but a remark, and the next look has rates again.")
    func restart() throws {
        var looks = StatsLooks()
        looks.saw(stats(uptime: 1_000, hits: 500))
        looks.saw(stats(uptime: 1, hits: 3))
        #expect(!looks.text(.plain).contains("now  ") && looks.note?.contains("restarted") == true)
        looks.saw(stats(uptime: 2, hits: 4))
        #expect(looks.text(.plain).contains("now          1.0 token requests") && looks.note == nil)
        // A daemon that was restarted long ago may be up for longer than the last one was.
        var (last, later) = (stats(uptime: 3, hits: 4), stats(uptime: 50, hits: 9))
        (last.requests.byOperation, later.requests.byOperation) = (["stats": 7], ["stats": 1])
        looks.saw(last)
        looks.saw(later)
        #expect(!looks.text(.plain).contains("now  ") && looks.note?.contains("restarted") == true)
        looks.saw(stats(uptime: 60, hits: 1))
        #expect(!looks.text(.plain).contains("now  "))
    }

    @Test(
        "While the daemon is away, the last statistics stay with a remark.",
        arguments: [TokenCacheError.Code.unreachable, .timeout]
    )
    func away(code: TokenCacheError.Code) throws {
        var looks = StatsLooks()
        looks.saw(stats(uptime: 10, hits: 77))
        try looks.failed(TokenCacheError(code, "it is\u{1B} away"))
        #expect(looks.note == "it is? away; trying again")
        #expect(looks.text(.plain).contains("77") && looks.text(.plain).hasPrefix("it is? away; trying again\n\n"))
        looks.saw(stats(uptime: 12, hits: 78))
        #expect(looks.note == nil)
    }

    @Test("A first look that fails is an error, and so is a failure that another look doesn't mend.")
    func fails() throws {
        var looks = StatsLooks()
        #expect(throws: TokenCacheError.self) { try looks.failed(TokenCacheError(.unreachable, "away")) }
        looks.saw(stats(uptime: 10, hits: 77))
        #expect(throws: TokenCacheError.self) { try looks.failed(TokenCacheError(.forbidden, "no")) }
        #expect(throws: TokenCacheError.self) { try looks.failed(TokenCacheError(.badReply, "no")) }
    }

    @Test("No counter crashes the tool.", arguments: [Int.max, Int.min, 0])
    func extremes(count: Int) {
        var looks = StatsLooks()
        looks.saw(stats(uptime: 1, hits: -5, misses: count, mints: count, errors: count))
        looks.saw(stats(uptime: 1e300, hits: count, misses: count, mints: Int.max, errors: count))
        looks.saw(stats(uptime: .infinity, hits: Int.max, misses: Int.max, mints: Int.max, errors: Int.max))
        #expect(!looks.text(.plain).isEmpty)
    }
}
