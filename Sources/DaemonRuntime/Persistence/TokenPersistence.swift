package import Logging
import Synchronization
import TokenCache
import TokenStorage

/// Persists the tokens in the service manager's store for the next daemon, if the configuration wants it.
///
/// The tokens are in the memory's files from the moment they are minted. So it only sets a mark in the files, and puts
/// them into the store or removes them.
package final class TokenPersistence: Sendable {
    private let frontend: Frontend
    private let files: TokenMemory.Files
    private let store: any DescriptorStoring
    private let log: Logger
    private let queue: StoreQueue
    private let state = Mutex(State())

    /// A file of tokens that the service manager has handed over.
    package typealias File = (name: String, descriptor: CInt)

    private struct State {
        /// True if settings have been applied.
        var isDecided = false
        var isPersisting = false
        /// The places in the fleet's events that the store has.
        var places: FleetPlacesFile?
    }

    /// Creates the persistence of a cache's tokens.
    ///
    /// Nothing happens before ``apply(isWanted:)``.
    ///
    /// - Parameters:
    ///   - files: The files of the cache's memory.
    ///   - retryPauses: The first and the longest pause before a file is offered again, in seconds.
    package init(
        _ frontend: Frontend,
        _ files: TokenMemory.Files,
        in store: any DescriptorStoring = ServiceManagerStore(),
        log: Logger,
        retryPauses: (first: Double, longest: Double) = (1, 60)
    ) {
        self.frontend = frontend
        self.files = files
        self.store = store
        self.log = log
        queue = StoreQueue(
            store,
            pauses: StoreQueue.Pauses(first: retryPauses.first, longest: retryPauses.longest),
            onFailure: { [log] in
                log.warning("the service manager can't be given a file of kept tokens; it is offered again")
            }
        )
        files.memory?.onSecondFile { [weak self] in self?.added($0) }
        files.memory?.onAnonymousMemory { [log] kept in
            log.warning(
                "the files for kept tokens can't have more: further tokens don't survive a restart",
                metadata: [LogKey.limit: "\(kept)"]
            )
        }
    }

    /// Begins or ends the persistence.
    ///
    /// The first call decides about the last daemon's files, too.
    ///
    /// - Parameter places: The places in the fleet's events that belong to the tokens, or nil without a fleet.
    package func apply(isWanted: Bool, places: FleetPlacesFile? = nil) async {
        let (isFirst, wasPersisting) = state.withLock { state in
            defer { state.isDecided = true }
            return (!state.isDecided, state.isPersisting)
        }
        if isFirst { queue.remove(files.unneeded) }
        let canPersist = isWanted && store.isAvailable && files.memory != nil
        if canPersist, !wasPersisting { await start(isFirst: isFirst) }
        if !canPersist, wasPersisting { await end() }
        put(canPersist ? places : nil, isFirst: isFirst)
        if isFirst, isWanted, !canPersist { explain() }
    }

    /// Waits until the store has the files.
    package func finish() async { await queue.finish() }

    private func explain() {
        guard store.isAvailable else {
            return log.info("tokens don't survive a restart: no service manager keeps descriptors")
        }
        log.warning("tokens don't survive a restart: there is no memory to keep them in")
    }

    private func start(isFirst: Bool) async {
        guard let memory = files.memory else { return }
        memory.setKept(true)
        state.withLock { $0.isPersisting = true }
        await frontend.cache.setKeepsTokens(true)
        guard isFirst, files.areInherited else {
            for file in memory.stored { queue.put(file) }
            return CacheNotice.restored(entries: 0, duration: .zero).write(to: log)
        }
        // The store has the files already. The cache reports the end, which serving doesn't wait for.
        await frontend.cache.restore()
    }

    /// Puts places into the store, or removes them by nil.
    private func put(_ places: FleetPlacesFile?, isFirst: Bool) {
        let before = state.withLock { state in
            // The store has what the last daemon has put there.
            let before = isFirst ? files.places : state.places
            state.places = places
            return before
        }
        guard places !== before else { return }
        if let places { queue.put(places.stored) } else { queue.remove([FleetPlacesFile.name]) }
    }

    private func end() async {
        files.memory?.setKept(false)
        state.withLock { $0.isPersisting = false }
        await frontend.cache.setKeepsTokens(false)
        await queue.removeAll()
    }

    /// Handles a second file of the memory.
    private func added(_ file: StoredFile) {
        if state.withLock(\.isPersisting) { queue.put(file) }
    }
}
