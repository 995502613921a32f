import Glibc
package import Logging
import OperatorReplies
package import Secrets
import Synchronization
import TokenCache
import TokenProtocol
import TokenStorage

/// Persists the tokens in the service manager's store for the next daemon, if the configuration wants it.
package final class TokenPersistence: Sendable {
    private let frontend: Frontend
    private let store: any DescriptorStoring
    private let memory: SecretMemory
    private let log: Logger
    private let queue: StoreQueue
    private let state: Mutex<State>

    /// A file of tokens that the service manager has handed over.
    package typealias File = (name: String, descriptor: CInt)

    private struct State {
        /// The files of the last daemon, until the first settings decide about them.
        var inherited: [File]?
        var isPersisting = false
        var hasWarnedOfSwap = false
    }

    /// Creates the persistence of a cache's tokens.
    ///
    /// Nothing happens before ``apply(isWanted:)``.
    ///
    /// - Parameters:
    ///   - inherited: The files that the service manager has handed over, which this object owns from here on.
    ///   - retryPauses: The first and the longest pause before a file is offered again, in seconds.
    package init(
        _ frontend: Frontend,
        inheriting inherited: [File],
        in store: any DescriptorStoring = ServiceManagerStore(),
        memory: SecretMemory,
        log: Logger,
        retryPauses: (first: Double, longest: Double) = (1, 60)
    ) {
        self.frontend = frontend
        self.store = store
        self.memory = memory
        self.log = log
        queue = StoreQueue(
            store,
            pauses: StoreQueue.Pauses(first: retryPauses.first, longest: retryPauses.longest),
            onFailure: { [log] in
                log.warning("the service manager can't be given a file of kept tokens; it is offered again")
            }
        )
        state = Mutex(State(inherited: inherited))
    }

    /// Begins or ends the persistence.
    ///
    /// The first call decides about the last daemon's files, too.
    package func apply(isWanted: Bool) async {
        let (inherited, isPersisting) = state.withLock { state in
            defer { state.inherited = nil }
            return (state.inherited, state.isPersisting)
        }
        guard isWanted, store.isAvailable else {
            if isPersisting { await end() }
            if let inherited { discard(inherited, isWanted: isWanted) }
            return
        }
        if !isPersisting { await start(with: inherited ?? []) }
    }

    /// Persists the times of the users' last requests, and waits until the store has the latest file.
    package func finish() async {
        await queue.finish()
    }

    private func discard(_ inherited: [File], isWanted: Bool) {
        for file in inherited { close(file.descriptor) }
        queue.remove(Set(inherited.map(\.name)))
        if isWanted { log.info("tokens don't survive a restart: no service manager keeps descriptors") }
    }

    private func end() async {
        state.withLock { $0.isPersisting = false }
        await frontend.cache.setKeepsTokens(false)
        await queue.removeAll()
    }

    private func start(with inherited: [File]) async {
        discard(inherited, isWanted: true)
        await frontend.cache.restore()
    }
}
