/// The retry of a mint that was denied with an old secret.
extension CacheStateMachine {
    /// True if a mint that was denied with an old secret is worth retrying with the new one.
    func canRetryWithNewSecret(_ call: Call) -> Bool {
        guard let mint = call.mint, !mint.hasTriedNewSecret, tenants[call.tenant]?.isRetired == false else {
            return false
        }
        switch fate(of: call) {
        case .current: return true
        case .superseded: return !call.waiters.isEmpty
        case .revoked: return false
        }
    }

    /// Retries a call with a client secret that changed after the call was sent, first in line if a request waits for
    /// it.
    mutating func retryWithNewSecret(_ id: CallID, _ call: Call, now: Instant) {
        noteEnd(of: call, .unknown, now: now)
        guard let ticket = tenants[call.tenant]?.governor.enqueue(id, as: .first) else { return }
        calls.update(id) { $0.mint?.hasTriedNewSecret = true }
        calls.move(id, to: .queued(ticket))
        touch(call.tenant)
        if call.waiters.isEmpty { requeue(id, now: now) }
    }
}
