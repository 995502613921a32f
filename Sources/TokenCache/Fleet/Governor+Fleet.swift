/// The limits that the machines of a fleet share.
extension Governor {
    /// The allowances that the start of a call has taken from.
    struct Started: Equatable {
        /// True if it was taken from the allowance of refreshes, too.
        var tookRefresh = false
    }

    /// Undoes the start of a call that is not sent: another machine has its token, or goes first.
    mutating func undo(_ call: CallID, _ started: Started, now: Instant) {
        underWay -= 1
        bucket.giveBack(at: now)
        if started.tookRefresh { refreshAllowance.giveBack(at: now) }
        circuit.update(now)
        // The end of a call that shows nothing changes nothing but the probe, for which the next call is taken.
        _ = circuit.ended(call, .unknown, jitterFraction: 0, now: now)
    }

    /// Divides the limits among machines that don't know of each other's calls, or ends that with one.
    mutating func divide(among machines: Int, now: Instant) {
        guard machines != self.machines else { return }
        self.machines = machines
        applyLimits(now: now)
    }

    /// Applies the limits to the buckets.
    mutating func applyLimits(now: Instant) {
        let (rate, burst) = (Double(limits.ratePerMinute), Double(limits.burst))
        bucket.reconfigure(perMinute: rate / Double(machines), burst: max(1, burst / Double(machines)), now: now)
        let share = GovernorConstants.refreshShare / Double(machines)
        refreshAllowance.reconfigure(perMinute: share * rate, burst: max(1, share * burst), now: now)
    }

    /// Copies the number of calls that the fleet allows.
    mutating func mirror(_ level: Double, now: Instant) { bucket.set(level, at: now) }

    /// Lets no call go for a time, as the fleet's bucket allows none.
    mutating func wait(_ time: Duration, now: Instant) {
        bucket.set(min(bucket.available(at: now), 1 - time.inSeconds * bucket.perSecond), at: now)
    }

    /// Copies a hold that another machine has begun, and returns true if it is longer than the present one.
    mutating func mirror(_ held: Delay, now: Instant) -> Bool {
        guard held.until > max(now, hold?.until ?? now) else { return false }
        if currentHold(at: now) == nil { heldSince = now }
        hold = held
        return true
    }
}
