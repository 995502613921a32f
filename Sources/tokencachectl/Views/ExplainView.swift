package import OperatorReplies
import SafeText

/// Lays out the explanation of a user's next answer for people.
package struct ExplainView {
    private let reply: ExplainReply

    package init(_ reply: ExplainReply) { self.reply = reply }

    /// Aligned lines.
    package var text: String {
        var rows = AlignedRows()
        rows.add("next answer", "\(source): \(reply.reason.printable)")
        rows.add("state", reply.state.rawValue.printable)
        if let token = reply.token { rows.add("token", Self.text(of: token)) }
        if let refresh = reply.refresh { rows.add("refresh", Self.text(of: refresh)) }
        if let error = reply.lastError {
            rows.add("last error", "\(error.code.printable): \((error.description ?? "no description").printable)")
        }
        rows.add("tenant", Self.text(of: reply.tenant))
        return rows.text
    }

    private var source: String {
        switch reply.source {
        case .cache: "from the cache"
        case .tenant: "from the tenant"
        case .error: "an error"
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

    private static func text(of tenant: ExplainReply.Tenant) -> String {
        var parts = ["circuit \(tenant.circuit.rawValue.printable)", "client \(tenant.client.rawValue.printable)"]
        if let seconds = tenant.hold { parts.append("takes no calls for \(seconds.durationText)") }
        if tenant.wait > 0 { parts.append("a call would wait \(tenant.wait.durationText)") }
        return parts.joined(separator: ", ")
    }
}
