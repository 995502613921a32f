import TokenProtocol

/// The incidents of one tier of a tenant.
struct TierIncidents {
    private var outage = Incident()
    private var hold = Incident()
    private var outageCause = TenantIncident.Cause()
    private var holdCause = TenantIncident.Cause()

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

    /// Counts a caller who got an error, and returns false if none of the incidents has caused it.
    mutating func count(_ code: ErrorReply.Code) -> Bool {
        switch code {
        case .rateLimited: hold.count()
        case .unavailable, .badUpstream, .timeout:
            if outage.isPresent { outage.count() } else if hold.isPresent { hold.count() } else { return false }
        default: return false
        }
        return true
    }

    /// The time of the next report, or nil if there is none.
    var nextTime: Instant? { [outage.nextTime, hold.nextTime].compactMap(\.self).min() }

    /// Returns the reports that are due.
    mutating func reports(
        of tenant: String,
        _ outageKind: TenantIncident.Kind,
        _ holdKind: TenantIncident.Kind,
        at now: Instant
    ) -> [TenantIncident] {
        [
            outage.report(of: tenant, outageKind, outageCause, at: now),
            hold.report(of: tenant, holdKind, holdCause, at: now),
        ].compactMap(\.self)
    }
}

extension Incident {
    /// Returns the report that is due as an incident of a tenant, or nil if none is.
    mutating func report(
        of tenant: String,
        _ kind: TenantIncident.Kind,
        _ cause: TenantIncident.Cause,
        at now: Instant
    ) -> TenantIncident? {
        report(at: now).map { TenantIncident(tenant, kind, $0, cause: $0.phase == .ended ? nil : cause) }
    }
}
