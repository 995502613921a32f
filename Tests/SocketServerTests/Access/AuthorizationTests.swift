import OperatorReplies
import Secrets
import SocketServer
import Testing
import TokenCache
import TokenProtocol

@Suite("Authorization")
struct AuthorizationTests {
    private static let ann = UserLookup(field: .subject, value: "ann")
    private static let bob = UserLookup(field: .subject, value: "bob")
    private static let administrator = Peer(uid: 0, gid: 0)
    private static let peer = Peer(uid: 33, gid: 33)
    private static let directory = TenantDirectory(
        scopes: (["main": "b a", "other": "a"] as [TenantID: String]).compactMapValues { ScopeSet($0) },
        defaultTenant: "main"
    )

    /// A policy with root as its administrator.
    private static func policy(_ rules: [AccessRule] = [.withoutRules]) -> AccessPolicy {
        AccessPolicy(directory: directory, rules: rules, administrators: PeerSet(users: [0]))
    }

    private static func key(_ tenant: String? = nil, scopes: String? = nil) -> KeyRequest {
        KeyRequest(user: ann, tenant: tenant, scopes: scopes.flatMap { ScopeSet($0) })
    }

    /// One request for each operation, which names a tenant if it can.
    private static func requests(of tenant: String? = nil) -> [Operation] {
        [
            .token(TokenRequest(key: key(tenant))), .prefetch(PrefetchRequest(users: [ann], tenant: tenant)),
            .invalidate(InvalidateRequest(key: key(tenant), fingerprint: Fingerprint(words: .zero))),
            .revoke(key(tenant)), .provision(ProvisionRequest(subject: ann.value, tenant: tenant)), .hello, .stats,
            .entries(EntriesRequest(tenant: tenant)), .evict(key(tenant)),
            .flush(tenant: tenant), .reload, .health, .metrics, .explain(key(tenant)), .releaseHold(tenant: tenant),
            .logLevel(LogLevelRequest(level: .debug)),
        ]
    }

    private func error(
        _ operation: Operation,
        _ client: Client,
        by gatekeeper: Gatekeeper = Gatekeeper(policy()),
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> AuthorizationError? {
        #expect(throws: AuthorizationError.self, sourceLocation: sourceLocation) {
            try gatekeeper.authorize(operation, for: client)
        }
    }

    /// The record of a forbidden request for the audit trail.
    private func forbiddenRequest(_ error: AuthorizationError?) -> AuditRecord.ForbiddenRequest? {
        guard case .forbidden(let request)? = error?.record?.act else { return nil }
        return request
    }

