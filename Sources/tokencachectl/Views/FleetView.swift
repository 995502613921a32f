package import OperatorReplies
import SafeText

/// Lays out for people a daemon's share in a fleet.
package struct FleetView {
    /// The text for a daemon without a fleet.
    package static let absent = "this daemon is in no fleet: its configuration has no section fleet"

    private let fleet: StatsReply.Fleet
    private let display: Display
    private var style: Style { display.style }

    package init(_ fleet: StatsReply.Fleet, _ display: Display = .plain) {
        self.fleet = fleet
        self.display = display
    }

    /// Aligned lines.
    package var text: String {
        var rows = AlignedRows(display)
        rows.add("engine", connection)
        rows.add("machines", "\(fleet.machines) in the last minute")
        if !fleet.epochs.isEmpty { rows.add("process", fleet.epochs.map(\.printable).joined(separator: ", ")) }
        rows.add("tokens", "\(fleet.hits) from other machines; \(fleet.leftToOthers) mints left to others")
        rows.add("drops", "\(fleet.dropsSent) sent, \(fleet.dropsReceived) received")
        rows.add("calls", calls)
        rows.add("events", fleet.eventsBehind == 0 ? "all read" : style.yellow("\(fleet.eventsBehind) not read yet"))
        for (index, key) in fleet.keys.enumerated() { rows.add("key \(index + 1)", text(of: key, isFirst: index == 0)) }
        return rows.text
    }

    /// The fleet in one line of the statistics.
    package var summary: String {
        "\(connection), \(fleet.machines) machines, \(fleet.hits) tokens from other machines, "
            + "\(fleet.leftToOthers) mints left to others, \(failures)"
    }

    private var connection: String {
        let since = fleet.since.map { " since \($0.printable)" } ?? ""
        guard !fleet.isConnected else { return style.green("connected") + since }
        let tenants = fleet.tenantsAway > 0 ? " for \(fleet.tenantsAway) tenants" : ""
        return style.yellow("away\(tenants)") + since
    }

    private var calls: String {
        let circuit = fleet.circuit == .open ? style.yellow("; not asked for a while") : ""
        return "\(fleet.calls), \(failures)\(circuit)"
    }

    private var failures: String {
        let failed = fleet.failed.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        guard !failed.isEmpty else { return "none failed" }
        return style.yellow("failed: \(failed.map { "\($0.value) \($0.key.printable)" }.joined(separator: ", "))")
    }

    private func text(of key: StatsReply.Fleet.Key, isFirst: Bool) -> String {
        let use = isFirst ? "seals and opens" : "opens"
        let wrong = key.notOpened == 0 ? "" : style.yellow(", \(key.notOpened) that did not open")
        return "\(key.id.printable), \(use), \(key.opened) values opened\(wrong)"
    }
}
