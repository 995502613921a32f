import TokenProtocol

/// The incidents of one tenant.
struct TenantIncidents {
    private var tokens = TierIncidents()
    private var api = TierIncidents()
    private var client = Incident()
    private var clientCause = TenantIncident.Cause()
    private var clientTrouble = TenantIncident.ClientTrouble.doubtful

    private subscript(tier: Tier) -> TierIncidents {
        get { tier == .tokens ? tokens : api }
        set { if tier == .tokens { tokens = newValue } else { api = newValue } }
    }

    // MARK: Faults

    /// Notes that a call of a tier has failed, unless its failure is of another kind.
    mutating func noteFailure(_ tier: Tier, _ failure: CallFailure, now: Instant) {
        self[tier].noteFailure(failure, now: now)
    }

    /// Notes that a tier's circuit breaker has opened because of faults, and stays open until its end is noted.
    mutating func noteOpening(_ tier: Tier, now: Instant) { self[tier].noteOpening(now: now) }

    /// Notes that a tier's circuit breaker has closed.
    mutating func noteClosing(_ tier: Tier, now: Instant) { self[tier].noteClosing(now: now) }

    /// Notes that the tenant wants no calls of a tier until a time.
    mutating func noteHold(_ tier: Tier, until end: Instant, _ reason: String, now: Instant) {
        self[tier].noteHold(until: end, reason, now: now)
    }

    /// Notes that no hold of a tier is in force any more, if an operator has ended it.
    mutating func noteNoHold(_ tier: Tier, now: Instant) { self[tier].noteNoHold(now: now) }

    /// Notes the trouble of the client.
    mutating func note(_ trouble: TenantIncident.ClientTrouble, _ upstream: ErrorReply.Upstream?, now: Instant) {
        if client.isPresent, trouble.isWorse(than: clientTrouble) { client.becomesWorse() }
        if !client.isPresent || trouble.isWorse(than: clientTrouble) { clientTrouble = trouble }
        if let upstream { clientCause = .init(status: upstream.status, code: upstream.code) }
        client.note(until: nil, now: now)
    }

    /// Notes that the tenant accepts the client, or that it has a new secret.
    mutating func noteAcceptance(now: Instant) {
        // A tenant that accepts one user of many would otherwise end and begin it at each of them.
        let quiet = clientTrouble == .denied ? Incident.quietAfterProof : Incident.quiet
        client.end(quiet: quiet, now: now)
    }

    /// Counts a caller who got an error.
    mutating func count(_ tier: Tier, _ code: ErrorReply.Code) {
        switch code {
        // The API has no part in whom the tenant denies.
        case .denied: if tier == .tokens { client.count() }
        case .unavailable, .badUpstream, .timeout: if !self[tier].count(code), tier == .tokens { client.count() }
        default: _ = self[tier].count(code)
        }
    }

    // MARK: Reports

    /// The time of the next report, or nil if there is none.
    var nextTime: Instant? {
        [tokens.nextTime, api.nextTime, client.nextTime].compactMap(\.self).min()
    }

    /// Returns the reports that are due.
    mutating func reports(of tenant: String, at now: Instant) -> [TenantIncident] {
        guard let time = nextTime, time <= now else { return [] }
        let ofClient = client.report(of: tenant, .client(clientTrouble), clientCause, at: now)
        return tokens.reports(of: tenant, .outage, .hold, at: now) + [ofClient].compactMap(\.self)
            + api.reports(of: tenant, .apiOutage, .apiHold, at: now)
    }
}

extension TenantIncident.ClientTrouble {
    private var degree: Int {
        switch self {
        case .doubtful: 0
        case .suspected: 1
        case .denied: 2
        }
    }

    fileprivate func isWorse(than other: Self) -> Bool { degree > other.degree }
}