    @Test("A report of a refused token with a request for another needs both operations.")
    func refusedToken() throws {
        var rule = AccessRule.withoutRules
        var request = TokenRequest(key: Self.key())
        request.refused = Fingerprint(words: .zero)
        let client = Client(socket: .requests, peer: Self.peer)
        rule.operations = [.token]
        let error = error(.token(request), client, by: Gatekeeper(Self.policy([rule])))
        #expect(error?.reply.code == .forbidden)
        #expect(error?.reply.description.contains("'invalidate'") == true)
        #expect(forbiddenRequest(error)?.operation == .token)
        rule.operations = [.token, .invalidate]
        let allowed = try Gatekeeper(Self.policy([rule])).authorize(
            .token(request),
            for: Client(socket: .requests, peer: Self.peer)
        )
        #expect(
            allowed == .token(TokenKey(tenant: "main", user: Self.ann, scopes: try #require(ScopeSet("a b"))), request)
        )
    }

    @Test(
        "Apps' operations are for the request socket, all operations for administrators, and hello is for everyone.",
        arguments: [SocketKind.requests, .admin],
        [administrator, peer]
    )
    func socketsAndPeers(socket: SocketKind, peer: Peer) throws {
        let gatekeeper = Gatekeeper(Self.policy())
        let client = Client(socket: socket, peer: peer)
        let isAdministrator = socket == .admin && peer == Self.administrator
        // A provision has tests of its own, as it needs a rule that names it.
        for operation in Self.requests() where operation.name != .provision {
            let isAllowed = operation == .hello || isAdministrator || socket == .requests && operation.name.isForApps
            guard !isAllowed else {
                #expect(throws: Never.self) { try gatekeeper.authorize(operation, for: client) }
                continue
            }
            let error = error(operation, client, by: gatekeeper)
            #expect(error?.reply == ErrorReply(.forbidden, "this peer is no administrator"))
            #expect(error?.record?.peer == peer)
            #expect(forbiddenRequest(error)?.operation == operation.name)
        }
        let mayHaveTokens = socket == .requests || isAdministrator
        #expect((gatekeeper.authorization(of: client).permissions != nil) == mayHaveTokens)
    }

    @Test("An administrator, too, needs a rule for tokens.")
    func administratorWithoutRule() {
        let gatekeeper = Gatekeeper(Self.policy([]))
        let client = Client(socket: .admin, peer: Self.administrator)
        for operation in Self.requests() where operation != .hello && operation.name.isForApps {
            let reply = error(operation, client, by: gatekeeper)?.reply
            #expect(reply == ErrorReply(.forbidden, "this peer may not use this operation"))
        }
        #expect(throws: Never.self) { try gatekeeper.authorize(.stats, for: client) }
    }

    @Test("Each request is returned with the keys and tenants that it refers to.")
    func keys() throws {
        let gatekeeper = Gatekeeper(Self.policy())
        let client = Client(socket: .admin, peer: Self.administrator)
        func authorize(_ operation: Operation) throws -> AuthorizedOperation {
            try gatekeeper.authorize(operation, for: client)
        }
        let scopes = try #require(ScopeSet("a b"))
        let key = TokenKey(tenant: "main", user: Self.ann, scopes: scopes)
        let token = TokenRequest(key: Self.key(), noCache: true)
        #expect(try authorize(.token(token)) == .token(key, token))
        #expect(try authorize(.prefetch(PrefetchRequest(users: [Self.ann]))) == .prefetch([key]))
        let hash = Fingerprint(words: .zero)
        let report = InvalidateRequest(key: Self.key(), fingerprint: hash)
        #expect(try authorize(.invalidate(report)) == .invalidate(key, hash))
        #expect(try authorize(.revoke(Self.key())) == .revoke(key.user, nil))
        #expect(try authorize(.revoke(Self.key(scopes: "a"))) == .revoke(key.user, ScopeSet("a")))
        #expect(try authorize(.stats) == .administer(.stats))
        #expect(try authorize(.entries(EntriesRequest())) == .administer(.entries(EntriesRequest(), nil)))
        let page = EntriesRequest(tenant: "other")
        #expect(try authorize(.entries(page)) == .administer(.entries(page, "other")))
        #expect(try authorize(.evict(Self.key())) == .administer(.evict(key.user, nil)))
        #expect(try authorize(.evict(Self.key(scopes: "c"))) == .administer(.evict(key.user, ScopeSet("c"))))
        #expect(try authorize(.flush(tenant: nil)) == .administer(.flush(nil)))
        #expect(try authorize(.flush(tenant: "other")) == .administer(.flush("other")))
        #expect(try authorize(.explain(Self.key())) == .administer(.explain(key)))
        #expect(try authorize(.releaseHold(tenant: nil)) == .administer(.releaseHold(nil)))
        #expect(try authorize(.releaseHold(tenant: "other")) == .administer(.releaseHold("other")))
    }

    @Test("A request that names an unknown tenant gets an error, which is not recorded.")
    func unknownTenant() {
        let client = Client(socket: .admin, peer: Self.administrator)
        // A provision has tests of its own, as it needs a rule that names it.
        for operation in Self.requests(of: "none") where operation.target.tenant != nil && operation.name != .provision
        {
            let error = error(operation, client)
            #expect(error?.reply.code == .unknownTenant)
            #expect(error?.record == nil)
        }
    }

    @Test("hello lists the operations and tenants that a client may use.")
    func hello() throws {
        var rule = AccessRule.withoutRules
        rule.peers = PeerSet(users: [33])
        rule.tenants = ["other"]
        rule.operations = [.token, .revoke]
        let gatekeeper = Gatekeeper(Self.policy([rule]))
        func hello(_ socket: SocketKind, _ peer: Peer) throws -> AuthorizedOperation {
            try gatekeeper.authorize(.hello, for: Client(socket: socket, peer: peer))
        }
        #expect(
            try hello(.requests, Self.peer) == .hello(operations: [.token, .revoke, .hello], tenants: ["other"])
        )
        #expect(try hello(.requests, Self.administrator) == .hello(operations: [.hello], tenants: []))
        #expect(try hello(.admin, Self.peer) == .hello(operations: [.hello], tenants: []))
        #expect(
            try hello(.admin, Self.administrator)
                == .hello(
                    operations: [
                        .hello, .stats, .entries, .evict, .flush, .reload, .health, .metrics, .explain, .releaseHold,
                        .logLevel,
                    ],
                    tenants: ["main", "other"]
                )
        )
    }

    @Test("The record of a forbidden request has what it named, and of a prefetch's users the first forbidden one.")
    func records() {
        var rule = AccessRule.withoutRules
        rule.subjects = [Glob("ann")]
        let gatekeeper = Gatekeeper(Self.policy([rule]))
        let client = Client(socket: .requests, peer: Self.peer)
        let prefetch = PrefetchRequest(users: [Self.ann, Self.bob], tenant: "main", scopes: ScopeSet("a"))
        let forbidden = error(.prefetch(prefetch), client, by: gatekeeper)
        #expect(forbidden?.reply == ErrorReply(.forbidden, "this peer may not ask for tokens of that user"))
        #expect(
            forbiddenRequest(forbidden)
                == AuditRecord.ForbiddenRequest(
                    .prefetch,
                    reason: "this peer may not ask for tokens of that user",
                    tenant: "main",
                    user: Self.bob,
                    scopes: ScopeSet("a")
                )
        )
        let token = TokenRequest(key: Self.key("main", scopes: "a c"))
        #expect(
            forbiddenRequest(error(.token(token), client, by: gatekeeper))
                == AuditRecord.ForbiddenRequest(
                    .token,
                    reason: "this peer may ask for the tenant's own scopes only",
                    tenant: "main",
                    user: Self.ann,
                    scopes: ScopeSet("a c")
                )
        )
        let admin = Client(socket: .admin, peer: Self.peer)
        let flush = forbiddenRequest(error(.flush(tenant: "main"), admin, by: gatekeeper))
        #expect(flush?.tenant == "main" && flush?.user == nil && flush?.scope == nil)
    }

    @Test(
        "A peer that may or may not match a rule is told so, its names are looked up, and health names the rule."
    )
    func undecided() {
        let byName = AccessRule(peers: PeerSet(names: AccountNames(users: ["app"])), location: "access[0]")
        let byUnit = AccessRule(peers: PeerSet(units: [Glob("app.service")]), location: "access[1]")
        var asked: [UInt32] = []
        let names = Gatekeeper(Self.policy([byName])) { asked.append($0.uid) }
        let client = Client(socket: .requests, peer: Self.peer)
        let sentence = "it isn't known now whether an access rule means this peer; 'health' says which rule"
        for _ in 0..<2 {
            let error = error(.token(TokenRequest(key: Self.key())), client, by: names)
            #expect(error?.reply == ErrorReply(.forbidden, sentence))
            #expect(forbiddenRequest(error)?.reason == sentence)
        }
        #expect(asked == [33], "they are asked for once a connection")
        #expect(names.check?.description?.contains("access[0] names user 'app'") == true)
        let flush = error(.flush(tenant: nil), Client(socket: .admin, peer: Self.peer), by: names)
        #expect(flush?.reply.description == "this peer is no administrator", "no access rule decides this")
        asked = []
        let units = Gatekeeper(Self.policy([byUnit])) { asked.append($0.uid) }
        #expect(units.check == nil)
        let hidden = Client(socket: .requests, peer: Peer(uid: 34, gid: 34, hidesUnit: true))
        #expect(error(.token(TokenRequest(key: Self.key())), hidden, by: units)?.reply.description == sentence)
        #expect(asked.isEmpty, "names don't help with a unit")
        #expect(units.check?.description?.contains("access[1] goes by units") == true)
    }

    @Test("A client that a gatekeeper has authorized is authorized anew by the next one.")
    func newPolicy() {
        let (first, second) = (Gatekeeper(Self.policy()), Gatekeeper(Self.policy([])))
        let client = Client(socket: .requests, peer: Self.peer)
        #expect(throws: Never.self) { try first.authorize(.revoke(Self.key()), for: client) }
        #expect(first.authorization(of: client) === first.authorization(of: client))
        #expect(error(.revoke(Self.key()), client, by: second)?.reply.code == .forbidden)
        #expect(throws: Never.self) { try first.authorize(.revoke(Self.key()), for: client) }
    }
}
