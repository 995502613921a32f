/// What operators see of a running daemon: counters since its start, gauges of this moment, quantiles of latency.
package struct StatsReply: Sendable, Equatable {
    package struct Mints: Sendable, Equatable {
        package var started = 0
        package var succeeded = 0
        /// By kind: `denied`, `rate_limited`, `unavailable`, `bad_upstream`.
        package var failed: [String: Int] = [:]
        package var inFlight = 0
        /// Waiting for their time with a caller waiting for them.
        package var queuedForeground = 0
        /// Waiting for their time as prefetches and refreshes.
        package var queuedAhead = 0
        package init() {}
    }

    package struct Refreshes: Sendable, Equatable {
        /// Refreshes that became due and were started or queued.
        package var due = 0
        package var done = 0
        /// Done, but only when the old token was no longer to be served.
        package var late = 0
        /// Left out because nobody had asked for the token.
        package var skippedIdle = 0
        package init() {}
    }

    package struct Connections: Sendable, Equatable {
        package var open = 0
        package var accepted = 0
        package var refused = 0
        /// Bytes of replies that peers have not taken yet.
        package var unsent = 0
        package init() {}
    }

    /// What one uid of this machine has of what is shared.
    package struct Share: Sendable, Equatable {
        package var connections = 0
        /// Requests that wait for the tenant.
        package var waiting = 0
        /// Tokens that are counted as this uid's.
        package var entries = 0
        /// Requests and connections that were refused or had to give way as others needed the room.
        package var overloaded = 0
        package init() {}
    }

    /// Quantiles in seconds; all zero while nothing was measured.
    package struct Latency: Sendable, Equatable {
        package var p50 = 0.0
        package var p90 = 0.0
        package var p99 = 0.0
        package var p999 = 0.0
        package var max = 0.0
        package init() {}
    }

    package struct Tenant: Sendable, Equatable {
        /// Calls of each rank that wait for their turn.
        package struct Queued: Sendable, Equatable {
            package var callers = 0
            package var prefetches = 0
            package var refreshes = 0
            package init() {}
        }

        /// The state of its circuit: `closed` as long as calls go to it, else `open` or `half_open`.
        package var state = "closed"
        /// How often the circuit has opened.
        package var circuitOpenings = 0
        /// Seconds until the circuit lets a call go; nil: it does.
        package var opensFor: Double?
        /// Seconds that the tenant wants to be left alone; nil: it doesn't.
        package var hold: Double?
        /// What is thought of the client: `trusted`, `doubtful`, `suspected` or `refused`.
        package var client = "trusted"
        package var inFlight = 0
        package var queued = Queued()
        /// Calls that could go out at once.
        package var rateTokens = 0.0
        /// Seconds since a call last succeeded; nil: never.
        package var lastSuccess: Double?
        /// What a call last failed with; nil: never.
        package var lastError: LastError?
        package init() {}
    }

    package struct LastError: Sendable, Equatable {
        package var code: ErrorReply.Code
        package var description: String
        /// Seconds since.
        package var ago: Double
        package init(code: ErrorReply.Code, description: String, ago: Double) {
            self.code = code
            self.description = description
            self.ago = ago
        }
    }

    /// Seconds since the start.
    package var uptime = 0.0
    package var version = ""
    /// Tokens in the cache.
    package var entries = 0
    /// Refused users that are remembered.
    package var negativeEntries = 0
    /// What the tokens and their keys take, about.
    package var bytes = 0
    /// By operation's name on the wire.
    package var requestsByOperation: [String: Int] = [:]
    package var hits = 0
    package var misses = 0
    package var coalesced = 0
    package var negatives = 0
    /// By code on the wire.
    package var errors: [String: Int] = [:]
    package var mints = Mints()
    package var refreshes = Refreshes()
    /// By cause: `expired`, `capacity`, `invalidated`, `revoked`, `evicted`, `flushed`.
    package var evictions: [String: Int] = [:]
    package var connections = Connections()
    /// By uid.
    package var uids: [UInt32: Share] = [:]
    package var hitLatency = Latency()
    package var mintLatency = Latency()
    /// Seconds until the next refresh by timer; nil: none is planned.
    package var nextRefresh: Double?
    package var tenants: [String: Tenant] = [:]

    /// All zero.
    package init() {}
}
