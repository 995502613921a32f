import OperatorReplies
import SafeText

extension StatsView {
    /// Returns a tenant's state in one line.
    static func text(of tenant: StatsReply.Tenant) -> String {
        var parts = ["circuit \(tenant.state.rawValue.printable)"]
        if let seconds = tenant.openFor { parts.append("retried in \(seconds.durationText)") }
        if let seconds = tenant.hold { parts.append("takes no calls for \(seconds.durationText)") }
        if tenant.client != .trusted { parts.append("client \(tenant.client.rawValue.printable)") }
        parts.append("\(Int(nearest: tenant.rateTokens)) calls available")
        parts.append(
            "queued: \(tenant.queued.callers) for callers, \(tenant.queued.prefetches) prefetches, "
                + "\(tenant.queued.refreshes) refreshes"
        )
        parts.append(tenant.lastSuccess.map { "last success \($0.durationText) ago" } ?? "no success yet")
        if let error = tenant.lastError {
            parts.append("last error \(error.ago.durationText) ago: \(error.description.printable)")
        }
        return parts.joined(separator: ", ")
    }
}
