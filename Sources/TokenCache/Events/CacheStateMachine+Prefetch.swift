package import TokenProtocol

/// Prefetches.
extension CacheStateMachine {
    /// Queues mints before any request waits for them.
    package mutating func prefetch(
        _ keys: some Sequence<TokenKey>,
        for peer: Peer,
        in trace: TraceContext? = nil,
        now: Instant
    ) -> Outcome<PrefetchCount> {
        var count = PrefetchCount()
        let options = RequestOptions(timeout: .zero, peer: peer, trace: trace)
        for key in keys {
            switch judge(key, store.find(key).flatMap { store[$0] }, options, now: now).verdict {
            case .serve, .serveAndRefresh: count.cached += 1
            case .negative: count.refused += 1
            case .mint, .paced, .limited:
                if let call = currentCall(of: key) ?? enqueuePrefetch(key, options, now: now) {
                    note(trace, of: call, waits: false)
                    count.queued += 1
                } else {
                    count.refused += 1
                }
            }
        }
        return finish(count, now)
    }

    private mutating func enqueuePrefetch(_ key: TokenKey, _ options: RequestOptions, now: Instant) -> CallID? {
        let peer = options.peer
        guard mintLimit(key, options, joins: false, now: now) == nil else { return nil }
        payForced(key, options, now: now)
        evictPrefetchIfFull(for: peer.uid, now: now)
        return enqueue(key, .prefetch, as: .prefetch(peer.uid), for: peer)
    }

    /// True if a uid may queue one more prefetch.
    ///
    /// A single uid may use all positions. While other uids have some, its share is its bound. If all are taken, the
    /// uid with the most prefetches loses its last one.
    func canAddPrefetch(for peer: PeerUID) -> Bool {
        let (own, total) = (prefetchCount(of: peer), prefetchCount)
        guard own == total || own < prefetchBound(contenders: 1) else { return false }
        guard total >= Self.maxPrefetches else { return true }
        return own < prefetchBound(contenders: prefetchers.count + (own == 0 ? 1 : 0)) && own < total
    }

    /// Drops the last prefetch of the uid with the most, if all positions are taken.
    mutating func evictPrefetchIfFull(for peer: PeerUID, now: Instant) {
        guard prefetchCount >= Self.maxPrefetches else { return }
        let busiest = prefetchers.filter { $0 != peer }.max {
            (prefetchCount(of: $0), $0) < (prefetchCount(of: $1), $1)
        }
        guard let busiest else { return }
        let last = tenants.values.compactMap { $0.governor.lastPrefetch(of: busiest) }.max()
        guard let last else { return }
        countQuotaRejection(busiest)
        end(last, .overLimit, now: now)
    }

    private func prefetchBound(contenders: Int) -> Int {
        Quota.bound(Self.maxPrefetches, share: policy.waitingShare, contenders: contenders)
    }

    private var prefetchCount: Int { tenants.values.reduce(0) { $0 + $1.governor.queuedPrefetches } }

    private func prefetchCount(of peer: PeerUID) -> Int {
        tenants.values.reduce(0) { $0 + $1.governor.queuedPrefetches(of: peer) }
    }

    private var prefetchers: Set<PeerUID> {
        tenants.values.reduce(into: []) { $0.formUnion($1.governor.prefetchers) }
    }
}
