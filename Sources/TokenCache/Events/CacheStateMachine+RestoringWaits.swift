import TokenProtocol

/// Requests that come while the last daemon's tokens are being restored.
extension CacheStateMachine {
    /// Lets a request whose entry may not be read yet wait for it.
    ///
    /// - Returns: The answer to the request, or nil if it can be judged at once.
    mutating func waitForRestoring(
        _ key: TokenKey,
        _ options: RequestOptions,
        _ waiter: Waiter,
        now: Instant
    ) -> RequestAnswer? {
        guard isRestoring, tenants[key.user.tenant]?.isRetired == false else { return nil }
        var options = options
        // It has been reported by now, and is not reported again when the request is judged anew.
        options.refused = nil
        guard options.timeout > .zero else {
            _ = restoration.hold(Restoration.Prefetch(key: key, options: options), limit: Self.maxPrefetches)
            return .fail(.timedOut)
        }
        guard canAddWaiter(for: options.peer.uid) else {
            countQuotaRejection(options.peer.uid)
            return .fail(.tooManyWaiting)
        }
        evictWaiterIfFull(now: now)
        var list = restoration.waiters[key] ?? Waiters.List()
        _ = waiters.add(
            waiter,
            of: options.peer.uid,
            at: key.user.tenant,
            for: .restoring(key, options),
            since: now,
            until: now + options.timeout,
            in: options.trace,
            to: &list
        )
        restoration.update(key, list)
        return .wait
    }

    /// Judges requests anew whose entry is there, or whose entry can't come any more.
    ///
    /// While records are read they have a budget of their own, so that they don't wait for all of them.
    mutating func releaseWaiters(_ budget: inout Int, now: Instant) {
        for _ in 0..<Self.repliesPerRound {
            guard isRestoring || budget > 0, let key = restoration.nextReleased(),
                var list = restoration.waiters[key], let id = waiters.first(of: list),
                let member = waiters.remove(id, from: &list)
            else { return }
            if !isRestoring { budget -= 1 }
            restoration.update(key, list)
            judgeAnew(member, now: now)
        }
    }

    private mutating func judgeAnew(_ member: Waiters.Member, now: Instant) {
        guard case .restoring(let key, var options) = member.goal else { return }
        guard member.deadline > now else { return send(.error(.timedOut), to: member.waiter) }
        options.timeout = member.deadline - now
        switch answer(key, options, waiter: member.waiter, waitsForRestoring: false, now: now) {
        case .serve(let reply), .serveAndRefresh(let reply): send(.token(reply), to: member.waiter)
        case .fail(let error): send(.error(error), to: member.waiter)
        case .wait: break
        }
    }
}
