/// The reply to `stats`, as far as people are shown it; members that an older daemon lacks are left out.
package struct StatsDocument: Decodable {
    struct Requests: Decodable {
        var hit: Int?
        var miss: Int?
        var coalesced: Int?
        var negative: Int?
        var error: [String: Int]?
    }

    struct Mints: Decodable {
        struct Queued: Decodable {
            var foreground: Int?
            var ahead: Int?
        }

        var started: Int?
        var succeeded: Int?
        var failed: [String: Int]?
        var inFlight: Int?
        var queued: Queued?
    }

    struct Refreshes: Decodable {
        var due: Int?
        var done: Int?
        var late: Int?
        var skippedIdle: Int?
    }

    struct Connections: Decodable {
        var open: Int?
        var accepted: Int?
        var refused: Int?
    }

    struct Share: Decodable {
        var connections: Int?
        var waiting: Int?
        var entries: Int?
        var overloaded: Int?
    }

    struct Quantiles: Decodable {
        var p50: Double?
        var p99: Double?
        var p999: Double?
        var max: Double?
    }

    struct Latency: Decodable {
        var hits: Quantiles?
        var mints: Quantiles?
    }

    struct Tenant: Decodable {
        struct LastError: Decodable {
            var error: String?
            var errorDescription: String?
            var ago: Double?

            private enum CodingKeys: String, CodingKey {
                case error
                case errorDescription = "error_description"
                case ago
            }
        }

        struct Queued: Decodable {
            var callers: Int?
            var prefetches: Int?
            var refreshes: Int?
        }

        var state: String?
        var openFor: Double?
        var hold: Double?
        var client: String?
        var queued: Queued?
        var rateTokens: Double?
        var lastSuccess: Double?
        var lastError: LastError?

        private enum CodingKeys: String, CodingKey {
            case state, hold, client, queued
            case openFor = "open_for"
            case rateTokens = "rate_tokens"
            case lastSuccess = "last_success"
            case lastError = "last_error"
        }
    }

    var uptime: Double?
    var version: String?
    var entries: Int?
    var negativeEntries: Int?
    var bytes: Int?
    var requests: Requests?
    var mints: Mints?
    var refreshes: Refreshes?
    var evictions: [String: Int]?
    var connections: Connections?
    var uids: [String: Share]?
    var latency: Latency?
    var nextRefresh: Double?
    var tenants: [String: Tenant]?

    private enum CodingKeys: String, CodingKey {
        case uptime, version, entries, bytes, requests, mints, refreshes, evictions, connections, uids, latency, tenants
        case negativeEntries = "negative_entries"
        case nextRefresh = "next_refresh"
    }
}

extension StatsDocument.Mints {
    private enum CodingKeys: String, CodingKey {
        case started, succeeded, failed, queued
        case inFlight = "in_flight"
    }
}

extension StatsDocument.Refreshes {
    private enum CodingKeys: String, CodingKey {
        case due, done, late
        case skippedIdle = "skipped_idle"
    }
}

/// The reply to `entries`.
package struct EntriesDocument: Decodable {
    struct Entry: Decodable {
        var tenant: String
        var subject: String?
        var userID: String?
        var scope: String
        var state: String
        var age: Int
        var expiresIn: Int
        var lastUsed: Int?
        var fingerprint: String

        private enum CodingKeys: String, CodingKey {
            case tenant, subject, scope, state, age, fingerprint
            case userID = "user_id"
            case expiresIn = "expires_in"
            case lastUsed = "last_used"
        }
    }

    var entries: [Entry]
    var next: String?
}
