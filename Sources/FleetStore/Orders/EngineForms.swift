import FleetProtocol
import TokenCache
import TokenProtocol

// The forms in which the engine's module has the cache's values.

extension TokenKey {
    /// The identity of the token within its tenant.
    var engineID: EngineTokenID {
        EngineTokenID(field: user.user.field.rawValue, user: user.user.value, scopes: scopes.text)
    }

    /// Reads an identity, or returns nil if it has a field or scopes that this program doesn't know.
    init?(_ tenant: TenantID, _ id: EngineTokenID) {
        guard let user = UserKey(tenant, field: id.field, id.user) else { return nil }
        guard let scopes = id.scopes.isEmpty ? ScopeSet.all : ScopeSet(id.scopes) else { return nil }
        self.init(user: user, scopes: scopes)
    }
}

extension UserKey {
    /// Reads a user's name, or returns nil if its field is unknown.
    init?(_ tenant: TenantID, field: UInt8, _ value: [UInt8]) {
        guard let field = LookupField(rawValue: field) else { return nil }
        self.init(tenant: tenant, user: UserLookup(field: field, value: value))
    }
}

extension FleetToken {
    /// The token as it is sealed.
    func plain(_ key: TokenKey) -> EngineToken {
        EngineToken(
            token: token.accessToken,
            scope: token.scope,
            lifetime: Int64(lifetime.milliseconds),
            id: key.engineID
        )
    }
}

extension FleetRefusal {
    /// The denial as it is sealed.
    var plain: EngineRefusal {
        EngineRefusal(status: upstream.status, code: upstream.code, title: upstream.title)
    }
}

extension FleetDrop.Target {
    /// The target as an event tells it.
    var details: EngineEventDetails.Target {
        switch self {
        case .tenant: .tenant
        case .user(let user, nil): .user(field: user.user.field.rawValue, user.user.value)
        case .user(let user, let scopes?): .token(TokenKey(user: user, scopes: scopes).engineID)
        case .reported(let key, let fingerprint): .reported(key.engineID, fingerprint)
        }
    }

    /// Reads an event's target, or returns nil if this program doesn't know its parts.
    init?(_ tenant: TenantID, _ details: EngineEventDetails.Target) {
        switch details {
        case .tenant: self = .tenant(tenant)
        case .user(let field, let value):
            guard let user = UserKey(tenant, field: field, value) else { return nil }
            self = .user(user, nil)
        case .token(let id):
            guard let key = TokenKey(tenant, id) else { return nil }
            self = .user(key.user, key.scopes)
        case .reported(let id, let fingerprint):
            guard let key = TokenKey(tenant, id) else { return nil }
            self = .reported(key, fingerprint)
        }
    }
}

extension FleetDrop.Reason {
    /// The reason as an event tells it.
    var details: EngineEventDetails.Reason {
        switch self {
        case .eviction: .eviction
        case .logout(let revoked): .logout(revoked: Array(revoked.prefix(TenantTranslator.mostFingerprints)))
        }
    }

    /// Reads an event's reason.
    init(_ details: EngineEventDetails.Reason) {
        switch details {
        case .eviction: self = .eviction
        case .logout(let revoked): self = .logout(revoked: revoked)
        }
    }
}

extension FleetLimits {
    /// Reads the limits of an answer, or returns nil if it doesn't tell them.
    init?(_ answer: EngineAnswer) {
        guard let level = answer.level else { return nil }
        let hold = answer.hold.map { hold in
            // A later version's cause holds the calls, too.
            Hold(left: .milliseconds(hold.left), cause: HoldCause(rawValue: hold.cause) ?? .throttled)
        }
        self.init(level: Double(level) / TenantTranslator.levelUnit, hold: hold, time: FleetFence(answer.time))
    }
}

extension EngineAnswer.Outcome {
    /// The fence that an outcome tells, or nil for none.
    var fence: Int64? {
        switch self {
        case .token(_, _, let fence, _, _), .go(let fence), .drop(let fence, _): fence
        default: nil
        }
    }
}
