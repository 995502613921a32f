import Dispatch
import SocketServer
import Synchronization

/// A load on the applications' socket.
package final class Load: Sendable {
    private let settings: LoadSettings
    private let requests: RequestLines
    private let isStopped = Atomic(false)

    /// Prepares a load.
    package init(_ settings: LoadSettings, _ requests: RequestLines) {
        self.settings = settings
        self.requests = requests
    }

    /// Ends the load early.
    ///
    /// ``run()`` then returns what was measured so far.
    package func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Puts the load on the daemon.
    ///
    /// Each thread blocks while it waits for replies, so the threads are those of a queue of their own.
    ///
    /// - Throws: ``UnixConnection/Fault`` if a connection can't be made at the beginning.
    package func run() async throws -> Measurement {
        let queue = DispatchQueue(label: "tokencachectl.bench", attributes: .concurrent)
        let begin = nanosecondsNow()
        return try await withThrowingTaskGroup(of: Measurement.self) { group in
            for numbers in shares {
                group.addTask {
                    try await withCheckedThrowingContinuation { continuation in
                        queue.async { continuation.resume(with: Result { try self.drive(numbers, from: begin) }) }
                    }
                }
            }
            var sum = Measurement()
            do {
                for try await part in group { sum.add(part) }
            } catch {
                stop()
                throw error
            }
            return sum
        }
    }

    private func drive(_ numbers: Range<Int>, from begin: UInt64) throws -> Measurement {
        var thread = try LoadThread(settings, requests, numbers: numbers, from: begin)
        return thread.run { !isStopped.load(ordering: .relaxed) }
    }

    /// The numbers of each thread's connections.
    private var shares: [Range<Int>] {
        let threads = max(1, min(settings.threads, settings.connections))
        return (0..<threads).map { thread in
            thread * settings.connections / threads..<(thread + 1) * settings.connections / threads
        }
    }
}
