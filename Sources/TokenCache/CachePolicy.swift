/// How long and how many: the settings of the cache and of its refreshes, as the configuration gives them.
package struct CachePolicy: Sendable, Equatable {
    /// Past so many tokens the least recently asked for goes.
    package var maxEntries = 100_000
    /// An entry that wasn't asked for within this is not refreshed ahead.
    package var idleTTL = Duration.seconds(1_800)
    /// How long a tenant's refusal of a user is remembered at first.
    package var negativeTTL = Duration.seconds(10)
    /// The share of a lifetime after which a request starts a refresh in the background.
    package var ahead = 0.7
    /// How wide the band is from which each token's points are drawn, as a share of its lifetime.
    package var jitter = 0.1
    /// The share of a lifetime at which a timer refreshes what wasn't asked for since `ahead`.
    package var lastChance = 0.9
    /// What a caller should have left who doesn't say; at most a tenth of the lifetime is asked for.
    package var minTTL = Duration.seconds(60)
    /// The lifetime of a token whose reply names no usable one.
    package var defaultLifetime = Duration.seconds(300)
    /// The share of the tokens that one uid may have while another one's would have to go.
    package var entriesShare = 0.5
    /// The share of the waiting requests that one uid may have while another waits, too.
    package var waitingShare = 0.5

    /// The defaults.
    package init() {}

    /// Whether tokens' lives are laid out in the same way under another policy.
    func hasSameLives(as other: CachePolicy) -> Bool {
        (ahead, jitter, lastChance, minTTL) == (other.ahead, other.jitter, other.lastChance, other.minTTL)
    }
}

/// How one tenant may be called, and which one it is.
package struct TenantPolicy: Sendable, Equatable {
    /// What tells whether it is still the same tenant after a reload: its host and the client's id.
    package struct Identity: Sendable, Equatable {
        /// The origin that is called.
        package var host: String
        /// The OAuth client.
        package var clientID: String

        /// Names a tenant's side and ours.
        package init(host: String, clientID: String) {
            self.host = host
            self.clientID = clientID
        }
    }

    /// Which tenant and client it is.
    package var identity: Identity
    /// Calls a minute.
    package var ratePerMinute: Int
    /// Calls that may go at once after a quiet time.
    package var burst: Int
    /// Calls that may be under way at the same time.
    package var maxConcurrent: Int

    /// Makes a policy.
    package init(identity: Identity, ratePerMinute: Int = 80, burst: Int = 80, maxConcurrent: Int = 8) {
        self.identity = identity
        self.ratePerMinute = ratePerMinute
        self.burst = burst
        self.maxConcurrent = maxConcurrent
    }
}
