import SafeText

/// Lays the result of `bench` out for people.
package struct LoadReportView {
    private let report: LoadReport
    private let display: Display

    /// Creates a view.
    package init(_ report: LoadReport, display: Display) {
        self.report = report
        self.display = display
    }

    private var style: Style { display.style }

    /// Aligned lines, with those for errors and lost connections only where there are some.
    package var text: String {
        var rows = AlignedRows(display)
        rows.add("load", load)
        rows.add("throughput", style.bold("\(Int(report.rate.rounded())) requests/s"))
        let latency = report.latency
        let quantiles = [
            ("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99), ("p99.9", latency.p999),
        ]
        let text = quantiles.map { "\($0.0) \($0.1.durationText)" }.joined(separator: ", ")
        rows.add("latency", "\(text), longest \(latency.max.durationText)")
        rows.add("tokens", "\(report.tokens)\(minted)")
        if !report.errors.isEmpty { rows.add("errors", style.red(errors)) }
        if report.lostConnections > 0 {
            rows.add("lost", style.red("\(report.lostConnections) connections that the daemon has closed"))
        }
        let oldest = report.unanswered > 0 ? ", the oldest for \(report.oldestUnanswered.durationText)" : ""
        rows.add("unanswered", "\(report.unanswered) requests were under way at the end\(oldest)")
        return rows.text + "\n\n" + style.dim(Self.note)
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    private var load: String {
        "\(Self.count(report.connections, "connection")), \(Self.count(report.pipeline, "request")) in flight on each, "
            + "\(Self.count(report.keys, "key")), \(Self.count(report.threads, "thread")), "
            + "\(report.seconds.durationText)"
    }

    private var minted: String {
        report.mints > 0 ? " (\(report.mints) \(report.mints == 1 ? "was" : "were") minted before the measurement)" : ""
    }

    private var errors: String {
        report.errors.sorted { $0.value > $1.value }.map { code, count in
            "\(count) \(code.isEmpty ? "unknown replies" : code.printable)"
        }.joined(separator: ", ")
    }

    private static let note = """
        A closed loop: a request is sent when a reply has come, so a pause of the daemon counts for fewer requests than it \
        would with independent users.
        """
}
