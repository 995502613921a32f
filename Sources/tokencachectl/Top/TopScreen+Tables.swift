import OperatorReplies

/// The tables of the screen.
extension TopScreen {
    /// The widths of the column of tenants.
    private static let tenantWidths = 8...24
    /// The age in seconds after which a failure is long over.
    private static let oldErrorAge = 600.0
    /// The share of the rate budget below which it is nearly used up.
    private static let lowBudget = 0.1

    // MARK: Tenants

    func tenantsTable(_ look: Look, width: Int) -> ScreenTable {
        let tenants = state.order.sorted(look.stats.tenants)
        let longest = tenants.prefix(size.lines).map { StyledText($0.name).columns }.max() ?? 0
        let name = min(max(longest, Self.tenantWidths.lowerBound), min(Self.tenantWidths.upperBound, size.columns / 6))
        return ScreenTable(
            columns: [
                .init(title: "TENANT", width: name), .init(title: "CIRCUIT", width: 9),
                .init(title: "HOLD", width: 6, isNumber: true), .init(title: "CLIENT", width: 9),
                .init(title: "RATE", width: 9, isNumber: true), .init(title: "CALLS", width: 6, isNumber: true),
                .init(title: "LAST ERROR", width: 0),
            ],
            rows: tenants.prefix(size.lines).map { cells(of: $0.tenant, name: $0.name) }
                + Array(repeating: [], count: max(0, tenants.count - size.lines)),
            width: width
        )
    }

    private func cells(of tenant: StatsReply.Tenant, name: String) -> [StyledText] {
        [
            StyledText(name, .name), circuit(tenant), hold(tenant.hold), client(tenant.client), rate(tenant),
            calls(tenant), lastError(tenant.lastError),
        ]
    }

    private func circuit(_ tenant: StatsReply.Tenant) -> StyledText {
        switch tenant.state {
        case .closed: StyledText("closed", .good)
        case .open: StyledText("open" + (tenant.openFor.map { " \($0.roughText)" } ?? ""), .alarm)
        default: StyledText(tenant.state.rawValue, .warning)
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
    private func rate(_ tenant: StatsReply.Tenant) -> StyledText {
        let left = Int(nearest: tenant.rateTokens)
        let isLow = tenant.rateTokens < Self.lowBudget * Double(tenant.burst)
        // An older daemon doesn't say how many could go after a pause.
        let burst = tenant.burst > 0 ? "/\(tenant.burst)" : ""
        return StyledText("\(left)\(burst)", left < 1 ? .alarm : isLow ? .warning : .plain)
    }

    /// The calls in flight, and those that wait for their turn.
    private func calls(_ tenant: StatsReply.Tenant) -> StyledText {
        let emphasis: Emphasis = tenant.queued.callers > 0 ? .warning : .plain
        return StyledText("\(tenant.inFlight)+\(tenant.queuedCalls)", emphasis)
    }

    private func lastError(_ error: StatsReply.Tenant.LastError?) -> StyledText {
        guard let error else { return StyledText("none", .dim) }
        let isRecent = error.ago < StatsReply.Tenant.recentErrorAge
        let emphasis: Emphasis = isRecent ? .alarm : error.ago < Self.oldErrorAge ? .plain : .dim
        return StyledText("\(error.code) \(error.ago.roughText) ago: \(error.description)", emphasis)
    }

    // MARK: Peers

    func peersTable(_ look: Look) -> ScreenTable {
        let peers = BusiestPeers(look, state.content.history.rates).peers
        return ScreenTable(
            columns: [
                .init(title: "PEER", width: 0), .init(title: "REQ/S", width: 7, isNumber: true),
                .init(title: "CONN", width: 5, isNumber: true), .init(title: "WAITING", width: 7, isNumber: true),
                .init(title: "TOKENS", width: 8, isNumber: true), .init(title: "REJECTED", width: 8, isNumber: true),
            ],
            rows: peers.prefix(size.lines).map(cells) + Array(repeating: [], count: max(0, peers.count - size.lines)),
            width: tableWidth
        )
    }

    private func cells(of peer: BusiestPeers.Peer) -> [StyledText] {
        let name = state.names[peer.uid].map { " \($0)" } ?? ""
        let usage = peer.usage
        return [
            StyledText("\(peer.uid)", .name) + StyledText(name), StyledText(peer.rate?.shortText ?? "-"),
            StyledText("\(usage.connections)"), StyledText("\(usage.waiting)", usage.waiting > 0 ? .bold : .plain),
            StyledText("\(usage.entries)"),
            StyledText("\(usage.overloaded)", usage.overloaded > 0 ? .warning : .plain),
        ]
    }

    // MARK: Refreshes

    func refreshesTable(_ look: Look) -> ScreenTable {
        let longest = (look.refreshes ?? []).map { StyledText($0.tenant).columns }.max() ?? 0
        return ScreenTable(
            columns: [
                .init(title: "REFRESH IN", width: 10, isNumber: true),
                .init(title: "TENANT", width: min(14, max(6, longest))), .init(title: "USER", width: 0),
                .init(title: "SCOPE", width: 12),
            ],
            rows: refreshRows(look.refreshes),
            width: tableWidth,
            countsRest: false
        )
    }

    private func refreshRows(_ refreshes: [EntriesPage.Entry]?) -> [[StyledText]] {
        guard let refreshes else { return [["", "", StyledText("this daemon doesn't say", .dim), ""]] }
        guard !refreshes.isEmpty else { return [["", "", StyledText("none planned", .dim), ""]] }
        return refreshes.map { entry in
            [
                StyledText(Double(entry.nextRefresh ?? 0).roughText, .bold), StyledText(entry.tenant, .name),
                StyledText(entry.owner), StyledText(entry.scope, .dim),
            ]
        }
    }
}
