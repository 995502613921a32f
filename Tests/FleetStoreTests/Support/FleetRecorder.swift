import FleetStore
import Foundation
import Synchronization
import TestSupport
import TokenCache

/// Records what a store answers and tells, and lets a test wait for it.
final class FleetRecorder: FleetListening {
    /// Something that was told.
    enum Event: Equatable {
        case answered(CallID, FleetAnswer)
        case dropAnswered(FleetDropID, FleetDropAnswer?)
        case claimed(CallID, Bool)
        case happened(FleetEvent)
    }

    private struct Wait {
        let id: UUID
        let matches: @Sendable (Event) -> Bool
        let continuation: CheckedContinuation<Event?, Never>
    }

    private struct State {
        var events: [Event] = []
        var history: [Event] = []
        var waits: [Wait] = []
    }

    private let state = Mutex(State())

    /// All that nobody has waited for.
    var events: [Event] { state.withLock { $0.events } }

    /// All that was told, in its order.
    var history: [Event] { state.withLock { $0.history } }

    /// Takes out the first event of a kind, and waits for it if there is none yet.
    ///
    /// - Returns: The event, or nil after a long time.
    func next(_ matches: @escaping @Sendable (Event) -> Bool) async -> Event? {
        let id = UUID()
        return await withCheckedContinuation { continuation in
            let found = state.withLock { state -> Event? in
                if let index = state.events.firstIndex(where: matches) { return state.events.remove(at: index) }
                state.waits.append(Wait(id: id, matches: matches, continuation: continuation))
                return nil
            }
            if let found { return continuation.resume(returning: found) }
            DispatchQueue.global().asyncAfter(deadline: .now() + Double(TestTimeout.seconds)) { self.giveUp(id) }
        }
    }

    private func giveUp(_ id: UUID) {
        let wait = state.withLock { state in
            state.waits.firstIndex { $0.id == id }.map { state.waits.remove(at: $0) }
        }
        wait?.continuation.resume(returning: nil)
    }

    private func record(_ event: Event) {
        let wait = state.withLock { state -> Wait? in
            state.history.append(event)
            if let index = state.waits.firstIndex(where: { $0.matches(event) }) { return state.waits.remove(at: index) }
            state.events.append(event)
            return nil
        }
        wait?.continuation.resume(returning: event)
    }

    func fleetAnswered(_ call: CallID, _ answer: FleetAnswer) { record(.answered(call, answer)) }
    func fleetDropAnswered(_ drop: FleetDropID, _ answer: FleetDropAnswer?) { record(.dropAnswered(drop, answer)) }
    func revocationClaimed(_ call: CallID, _ isOurs: Bool) { record(.claimed(call, isOurs)) }
    func fleetHappened(_ event: FleetEvent) { record(.happened(event)) }
}
