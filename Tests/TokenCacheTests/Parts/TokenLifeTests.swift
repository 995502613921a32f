import Testing
import TokenCache

@Suite("A token's life")
struct TokenLifeTests {
    private let sent = Simulation.start

    private func life(
        _ lifetime: Duration,
        jitterFraction: Double = 0.5,
        policy: CachePolicy = CachePolicy()
    ) -> TokenLife {
        TokenLife(sent: sent, lifetime: lifetime, jitterFraction: jitterFraction, policy: policy)
    }

    @Test(
        "The margin is a twentieth of the lifetime, and 30 s at most.",
        arguments: [(10, 0.5), (600, 30), (21_600, 30)]
    )
    func margin(lifetime: Int, margin: Double) {
        #expect(life(.seconds(lifetime)).margin == .seconds(margin))
    }

    @Test("The refresh times are in a band around their shares, by the token's jitterFraction.")
    func points() {
        let (early, late) = (
            life(.seconds(10_000), jitterFraction: 0), life(.seconds(10_000), jitterFraction: 0.999_999)
        )
        #expect(abs((early.refreshAfter - sent).inSeconds - 6_500) < 0.1)
        #expect(abs((late.refreshAfter - sent).inSeconds - 7_500) < 0.1)
        #expect(abs((early.refreshDeadline - sent).inSeconds - 8_500) < 0.1)
        #expect(abs((late.refreshDeadline - sent).inSeconds - 9_500) < 0.1)
    }

    @Test("The refresh deadline comes before the margin, whatever the band.")
    func refreshDeadline() {
        var policy = CachePolicy()
        (policy.refreshDeadline, policy.jitter) = (0.95, 0.2)
        let life = life(.seconds(100), jitterFraction: 0.999, policy: policy)
        #expect(life.refreshDeadline < life.expiry - life.margin)
    }

    @Test("A lifetime is limited to a day.")
    func cap() {
        #expect(life(.seconds(1_000_000_000)).expiry == sent + .seconds(86_400))
    }

    @Test(
        "A request without min_ttl gets the answer of the table.",
        arguments: [
            (0, TokenLife.Verdict.serve), (6_999, .serve), (7_000, .serveAndRefresh), (9_940, .serveAndRefresh),
            (9_941, .mint(mayServeStale: true)), (9_969, .mint(mayServeStale: true)),
            (9_970, .mint(mayServeStale: false)),
            (10_001, .mint(mayServeStale: false)),
        ]
    )
    func verdicts(age: Int, verdict: TokenLife.Verdict) {
        #expect(life(.seconds(10_000)).verdict(at: sent + .seconds(age), minTTL: nil) == verdict)
    }

    @Test("The configured min_ttl is limited to a tenth of the lifetime.")
    func clampedPreference() {
        let life = life(.seconds(100))
        #expect(life.verdict(at: sent + .seconds(90), minTTL: nil) == .serveAndRefresh)
        #expect(life.verdict(at: sent + .milliseconds(90_001), minTTL: nil) == .mint(mayServeStale: true))
    }

    @Test(
        "A min_ttl in the request is a promise.",
        arguments: [
            (3_000, 5_000, TokenLife.Verdict.serve), (5_000, 5_000, .serve),
            (5_001, 5_000, .mint(mayServeStale: false)),
            (9_969, 0, .serveAndRefresh), (9_970, 0, .mint(mayServeStale: false)),
        ]
    )
    func promised(age: Int, minTTL: Int, verdict: TokenLife.Verdict) {
        #expect(life(.seconds(10_000)).verdict(at: sent + .seconds(age), minTTL: .seconds(minTTL)) == verdict)
    }

    @Test(
        "A min_ttl that a new token would not meet either gets the young token in the cache, marked.",
        arguments: [
            (1, 10_001, TokenLife.Verdict.serveUnmet), (999, 9_500, .serveUnmet),
            (1_000, 9_500, .mint(mayServeStale: false)), (5_100, 5_000, .mint(mayServeStale: false)),
        ]
    )
    func unmet(age: Int, minTTL: Int, verdict: TokenLife.Verdict) {
        #expect(life(.seconds(10_000)).verdict(at: sent + .seconds(age), minTTL: .seconds(minTTL)) == verdict)
    }
}
