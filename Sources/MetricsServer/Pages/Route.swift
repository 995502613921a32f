import HTTPTypes
import NIOCore

/// The pages that the server has.
enum Route: String, CaseIterable {
    case metrics = "/metrics"
    case liveness = "/healthz"
    case readiness = "/readyz"

    private static let allow = "GET, HEAD"

    /// Finds the page that a request is for.
    ///
    /// - Parameter isLoopback: True if the connection came to a loopback address.
    init(_ request: HTTPRequest, isLoopback: Bool) throws(Problem) {
        // A web page whose name resolves to a loopback address would otherwise read these pages in a user's browser
        // (DNS rebinding). The browser names that page's host here.
        if isLoopback, let host = request.authority, !Self.isLocal(host) {
            throw Problem(.misdirectedRequest, "the host of a request to a loopback address must be that, or localhost")
        }
        let path = (request.path ?? "").split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first
        guard let route = path.flatMap({ Route(rawValue: String($0)) }) else {
            let pages = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(.notFound, "the pages are \(pages)")
        }
        guard [.get, .head].contains(request.method) else {
            throw Problem(.methodNotAllowed, "the methods are \(Self.allow)", allow: Self.allow)
        }
        self = route
    }

    /// Returns true for the hosts by which a client of this machine names a loopback address, with or without a port.
    private static func isLocal(_ authority: String) -> Bool {
        let isBracketed = authority.hasPrefix("[")
        let host = String(isBracketed ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" })
        if host.lowercased() == "localhost" { return true }
        // Strictly an address: a name may begin with 127. too.
        guard let address = try? SocketAddress(ipAddress: host, port: 0).ipAddress else { return false }
        return ListenAddress.isLoopback(address)
    }
}
