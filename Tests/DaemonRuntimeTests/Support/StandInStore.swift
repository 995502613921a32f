import DaemonRuntime
import Glibc
import Synchronization

/// Stands in for the service manager's store: holds duplicates of the descriptors, and records what it is told.
final class StandInStore: DescriptorStoring {
    private struct State {
        var files: [(name: String, descriptor: CInt)] = []
        var orders: [String] = []
        var refusals = 0
        var observers: [AsyncStream<Void>.Continuation] = []
    }

    let isAvailable: Bool
    private let state = Mutex(State())

    /// - Parameter refusals: The number of files that it doesn't take at first.
    init(isAvailable: Bool = true, refusals: Int = 0) {
        self.isAvailable = isAvailable
        state.withLock { $0.refusals = refusals }
    }

    deinit { state.withLock { for file in $0.files { close(file.descriptor) } } }

    func put(_ descriptor: CInt, named name: String) -> Bool {
        state.withLock { state in
            state.orders.append("put \(name)")
            guard state.refusals == 0 else {
                state.refusals -= 1
                return false
            }
            state.files.append((name, dup(descriptor)))
            for observer in state.observers { observer.yield() }
            return true
        }
    }

    func remove(_ name: String) {
        state.withLock { state in
            state.orders.append("remove \(name)")
            for file in state.files where file.name == name { close(file.descriptor) }
            state.files.removeAll { $0.name == name }
        }
    }

    func wait(seconds: UInt64) { state.withLock { $0.orders.append("wait") } }

    /// The names of the files that it holds.
    var names: [String] { state.withLock { $0.files.map(\.name) } }

    /// All that it was told, in order.
    var orders: [String] { state.withLock { $0.orders } }

    /// Duplicates of its files, for the next daemon.
    func handOver() -> [TokenPersistence.File] { state.withLock { $0.files.map { ($0.name, dup($0.descriptor)) } } }

    /// Waits until it has taken a file.
    func waitForFile() async {
        let (changes, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let isThere = state.withLock { state in
            state.observers.append(continuation)
            return !state.files.isEmpty
        }
        if isThere { return }
        for await _ in changes { return }
    }
}
