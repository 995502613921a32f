import OperatorReplies
import SafeText

extension StatsView {
    /// Returns a tenant's state in one line.
    func text(of tenant: StatsReply.Tenant) -> String {
        let style = display.style
        var parts = [style.text(of: tenant.state)]
        if let seconds = tenant.openFor { parts.append("retried in \(seconds.durationText)") }
        if let seconds = tenant.hold { parts.append(style.yellow("takes no calls for \(seconds.durationText)")) }
        if tenant.client != .trusted { parts.append(style.text(of: tenant.client)) }
        parts.append("\(Int(nearest: tenant.rateTokens)) calls available")
        parts.append(
            "queued: \(tenant.queued.callers) for callers, \(tenant.queued.prefetches) prefetches, "
                + "\(tenant.queued.refreshes) refreshes"
        )
        if let api = tenant.api { parts.append(text(of: api)) }
        if let prefetch = tenant.prefetch, prefetch.left > 0 {
            parts.append("\(prefetch.left) users of the prefetch file left")
        }
        parts.append(tenant.lastSuccess.map { "last success \($0.durationText) ago" } ?? "no success yet")
        if let error = tenant.lastError {
            parts.append("\(style.red("last error")) \(error.ago.durationText) ago: \(error.description.printable)")
        }
        return parts.joined(separator: ", ")
    }

    private func text(of api: StatsReply.Tenant.API) -> String {
        var text = "API for users \(display.style.text(of: api.state))"
        if let seconds = api.openFor { text += ", retried in \(seconds.durationText)" }
        text += ", \(Int(nearest: api.rateTokens)) calls available, \(api.inFlight) in flight, \(api.queued) queued"
        if let seconds = api.hold { text += ", \(display.style.yellow("takes no calls for \(seconds.durationText)"))" }
        return text
    }
}
