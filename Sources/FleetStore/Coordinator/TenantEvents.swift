import FleetProtocol
import TokenCache

/// A tenant, its node, and how far its events have been read.
struct TenantEvents {
    /// The state of the connection.
    enum State: Equatable {
        /// There is none.
        case away
        /// The tenant's state is being read.
        case positioning
        /// Earlier events are being read, or the connection for them is being opened.
        case catchingUp
        /// All orders are performed, and events arrive.
        case connected
    }

    var translator: TenantTranslator
    var cursor: EventCursor
    var node: EngineAddress?
    /// The tenant's limits at the connection, until they are passed on.
    var limits: FleetLimits?
    /// The latest fence or time that the engine has told, whichever process it was.
    ///
    /// The cache knows it, too, and so the engine's later fences must be above it.
    private(set) var latest: Int64 = 0
    /// Other machines' drops that this one repeats under its own names.
    var repeated = RepeatedDrops()
    var leases = HeldLeases()
    var state = State.away
    /// The time of the last change between connected and not.
    var since: Instant

    /// Creates a tenant without a connection.
    init(_ translator: TenantTranslator, since: Instant) {
        self.translator = translator
        self.since = since
        cursor = EventCursor(translator.tenant.place)
    }

    /// Takes note of a fence that the engine has told.
    mutating func see(_ fence: Int64) { latest = max(latest, fence) }

    /// Takes note of a fence and of the time that the engine has told with it.
    ///
    /// A time far ahead of that, which the engine's clock had for a moment, is forgotten: no engine would follow it.
    mutating func see(_ fence: Int64, _ time: EngineTime) {
        translator.engineTime = time
        if !EngineAnswer.isPlausible(latest, at: time.time) { latest = 0 }
        latest = max(latest, fence, time.time)
    }

    /// Takes note that the connection is lost.
    ///
    /// - Returns: True if there was one.
    mutating func disconnected(at now: Instant) -> Bool {
        cursor.disconnected()
        let wasConnected = state == .connected
        state = .away
        if wasConnected { since = now }
        return wasConnected
    }

    /// Takes note that all earlier events have been read.
    mutating func connected(at now: Instant) { (state, since) = (.connected, now) }
}
