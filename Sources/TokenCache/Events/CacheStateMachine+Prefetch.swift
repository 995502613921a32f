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
            switch prefetch(key, options, now: now) {
            case .queued: count.queued += 1
            case .cached: count.cached += 1
            case .refused: count.refused += 1
            }
        }
        return finish(count, now)
    }

    /// The result of a prefetch of one key.
    enum PrefetchResult {
        case queued
        case cached
        case refused
    }

    /// Queues the mint of a key before any request waits for it.
    mutating func prefetch(_ key: TokenKey, _ options: RequestOptions, now: Instant) -> PrefetchResult {
        let entry = store.find(key).flatMap { store[$0] }
        if entry == nil, isRestoring {
            let prefetch = Restoration.Prefetch(key: key, options: options)
            return restoration.hold(prefetch, limit: Self.maxPrefetches) ? .queued : .refused
        }
        switch judge(key, entry, options, now: now).verdict {
        case .serve, .serveAndRefresh: return .cached
        case .negative: return .refused
        case .mint, .paced, .look, .limited:
            guard let call = currentCall(of: key) ?? enqueuePrefetch(key, options, now: now) else { return .refused }
            note(options.trace, of: call, waits: false)
            return .queued
        }
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
        let (own, total) = (calls.prefetches.count(of: peer), calls.prefetches.count)
        guard own == total || own < prefetchBound(contenders: 1) else { return false }
        guard total >= Self.maxPrefetches else { return true }
        return own < prefetchBound(contenders: calls.prefetches.peers.count + (own == 0 ? 1 : 0)) && own < total
    }

    /// Drops the last prefetch of the uid with the most, if all positions are taken.
    mutating func evictPrefetchIfFull(for peer: PeerUID, now: Instant) {
        guard calls.prefetches.count >= Self.maxPrefetches else { return }
        let busiest = calls.prefetches.peers.filter { $0 != peer }.max {
            (calls.prefetches.count(of: $0), $0) < (calls.prefetches.count(of: $1), $1)
        }
        guard let busiest, let last = calls.prefetches.last(of: busiest) else { return }
        countQuotaRejection(busiest)
        end(last, .overLimit, now: now)
    }

    private func prefetchBound(contenders: Int) -> Int {
        Quota.bound(Self.maxPrefetches, share: policy.waitingShare, contenders: contenders)
    }
}
