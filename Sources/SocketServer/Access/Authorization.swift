import TokenCache
package import TokenProtocol

/// Decides what one client may do, by its socket, its peer and the policy in force.
///
/// This is the only place that decides it. Apps may use what an access rule permits their peer on the request socket.
/// Administrators may use every operation on the admin socket, but need a rule for tokens like everyone else. All
/// others may only call `hello` there.
package final class Authorization {
    /// The permissions to use tokens, or nil if the client may not use any on its socket.
    package let permissions: PeerPermissions?
    /// The gatekeeper whose policy decides.
    let gatekeeper: Gatekeeper
    private let socket: SocketKind
    private let peer: Peer
    private let rule: PeerPermissions
    private let isAdministrator: Bool
    /// True if the peer has no permissions because it isn't known whether it matches a rule.
    private let isUndecided: Bool

    /// Creates the authorization of a client by a gatekeeper's policy.
    ///
    /// - Parameters:
    ///   - rule: The permissions of the rule that the peer matches.
    ///   - isUndecided: True if it isn't known whether the peer matches a rule.
    init(_ client: Client, _ rule: PeerPermissions, isUndecided: Bool, _ gatekeeper: Gatekeeper) {
        socket = client.socket
        peer = client.peer
        self.rule = rule
        self.isUndecided = isUndecided
        self.gatekeeper = gatekeeper
        isAdministrator = socket == .admin && gatekeeper.policy.administrators.contains(peer)
        permissions = socket == .requests || isAdministrator ? rule : nil
    }

    /// Decides whether the client may do an operation, and finds the keys that its request refers to.
    package func authorize(_ operation: Operation) throws(AuthorizationError) -> AuthorizedOperation {
        guard mayUse(operation.name) else {
            throw forbidden(operation, ErrorReply(.forbidden, "this peer is no administrator"))
        }
        do throws(ErrorReply) {
            return try resolve(operation)
        } catch {
            guard error.code == .forbidden else { throw AuthorizationError(reply: error, record: nil) }
            throw forbidden(operation, isUndecided ? .undecidedPeer : error)
        }
    }

    private func forbidden(_ operation: Operation, _ reply: ErrorReply) -> AuthorizationError {
        AuthorizationError(reply: reply, record: record(operation, reason: reply.description))
    }

    /// True if the socket offers an operation to the client.
    ///
    /// For the apps' operations, a rule has to permit them, too.
    private func mayUse(_ operation: OperationName) -> Bool {
        switch socket {
        case .requests: operation.isForApps
        case .admin: isAdministrator || operation == .hello
        }
    }

    private func resolve(_ operation: Operation) throws(ErrorReply) -> AuthorizedOperation {
        switch operation {
        case .token(let request):
            let key = try rule.key(for: request.key, .token)
            if request.refused != nil { try rule.require(.invalidate, for: "refused_token_sha256") }
            return .token(key, request)
        case .prefetch(let request): return .prefetch(try rule.keys(for: request))
        case .invalidate(let request):
            return .invalidate(try rule.key(for: request.key, .invalidate), request.fingerprint)
        case .provision(let request): return .provision(try rule.user(for: request), request)
        case .revoke(let request, let everywhere):
            let (user, scopes) = try rule.logout(request, everywhere: everywhere)
            return .revoke(user, scopes, everywhere: everywhere)
        case .hello: return .hello(operations: operations, tenants: tenants, clients: clients)
        case .stats: return .administer(.stats)
        case .entries(let request): return .administer(.entries(request, try tenant(request.tenant)))
        case .evict(let request): return .administer(.evict(try directory.user(for: request), request.scopes))
        case .flush(let name): return .administer(.flush(try tenant(name)))
        case .reload: return .administer(.reload)
        case .health: return .administer(.health)
        case .metrics: return .administer(.metrics)
        case .explain(let request): return .administer(.explain(try directory.key(for: request)))
        case .releaseHold(let name): return .administer(.releaseHold(try tenant(name)))
        case .logLevel(let request): return .administer(.logLevel(request))
        }
    }

    private var directory: TenantDirectory { gatekeeper.policy.directory }

    /// The tenant of a name, or nil, for all tenants, if there is no name.
    private func tenant(_ name: String?) throws(ErrorReply) -> TenantID? {
        guard let name else { return nil }
        return try directory.tenant(name)
    }

    // MARK: hello

    private var operations: [OperationName] {
        OperationName.allCases.filter {
            mayUse($0) && ($0 == .hello || !$0.isForApps || rule.offers($0))
        }
    }

    private var tenants: [String] {
        if isAdministrator { return directory.names }
        guard let permissions, !permissions.operations.isEmpty else { return [] }
        return permissions.tenants
    }

    private var clients: [String] {
        guard let permissions, !permissions.operations.isEmpty else { return [] }
        return permissions.clients
    }

    // MARK: The audit trail

    private func record(_ operation: Operation, reason: String) -> AuditRecord {
        let target = operation.target
        // A prefetch is recorded with the user who makes it forbidden.
        let user = operation.name == .prefetch ? rule.firstForbidden(of: target.users) : target.users.first
        var group: String?
        if case .provision(let request) = operation, reason == ErrorReply.forbiddenGroup.description {
            group = rule.firstForbiddenGroup(of: request)
        }
        let request = AuditRecord.ForbiddenRequest(
            operation.name,
            reason: reason,
            tenant: target.tenant,
            user: user,
            scopes: target.scopes,
            group: group
        )
        return AuditRecord(peer, .forbidden(request))
    }
}

@available(*, unavailable)
extension Authorization: Sendable {}

extension ErrorReply {
    fileprivate static var undecidedPeer: ErrorReply {
        ErrorReply(.forbidden, "it isn't known now whether an access rule means this peer; 'health' says which rule")
    }
}
