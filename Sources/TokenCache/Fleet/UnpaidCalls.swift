/// The calls that a machine has sent while the second level was away, as far as the rate has not made up for them.
///
/// The fleet's bucket does not know them. A bucket that was low before is of no account: the engine knows the reason.
struct UnpaidCalls {
    /// The maximum number of late payments.
    ///
    /// Each is an order of its own, and a bucket that holds many more calls is no tight limit.
    static let maxPayments = 64

    private var count = 0.0
    private var updated: Instant?

    /// Notes a call that was sent without a payment.
    ///
    /// - Parameter perSecond: The calls for which the rate of this machine makes up in a second.
    mutating func add(perSecond: Double, now: Instant) {
        count = left(perSecond: perSecond, now: now) + 1
        updated = now
    }

    /// Returns the number of calls to pay for, and forgets all.
    mutating func take(perSecond: Double, now: Instant) -> Int {
        defer { self = UnpaidCalls() }
        return Int(min(left(perSecond: perSecond, now: now), Double(Self.maxPayments)).rounded(.up))
    }

    private func left(perSecond: Double, now: Instant) -> Double {
        max(0, count - (updated.map { (now - $0).inSeconds } ?? 0) * perSecond)
    }
}
