package import Doctor

/// Counts what passes in an examination of many tenants, so that what doesn't pass is not lost among it.
///
/// The first of each step that pass have lines of their own. The others have one line together, as soon as the
/// examination goes on to the daemon as a whole.
package struct PassedSteps {
    /// The most lines of one step for what passes.
    private static let maxLines = 5

    private struct Step {
        let check: Finding.Check
        var shown = 0
        /// The number of findings that were not shown, and the last of them.
        var counted = 0
        var last: Finding?
    }

    /// The steps in the order in which they began.
    private var steps: [Step] = []

    /// Creates an account of nothing.
    package init() {}

    /// Adds a finding, and returns those to show now.
    package mutating func add(_ finding: Finding) -> [Finding] {
        guard finding.status == .ok, finding.subject != nil else {
            return (finding.subject == nil ? takeSummaries() : []) + [finding]
        }
        let index = steps.firstIndex { $0.check == finding.check } ?? steps.endIndex
        if index == steps.endIndex { steps.append(Step(check: finding.check)) }
        guard steps[index].shown < Self.maxLines else {
            steps[index].counted += 1
            steps[index].last = finding
            return []
        }
        steps[index].shown += 1
        return [finding]
    }

    /// Returns a line for each step that has passed more often than it was shown, and counts anew.
    package mutating func takeSummaries() -> [Finding] {
        defer { steps = steps.map { Step(check: $0.check, shown: $0.shown) } }
        return steps.filter { $0.counted > 0 }.compactMap { step in
            step.counted == 1
                ? step.last : Finding(step.check, nil, .ok, "\(step.counted) more have passed; --json has all")
        }
    }
}
