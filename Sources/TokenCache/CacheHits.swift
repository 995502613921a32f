package import TokenProtocol
import TokenStorage

/// Answers the hits of a cache, from the thread of its executor.
///
/// A hit is a call into the cache's state machine and nothing more. The way into the actor, by `assumeIsolated`, would
/// take two allocations and a ninth of the hit. Whoever has a value of this type must use it on that thread only, which
/// ``checkThread()`` checks.
package struct CacheHits: ~Copyable {
    private let executor: any SerialExecutor
    private let core: TokenCache.Core
    // A copy, as a call on the state machine that doesn't change it would copy all of that.
    private let clock: BootClock

    /// Creates the hits of a cache.
    package init(of cache: TokenCache) {
        executor = cache.executor
        core = unsafe cache.coreOfHits
        clock = core.machine.clock
    }

    /// Traps on another thread than that of the cache's executor.
    package func checkThread() {
        precondition(executor.isIsolatingCurrentContext() == true, "the cache is used on its executor's thread only")
    }

    /// Returns a time in the form in which tokens have theirs, for the hits of one turn of the executor.
    package func time(of now: Instant) -> CacheTime { CacheTime(now, by: clock) }

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
