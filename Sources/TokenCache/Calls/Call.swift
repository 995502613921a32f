import TokenProtocol

/// One call to a tenant, from its queueing to its end.
///
/// It mints a key for all requests that wait for it, revokes a token, or is a step of a job at the tenant's API.
struct Call {
    /// The progress of the call.
    enum Phase {
        /// It is queued.
        case queued(Governor.Ticket)
        /// It was sent.
        ///
        /// A token's life counts from this time.
        case sent(at: Instant)
        /// It was denied, and is queued again at the time of this timer in ``CacheStateMachine/retries``.
        case pausing(IndexedHeap<Instant, CallID>.Handle)
        /// The governor lets it go, and the second level is asked if it has the token or if another machine goes first.
        case claiming(Governor.Started)
        /// Another machine mints its token, for which it waits up to the time of this timer.
        case yielding(IndexedHeap<Instant, FleetTimer>.Handle)
    }

    /// The task of the call.
    ///
    /// It is indirect, so that a copy of the call is a copy of one reference and not of the ten in a mint.
    indirect enum Work {
        case mint(Mint)
        case revocation(Revocation)
        case api(APIWork)
    }

    let id: CallID
    let tenant: TenantID
    /// The peer that caused it, or nil if the daemon did.
    let peer: Peer?
    var phase: Phase
    /// Its position among the prefetches of all tenants, if it is a queued one.
    var prefetchPlace: FairQueue.Ticket?
    var work: Work
    /// The requests that wait for a mint.
    ///
    /// Logouts that wait for a revocation are found by ``Revocation/logout``.
    var waiters = Waiters.List()
    /// The traces of the requests that asked for it.
    var traces = CallTraces()

    var mint: Mint? {
        get { if case .mint(let mint) = work { mint } else { nil } }
        set { if let newValue { work = .mint(newValue) } }
    }

    var revocation: Revocation? {
        get { if case .revocation(let revocation) = work { revocation } else { nil } }
        set { if let newValue { work = .revocation(newValue) } }
    }

    var api: APIWork? { if case .api(let work) = work { work } else { nil } }

    /// The tier that the tenant counts it in.
    var tier: Tier { api == nil ? .tokens : .api }

    /// The time at which it was sent, or nil if it is queued.
    var sent: Instant? { if case .sent(let time) = phase { time } else { nil } }

    /// True if the governor has yet to let it go, so that its delays matter.
    var awaitsGovernor: Bool {
        switch phase {
        case .queued, .pausing: true
        case .sent, .claiming, .yielding: false
        }
    }

    /// Its position in the governor's queues, or nil if it was sent.
    var ticket: Governor.Ticket? { if case .queued(let ticket) = phase { ticket } else { nil } }
}
