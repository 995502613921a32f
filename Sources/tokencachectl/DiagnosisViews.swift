import SafeText

/// Lays the daemon's health out: one line, and one for each thing that is wrong.
package struct HealthView {
    private let health: HealthDocument

    package init(_ health: HealthDocument) { self.health = health }

    /// The lines.
    package var text: String {
        let wrong = health.checks.filter { $0.status != "ok" }.map { check in
            let since = check.since.map { " since \($0.printable)" } ?? ""
            let tenant = check.tenant.map { " of \($0.printable)" } ?? ""
            return "\(check.status.printable)  \(check.check.printable)\(tenant)\(since): "
                + (check.description ?? "?").printable
        }
        return ([health.status.printable] + wrong).joined(separator: "\n")
    }
}

/// Lays out why a user's next answer would be what it is.
package struct ExplainView {
    private let explain: ExplainDocument

    package init(_ explain: ExplainDocument) { self.explain = explain }

    /// A block of aligned lines.
    package var text: String {
        var rows = [("next answer", "from \(source): \(explain.reason.printable)"), ("state", explain.state.printable)]
        if let left = explain.expiresIn {
            let used = explain.lastUsed.map { "last asked for \(StatsView.time($0)) ago" } ?? "never asked for"
            rows.append(("token", "\((explain.fingerprint ?? "?").printable), \(StatsView.time(left)) left, \(used)"))
        }
        if let refresh = explain.nextRefresh {
            let time = refresh.seconds.map { "in \(StatsView.time($0))" } ?? "when its turn comes"
            rows.append(("refresh", "\(time) (\(refresh.cause.printable))"))
        }
        if let error = explain.lastError {
            rows.append(("last error", "\(error.error.printable): \((error.errorDescription ?? "").printable)"))
        }
        rows.append(("tenant", tenant))
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { $0.0 + String(repeating: " ", count: width - $0.0.count + 2) + $0.1 }.joined(separator: "\n")
    }

    private var source: String {
        switch explain.source {
        case "cache": "the cache"
        case "tenant": "the tenant"
        default: "neither"
        }
    }

    private var tenant: String {
        var parts = ["circuit \((explain.circuit ?? "?").printable)", "client \((explain.client ?? "?").printable)"]
        if let hold = explain.hold { parts.append("wants no calls for \(StatsView.time(hold))") }
        if let wait = explain.wait, wait > 0 { parts.append("a call would wait \(StatsView.time(wait))") }
        return parts.joined(separator: ", ")
    }
}
