import SafeText
import Secrets
import TokenCache
import TokenProtocol

/// One member of a record, named as in JSON; in the journal its name is in capitals behind a prefix.
struct AuditField: Equatable {
    /// What it says.
    enum Value: Equatable {
        case text(String)
        case number(Int)
    }

    let name: String
    let value: Value

    init(_ name: String, _ value: String) { (self.name, self.value) = (name, .text(value)) }

    init(_ name: String, _ value: Int) { (self.name, self.value) = (name, .number(value)) }

    /// The size of its text in bytes, about.
    var size: Int {
        switch value {
        case .text(let text): text.utf8.count
        case .number: 8
        }
    }

    /// So many refusals that were like one on record; nil: of kinds too many to tell apart.
    static func refusals(_ count: Int, _ kind: RefusalCounts.Kind?) -> [AuditField] {
        var fields = [AuditField("event", "refusal"), AuditField("outcome", ErrorReply.Code.forbidden.rawValue)]
        if let kind {
            fields += [AuditField("operation", kind.operation.rawValue), AuditField("reason", kind.reason)]
        }
        fields.append(AuditField("count", count))
        if let uid = kind?.uid { fields.append(AuditField("peer_uid", Int(uid))) }
        return fields
    }

    /// The value as the journal gets it: bytes as they are, as a field's length is told beside it.
    var plain: String {
        switch value {
        case .text(let text): text
        case .number(let number): String(number)
        }
    }

    /// The value in JSON, with escapes for everything that is unsafe to print.
    var json: String {
        switch value {
        case .text(let text): text.jsonQuoted
        case .number(let number): String(number)
        }
    }
}

extension AuditRecord {
    /// The record's members, in the order in which they are written.
    var fields: [AuditField] { actFields + peerFields }

    private var peerFields: [AuditField] {
        guard let peer else { return [] }
        var fields = [AuditField("peer_uid", Int(peer.uid)), AuditField("peer_gid", Int(peer.gid))]
        if let pid = peer.pid { fields.append(AuditField("peer_pid", Int(pid))) }
        if let unit = peer.unit { fields.append(AuditField("peer_unit", unit)) }
        return fields
    }

    private var actFields: [AuditField] {
        switch act {
        case .mint(let key, let cause, let end):
            Self.event("mint", end.outcome) + [AuditField("cause", cause.rawValue)]
                + Self.fields(key.user.tenant.name, key.user.user, key.scopes) + end.fields
        case .revocation(let user, let scopes, let fingerprint, let end):
            Self.event("revocation", end.rawValue)
                + Self.fields(user.tenant.name, user.user, scopes)
                + [AuditField("token_fingerprint", fingerprint.short)]
        case .forbidden(let refusal):
            Self.event("refusal", ErrorReply.Code.forbidden.rawValue)
                + [AuditField("operation", refusal.operation.rawValue), AuditField("reason", refusal.reason)]
                + Self.fields(refusal.tenant, refusal.user, nil)
                + (refusal.scope.map { [AuditField("scope_asked", $0)] } ?? [])
        case .evict(let user, let scopes):
            Self.event("evict", "done") + Self.fields(user.tenant.name, user.user, scopes)
        case .flush(let tenant, let count):
            Self.event("flush", "done") + Self.fields(tenant, nil, nil) + [AuditField("count", count)]
        case .reload(let code): Self.event("reload", code?.rawValue ?? "done")
        }
    }

    private static func event(_ event: String, _ outcome: String) -> [AuditField] {
        [AuditField("event", event), AuditField("outcome", outcome)]
    }

    private static func fields(_ tenant: String?, _ user: UserLookup?, _ scopes: ScopeSet?) -> [AuditField] {
        var fields: [AuditField] = []
        if let tenant { fields.append(AuditField("tenant", tenant)) }
        if let user {
            let name = user.field == .subject ? "subject" : "user_id"
            fields.append(AuditField(name, String(decoding: user.value, as: UTF8.self)))
        }
        if let scopes { fields.append(AuditField("scope_asked", scopes.text)) }
        return fields
    }
}

extension AuditRecord.MintEnd {
    fileprivate var outcome: String {
        switch self {
        case .minted: "minted"
        case .failed(let code, _): code.rawValue
        }
    }

    fileprivate var fields: [AuditField] {
        switch self {
        case .minted(let granted, let fingerprint):
            [AuditField("scope_granted", granted), AuditField("token_fingerprint", fingerprint.short)]
        case .failed(_, let upstream):
            (upstream.map { [AuditField("upstream_status", $0.status)] } ?? [])
                + (upstream?.code.map { [AuditField("upstream_code", $0)] } ?? [])
        }
    }
}
