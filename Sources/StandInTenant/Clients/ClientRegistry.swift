import FoundationEssentials

/// The tenant's OAuth clients, and the checks of what they send.
struct ClientRegistry: Sendable {
    /// A client with its keys.
    private struct Registration: Sendable {
        var client: StandInTenant.Client
        var keys: ClientKeys

        init(_ client: StandInTenant.Client) throws {
            self.client = client
            keys = try ClientKeys(client.keys)
        }
    }

    /// The result of the check of a client's proof and of what it asks for.
    enum Verdict: Equatable {
        case accepted
        case refused(Behaviour)
        case wrong(String)  // It breaks a rule of the contract.
    }

    /// A client of the tenant can have that many live secrets.
    private static let maximumSecrets = 5

    /// The client that impersonates users, which is always there.
    private var main: Registration
    private var others: [String: Registration] = [:]
    /// The URL of the token endpoint, for which assertions are made.
    private let audience: String

    init(main: StandInTenant.Client, others: [StandInTenant.Client], audience: String) throws {
        self.main = try Registration(main)
        self.audience = audience
        try setSecrets(main.secrets)
        try set(others)
    }

    /// All secrets that are accepted.
    var secrets: [String] { main.client.secrets + others.values.flatMap(\.client.secrets) }

    /// Sets the secrets of the client that impersonates users.
    mutating func setSecrets(_ secrets: [String]) throws {
        guard !secrets.isEmpty else { throw StandInTenant.Fault("the client has no secret") }
        try Self.check(secrets)
        main.client.secrets = secrets
    }

    /// Sets the public keys of the client that impersonates users.
    mutating func setKeys(_ keys: [String]) throws { main.keys = try ClientKeys(keys) }

    /// Sets the further clients.
    mutating func set(_ clients: [StandInTenant.Client]) throws {
        var others: [String: Registration] = [:]
        for client in clients {
            try Self.check(client.secrets)
            guard !client.id.isEmpty, client.id != main.client.id, others[client.id] == nil, !client.scopes.isEmpty
            else { throw StandInTenant.Fault("a client has no scope, or no id of its own") }
            others[client.id] = try Registration(client)
        }
        self.others = others
    }

    /// The scopes that a client gets if it asks for none.
    func scope(of id: String) -> String { (self[id]?.client.scopes ?? []).joined(separator: " ") }

    /// Checks a client's proof, and then whether it may have what it asks for.
    mutating func verdict(on request: MintRequest, at now: Date) -> Verdict {
        switch proofVerdict(request, at: now) {
        case .refused: return .refused(BehaviourTable.badClient)
        case .wrong(let violation): return .wrong(violation)
        case .accepted: return permission(for: request)
        }
    }

    private mutating func proofVerdict(_ request: MintRequest, at now: Date) -> ClientKeys.Verdict {
        guard let client = self[request.clientID]?.client else { return .refused }
        switch request.proof {
        case .secret(_, let secret): return client.secrets.contains(secret) ? .accepted : .refused
        case .assertion(let assertion):
            if client.id == main.client.id {
                return main.keys.verdict(on: assertion, from: client.id, to: audience, at: now)
            }
            return others[client.id]?.keys.verdict(on: assertion, from: client.id, to: audience, at: now) ?? .refused
        }
    }

    /// Checks what an authentic client asks for.
    ///
    /// The scopes of users' tokens are not checked.
    private func permission(for request: MintRequest) -> Verdict {
        guard let client = self[request.clientID]?.client else { return .refused(BehaviourTable.badClient) }
        guard request.key.field == .client else {
            return client.impersonates ? .accepted : .refused(BehaviourTable.grantNotEnabled)
        }
        let asked = request.key.scope?.split(separator: " ").map(String.init) ?? []
        return asked.allSatisfy(client.scopes.contains) ? .accepted : .refused(BehaviourTable.scopeNotAllowed)
    }

    private subscript(id: String) -> Registration? { id == main.client.id ? main : others[id] }

    private static func check(_ secrets: [String]) throws {
        guard secrets.count <= maximumSecrets, !secrets.contains("") else {
            throw StandInTenant.Fault("a client has at most \(maximumSecrets) secrets, none of them empty")
        }
    }
}
