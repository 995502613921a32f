import OperatorReplies
import TokenCacheClient

/// The daemon as a whole: the first lines of the screen.
extension TopScreen {
    /// The width of the labels.
    private static let label = 11
    /// The width of the values with a graph beside them.
    private static let value = 10
    /// The width of the text on the right of the graphs.
    private static let remark = 34

    /// Eight lines, of which the last is empty, or nine with that of the provisions.
    var header: [StyledText] {
        guard let look = state.content.history.last else { return [title(nil), notice ?? connecting] }
        return [title(look), notice ?? "", requests(look), mints(look)] + [provisions].compactMap(\.self) + [
            latency("hits took", \.hits, look.stats.latency.hits),
            latency("mints took", \.mints, look.stats.latency.mints), tokens(look.stats), "",
        ]
    }

    private var connecting: StyledText { StyledText(" connecting …", .dim) }

    private func title(_ look: Look?) -> StyledText {
        var left = StyledText(" tokencached", .bold)
        if let look {
            left += StyledText(" \(look.stats.version ?? "unknown version")   up \(look.stats.uptime.roughText)   ")
            left += health(look.health)
        }
        let pace = state.isPaused ? StyledText("paused", .warning) : StyledText("every \(interval.shortText) s", .dim)
        return line(left, pace + StyledText("   \(time) "))
    }

    private func health(_ health: HealthReply?) -> StyledText {
        guard let health else { return StyledText("health unknown", .warning) }
        return StyledText(health.status.rawValue, Self.emphasis(of: health.status))
    }

    private static func emphasis(of status: HealthReply.Status) -> Emphasis {
        switch status {
        case .ok: .good
        case .degraded: .warning
        default: .alarm
        }
    }

    /// The most important thing to know, or nil if all is well.
    private var notice: StyledText? {
        if let failure = state.content.failure {
            let seconds = (now - failure.since).inSeconds
            return StyledText(" no answer for \(seconds.roughText), trying again: \(failure.message)", .alarm)
        }
        let faults = (state.content.history.last?.health?.checks ?? []).filter { $0.status != .ok }
        guard let worst = faults.max(by: { $0.status < $1.status }) else { return nil }
        let tenant = worst.tenant.map { " of \($0)" } ?? ""
        let text = " \(worst.name)\(tenant): \(worst.description ?? worst.status.rawValue)"
        let others = faults.count > 1 ? "and \(faults.count - 1) more " : ""
        return line(StyledText(text, Self.emphasis(of: worst.status)), StyledText(others, .dim))
    }

    private func requests(_ look: Look) -> StyledText {
        let rates = state.content.history.rates
        let hits = Double(look.stats.requests.hits)
        let all = look.lookups > 0 ? "\((hits / look.lookups).percentText) since start" : "none yet"
        let share = rates?.hitShare.map { $0.percentText } ?? "-"
        return graph("requests", rates?.requests, \.requests)
            + StyledText("   hits ", .dim) + StyledText(share, .bold) + StyledText(", \(all)", .dim)
    }

    private func mints(_ look: Look) -> StyledText {
        let rates = state.content.history.rates
        let failures = rates?.failures ?? 0
        let failed = StyledText("\(failures.shortText)/s", failures > 0 ? .alarm : .bold)
        let all = Int(nearest: look.failures)
        return graph("mints", rates?.mints, \.mints)
            + StyledText("   failed ", .dim) + failed + StyledText(", \(all) since start", .dim)
    }

    /// The line of the provisions, or nil if no tenant allows them or the window has no room for it.
    var provisions: StyledText? {
        guard let users = state.content.history.last?.stats.users, size.lines > Self.smallest.lines else { return nil }
        let values = [(" created ", users.created), (" refused ", users.refused), (" under way ", users.underWay)]
        let counts = values.reduce(StyledText("  ")) { text, value in
            text + StyledText(value.0, .dim) + StyledText("\(value.1)", .bold)
        }
        return graph("provisions", state.content.history.rates?.provisions, \.provisions) + counts
    }

    /// A label, a rate, and a graph of its past in the room that is left.
    private func graph(_ label: String, _ rate: Double?, _ value: (History.Point) -> Double?) -> StyledText {
        let text = StyledText(rate.map { "\($0.shortText)/s" } ?? "-", .bold)
        let room = size.columns - Self.label - Self.value - Self.remark - 4
        let bars = Sparkline(values: state.content.history.points.map(value)).text(columns: room)
        return StyledText(" \(label)", .dim).padded(to: Self.label) + text.indented(to: Self.value) + "  "
            + StyledText(bars, .name)
    }

    /// Quantiles of the last minute, or else those since the daemon's start.
    private func latency(
        _ label: String,
        _ histogram: (Look.Latencies) -> LatencyHistogram,
        _ sinceStart: StatsReply.Latency
    ) -> StyledText {
        let start = StyledText(" \(label)", .dim).padded(to: Self.label)
        if let recent = state.content.history.recentLatencies {
            return start + Self.quantiles(of: histogram(recent.latencies))
                + StyledText("  last \(recent.seconds.roughText)", .dim)
        }
        guard sinceStart.max > 0 else { return start + StyledText("  none yet", .dim) }
        let values = [
            ("p50", sinceStart.p50), ("p90", sinceStart.p90), ("p99", sinceStart.p99), ("max", sinceStart.max),
        ]
        return values.reduce(start) { $0 + Self.quantile($1.0, $1.1) } + StyledText("  since start", .dim)
    }

    private static func quantiles(of histogram: LatencyHistogram) -> StyledText {
        let shares = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)]
        return shares.reduce("") { $0 + quantile($1.0, histogram.quantile($1.1)) }
    }

    private static func quantile(_ name: String, _ seconds: Double?) -> StyledText {
        let text = StyledText(seconds.map(\.durationText) ?? "-", .bold)
        return StyledText("  \(name) ", .dim) + text.padded(to: 8)
    }

    private func tokens(_ stats: StatsReply) -> StyledText {
        let values = [
            ("tokens", stats.entries), ("refused users", stats.negativeEntries),
            ("connections", stats.connections.open), ("in flight", stats.mints.inFlight),
            ("queued", stats.mints.queued.foreground),
        ]
        return values.reduce("") { $0 + StyledText(" \($1.0) ", .dim) + StyledText("\($1.1)  ", .bold) }
    }
}
