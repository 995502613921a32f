import TokenProtocol

/// The incidents of one tenant.
struct TenantIncidents {
    private var tokens = TierIncidents()
    private var api = TierIncidents()
    private var client = Incident()
    private var clientCause = TenantIncident.Cause()
    private var clientTrouble = TenantIncident.ClientTrouble.doubtful
    /// The refusals of further clients, by their names.
    private var furtherClients: [String: (incident: Incident, cause: TenantIncident.Cause)] = [:]

    private subscript(tier: Tier) -> TierIncidents {
        _read { if tier == .tokens { yield tokens } else { yield api } }
        _modify { if tier == .tokens { yield &tokens } else { yield &api } }
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

    /// Notes that the tenant refuses a further client.
    mutating func noteRefusal(of client: String, _ upstream: ErrorReply.Upstream, now: Instant) {
        var incident = furtherClients[client]?.incident ?? Incident()
        incident.note(until: nil, now: now)
        furtherClients[client] = (incident, .init(status: upstream.status, code: upstream.code))
    }

    /// Notes that the tenant accepts a further client, or that it has a new secret or is gone.
    mutating func noteAcceptance(of client: String, now: Instant) { furtherClients[client]?.incident.end(now: now) }

    /// Counts a caller who got an error.
    ///
    /// - Parameter further: The name of the further client whose token was asked for, or nil for a user's.
    mutating func count(_ tier: Tier, _ code: ErrorReply.Code, client further: String?) {
        guard !self[tier].count(code), [.denied, .unavailable, .badUpstream, .timeout].contains(code) else { return }
        // The API has no part in whom the tenant denies.
        if tier == .tokens { countOfClient(further) }
    }

    private mutating func countOfClient(_ further: String?) {
        if let further { furtherClients[further]?.incident.count() } else { client.count() }
    }

    // MARK: Reports

    /// The time of the next report, or nil if there is none.
    var nextTime: Instant? {
        let ofClients = furtherClients.values.lazy.compactMap(\.incident.nextTime).min()
        return [tokens.nextTime, api.nextTime, client.nextTime, ofClients].compactMap(\.self).min()
    }

    /// Returns the reports that are due.
    mutating func reports(of tenant: String, at now: Instant) -> [TenantIncident] {
        guard let time = nextTime, time <= now else { return [] }
        let ofClient = client.report(of: tenant, .client(clientTrouble), clientCause, at: now)
        return tokens.reports(of: tenant, .outage, .hold, at: now) + [ofClient].compactMap(\.self)
            + reportsOfClients(of: tenant, at: now) + api.reports(of: tenant, .apiOutage, .apiHold, at: now)
    }

    private mutating func reportsOfClients(of tenant: String, at now: Instant) -> [TenantIncident] {
        furtherClients.keys.sorted().compactMap { name in
            guard var client = furtherClients[name] else { return nil }
            let report = client.incident.report(of: tenant, .furtherClient(name), client.cause, at: now)
            furtherClients[name] = client.incident.isPresent ? client : nil
            return report
        }
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
