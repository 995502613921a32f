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

    /// Counts a caller who got an error.
    mutating func count(_ code: ErrorReply.Code) {
        switch code {
        case .denied: client.count()
        case .rateLimited: hold.count()
        case .unavailable, .badUpstream, .timeout:
            if outage.isPresent { outage.count() } else if hold.isPresent { hold.count() } else { client.count() }
        default: break
        }
    }

    // MARK: Reports

    /// The time of the next report, or nil if there is none.
    var nextTime: Instant? {
        [outage.nextTime, hold.nextTime, client.nextTime].compactMap(\.self).min()
    }

    /// Returns the reports that are due.
    mutating func reports(of tenant: String, at now: Instant) -> [TenantIncident] {
        guard let time = nextTime, time <= now else { return [] }
        return [
            Self.report(&outage, of: tenant, .outage, outageCause, at: now),
            Self.report(&hold, of: tenant, .hold, holdCause, at: now),
            Self.report(&client, of: tenant, .client(clientTrouble), clientCause, at: now),
        ].compactMap(\.self)
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
