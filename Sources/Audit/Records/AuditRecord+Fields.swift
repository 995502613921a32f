import Secrets
import TokenCache
import TokenProtocol

extension AuditRecord {
    /// The record's fields, in the order in which they are written.
    var fields: [AuditField] { actFields + traceFields + peerFields }

    /// True if the record is of a forbidden request or a failure.
    var isFailure: Bool {
        switch act {
        case .forbidden, .mint(_, _, .failed), .reload(.some): true
        case .revocation(_, _, _, let end) where end != .revoked: true
        case .provision(_, _, let step): step.isFailure
        case .revokeEverywhere(_, _, let failure): failure != nil
        case .mint, .revocation, .evict, .flush, .releaseHold, .noHold, .reload, .logLevel: false
        }
    }

    private var traceFields: [AuditField] {
        guard let trace else { return [] }
        var fields: [AuditField] = []
        if let sent = trace.sent {
            fields += [AuditField("trace_id", "\(sent.traceID)"), AuditField("span_id", "\(sent.spanID)")]
        }
        if let others = trace.othersText { fields.append(AuditField("other_trace_ids", others)) }
        return fields
    }

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
        case .provision(let user, let userID, let step):
            Self.event("provision", step.outcome) + Self.fields(user.tenant.name, user.user, nil)
                + (userID.map { [AuditField("user_id", $0)] } ?? []) + step.fields
        case .revokeEverywhere(let user, let count, let failure):
            Self.event("revoke_everywhere", failure?.code.rawValue ?? "revoked")
                + Self.fields(user.tenant.name, user.user, nil)
                + [AuditField("count", count)] + (failure?.fields ?? [])
        case .forbidden(let request):
            Self.event("refusal", ErrorReply.Code.forbidden.rawValue)
                + [AuditField("operation", request.operation.rawValue), AuditField("reason", request.reason)]
                + Self.fields(request.tenant, request.user, nil)
                + (request.scope.map { [AuditField("scope_asked", $0)] } ?? [])
                + (request.group.map { [AuditField("group_asked", $0)] } ?? [])
        case .evict(let user, let scopes):
            Self.event("evict", "done") + Self.fields(user.tenant.name, user.user, scopes)
        case .flush(let tenant, let count):
            Self.event("flush", "done") + Self.fields(tenant, nil, nil) + [AuditField("count", count)]
        case .releaseHold(let tenant, let left):
            Self.event("release_hold", "done") + Self.fields(tenant, nil, nil)
                + [AuditField("seconds_left", left.asRetryAfter)]
        case .noHold(let tenant): Self.event("release_hold", "none") + Self.fields(tenant, nil, nil)
        case .reload(let code): Self.event("reload", code?.rawValue ?? "done")
        case .logLevel(let request):
            Self.event("log_level", "done") + [AuditField("level", request.level.rawValue)]
                + (request.duration.map { [AuditField("seconds", Int($0.components.seconds))] } ?? [])
        }
    }

    private static func event(_ event: String, _ outcome: String) -> [AuditField] {
        [AuditField("event", event), AuditField("outcome", outcome)]
    }

    private static func fields(_ tenant: String?, _ user: UserLookup?, _ scopes: ScopeSet?) -> [AuditField] {
        var fields: [AuditField] = []
        if let tenant { fields.append(AuditField("tenant", tenant)) }
        if let user {
            fields.append(AuditField(user.field.memberName, String(decoding: user.value, as: UTF8.self)))
        }
        if let scopes, !scopes.isAll { fields.append(AuditField("scope_asked", scopes.text)) }
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
