import OperatorReplies

/// The tables of peers and refreshes.
extension TopScreen {
    // MARK: Peers

    func peersTable(_ look: Look) -> ScreenTable {
        let peers = BusiestPeers(look, state.content.history.rates).peers
        return ScreenTable(
            columns: [
                .init(title: "PEER", width: 0), .init(title: "REQ/S", width: 7, isNumber: true),
                .init(title: "CONN", width: 5, isNumber: true), .init(title: "WAITING", width: 7, isNumber: true),
                .init(title: "TOKENS", width: 8, isNumber: true), .init(title: "REJECTED", width: 8, isNumber: true),
            ],
            rows: peers.prefix(size.lines).map { ScreenTable.Row(cells(of: $0)) }
                + Array(repeating: ScreenTable.Row([]), count: max(0, peers.count - size.lines)),
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
            rows: refreshRows(look.refreshes).map { ScreenTable.Row($0) },
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
