/// The place at which an engine listens.
package enum EngineAddress: Sendable, Hashable {
    /// A name or an IP address without brackets, and a port.
    case host(String, port: Int)
    /// The path of a Unix socket.
    case socket(path: String)

    /// The address as operators read it.
    package var text: String {
        switch self {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .socket(let path): path
        }
    }

    /// True if it leads to this machine, as far as that shows without a lookup of the name.
    package var isLocal: Bool {
        switch self {
        case .socket: true
        case .host(let host, _): host == "localhost" || host == "::1" || Self.isLoopback(host)
        }
    }

    private static func isLoopback(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
