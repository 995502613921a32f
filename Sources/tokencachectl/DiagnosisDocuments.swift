/// The reply to `health`.
package struct HealthDocument: Decodable {
    struct Check: Decodable {
        var check: String
        var tenant: String?
        var status: String
        var description: String?
        var since: String?
    }

    var status: String
    var checks: [Check]
}

/// The reply to `explain`.
package struct ExplainDocument: Decodable {
    struct Refresh: Decodable {
        var seconds: Double?
        var cause: String

        private enum CodingKeys: String, CodingKey {
            case cause
            case seconds = "in"
        }
    }

    struct Failure: Decodable {
        var error: String
        var errorDescription: String?

        private enum CodingKeys: String, CodingKey {
            case error
            case errorDescription = "error_description"
        }
    }

    var state: String
    var source: String
    var reason: String
    var expiresIn: Double?
    var lastUsed: Double?
    var fingerprint: String?
    var nextRefresh: Refresh?
    var lastError: Failure?
    var circuit: String?
    var client: String?
    var hold: Double?
    var wait: Double?

    private enum CodingKeys: String, CodingKey {
        case state, source, reason, fingerprint, circuit, client, hold, wait
        case expiresIn = "expires_in"
        case lastUsed = "last_used"
        case nextRefresh = "next_refresh"
        case lastError = "last_error"
    }
}
