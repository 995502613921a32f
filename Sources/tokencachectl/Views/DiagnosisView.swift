package import Doctor

/// Lays the findings of an examination out for people.
package struct DiagnosisView {
    /// The width of the first column, the longest status and two spaces.
    private static let statusWidth = 9
    /// The width of the second column, in which most steps with the name of a tenant find room.
    private static let stepWidth = 24

    private let style: Style

    /// Creates a view.
    package init(style: Style) { self.style = style }

    /// Lines with a step's status, its name, what was found, and what to do.
    package func text(of finding: Finding) -> String {
        let status = colour(finding.status, finding.status.rawValue.padded(to: Self.statusWidth))
        let line = status + Self.name(of: finding).padded(to: Self.stepWidth - 1) + " " + finding.found
        guard let advice = finding.advice else { return line }
        let indent = String(repeating: " ", count: Self.statusWidth + Self.stepWidth)
        return "\(line)\n\(indent)\(style.bold("→ \(advice)"))"
    }

    /// A line with the number of failures and warnings, and the step to begin with.
    package func summary(of diagnosis: Diagnosis) -> String {
        let (failed, warnings) = (diagnosis.count(.failed), diagnosis.count(.warning))
        let skipped = diagnosis.count(.skipped)
        let rest = "\(warnings) \(warnings == 1 ? "warning" : "warnings"), \(skipped) skipped"
        guard let first = diagnosis.firstFailure else {
            return colour(warnings > 0 ? .warning : .ok, "\nnothing has failed; \(rest)")
        }
        return colour(.failed, "\n\(failed) failed; \(rest); begin with: \(Self.name(of: first))")
    }

    private static func name(of finding: Finding) -> String {
        [finding.check.rawValue, finding.subject].compactMap(\.self).joined(separator: " ")
    }

    private func colour(_ status: Finding.Status, _ text: String) -> String {
        switch status {
        case .ok: style.green(text)
        case .skipped: style.dim(text)
        case .warning: style.yellow(text)
        case .failed: style.red(text)
        }
    }
}
