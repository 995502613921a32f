import OperatorReplies

/// The table of tenants, in which a tenant's API for users has a line of its own while it is used or in trouble.
extension TopScreen {
    /// The widths of the column of tenants.
    private static let tenantWidths = 8...24
    /// The age in seconds after which a failure is long over.
    private static let oldErrorAge = 600.0
    /// The share of the rate budget below which it is nearly used up.
    private static let lowBudget = 0.1

    func tenantsTable(_ look: Look, width: Int) -> ScreenTable {
        let faults = look.apiFaults
        let tenants = state.order.sorted(
            look.stats.tenants,
            refused: faults.filter { $0.value.status == .failing }.keys
        )
        let longest = tenants.prefix(size.lines).map { StyledText($0.name).columns }.max() ?? 0
        let name = min(max(longest, Self.tenantWidths.lowerBound), min(Self.tenantWidths.upperBound, size.columns / 6))
        return ScreenTable(
            columns: [
                .init(title: "TENANT", width: name), .init(title: "CIRCUIT", width: 9),
                .init(title: "HOLD", width: 6, isNumber: true), .init(title: "CLIENT", width: 9),
                .init(title: "RATE", width: 9, isNumber: true), .init(title: "CALLS", width: 6, isNumber: true),
                .init(title: "LAST ERROR", width: 0),
            ],
            rows: tenants.prefix(size.lines).flatMap { rows(of: $0.tenant, name: $0.name, faults[$0.name]) }
                + Array(repeating: ScreenTable.Row([]), count: max(0, tenants.count - size.lines)),
            width: width
        )
    }

    private func rows(
        of tenant: StatsReply.Tenant,
        name: String,
        _ fault: HealthReply.Check?
    ) -> [ScreenTable.Row] {
        let row = ScreenTable.Row([
            StyledText(name, .name), circuit(tenant.state, tenant.openFor), hold(tenant.hold), client(tenant.client),
            rate(tenant.rateTokens, tenant.burst),
            calls(tenant.inFlight, queued: tenant.queuedCalls, callersWait: tenant.queued.callers > 0),
            lastError(tenant.lastError),
        ])
        guard let api = tenant.api, api.isBusy || fault != nil else { return [row] }
        return [row, .init(cells(of: api, fault), isDetail: true)]
    }

    /// Returns the line of a tenant's API for users, whose fault is the check that isn't ok.
    private func cells(of api: StatsReply.Tenant.API, _ fault: HealthReply.Check?) -> [StyledText] {
        let isRefused = fault?.status == .failing
        return [
            StyledText(" users", .dim), circuit(api.state, api.openFor), hold(api.hold),
            isRefused ? StyledText("refused", .alarm) : StyledText("-", .dim), rate(api.rateTokens, api.burst),
            calls(api.inFlight, queued: api.queued, callersWait: api.queued > 0),
            fault.map { StyledText($0.description ?? $0.name, isRefused ? .alarm : .plain) } ?? StyledText("-", .dim),
        ]
    }

    private func circuit(_ state: CircuitState, _ openFor: Double?) -> StyledText {
        switch state {
        case .closed: StyledText("closed", .good)
        case .open: StyledText("open" + (openFor.map { " \($0.roughText)" } ?? ""), .alarm)
        default: StyledText(state.rawValue, .warning)
        }
    }

    private func hold(_ seconds: Double?) -> StyledText {
        seconds.map { StyledText($0.roughText, .warning) } ?? StyledText("-", .dim)
    }

    private func client(_ client: ClientState) -> StyledText {
        switch client {
        case .trusted: StyledText("trusted", .good)
        case .denied: StyledText("refused", .alarm)
        default: StyledText(client.rawValue, .warning)
        }
    }

    /// The calls that could go at once, of those that could go after a pause.
    private func rate(_ tokens: Double, _ burst: Int) -> StyledText {
        let left = Int(nearest: tokens)
        let isLow = tokens < Self.lowBudget * Double(burst)
        // An older daemon doesn't say how many could go after a pause.
        let limit = burst > 0 ? "/\(burst)" : ""
        return StyledText("\(left)\(limit)", left < 1 ? .alarm : isLow ? .warning : .plain)
    }

    /// The calls in flight, and those that wait for their turn.
    private func calls(_ inFlight: Int, queued: Int, callersWait: Bool) -> StyledText {
        StyledText("\(inFlight)+\(queued)", callersWait ? .warning : .plain)
    }

    private func lastError(_ error: StatsReply.Tenant.LastError?) -> StyledText {
        guard let error else { return StyledText("none", .dim) }
        let isRecent = error.ago < StatsReply.Tenant.recentErrorAge
        let emphasis: Emphasis = isRecent ? .alarm : error.ago < Self.oldErrorAge ? .plain : .dim
        return StyledText("\(error.code) \(error.ago.roughText) ago: \(error.description)", emphasis)
    }
}

extension StatsReply.Tenant.API {
    /// True if calls were made lately, are under way or wait.
    fileprivate var isBusy: Bool { rateTokens < Double(burst) || inFlight > 0 || queued > 0 }
}

extension Look {
    /// The worst check of each tenant's API for users that isn't ok, by the tenant's name.
    fileprivate var apiFaults: [String: HealthReply.Check] {
        let faults = (health?.checks ?? []).filter { $0.status != .ok && $0.name.hasPrefix("api_") }
        return faults.reduce(into: [:]) { worst, check in
            guard let tenant = check.tenant, check.status > worst[tenant]?.status ?? .ok else { return }
            worst[tenant] = check
        }
    }
}
