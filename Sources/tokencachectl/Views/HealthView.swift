package import OperatorReplies
import SafeText

/// Lays the daemon's health out for people.
package struct HealthView {
    private let health: HealthReply

    package init(_ health: HealthReply) { self.health = health }

    /// A line with the status, and a line for each thing that is wrong.
    package var text: String {
        let faults = health.checks.filter { $0.status != .ok }.map(Self.text)
        return ([health.status.rawValue.printable] + faults).joined(separator: "\n")
    }

    private static func text(of check: HealthReply.Check) -> String {
        let tenant = check.tenant.map { " of \($0.printable)" } ?? ""
        let since = check.since.map { " since \($0.printable)" } ?? ""
        let description = check.description ?? "no description"
        return "\(check.status.rawValue.printable)  \(check.name.printable)\(tenant)\(since): \(description.printable)"
    }
}
