import Dispatch

/// An executor that runs an actor's jobs one after another.
final class QueueExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "cache")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
