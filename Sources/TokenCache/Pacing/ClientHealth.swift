/// Tells a tenant that denies users from a tenant that denies this daemon's client, as both answer with the same
/// statuses.
///
/// One denied user is the user's problem. Several different ones in a row, with none accepted in between, make the
/// client doubtful, whatever the status. If each status was 401, a key that the tenant has accepted before is minted as
/// a probe. If that is denied, too, the client is denied.
struct ClientHealth {
    /// The state of the client.
    enum State: Equatable {
        /// The tenant accepts it, as far as is known.
        case trusted
        /// Several users in a row were denied, with any status.
        ///
        /// Operators are notified, and nothing else follows.
        case doubtful(since: Instant)
        /// Several users in a row were denied with 401.
        ///
        /// The probe is nil if none is under way or there is no key to probe with.
        case suspected(since: Instant, probe: CallID?)
        /// The probe was denied.
        case denied(since: Instant)
    }

    /// The consequence of a denial.
    enum Suspicion: Equatable {
        /// No consequence.
        case none
        /// The client has become doubtful.
        case doubtful
        /// The client has become suspect.
        ///
        /// If there is a key, it is to be minted as a probe.
        case suspected(probe: TokenKey?)
        /// The probe was denied, too: the client is denied.
        case proven
    }

    private(set) var state = State.trusted
    /// The keys that were accepted last, the latest at the end.
    private var acceptedKeys: [TokenKey] = []
    /// The keys that were denied with 401 in a row.
    private var unauthorizedKeys: [TokenKey] = []
    /// The keys that were denied in a row with any status, until the client is doubtful.
    private var deniedKeys: [TokenKey] = []

    /// The call that probes the client.
    var probe: CallID? { if case .suspected(_, let probe) = state { probe } else { nil } }

    /// Records an accepted key, and returns true if that ends a suspicion.
    ///
    /// - Parameter key: The key, or nil if it is not to be used as a probe.
    mutating func accepted(_ key: TokenKey?) -> Bool {
        if let key {
            acceptedKeys.removeAll { $0 == key }
            acceptedKeys.append(key)
            if acceptedKeys.count > GovernorConstants.maxAccepted { acceptedKeys.removeFirst() }
        }
        defer { trust() }
        return state != .trusted
    }

    /// Records a call that was denied with 400, 401, 403 or 404 while it used the current secret.
    mutating func denied(_ key: TokenKey, _ call: CallID, isUnauthorized: Bool, now: Instant) -> Suspicion {
        let doubt = doubt(key, now: now)
        let suspicion = isUnauthorized ? unauthorized(key, call, now: now) : .none
        if !isUnauthorized { unauthorizedKeys = [] }
        return suspicion == .none ? doubt : suspicion
    }

    private mutating func doubt(_ key: TokenKey, now: Instant) -> Suspicion {
        guard state == .trusted else { return .none }
        if !deniedKeys.contains(key) { deniedKeys.append(key) }
        guard deniedKeys.count >= GovernorConstants.deniedUsers else { return .none }
        deniedKeys = []
        state = .doubtful(since: now)
        return .doubtful
    }

    private mutating func unauthorized(_ key: TokenKey, _ call: CallID, now: Instant) -> Suspicion {
        switch state {
        case .suspected(let since, probe: call):
            state = .denied(since: since)
            return .proven
        case .denied: return .none
        case .trusted, .doubtful, .suspected:
            if !unauthorizedKeys.contains(key) { unauthorizedKeys.append(key) }
            guard unauthorizedKeys.count >= GovernorConstants.deniedUsers else { return .none }
            return suspect(now)
        }
    }

    private mutating func suspect(_ now: Instant) -> Suspicion {
        unauthorizedKeys = []
        switch state {
        case .trusted, .doubtful: state = .suspected(since: now, probe: nil)
        // There is one probe at a time, and without a key there is nothing new to say.
        case .suspected(_, .some), .denied: return .none
        case .suspected(_, nil): if acceptedKeys.isEmpty { return .none }
        }
        return .suspected(probe: acceptedKeys.last)
    }

    /// Records which call is the probe.
    mutating func probes(with call: CallID) {
        if case .suspected(let since, _) = state { state = .suspected(since: since, probe: call) }
    }

    /// Handles a call that ended without a result for the client.
    ///
    /// - Returns: The key to probe instead, if the call was the probe and was not sent.
    mutating func lost(_ call: CallID, wasSent: Bool) -> TokenKey? {
        guard case .suspected(let since, probe: call) = state else { return nil }
        state = .suspected(since: since, probe: nil)
        return wasSent ? nil : acceptedKeys.last
    }

    /// Removes a user from the keys to probe with, as they have logged out or were evicted.
    mutating func forget(_ user: UserKey) { acceptedKeys.removeAll { $0.user == user } }

    /// Resets the state, as the client has a new secret.
    mutating func secretChanged() { trust() }

    private mutating func trust() {
        unauthorizedKeys = []
        deniedKeys = []
        state = .trusted
    }
}
