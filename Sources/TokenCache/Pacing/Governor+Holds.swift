/// The times in which a tenant gets no calls.
extension Governor {
    /// Returns the time until which no call is sent, or nil if calls may be sent.
    func blockedUntil(_ now: Instant) -> Instant? { block(now)?.until }

    /// Returns the hold or the open circuit, whichever ends later.
    func block(_ now: Instant) -> Delay? {
        guard let hold = currentHold(at: now) else { return openDelay(now) }
        guard let open = openDelay(now), open.until > hold.until else { return hold }
        return open
    }

    /// The longest time of a hold.
    static var longestHold: Duration { GovernorConstants.maxHold * (1 + GovernorConstants.holdSpread) }

    /// Starts a hold, in which the tenant gets no calls.
    ///
    /// - Parameters:
    ///   - length: The time that the tenant asked for, if it could be understood.
    ///   - cause: The cause of the hold.
    ///   - jitterFraction: A random number, evenly distributed from 0 up to 1.
    ///   - now: The current time.
    mutating func hold(_ length: Duration?, cause: Delay.Cause, jitterFraction: Double, now: Instant) {
        let asked = min(length ?? GovernorConstants.holdWithoutTime, GovernorConstants.maxHold)
        let end = now + asked * (1 + GovernorConstants.holdSpread * jitterFraction)
        if currentHold(at: now) == nil { heldSince = now }
        guard end > hold?.until ?? now else { return }
        hold = Delay(until: end, cause: cause)
    }

    /// Ends the hold at an operator's request, as the time that the tenant asked for was wrong.
    ///
    /// The token bucket and the circuit breaker stay as they are.
    ///
    /// - Returns: The time that was left of it, or nil if no hold is in force.
    mutating func releaseHold(now: Instant) -> Duration? {
        guard let hold = currentHold(at: now) else { return nil }
        self.hold = nil
        return hold.until - now
    }

    /// Returns the hold that is in force.
    func currentHold(at now: Instant) -> Delay? { hold.flatMap { $0.until > now ? $0 : nil } }

    private func openDelay(_ now: Instant) -> Delay? {
        circuit.openUntil(now).map { Delay(until: $0, cause: circuit.cause == .client ? .client : .faults) }
    }
}
