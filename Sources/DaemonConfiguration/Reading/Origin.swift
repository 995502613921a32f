/// The origin of a tenant: `https://host` or `https://host:port`, and `http` for a host that is this machine.
struct Origin {
    /// Scheme, host and, if given, port, without a slash at the end.
    let text: String

    /// Reads an origin, or returns nil for any other text.
    init?(_ text: String) {
        let text = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://"),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        let scheme = text[..<colon].lowercased()
        let authority = text[colon...].dropFirst(3)
        guard !authority.contains(where: { "/?#@\\".contains($0) }), let host = Self.host(of: authority) else {
            return nil
        }
        guard scheme == "https" || scheme == "http" && Self.isLoopback(host) else { return nil }
        self.text = "\(scheme)://\(authority)"
    }

    /// True if it is `https` to an address instead of a name.
    var isSecureAddress: Bool {
        guard text.hasPrefix("https://"), let host = Self.host(of: text.dropFirst(8)) else { return false }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return host.hasPrefix("[") || parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The host, without brackets, and the port of a proxy's URL, `http://host:port`.
    static func plainHostAndPort(_ text: String) -> (host: String, port: Int)? {
        let text = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard text.lowercased().hasPrefix("http://"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return nil
        }
        let authority = text.dropFirst("http://".count)
        guard !authority.contains(where: { "/?#@\\".contains($0) }), let host = host(of: authority),
            let port = Int(authority[host.endIndex...].dropFirst())
        else { return nil }
        return (host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host), port)
    }

    /// Returns the host of `host`, `host:port` or `[address]:port`, with its brackets, or nil for any other text.
    static func host(of authority: Substring) -> Substring? {
        var host = authority
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[...end]
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
        }
        let rest = authority[host.endIndex...]
        guard !host.isEmpty, rest.isEmpty || isPort(rest.dropFirst()) && rest.hasPrefix(":") else { return nil }
        return host
    }

    private static func isPort(_ text: Substring) -> Bool {
        UInt16(text).map { $0 > 0 } ?? false
    }

    /// Returns true for a host that is this machine, without looking a name up.
    static func isLoopback(_ host: Substring) -> Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
