import TokenProtocol

/// Long work that is done in slices, between requests.
///
/// None of it decides what a request gets: that is settled when the work is begun. What it goes through may change
/// meanwhile; whatever comes later is judged when it comes.
enum Chore {
    /// Frees what a flush, or a reload that took a tenant away, has left.
    case flush(FlushSweep)
    /// Ends the queued calls of a tenant that is not configured any more.
    case retire(TenantID, ErrorReply, next: Int)
    /// Tells callers who can't be served in time since a hold, the circuit or a reload has changed that.
    case pace(PacingSweep)
    /// Forgets those who are gone.
    case leave([Waiter], next: Int)
    /// Lays lives out anew under another policy.
    case applyPolicy(next: Int)
    /// Drops entries past the bound.
    case shrink
    /// Frees the memory of refusals that another secret has made void.
    case sweepNegatives(TenantID, upTo: UInt64, next: Int)
    /// Lets in what was to be tried again later, as the tenant is back.
    case endPauses(TenantID)
    /// Persists entries that are not persisted yet.
    case persist(next: Int)
    /// Tells the next daemon when entries were last asked for.
    case persistUses(next: Int)

    /// Whether a new chore takes the place of this one, which then has nothing left to do.
    func isReplaced(by other: Chore) -> Bool {
        switch (self, other) {
        case (.flush(let own), .flush(let other)): own.tenant == other.tenant
        case (.pace(let own), .pace(let other)): own.tenant == other.tenant
        case (.sweepNegatives(let own, _, _), .sweepNegatives(let other, _, _)): own == other
        case (.endPauses(let own), .endPauses(let other)): own == other
        case (.applyPolicy, .applyPolicy), (.shrink, .shrink), (.persist, .persist),
            (.persistUses, .persistUses):
            true
        default: false
        }
    }
}

/// Goes through all that a flushed tenant may have left: entries, calls, what is remembered of users.
struct FlushSweep {
    let tenant: TenantID
    let serial: UInt64
    var nextCall = 0
    var nextNegative = 0

    init(_ tenant: TenantID, upTo serial: UInt64) {
        self.tenant = tenant
        self.serial = serial
    }
}

/// Goes through the callers' calls of a tenant in the order in which they go, to tell those who wait in vain.
///
/// Who stays counts for those behind, who doesn't makes them sooner; so nobody is told who could have gone in time.
struct PacingSweep {
    let tenant: TenantID
    /// Those that go before all callers' turns.
    var first: [CallID]
    var walk: FairQueue.Walk
    /// How many stay so far.
    var rank = 0
    /// How many of those who wait for the present call have not been looked at; nil: it has not been begun.
    var left: Int?

    init(_ tenant: TenantID, _ governor: Governor) {
        self.tenant = tenant
        first = governor.firstCalls
        walk = governor.walk()
    }
}
