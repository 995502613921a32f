package import OperatorReplies
import Synchronization

/// The part of its life that the daemon is in, for `/readyz`.
package final class ServingPhase: Sendable {
    /// The parts.
    package enum Phase: Sendable {
        case starting
        case serving
        case draining
    }

    private let phase = Mutex(Phase.starting)

    /// Creates the phase of a daemon that starts.
    package init() {}

    /// Begins another phase.
    package func begin(_ next: Phase) { phase.withLock { $0 = next } }

    /// The check that fails while the daemon doesn't serve, or nil.
    package var check: HealthReply.Check? {
        switch phase.withLock({ $0 }) {
        case .starting: Self.check("the daemon is starting")
        case .serving: nil
        case .draining: Self.check("the daemon is shutting down")
        }
    }

    private static func check(_ description: String) -> HealthReply.Check {
        HealthReply.Check(name: "serving", tenant: nil, status: .failing, description: description)
    }
}
