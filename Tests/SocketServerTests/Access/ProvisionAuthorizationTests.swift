import SocketServer
import Testing
import TokenCache
import TokenProtocol

@Suite("Authorization of provisions and of revocations everywhere")
struct ProvisionAuthorizationTests {
    private static let ann = UserLookup(field: .subject, value: "ann")
    private static let peer = Peer(uid: 33, gid: 33)

    /// Three tenants: `main` with everything, `bare` without a client that revokes, and `other` without provisioning.
    private static let directory = TenantDirectory(
        scopes: (["main": "a", "bare": "a", "other": "a"] as [TenantID: String]).compactMapValues { ScopeSet($0) },
        provisioning: [
            "main": ProvisioningPolicy(
                client: "users",
                groups: [Glob("portal-*"), Glob("Ops")],
                revokeClient: "users"
            ),
            "bare": ProvisioningPolicy(client: "users"),
        ],
        defaultTenant: "main"
    )

    /// A rule that names every operation, for the subjects that begin with `a`.
    private static var rule: AccessRule {
        AccessRule(
            peers: .everyone,
            subjects: [Glob("a*")],
            operations: AccessRule.usualOperations.union([.provision])
        )
    }

    private func gatekeeper(_ change: (inout AccessRule) -> Void = { _ in }) -> Gatekeeper {
        var rule = Self.rule
        change(&rule)
        return Gatekeeper(
            AccessPolicy(directory: Self.directory, rules: [rule], administrators: PeerSet(users: [0]))
        )
    }

    private func authorize(
        _ operation: Operation,
        _ change: (inout AccessRule) -> Void = { _ in }
    ) throws -> AuthorizedOperation {
        try gatekeeper(change).authorize(operation, for: Client(socket: .requests, peer: Self.peer))
    }

    private func request(_ subject: String = "ann", groups: [String]? = nil, tenant: String? = nil) -> Operation {
        .provision(ProvisionRequest(subject: Array(subject.utf8), groups: groups, tenant: tenant))
    }

    /// The record of a request that is forbidden.
    private func forbidden(
        _ operation: Operation,
        _ change: (inout AccessRule) -> Void = { _ in },
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> AuditRecord.ForbiddenRequest? {
        let error = #expect(throws: AuthorizationError.self, sourceLocation: sourceLocation) {
            try authorize(operation, change)
        }
        #expect(error?.reply.code == .forbidden, sourceLocation: sourceLocation)
        guard case .forbidden(let request)? = error?.record?.act else { return nil }
        #expect(request.reason == error?.reply.description, sourceLocation: sourceLocation)
        return request
    }

    @Test(
        "A provision is for the tenant's user, with groups that the tenant's patterns cover, none, or no change at all.",
        arguments: [["portal-emea", "portal-", "Ops"], [], nil]
    )
    func allowed(groups: [String]?) throws {
        let request = ProvisionRequest(subject: Array("ann".utf8), name: "Ann", email: "a@b", groups: groups)
        let user = UserKey(tenant: "main", user: Self.ann)
        #expect(try authorize(.provision(request)) == .provision(user, request))
    }

    @Test("A provision is forbidden unless the rule names the operation, which is none of the usual ones.")
    func unnamed() {
        let record = forbidden(request()) { $0.operations = AccessRule.usualOperations }
        #expect(record?.reason == "this peer may not use this operation")
        #expect(record?.operation == .provision && record?.user == Self.ann)
        let withoutRules = Gatekeeper(AccessPolicy(directory: Self.directory, administrators: PeerSet(users: [0])))
        for client in [
            Client(socket: .requests, peer: Self.peer), Client(socket: .admin, peer: Peer(uid: 0, gid: 0)),
        ] {
            let error = #expect(throws: AuthorizationError.self) {
                try withoutRules.authorize(request(), for: client)
            }
            #expect(error?.reply.code == .forbidden)
        }
    }

    @Test("A provision is forbidden for a tenant without rules for it, and for one that the peer may not use.")
    func tenants() {
        let reason = "that tenant's users are not provisioned: it has no 'provision' in the configuration"
        #expect(forbidden(request(tenant: "other"))?.reason == reason)
        #expect(forbidden(request(tenant: "main")) { $0.tenants = ["bare"] }?.tenant == "main")
        let error = #expect(throws: AuthorizationError.self) { try authorize(request(tenant: "none")) }
        #expect(error?.reply.code == .unknownTenant && error?.record == nil)
    }

    @Test("A provision is forbidden for a subject that the peer may not request tokens of.")
    func subjects() {
        #expect(forbidden(request("bob"))?.user == UserLookup(field: .subject, value: "bob"))
        #expect(forbidden(request("Ann"))?.operation == .provision)
        #expect(forbidden(request()) { ($0.subjects, $0.userIDs) = ([], [.everything]) }?.operation == .provision)
    }

    @Test(
        "One group that no pattern covers makes all of a provision forbidden, and the record has the group.",
        arguments: ["portal", "Portal-emea", "ops", "Ops ", "admin", "*"]
    )
    func groups(group: String) {
        let record = forbidden(request(groups: ["portal-emea", group, "another"]))
        #expect(record?.group == group)
        #expect(record?.reason.contains(group) == false || group == "*", "reasons are few, as they are counted by kind")
        #expect(forbidden(request(groups: [group], tenant: "bare"))?.group == group)
    }

    @Test("A group's name in a record is short.")
    func longGroup() {
        let group = String(repeating: "x", count: 2_000)
        #expect(forbidden(request(groups: [group]))?.group?.utf8.count ?? 0 < 1_030)
    }

    @Test("A revocation everywhere needs the tenant's client for it, and an ordinary one doesn't.")
    func everywhere() throws {
        func revoke(_ tenant: String, _ everywhere: Bool) -> Operation {
            .revoke(KeyRequest(user: Self.ann, tenant: tenant), everywhere: everywhere)
        }
        let user = UserKey(tenant: "main", user: Self.ann)
        #expect(try authorize(revoke("main", true)) == .revoke(user, nil, everywhere: true))
        #expect(try authorize(revoke("main", false)) == .revoke(user, nil))
        for tenant in ["bare", "other"] {
            #expect(forbidden(revoke(tenant, true))?.reason.contains("provision.revoke_client") == true)
            #expect(throws: Never.self) { try authorize(revoke(tenant, false)) }
        }
        #expect(forbidden(revoke("main", true)) { $0.operations = [.token] }?.operation == .revoke)
        #expect(forbidden(revoke("main", true)) { $0.subjects = [Glob("b*")] }?.user == Self.ann)
    }

    private func operations(_ change: (inout AccessRule) -> Void = { _ in }) throws -> [OperationName] {
        guard case .hello(let operations, _, _) = try authorize(.hello, change) else { return [] }
        return operations
    }

    @Test("hello lists provision to a peer whose rule names it and has a tenant with rules for it.")
    func hello() throws {
        let usual: [OperationName] = [.token, .prefetch, .invalidate, .revoke]
        let named = try operations()
        #expect(named == usual + [.provision, .hello])
        let bare = try operations { $0.tenants = ["bare"] }
        #expect(bare == named)
        let other = try operations { $0.tenants = ["other"] }
        #expect(other == usual + [.hello])
        let unnamed = try operations { $0.operations = AccessRule.usualOperations }
        #expect(unnamed == usual + [.hello])
    }
}
