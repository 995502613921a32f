package import TokenProtocol

/// Answers the hits of a cache, from the thread of its executor.
///
/// A hit is a call into the cache's state machine and nothing more. The way into the actor, by `assumeIsolated`, would
/// take two allocations and a ninth of the hit. Whoever has a value of this type must use it on that thread only, which
/// ``time(of:)`` checks.
package struct CacheHits: ~Copyable {
    private let executor: any SerialExecutor
    private let core: TokenCache.Core

    /// Creates the hits of a cache.
    package init(of cache: TokenCache) {
        executor = cache.executor
        core = unsafe cache.coreOfHits
    }

    /// Returns a time in the form in which tokens have theirs, for the hits of one turn of the executor.
    ///
    /// It traps on another thread.
    package func time(of now: Instant) -> CacheTime {
        precondition(executor.isIsolatingCurrentContext() == true, "the cache is used on its executor's thread only")
        return core.machine.time(of: now)
    }

    /// Answers a request with a cached token if nothing else has to be done, looked up by the request's own bytes.
    ///
    /// - Returns: True if the reply and its line end were appended to the output.
    @inline(__always)
    package func answer(
        _ tenant: TenantID,
        _ field: LookupField,
        _ user: borrowing Span<UInt8>,
        _ scopes: ScopeSet,
        minTTL: Duration?,
        for peer: PeerUID,
        at time: CacheTime,
        id: borrowing Span<UInt8>,
        into output: inout OutputBuffer
    ) -> Bool {
        core.machine.answerHit(
            tenant,
            field,
            user,
            scopes,
            minTTL: minTTL,
            for: peer,
            at: time,
            id: id,
            into: &output
        )
    }

    /// Records the latency of hits that were answered together.
    package func record(_ count: Int, _ latency: Duration) { core.machine.recordHits(count, latency) }
}

@available(*, unavailable)
extension CacheHits: Sendable {}
