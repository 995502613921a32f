import TokenProtocol

/// The incidents of one tenant.
struct TenantIncidents {
    private var outage = Incident()
    private var hold = Incident()
    private var client = Incident()
    private var outageCause = TenantIncident.Cause()
    private var holdCause = TenantIncident.Cause()
    private var clientCause = TenantIncident.Cause()
    private var clientTrouble = TenantIncident.ClientTrouble.doubtful
    /// The refusals of further clients, by their names.
    private var furtherClients: [String: (incident: Incident, cause: TenantIncident.Cause)] = [:]

    // MARK: Faults

    /// Notes that a call has failed, unless its failure is of another kind.
    mutating func noteFailure(_ failure: CallFailure, now: Instant) {
        switch failure {
        // A call that the daemon's own end has cut off says nothing of the tenant.
        case .unavailable(_, ErrorReply.Code.shuttingDown.rawValue, _): return
        case .unavailable(let reason, let code, _): outageCause = .init(reason: reason, code: code)
        case .malformed(let reason), .rejected(let reason): outageCause = .init(reason: reason)
        case .denied, .throttled, .noMemory: return
        }
        outage.note(until: now, now: now)
    }

    /// Notes that the circuit breaker has opened because of faults, and stays open until its end is noted.
    mutating func noteOpening(now: Instant) { outage.note(until: nil, now: now) }

    /// Notes that the circuit breaker has closed.
    mutating func noteClosing(now: Instant) { outage.end(now: now) }

    /// Notes that the tenant wants no calls until a time.
    mutating func noteHold(until end: Instant, _ reason: String, now: Instant) {
        holdCause = .init(reason: reason)
        hold.note(until: end, now: now)
    }

    /// Notes that no hold is in force any more, if an operator has ended it.
    mutating func noteNoHold(now: Instant) { hold.end(quiet: Incident.quiet, now: now) }

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
    mutating func count(_ code: ErrorReply.Code, client further: String?) {
        switch code {
        case .denied: countOfClient(further)
        case .rateLimited: hold.count()
        case .unavailable, .badUpstream, .timeout:
            if outage.isPresent {
                outage.count()
            } else if hold.isPresent {
                hold.count()
            } else {
                countOfClient(further)
            }
        default: break
        }
    }

    private mutating func countOfClient(_ further: String?) {
        if let further { furtherClients[further]?.incident.count() } else { client.count() }
    }

    // MARK: Reports

    /// The time of the next report, or nil if there is none.
    var nextTime: Instant? {
        let ofClients = furtherClients.values.lazy.compactMap(\.incident.nextTime).min()
        return [outage.nextTime, hold.nextTime, client.nextTime, ofClients].compactMap(\.self).min()
    }

    /// Returns the reports that are due.
    mutating func reports(of tenant: String, at now: Instant) -> [TenantIncident] {
        guard let time = nextTime, time <= now else { return [] }
        return [
            Self.report(&outage, of: tenant, .outage, outageCause, at: now),
            Self.report(&hold, of: tenant, .hold, holdCause, at: now),
            Self.report(&client, of: tenant, .client(clientTrouble), clientCause, at: now),
        ].compactMap(\.self) + reportsOfClients(of: tenant, at: now)
    }

    private mutating func reportsOfClients(of tenant: String, at now: Instant) -> [TenantIncident] {
        furtherClients.keys.sorted().compactMap { name in
            guard var client = furtherClients[name] else { return nil }
            let report = Self.report(&client.incident, of: tenant, .furtherClient(name), client.cause, at: now)
            furtherClients[name] = client.incident.isPresent ? client : nil
            return report
        }
    }

    private static func report(
        _ incident: inout Incident,
        of tenant: String,
        _ kind: TenantIncident.Kind,
        _ cause: TenantIncident.Cause,
        at now: Instant
    ) -> TenantIncident? {
        incident.report(at: now).map {
            TenantIncident(tenant, kind, $0, cause: $0.phase == .ended ? nil : cause)
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
