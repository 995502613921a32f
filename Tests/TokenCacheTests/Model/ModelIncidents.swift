@testable import TokenCache

/// The incidents of one tenant, as far as operators were told of them.
struct ModelIncidents {
    /// The time of the last report of each kind of incident that has not ended.
    private var reports: [String: Instant] = [:]

    /// Notes a report, and returns the rule that it breaks, or nil.
    mutating func note(_ incident: TenantIncident, now: Instant) -> String? {
        let (kind, mayBecomeWorse) = Self.kind(of: incident)
        let last = reports[kind]
        reports[kind] = incident.report.phase == .ended ? nil : now
        switch (incident.report.phase, last) {
        case (.began, nil): return nil
        case (.began, .some): return mayBecomeWorse ? nil : "operators were told twice that an incident has begun"
        case (.lasts, nil), (.ended, nil): return "operators were told of an incident whose beginning they don't know"
        case (.lasts, let last?):
            return now - last < .seconds(60) ? "operators were told of an incident more than once a minute" : nil
        case (.ended, .some):
            return incident.cause == nil ? nil : "an incident that is over has a cause"
        }
    }

    private static func kind(of incident: TenantIncident) -> (name: String, mayBecomeWorse: Bool) {
        switch incident.kind {
        case .outage: ("outage", false)
        case .hold: ("hold", false)
        case .apiOutage: ("API outage", false)
        case .apiHold: ("API hold", false)
        case .client: ("client", true)
        case .furtherClient(let name): ("client \(name)", false)
        }
    }
}
