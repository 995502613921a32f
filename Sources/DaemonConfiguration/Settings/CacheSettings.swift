import TokenCache

/// The keys of the sections `cache`, `refresh` and `quotas`.
enum CacheSettings {
    private static let day = 86_400

    static let cache: [Setting<DaemonConfiguration>] = [
        .integer(
            "max_entries",
            \.cachePolicy.maxEntries,
            1...10_000_000,
            "The most tokens. Above it, the token that was requested longest ago is evicted."
        ),
        .duration(
            "idle_ttl",
            \.cachePolicy.idleTTL,
            1...day,
            "The timer does not refresh a token that was not requested within this time."
        ),
        .duration(
            "negative_ttl",
            \.cachePolicy.negativeTTL,
            0...300,
            "The time for which a denied user is remembered. Each further denial doubles it, up to 5 minutes."
        ),
        .flag(
            "keep_across_restarts",
            \.keepsAcrossRestarts,
            "If true, tokens survive a restart or a crash, in memory that systemd holds, never on a disk."
        ),
    ]

    static let refresh: [Setting<CachePolicy>] = [
        .number(
            "ahead",
            \.ahead,
            0.1...0.95,
            """
            The share of a token's lifetime after which a request starts a refresh in the background. It is smaller than \
            `last_chance`.
            """
        ),
        .number(
            "jitter",
            \.jitter,
            0...0.2,
            "The width of the band from which each token's refresh times are drawn, as a share of its lifetime."
        ),
        .number(
            "last_chance",
            \.refreshDeadline,
            0.1...0.95,
            "The share of a token's lifetime after which a timer refreshes it, if it is in use."
        ),
        .duration(
            "min_ttl",
            \.minTTL,
            1...day,
            "The preferred time left of a returned token, at most a tenth of its lifetime."
        ),
        .duration(
            "default_lifetime",
            \.defaultLifetime,
            1...day,
            "The lifetime of a token whose reply names no usable expiry."
        ),
    ]

    static let quotas: [Setting<DaemonConfiguration>] = [
        .share("connections", \.connectionShare, "The share of the connections. It applies when all are in use."),
        .share(
            "waiting",
            \.cachePolicy.waitingShare,
            "The share of the requests that may wait, \(CacheStateMachine.maxWaiters). It applies while another uid waits."
        ),
        .share("entries", \.cachePolicy.entriesShare, "The share of `max_entries`. It applies when the cache is full."),
    ]

    /// Checks that the point of the background refresh is before that of the timer.
    static func checkRefresh(_ reader: inout ConfigurationReader, _ section: Section, _ policy: CachePolicy) {
        guard policy.ahead >= policy.refreshDeadline,
            let line = section.line(of: "ahead") ?? section.line(of: "last_chance")
        else { return }
        reader.note(
            line,
            section.dotted("ahead"),
            "should be smaller than last_chance, which is \(policy.refreshDeadline)"
        )
    }
}
