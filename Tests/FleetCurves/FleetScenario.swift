import TokenCache

/// The conditions of a simulated fleet.
struct FleetScenario {
    let users: Int
    let machines: Int
    /// True if machines are cut off from the engine, and messages are lost.
    let hasFaults: Bool

    /// The life of a token.
    let lifetime = Duration.seconds(6 * 3_600)
    /// The mean number of requests of a user in the life of a token.
    ///
    /// Each goes to any machine.
    let requestsPerLife = 5
    /// The share of a user's requests that are logouts, one of this number.
    let requestsPerLogout = 1_000
    /// The time of a message to the engine, and of the answer.
    let way = Duration.microseconds(500)
    /// The time after which a call to the engine counts as not answered.
    let timeout = Duration.milliseconds(100)
    /// The shortest and the longest time of a mint.
    let mintTime = (Duration.milliseconds(100), Duration.milliseconds(300))
    /// The mean time between two cuts of a machine, and the longest time of one, half of which is the mean.
    let cuts = (every: Duration.seconds(3_000), longest: Duration.seconds(60))
    /// The number of messages of which one is lost.
    let messagesPerLoss = 1_000

    /// The time of which nothing is counted, in which the fleet becomes warm.
    var warmUp: Duration { lifetime }
    /// The whole time.
    var length: Duration { lifetime * 2 }
    /// The mean time between two requests of all users.
    var pause: Duration { lifetime / (users * requestsPerLife) }

    /// The policy of the tenant, whose rate is four times what one mint per user and life needs: a cold fleet is warm soon.
    var tenant: TenantPolicy {
        let perMinute = max(60, users * 4 * 60 / Int(lifetime.components.seconds))
        return TenantPolicy(
            identity: .init(host: "https://tenant.example", clientID: "client"),
            ratePerMinute: perMinute,
            burst: perMinute,
            maxConcurrent: 256
        )
    }

    /// The policy of a cache, which has room for all users.
    var cache: CachePolicy {
        var policy = CachePolicy()
        policy.maxEntries = users * 2
        return policy
    }
}
