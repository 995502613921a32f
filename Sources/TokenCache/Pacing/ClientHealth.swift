/// Tells a tenant that refuses users from one that refuses this daemon's client: both answer with the same statuses.
///
/// One refused user is the user's matter. Several different ones in a row, with none accepted between, make the client
/// doubtful, whatever the status. If each status was 401, a key that the tenant has accepted before is minted as a probe;
/// only if that is refused, too, is it the client.
struct ClientHealth {
    /// What is thought of the client.
    enum State: Equatable {
        /// The tenant takes it, as far as is known.
        case trusted
        /// Several users were refused in a row, with any status: operators are told, and nothing else follows from it.
        case doubtful(since: Instant)
        /// Several users were refused in a row with 401; a probe is planned or under way, or there is no key to probe with.
        case suspected(since: Instant, probe: CallID?)
        /// The probe was refused.
        case refused(since: Instant)
    }

    /// What a refusal leads to.
    enum Suspicion: Equatable {
        /// Nothing.
        case none
        /// The client has become doubtful.
        case doubtful
        /// The client has become suspect; where there is a key, it is to be minted as a probe.
        case suspected(probe: TokenKey?)
        /// The probe was refused, too: it is the client.
        case proven
    }

    private(set) var state = State.trusted
    /// The keys that were accepted last, the latest at the end.
    private var accepted: [TokenKey] = []
    /// The keys that were refused with 401 in a row.
    private var unauthorized: [TokenKey] = []
    /// The keys that were refused in a row with any status, until the client is doubtful.
    private var denied: [TokenKey] = []

    /// The call that is to find out about the client.
    var probe: CallID? { if case .suspected(_, let probe) = state { probe } else { nil } }

    /// A key was minted; whether that ends a suspicion.
    ///
    /// - Parameter key: nil: it is not to be probed with.
    mutating func accepted(_ key: TokenKey?) -> Bool {
        if let key {
            accepted.removeAll { $0 == key }
            accepted.append(key)
            if accepted.count > GovernorConstants.mostAccepted { accepted.removeFirst() }
        }
        defer { trust() }
        return state != .trusted
    }

    /// A call was refused with 400, 401, 403 or 404, and the secret is the one that it should be.
    mutating func refused(_ key: TokenKey, _ call: CallID, isUnauthorized: Bool, now: Instant) -> Suspicion {
        let doubt = doubt(key, now: now)
        let suspicion = isUnauthorized ? unauthorized(key, call, now: now) : .none
        if !isUnauthorized { unauthorized = [] }
        return suspicion == .none ? doubt : suspicion
    }

    private mutating func doubt(_ key: TokenKey, now: Instant) -> Suspicion {
        guard state == .trusted else { return .none }
        if !denied.contains(key) { denied.append(key) }
        guard denied.count >= GovernorConstants.refusedUsers else { return .none }
        denied = []
        state = .doubtful(since: now)
        return .doubtful
    }

    private mutating func unauthorized(_ key: TokenKey, _ call: CallID, now: Instant) -> Suspicion {
        switch state {
        case .suspected(let since, probe: call):
            state = .refused(since: since)
            return .proven
        case .refused: return .none
        case .trusted, .doubtful, .suspected:
            if !unauthorized.contains(key) { unauthorized.append(key) }
            guard unauthorized.count >= GovernorConstants.refusedUsers else { return .none }
            return suspect(now)
        }
    }

    private mutating func suspect(_ now: Instant) -> Suspicion {
        unauthorized = []
        switch state {
        case .trusted, .doubtful: state = .suspected(since: now, probe: nil)
        // One probe at a time; and without a key there is nothing new to say.
        case .suspected(_, .some), .refused: return .none
        case .suspected(_, nil): if accepted.isEmpty { return .none }
        }
        return .suspected(probe: accepted.last)
    }

    /// Notes which call is the probe.
    mutating func probes(with call: CallID) {
        if case .suspected(let since, _) = state { state = .suspected(since: since, probe: call) }
    }

    /// A call ended without saying anything about the client; if it was the probe, there is none any more.
    ///
    /// - Returns: The key that is to be probed instead, where the call was the probe and was not sent.
    mutating func lost(_ call: CallID, wasSent: Bool) -> TokenKey? {
        guard case .suspected(let since, probe: call) = state else { return nil }
        state = .suspected(since: since, probe: nil)
        return wasSent ? nil : accepted.last
    }

    /// A user is not probed any more: they have logged out, or an operator has dropped what was theirs.
    mutating func forget(_ user: UserKey) { accepted.removeAll { $0.user == user } }

    /// The client's secret is another now: nothing is known against it.
    mutating func secretChanged() { trust() }

    private mutating func trust() {
        unauthorized = []
        denied = []
        state = .trusted
    }
}
