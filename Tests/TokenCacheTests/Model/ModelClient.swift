@testable import TokenCache

/// The state of the client at a tenant, as minting.md derives it from the tenant's answers.
struct ModelClient {
    enum State {
        case trusted
        /// Several users in a row were denied, with any status.
        case doubtful
        /// Several users in a row were denied with 401.
        ///
        /// The probe is nil if none is queued or under way.
        case suspected(probe: ModelCall?)
        case denied
    }

    /// The consequence of a denial.
    enum Suspicion {
        case none
        case doubtful
        case suspected(probe: ModelKey?)
        case proven

        var isNone: Bool { if case .none = self { true } else { false } }
    }

    private(set) var state = State.trusted
    /// The keys that were accepted last and can be used as probes, the latest at the end.
    private(set) var accepted: [ModelKey] = []
    /// The keys that were denied in a row: with 401, and with any status.
    private var unauthorized: [ModelKey] = []
    private var deniedKeys: [ModelKey] = []
    /// True if the last probe was sent without a result.
    ///
    /// Then the next denials have to cause another.
    private(set) var hasProbedInVain = false

    var isTrusted: Bool { if case .trusted = state { true } else { false } }
    var isDenied: Bool { if case .denied = state { true } else { false } }
    var probe: ModelCall? { if case .suspected(let probe) = state { probe } else { nil } }

    /// True if a suspicion is being probed, or can't be.
    var isLookedInto: Bool {
        guard case .suspected(let probe) = state else { return true }
        return probe != nil || accepted.isEmpty || hasProbedInVain
    }

    /// Records a minted key, and returns true if that ends a suspicion.
    mutating func accepted(_ key: ModelKey?) -> Bool {
        if let key {
            accepted.removeAll { $0 === key }
            accepted = (accepted + [key]).suffix(8)
        }
        defer { secretChanged() }
        return !isTrusted
    }

    /// Records a denied key whose call used the current secret.
    mutating func denied(_ key: ModelKey, by call: ModelCall, status: Int) -> Suspicion {
        let wasTrusted = isTrusted
        if !deniedKeys.contains(where: { $0 === key }) { deniedKeys.append(key) }
        if wasTrusted, deniedKeys.count >= 3 { state = .doubtful }
        if status != 401 { unauthorized = [] }
        if status == 401, case let suspicion = unauthorized(key, by: call), !suspicion.isNone { return suspicion }
        return wasTrusted && !isTrusted ? .doubtful : .none
    }

    private mutating func unauthorized(_ key: ModelKey, by call: ModelCall) -> Suspicion {
        switch state {
        case .suspected(let probe) where probe === call:
            state = .denied
            return .proven
        case .denied: return .none
        case .trusted, .doubtful, .suspected:
            if !unauthorized.contains(where: { $0 === key }) { unauthorized.append(key) }
            return unauthorized.count < 3 ? .none : suspect()
        }
    }

    private mutating func suspect() -> Suspicion {
        unauthorized = []
        hasProbedInVain = false
        if case .suspected(let probe) = state {
            if probe != nil || accepted.isEmpty { return .none }
        } else {
            state = .suspected(probe: nil)
        }
        return .suspected(probe: accepted.last)
    }

    mutating func probes(with call: ModelCall) { state = .suspected(probe: call) }

    /// Handles a call that ended without a result for the client.
    ///
    /// - Returns: The key that has to be probed instead.
    mutating func lost(_ call: ModelCall, wasSent: Bool) -> ModelKey? {
        guard case .suspected(let probe) = state, probe === call else { return nil }
        state = .suspected(probe: nil)
        hasProbedInVain = wasSent
        return wasSent ? nil : accepted.last
    }

    mutating func forget(_ user: UserKey) { accepted.removeAll { $0.key.user == user } }

    mutating func secretChanged() {
        (unauthorized, deniedKeys) = ([], [])
        state = .trusted
    }
}
