import NIOCore

/// The other end of a connection.
struct Endpoint: Sendable, Equatable {
    /// A name or an address.
    ///
    /// An IPv6 address has no brackets.
    let host: String
    let port: Int
    /// True if the connection uses TLS.
    let isSecure: Bool
    /// Host and port as a request names them.
    let authority: String

    /// Reads an origin: `https://host`, `https://host:port`, `http://[::1]:port`.
    init?(origin: String) {
        let parts = origin.split(separator: "://", maxSplits: 1)
        guard parts.count == 2, parts[0] == "https" || parts[0] == "http" else { return nil }
        isSecure = parts[0] == "https"
        authority = String(parts[1])
        var host = parts[1]
        var port: Substring?
        if host.last != "]", let colon = host.lastIndex(of: ":") {
            port = host[host.index(after: colon)...]
            host = host[..<colon]
        }
        guard let number = port.map({ Int($0) }) ?? (isSecure ? 443 : 80), !host.isEmpty else { return nil }
        self.port = number
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host)
    }

    /// Host and port, also where the origin names no port.
    var hostAndPort: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// True if the host is an address, in which case there is no name to check a certificate for.
    var isAddress: Bool { (try? SocketAddress(ipAddress: host, port: port)) != nil }
}
