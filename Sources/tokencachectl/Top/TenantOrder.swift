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
    ///
    /// - Parameter refused: The tenants whose API for users refuses a client.
    func sorted(
        _ tenants: [String: StatsReply.Tenant],
        refused: some Collection<String> = [String]()
    ) -> [(name: String, tenant: StatsReply.Tenant)] {
        let refused = Set(refused)
        let ranked = tenants.map {
            (name: $0.key, tenant: $0.value, rank: rank(of: $0.value, isRefused: refused.contains($0.key)))
        }
        return ranked.sorted { $0.rank != $1.rank ? $0.rank > $1.rank : $0.name < $1.name }.map { ($0.name, $0.tenant) }
    }

    private func rank(of tenant: StatsReply.Tenant, isRefused: Bool) -> Double {
        switch self {
        case .trouble: Double(tenant.trouble(isRefused: isRefused))
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

    /// Returns the degree of the trouble that a tenant is in, zero if there is none.
    ///
    /// - Parameter isRefused: True if its API for users refuses a client.
    func trouble(isRefused: Bool) -> Int {
        if client == .denied { return 8 }
        if state != .closed { return state == .halfOpen ? 6 : 7 }
        if isRefused || refusedClients > 0 { return 5 }
        if hold != nil { return 4 }
        if client != .trusted { return 3 }
        if let api, api.state != .closed || api.hold != nil { return 2 }
        return lastError.map { $0.ago < Self.recentErrorAge } == true ? 1 : 0
    }
}
