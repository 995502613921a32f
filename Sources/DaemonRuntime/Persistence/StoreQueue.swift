import Dispatch
import Synchronization
import TokenStorage

/// Makes the calls to a store of descriptors in order, on a queue of its own, as the service manager may be busy.
final class StoreQueue: Sendable {
    /// The timeout of a wait for the store, in seconds.
    private static let timeout: UInt64 = 5

    /// The first and the longest pause before a file is offered again, in seconds.
    struct Pauses: Sendable {
        let first: Double
        let longest: Double
    }

    private let store: any DescriptorStoring
    private let pauses: Pauses
    private let onFailure: @Sendable () -> Void
    private let queue = DispatchQueue(label: "descriptor-store")
    /// The file that the store has not taken yet.
    ///
    /// Only the latest one counts, as it holds all tokens.
    private let offer = Mutex<StoredFile?>(nil)

    /// Creates a queue for a store.
    ///
    /// - Parameters:
    ///   - pauses: The pauses before a file is offered again.
    ///   - onFailure: Called when the store has not taken a file, which is then offered again.
    init(
        _ store: any DescriptorStoring,
        pauses: Pauses,
        onFailure: @escaping @Sendable () -> Void
    ) {
        self.store = store
        self.pauses = pauses
        self.onFailure = onFailure
    }

    /// Puts a file into the store.
    func put(_ file: StoredFile) {
        offer.withLock { $0 = file }
        queue.async { [self] in
            guard !makeOffer() else { return }
            onFailure()
            offerAgain(after: pauses.first)
        }
    }

    /// Removes the files with these names from the store.
    func remove(_ names: Set<String>) {
        queue.async { [self] in
            for name in names.sorted() { store.remove(name) }
        }
    }

    /// Removes all files, and waits until the store has done so.
    func removeAll() async {
        offer.withLock { $0 = nil }
        remove(Set(TokenFile.names))
        queue.async { [self] in store.wait(seconds: Self.timeout) }
        await drain()
    }

    /// Makes the last offer, and waits until all calls to the store have been made.
    func finish() async {
        queue.async { [self] in _ = makeOffer() }
        await drain()
    }

    private func drain() async {
        await withCheckedContinuation { done in queue.async { done.resume() } }
    }

    /// Offers the file that the store should have, if there is one.
    ///
    /// Returns false if the store did not take it.
    private func makeOffer() -> Bool {
        guard let file = offer.withLock(\.self) else { return true }
        // Another file with this name is foreign, or was left behind.
        store.remove(file.name)
        guard store.put(file.descriptor, named: file.name) else { return false }
        offer.withLock { if $0?.name == file.name { $0 = nil } }
        store.wait(seconds: Self.timeout)
        return true
    }

    /// Repeats the offer.
    ///
    /// A manager that restarts, or whose socket is full for a moment, takes the file later.
    private func offerAgain(after pause: Double) {
        queue.asyncAfter(deadline: .now() + pause) { [self] in
            guard !makeOffer() else { return }
            offerAgain(after: min(2 * pause, pauses.longest))
        }
    }
}
