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
    /// The files that the store has not taken yet.
    private let offers = Mutex<[StoredFile]>([])

    /// Creates a queue for a store.
    ///
    /// - Parameter onFailure: Called when the store has not taken a file, which is then offered again.
    init(_ store: any DescriptorStoring, pauses: Pauses, onFailure: @escaping @Sendable () -> Void) {
        self.store = store
        self.pauses = pauses
        self.onFailure = onFailure
    }

    /// Puts a file into the store, in place of others of its name.
    func put(_ file: StoredFile) {
        offers.withLock { offers in
            offers.removeAll { $0.name == file.name }
            offers.append(file)
        }
        queue.async { [self] in
            guard !makeOffers() else { return }
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
        offers.withLock { $0 = [] }
        remove(Set(TokenFile.names))
        queue.async { [self] in store.wait(seconds: Self.timeout) }
        await drain()
    }

    /// Makes the last offers, and waits until all calls to the store have been made.
    func finish() async {
        queue.async { [self] in _ = makeOffers() }
        await drain()
    }

    private func drain() async {
        await withCheckedContinuation { done in queue.async { done.resume() } }
    }

    /// Offers the files that the store should have.
    ///
    /// Returns false if the store did not take one.
    private func makeOffers() -> Bool {
        for file in offers.withLock(\.self) where !makeOffer(file) { return false }
        return true
    }

    private func makeOffer(_ file: StoredFile) -> Bool {
        // Another file with this name is foreign, or was left behind.
        store.remove(file.name)
        guard store.put(file.descriptor, named: file.name) else { return false }
        offers.withLock { offers in offers.removeAll { $0.descriptor == file.descriptor } }
        store.wait(seconds: Self.timeout)
        return true
    }

    /// Repeats the offers.
    ///
    /// A manager that restarts, or whose socket is full for a moment, takes the files later.
    private func offerAgain(after pause: Double) {
        queue.asyncAfter(deadline: .now() + pause) { [self] in
            guard !makeOffers() else { return }
            offerAgain(after: min(2 * pause, pauses.longest))
        }
    }
}
