package import OperatorReplies
import SafeText

/// Lays the daemon's health out for people.
package struct HealthView {
    private let health: HealthReply
    private let display: Display

    package init(_ health: HealthReply, _ display: Display = .plain) {
        self.health = health
        self.display = display
    }

    /// A line with the status, and a line for each thing that is wrong.
    package var text: String {
        let faults = health.checks.filter { $0.status != .ok }.map(text)
        return ([display.style.text(of: health.status)] + faults).joined(separator: "\n")
    }

    private func text(of check: HealthReply.Check) -> String {
        let tenant = check.tenant.map { " of \($0.printable)" } ?? ""
        let since = check.since.map { " since \($0.printable)" } ?? ""
        let description = (check.description ?? "no description").printable
        return "\(display.style.text(of: check.status))  \(check.name.printable)\(tenant)\(since): \(description)"
    }
}
