/// The purpose of a request, found by the server that received it and its path.
enum Route: Sendable, Equatable {
    case token
    case revocation
    case api  // An operation of the tenant's API.
    case control(String)  // The path after the prefix.
    case redirected  // A redirect was followed.
    case home  // The page for browsers, which tells a program that the tenant answers.
    case unknown

    static let tokenPath = "/oauth/token"
    /// The path to which the redirects `-same` lead.
    static let movedPath = "/oauth/token-moved"
    private static let controlPrefix = "/_control/"

    /// Finds the route of a path, of which a query is a part.
    init(_ target: String, on origin: StandInTenant.Origin) {
        switch target {
        case _ where origin == .other: self = .redirected
        case Self.tokenPath: self = .token
        case "/oauth/revoke": self = .revocation
        case "/": self = .home
        case Self.movedPath: self = .redirected
        case _ where target.hasPrefix(APITarget.prefix): self = .api
        case _ where target.hasPrefix(Self.controlPrefix):
            self = .control(String(target.dropFirst(Self.controlPrefix.count)))
        default: self = .unknown
        }
    }
}
