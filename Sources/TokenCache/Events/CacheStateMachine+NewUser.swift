/// The retry of a mint that was denied to a user who was created a moment ago.
extension CacheStateMachine {
    /// The time between the tries: a tenant knows a new user everywhere within seconds.
    private static var newUserPause: Duration { .seconds(1) }

    /// True if a denied mint is for a user whom the tenant may not know everywhere yet, and callers wait for it.
    func canRetryNewUser(_ call: Call, now: Instant) -> Bool {
        guard let mint = call.mint, !mint.isProbe, !call.waiters.isEmpty, tenants[call.tenant]?.isRetired == false
        else { return false }
        return creations.contains(mint.key.user, at: now)
    }

    /// Pauses a denied mint, which is sent again for the callers who still wait then.
    mutating func pause(_ id: CallID, _ call: Call, now: Instant) {
        noteEnd(of: call, .answer, now: now)
        let timer = retries.insert(id, at: now + Self.newUserPause)
        calls.update(id) { $0.phase = .pausing(timer) }
        touch(call.tenant)
    }

    /// Queues a mint again whose pause is over.
    mutating func retry(_ id: CallID, now: Instant) {
        guard let call = calls[id] else { return }
        let peer = waiters.first(of: call.waiters).flatMap { waiters[$0] }?.peer
        // A tenant that a reload has retired may be gone.
        let ticket = peer.flatMap { tenants[call.tenant]?.governor.enqueue(id, as: .caller($0)) }
        calls.update(id) { $0.phase = .queued(ticket ?? .first(id)) }
        guard ticket == nil else { return touch(call.tenant) }
        end(id, tenants[call.tenant] == nil ? .retired(.tenantRemoved) : .unwanted, now: now)
    }
}
