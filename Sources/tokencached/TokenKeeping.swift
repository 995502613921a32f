import Dispatch
import Glibc
import Logging
import OperatorReplies
import Secrets
import Synchronization
import Systemd
import TokenCache
import TokenLog
import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Has the tokens kept in the service manager's store for the next daemon, where the configuration wants it.
final class TokenKeeping: Sendable {
    private static let patience: UInt64 = 5
    /// The first and the longest pause before a file is offered again, in seconds.
    private static let pauses = (first: 1.0, longest: 60.0)

    private let frontend: Frontend
    private let memory: SecretMemory
    private let log: Logger
    /// The manager is told one thing after another, and not on an event loop: it may be busy.
    private let manager = DispatchQueue(label: "descriptor-store")
    private let isKeeping = Mutex(false)
    /// A file that the manager couldn't be given yet; only the latest counts, as it holds all tokens.
    private let offer = Mutex<TokenLog.StoredFile?>(nil)
    private let saidUnlocked = Mutex(false)

    init(_ frontend: Frontend, memory: SecretMemory, log: Logger) {
        self.frontend = frontend
        self.memory = memory
        self.log = log
    }

    /// Takes over what was stored, if it is wanted; else it goes.
    func begin(with stored: [HandedOverSockets.Stored], isWanted: Bool) async {
        guard isWanted, isPossible else {
            for file in stored { close(file.descriptor) }
            remove(Set(stored.map(\.name)))
            if isWanted { log.notice("tokens don't survive a restart: no service manager keeps descriptors") }
            return
        }
        await start(with: stored)
    }

    /// Begins or ends keeping, after a reload.
    func apply(isWanted: Bool) async {
        let wasKeeping = isKeeping.withLock { $0 }
        if isWanted, !wasKeeping, isPossible { await start(with: []) }
        guard !isWanted, wasKeeping else { return }
        isKeeping.withLock { $0 = false }
        offer.withLock { $0 = nil }
        await frontend.cache.endPersisting()
        remove(Set(TokenLog.names))
        manager.async { DescriptorStore.wait(seconds: Self.patience) }
        await finishOrders()
    }

    /// Notes what the next daemon should know, and waits until the manager has everything.
    func finish() async {
        await frontend.cache.persistUses()
        manager.async { [self] in _ = makeOffer() }
        await finishOrders()
    }

    private func finishOrders() async {
        await withCheckedContinuation { done in manager.async { done.resume() } }
    }

    private func start(with stored: [HandedOverSockets.Stored]) async {
        let began = ContinuousClock.now
        let tokens = TokenLog(
            stored: stored.map { ($0.name, $0.descriptor) },
            in: memory,
            expecting: await frontend.cache.stats(now: began).bytes,
            onShortage: { [log] in log.warning("there is no memory to keep all tokens for the next daemon") },
            store: { [self] in store($0) }
        )
        guard let tokens else {
            remove(Set(stored.map(\.name)))
            return log.warning("tokens don't survive a restart: there is no memory to keep them in")
        }
        remove(Set(stored.map(\.name)).subtracting([tokens.currentName]))
        isKeeping.withLock { $0 = true }
        warn(unlessLocked: tokens.isLocked)
        let count = await frontend.cache.restore(from: tokens)
        let time = (ContinuousClock.now - began) / .milliseconds(1)
        log.notice(
            "tokens survive a restart; those of the last daemon are served",
            metadata: [LogKey.entries: "\(count)", LogKey.milliseconds: "\(Int(time))"]
        )
    }

    private func store(_ file: TokenLog.StoredFile) {
        warn(unlessLocked: file.isLocked)
        offer.withLock { $0 = file }
        manager.async { [self] in
            guard !makeOffer() else { return }
            log.warning("the service manager can't be given a file of kept tokens; it is offered again")
            offerAgain(after: Self.pauses.first)
        }
    }

    /// Gives the manager the file that it should have; false: it did not take it.
    private func makeOffer() -> Bool {
        guard let file = offer.withLock(\.self) else { return true }
        // Whatever has the name already is no file of ours, or one that was left behind.
        DescriptorStore.remove(file.name)
        guard DescriptorStore.put(file.descriptor, named: file.name) else { return false }
        offer.withLock { if $0?.generation == file.generation { $0 = nil } }
        if let predecessor = file.predecessor { DescriptorStore.remove(predecessor) }
        DescriptorStore.wait(seconds: Self.patience)
        frontend.stored(file.generation)
        return true
    }

    /// A manager that restarts, or whose socket is full for a moment, takes the file later.
    private func offerAgain(after pause: Double) {
        manager.asyncAfter(deadline: .now() + pause) { [self] in
            guard !makeOffer() else { return }
            offerAgain(after: min(2 * pause, Self.pauses.longest))
        }
    }

    private func warn(unlessLocked isLocked: Bool) {
        guard !isLocked, !saidUnlocked.withLock({ exchange(&$0, with: true) }) else { return }
        log.warning("kept tokens lie in memory that may be swapped: the limit of locked memory is too low")
    }

    private func remove(_ names: Set<String>) {
        manager.async {
            for name in names.sorted() { DescriptorStore.remove(name) }
        }
    }

    private var isPossible: Bool {
        let environment = ProcessInfo.processInfo.environment
        return DescriptorStore.isAvailable(socket: environment["NOTIFY_SOCKET"], size: environment["FDSTORE"])
    }
}
