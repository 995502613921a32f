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

    /// A line with the status, and a line for each check that is not well or has something to say.
    package var text: String {
        let shown = health.checks.filter { $0.status != .ok || $0.description != nil }.map(text)
        return ([display.style.text(of: health.status)] + shown).joined(separator: "\n")
    }

    private func text(of check: HealthReply.Check) -> String {
        let tenant = check.tenant.map { " of \($0.printable)" } ?? ""
        let since = check.since.map { " since \($0.printable)" } ?? ""
        let description = (check.description ?? "no description").printable
        return "\(display.style.text(of: check.status))  \(check.name.printable)\(tenant)\(since): \(description)"
    }
}
