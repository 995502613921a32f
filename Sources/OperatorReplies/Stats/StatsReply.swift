/// The reply to `stats`: counters since the daemon's start, and its present state.
package struct StatsReply: Sendable, Equatable, Codable {
    /// The time in seconds since the start.
    package var uptime = 0.0
    package var version: String?
    /// The number of cached tokens.
    package var entries = 0
    /// The number of users whose denial by the tenant is remembered.
    package var negativeEntries = 0
    /// The approximate memory that the tokens and their keys take, in bytes.
    package var bytes = 0
    package var requests = Requests()
    package var mints = Mints()
    package var refreshes = Refreshes()
    /// The number of tokens that were removed, by cause: `expired`, `capacity`, `invalidated`, `revoked`, `evicted`, `flushed`.
    @ByName package var evictions: [String: Int] = [:]
    /// The users who were provisioned, or nil if no tenant allows that.
    package var users: Users?
    /// The fleet, or nil if this daemon is in none.
    package var fleet: Fleet?
    package var connections = Connections()
    /// Each local user's use of shared resources, by uid.
    @ByName package var uids: [UInt32: Usage] = [:]
    package var latency = Latencies()
    /// The time in seconds until a timer starts the next refresh, or nil if none is planned.
    @Nullable package var nextRefresh: Double?
    /// The tenants by their configured names.
    @ByName package var tenants: [String: Tenant] = [:]

    /// Creates statistics of a daemon that has done nothing.
    package init() {}

    private enum CodingKeys: String, CodingKey {
        case uptime, version, entries
        case negativeEntries = "negative_entries"
        case bytes, requests, mints, refreshes, evictions, users, fleet, connections, uids, latency
        case nextRefresh = "next_refresh"
        case tenants
    }
}

extension StatsReply {
    /// Calls to tenants that ask for tokens.
    package struct Mints: Sendable, Equatable, Codable, Omissible {
        /// Mints that wait for their turn.
        package struct Queued: Sendable, Equatable, Codable, Omissible {
            /// Mints that callers wait for.
            package var foreground = 0
            /// Prefetches and refreshes.
            package var ahead = 0
            package init() {}
        }

        package var started = 0
        package var succeeded = 0
        /// The number of failures by kind: `denied`, `rate_limited`, `unavailable`, `bad_upstream`.
        @ByName package var failed: [String: Int] = [:]
        package var inFlight = 0
        package var queued = Queued()
        package init() {}

        private enum CodingKeys: String, CodingKey {
            case started, succeeded, failed
            case inFlight = "in_flight"
            case queued
        }
    }

    /// Refreshes of cached tokens.
    package struct Refreshes: Sendable, Equatable, Codable, Omissible {
        /// Refreshes that became due and were started or queued.
        package var due = 0
        package var done = 0
        /// Refreshes that were done only after the old token could no longer be served.
        package var late = 0
        /// Refreshes that were not started, because no application had asked for the token.
        package var skippedIdle = 0
        package init() {}

        private enum CodingKeys: String, CodingKey {
            case due, done, late
            case skippedIdle = "skipped_idle"
        }
    }

    /// Connections on both sockets.
    package struct Connections: Sendable, Equatable, Codable, Omissible {
        package var open = 0
        package var accepted = 0
        package var rejected = 0
        /// Open connections to the admin socket.
        package var admin = 0
        /// The most connections that may be open.
        package var max = 0
        /// Bytes of replies that peers have not taken yet.
        package var unsent = 0
        package init() {}

        private enum CodingKeys: String, CodingKey {
            case open, accepted
            case rejected = "refused"
            case admin, max, unsent
        }
    }

    /// One local user's use of shared resources.
    package struct Usage: Sendable, Equatable, Codable {
        package var connections = 0
        /// Requests that wait for the tenant.
        package var waiting = 0
        /// Cached tokens that count as this user's.
        package var entries = 0
        /// Requests and connections that were rejected or displaced because others needed the resources.
        package var overloaded = 0
        /// Requests since the start.
        package var requests = 0
        package init() {}
    }
}
