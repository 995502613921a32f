import Synchronization

/// The jobs that threads add to a reactor, in their order.
final class Inbox: Sendable {
    /// A job.
    enum Job: Sendable {
        /// A function.
        case work(@Sendable () -> Void)
        /// The job of an actor.
        case job(UnownedJob)
    }

    private struct State {
        var jobs: [Job] = []
        /// An empty array with the memory of earlier jobs.
        var spare: [Job] = []
        /// True while the reactor sleeps, or is about to, so that a job has to wake it.
        var isAsleep = false
    }

    /// An array with more memory than this many jobs is not kept for the next ones.
    private static let maxSpare = 1_024

    private let state = Mutex(State())

    /// Adds a job.
    ///
    /// - Returns: True if the reactor has to be woken for it.
    func add(_ job: Job) -> Bool {
        state.withLock { state in
            state.jobs.append(job)
            return exchange(&state.isAsleep, with: false)
        }
    }

    /// Notes that the reactor is about to sleep.
    ///
    /// - Returns: False if there are jobs, so that it must not.
    func fallAsleep() -> Bool {
        state.withLock { state in
            state.isAsleep = state.jobs.isEmpty
            return state.isAsleep
        }
    }

    /// Notes that the reactor is awake, and takes the jobs.
    func wakeUpAndTake() -> [Job] {
        state.withLock { state in
            state.isAsleep = false
            guard !state.jobs.isEmpty else { return [] }
            return exchange(&state.jobs, with: exchange(&state.spare, with: []))
        }
    }

    /// Takes back the memory of jobs that were run.
    func recycle(_ jobs: consuming [Job]) {
        guard !jobs.isEmpty, jobs.capacity <= Self.maxSpare else { return }
        jobs.removeAll(keepingCapacity: true)
        let empty = jobs
        state.withLock { $0.spare = empty }
    }
}
