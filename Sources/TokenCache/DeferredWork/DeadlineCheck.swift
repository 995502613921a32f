/// A walk through a tenant's queued callers that rejects those who can't be served in time.
///
/// The callers are checked in the order of the queue. Each one who stays delays the callers behind, and each one who is
/// rejected no longer does. So nobody is rejected whose call could be sent in time.
struct DeadlineCheck {
    let tenant: TenantID
    let tier: Tier
    /// The calls that go before all callers' calls.
    var first: [CallID]
    var walk: FairQueue.Walk
    /// The number of calls that stay so far.
    var rank = 0
    /// The number of waiters of the current call that are left to check, or nil if it has not been started.
    var left: Int?

    init(_ tenant: TenantID, _ tier: Tier, _ governor: Governor) {
        self.tenant = tenant
        self.tier = tier
        first = governor.firstCalls
        walk = governor.walk()
    }
}
