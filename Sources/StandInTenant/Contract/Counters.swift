extension StandInTenant {
    /// The counts since the start or the last reset.
    package struct Counters: Sendable, Equatable {
        package var calls = 0  // Of the token endpoint, counted on arrival.
        package var revocations = 0  // Calls of the revocation endpoint, counted on arrival.
        package var mints = 0  // Replies with a token.
        package var callsByKey: [MintKey: Int] = [:]  // Refused and failed ones included.
        package var mintsByKey: [MintKey: Int] = [:]
        package var violations = 0  // Requests that broke the contract.
        package var refusedClients = 0  // Calls of an unknown client, or for what it may not have. They break no rule.
        package var tiers: [Tier: TierCounters] = [:]
        package var operations: [Operation: Int] = [:]  // Calls of the API's operations, counted on arrival.
        package var redirectsFollowed = 0
        package var connections = 0  // Accepted ones.
        package var openConnections = 0  // A reset keeps it.
        package var inProgress = 0  // Calls without a complete reply. A reset keeps it.
        package var peakConcurrency = 0  // The maximum of `inProgress`.
        package var held = 0  // Replies that are held. A reset keeps it.

        /// The calls that the rate limits refused.
        package var throttled: Int { tiers.values.reduce(0) { $0 + $1.throttled } }

        /// All at zero.
        package init() {}
    }

    /// The calls of a tier.
    package struct TierCounters: Sendable, Equatable {
        package var calls = 0  // Counted on arrival.
        package var throttled = 0  // Refused by the rate limit.
    }
}

extension StandInTenant.Counters {
    /// The counters as JSON, for control requests.
    var json: String {
        JSONText.object([
            "calls": "\(calls)", "revocations": "\(revocations)", "mints": "\(mints)", "violations": "\(violations)",
            "refused_clients": "\(refusedClients)", "throttled": "\(throttled)",
            "redirects_followed": "\(redirectsFollowed)", "connections": "\(connections)",
            "open_connections": "\(openConnections)", "in_progress": "\(inProgress)",
            "peak_concurrency": "\(peakConcurrency)", "held": "\(held)", "tiers": byTier, "operations": byOperation,
            "by_key": JSONText.array(byKey),
        ])
    }

    private var byTier: String {
        let texts = StandInTenant.Tier.allCases.map { tier in
            let counts = tiers[tier, default: .init()]
            return "\"\(tier.rawValue)\":{\"calls\":\(counts.calls),\"throttled\":\(counts.throttled)}"
        }
        return "{" + texts.joined(separator: ",") + "}"
    }

    private var byOperation: String {
        let texts = StandInTenant.Operation.allCases.map { "\"\($0.rawValue)\":\(operations[$0, default: 0])" }
        return "{" + texts.joined(separator: ",") + "}"
    }

    private var byKey: [String] {
        let order = { (key: StandInTenant.MintKey) in (key.value, key.field.rawValue, key.scope ?? "") }
        return callsByKey.keys.sorted { one, other in order(one) < order(other) }.map { key in
            JSONText.object([
                "field": JSONText.string(key.field.rawValue), "value": JSONText.string(key.value),
                "scope": key.scope.map(JSONText.string) ?? "null",
                "calls": "\(callsByKey[key] ?? 0)", "mints": "\(mintsByKey[key] ?? 0)",
            ])
        }
    }
}
