import OperatorReplies

/// An order of the tenants on the screen.
package enum TenantOrder: String, Sendable, CaseIterable {
    /// Those in trouble first.
    case trouble
    case name
    /// Those with the most calls in flight and queued first.
    case calls

    /// The order after this one.
    var next: TenantOrder {
        let all = Self.allCases
        return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
    }

    /// Returns the tenants in this order.
    func sorted(_ tenants: [String: StatsReply.Tenant]) -> [(name: String, tenant: StatsReply.Tenant)] {
        let ranked = tenants.map { (name: $0.key, tenant: $0.value, rank: rank(of: $0.value)) }
        return ranked.sorted { $0.rank != $1.rank ? $0.rank > $1.rank : $0.name < $1.name }.map { ($0.name, $0.tenant) }
    }

    private func rank(of tenant: StatsReply.Tenant) -> Double {
        switch self {
        case .trouble: Double(tenant.trouble)
        case .name: 0
        case .calls: Double(tenant.inFlight) + Double(tenant.queuedCalls)
        }
    }
}

extension StatsReply.Tenant {
    /// The age in seconds up to which a failure is recent.
    static var recentErrorAge: Double { 60 }

    /// The number of calls that wait for their turn.
    var queuedCalls: Int {
        // The numbers come from outside, so their sum may not fit.
        let counts = [queued.callers, queued.prefetches, queued.refreshes]
        return counts.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 }
    }

    /// The degree of the trouble that a tenant is in, zero if there is none.
    var trouble: Int {
        if client == .denied { return 6 }
        if state != .closed { return state == .halfOpen ? 4 : 5 }
        if hold != nil { return 3 }
        if client != .trusted { return 2 }
        return lastError.map { $0.ago < Self.recentErrorAge } == true ? 1 : 0
    }
}
