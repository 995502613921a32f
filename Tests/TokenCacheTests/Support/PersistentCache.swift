import TokenCache
import TokenProtocol

/// A cache with a store, and a tenant that mints at once, whose events are recorded in their order.
struct PersistentCache {
    let recorder: EventRecorder
    let cache: TokenCache

    init(policy: CachePolicy = CachePolicy(), tenants: [TenantID: TenantPolicy] = ["main": .test()]) {
        let recorder = EventRecorder()
        self.recorder = recorder
        cache = TokenCache(
            on: QueueExecutor(),
            policy: policy,
            tenants: tenants,
            dependencies: TokenCache.Dependencies(
                now: { recorder.now },
                wake: { _ in },
                deliver: { recorder.answer($0) },
                notify: { _ in },
                audit: { _ in }
            )
        )
    }

    /// Runs a closure while the cache's calls are made.
    func live(_ body: () async throws -> Void) async rethrows {
        let calls = Task { await cache.run(ImmediateTenant()) }
        try await body()
        cache.stop()
        await calls.value
    }

    /// Restores the tokens of an earlier daemon.
    ///
    /// - Parameter isFull: True if the store takes nothing until it is told that a file is stored.
    @discardableResult
    func begin(with tokens: [PersistedToken] = [], isFull: Bool = false) async -> Int {
        recorder.isFull = isFull
        return await cache.restore(from: RecordingTokenStore(tokens, recorder))
    }

    /// Requests a token and waits for the reply.
    func ask(_ subject: String, noCache: Bool = false) async -> TokenReply? {
        let options = RequestOptions(noCache: noCache, peer: Peer(uid: 7, gid: 0))
        let ticket = recorder.newTicket()
        let waiter = Waiter(connection: 1, ticket: ticket)
        let reply = await withCheckedContinuation { answered in
            recorder.wait(ticket, answered)
            Task {
                let reply = await cache.token(.of(subject), options, waiter: waiter, now: recorder.now)
                if let reply { recorder.answer(Delivery(waiter: waiter, reply: reply)) }
            }
        }
        if case .token(let reply) = reply { return reply }
        return nil
    }
}
