/// What a request is for, by where it came in and its path.
package enum Route: Sendable, Equatable {
    /// The token endpoint.
    case token
    /// The revocation endpoint.
    case revocation
    /// The one call of the tenant's API that the stand-in knows: who am I.
    case currentUser
    /// A control request; the path after the prefix.
    case control(String)
    /// Where only a followed redirect leads.
    case redirected
    /// Nothing that the contract knows.
    case unknown

    /// The token endpoint's path.
    static let tokenPath = "/oauth/token"
    /// The revocation endpoint's path.
    static let revocationPath = "/oauth/revoke"
    /// The path to which the redirects `-same` lead.
    static let movedPath = "/oauth/token-moved"
    /// The path of the API's call.
    static let currentUserPath = "/api/v1/users/me"
    /// What the paths of control requests begin with.
    static let controlPrefix = "/_control/"

    /// Finds the route; a query makes a path another one.
    package init(_ target: String, on origin: StandInTenant.Origin) {
        guard origin == .tenant else {
            self = .redirected
            return
        }
        switch target {
        case Self.tokenPath: self = .token
        case Self.revocationPath: self = .revocation
        case Self.currentUserPath: self = .currentUser
        case Self.movedPath: self = .redirected
        case _ where target.hasPrefix(Self.controlPrefix):
            self = .control(String(target.dropFirst(Self.controlPrefix.count)))
        default: self = .unknown
        }
    }
}
