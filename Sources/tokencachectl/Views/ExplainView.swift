package import OperatorReplies
import SafeText

/// Lays out the explanation of a user's next answer for people.
package struct ExplainView {
    private let reply: ExplainReply
    private let display: Display
    private var style: Style { display.style }

    package init(_ reply: ExplainReply, _ display: Display = .plain) {
        self.reply = reply
        self.display = display
    }

    /// Aligned lines.
    package var text: String {
        var rows = AlignedRows(display)
        if let key = reply.key { rows.add("key", text(of: key)) }
        rows.add("next answer", "\(source): \(reply.reason.printable)")
        rows.add("state", style.text(of: reply.state))
        if let token = reply.token { rows.add("token", Self.text(of: token)) }
        if let refresh = reply.refresh { rows.add("refresh", Self.text(of: refresh)) }
        if let error = reply.lastError { add(error, to: &rows) }
        if let fleet = reply.fleet { rows.add("fleet", text(of: fleet)) }
        rows.add("tenant", text(of: reply.tenant))
        return rows.text
    }

    private func text(of key: ExplainReply.Key) -> String {
        let user = key.client.map { "client:\($0)" } ?? key.userID.map { "id:\($0)" } ?? key.subject ?? "?"
        let scope = key.scope.isEmpty ? "all scopes of the client" : "scope \(key.scope.printable)"
        return "\(style.cyan(user.printable)), tenant \(key.tenant.printable), \(scope)"
    }

    private var source: String {
        switch reply.source {
        case .cache: style.green("from the cache")
        case .fleet: style.green("from another machine")
        case .tenant: "from the tenant"
        case .error: style.red("an error")
        default: reply.source.rawValue.printable
        }
    }

    private static func text(of token: ExplainReply.Token) -> String {
        let used = token.lastUsed.map { "last asked for \(Double($0).durationText) ago" } ?? "never asked for"
        return "\(token.fingerprint.printable), \(Double(token.expiresIn).durationText) left, \(used)"
    }

    private static func text(of refresh: ExplainReply.Refresh) -> String {
        let time = refresh.seconds.map { "in \($0.durationText)" } ?? "when its turn comes"
        return "\(time) (\(refresh.cause.rawValue.printable))"
    }

    private func add(_ error: ExplainReply.Failure, to rows: inout AlignedRows) {
        let description = (error.description ?? "no description").printable
        rows.add("last error", "\(style.red(error.code.printable)): \(description)")
        if let upstream = error.upstream {
            let words = UpstreamText(status: upstream.status, code: upstream.code, title: upstream.title)
            if let text = words.text { rows.add("upstream", text) }
        }
        if let seconds = error.retryAfter {
            rows.add("asked again", "by a request after \(Double(seconds).durationText)")
        }
    }

    private func text(of fleet: ExplainReply.Fleet) -> String {
        let time = fleet.seconds.map { ", up to \($0.durationText)" } ?? ""
        let step =
            switch fleet.step {
            case .none: "is not asked"
            case .lookup: "is asked first"
            case .yielding: "says that another machine mints the token: a request waits for it\(time)"
            case .verification: "is asked if the token still holds, as events were lost"
            default: fleet.step.rawValue.printable
            }
        return "\(fleet.isConnected ? style.green("connected") : style.yellow("away")), the engine \(step)"
    }

    private func text(of tenant: ExplainReply.Tenant) -> String {
        var parts = [style.text(of: tenant.circuit), style.text(of: tenant.client)]
        if let seconds = tenant.hold { parts.append(style.yellow("takes no calls for \(seconds.durationText)")) }
        if tenant.wait > 0 { parts.append("a call would wait \(tenant.wait.durationText)") }
        return parts.joined(separator: ", ")
    }
}
