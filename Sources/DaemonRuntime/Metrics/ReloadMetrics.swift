import CoreMetrics
package import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Counts reloads of the configuration.
package struct ReloadMetrics: Sendable {
    private let applied: Counter
    private let invalid: Counter
    private let lastSuccess: Gauge

    /// Creates the instruments, right after a configuration was put into force.
    package init(_ exporter: MetricsExporter) {
        let factory = exporter.registry
        let name = "tokencached_reloads_total"
        applied = Counter(label: name, dimensions: [("outcome", "applied")], factory: factory)
        invalid = Counter(label: name, dimensions: [("outcome", "invalid_configuration")], factory: factory)
        lastSuccess = Gauge(label: "tokencached_last_reload_success_timestamp_seconds", factory: factory)
        noteSuccess()
    }

    /// Counts a reload by its reply.
    package func count(_ reply: Reply) {
        switch reply {
        case .reloaded:
            applied.increment()
            noteSuccess()
        case .error(let error) where error.code == .invalidConfiguration: invalid.increment()
        default: break
        }
    }

    private func noteSuccess() { lastSuccess.record(Date().timeIntervalSince1970) }
}
