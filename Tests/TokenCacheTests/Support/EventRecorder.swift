import Synchronization
import TokenProtocol

@testable import TokenCache

/// The events of a ``PersistentCache``, in their order.
final class EventRecorder: Sendable {
    enum Event: Equatable {
        case stored(String)
        case removed(String)
        case used(String)
        case answered
        case ended
    }

    private struct State {
        var now = Simulation.start
        var events: [Event] = []
        var isFull = false
        var tickets: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Reply, Never>] = [:]
        var awaited: (event: Event, happened: CheckedContinuation<Void, Never>)?
    }

    private let state = Mutex(State())

    var now: Instant { state.withLock { $0.now } }
    var isFull: Bool {
        get { state.withLock { $0.isFull } }
        set { state.withLock { $0.isFull = newValue } }
    }

    /// Returns the events since the last call.
    func events() -> [Event] {
        state.withLock { state in
            defer { state.events = [] }
            return state.events
        }
    }

    func advance(_ duration: Duration) { state.withLock { $0.now += duration } }

    func note(_ event: Event) {
        let happened = state.withLock { state in
            state.events.append(event)
            guard state.awaited?.event == event else { return nil as CheckedContinuation<Void, Never>? }
            defer { state.awaited = nil }
            return state.awaited?.happened
        }
        happened?.resume()
    }

    /// Waits for an event, unless it has happened since the events were last taken.
    func until(_ event: Event) async {
        await withCheckedContinuation { happened in
            let isOver = state.withLock { state in
                guard !state.events.contains(event) else { return true }
                state.awaited = (event, happened)
                return false
            }
            if isOver { happened.resume() }
        }
    }

    func newTicket() -> UInt64 {
        state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
    }

    func wait(_ ticket: UInt64, _ answered: CheckedContinuation<Reply, Never>) {
        state.withLock { $0.waiting[ticket] = answered }
    }

    func answer(_ delivery: Delivery) {
        let answered = state.withLock { state in
            state.events.append(.answered)
            return state.waiting.removeValue(forKey: delivery.waiter.ticket)
        }
        answered?.resume(returning: delivery.reply)
    }
}
