/// The URL of an engine: `redis://host:port/0`, the same with `rediss` for TLS, or `unix:///path?db=0`.
struct EngineURL {
    /// The usual port of an engine.
    private static let usualPort = 6_379
    /// The largest number of a database, far beyond what an engine is configured with.
    private static let lastDatabase = 65_535

    /// The address.
    let address: DaemonConfiguration.EngineAddress
    /// True if the connection leaves this machine without encryption.
    ///
    /// No name is looked up, so every name but `localhost` counts as another machine.
    let isPlainToOthers: Bool

    /// Reads a URL, or returns nil for any other text.
    init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://"),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        let rest = text[colon...].dropFirst("://".count)
        switch text[..<colon].lowercased() {
        case "unix": self.init(path: rest)
        case "redis": self.init(rest, usesTLS: false)
        case "rediss": self.init(rest, usesTLS: true)
        default: return nil
        }
    }

    private init?(path rest: Substring) {
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = String(parts[0])
        guard path.hasPrefix("/"), !path.hasSuffix("/"), path.utf8.count <= ConfigurationReader.maxSocketPath else {
            return nil
        }
        var database = 0
        if parts.count == 2 {
            guard parts[1].hasPrefix("db="), let number = Self.database(parts[1].dropFirst("db=".count)) else {
                return nil
            }
            database = number
        }
        address = .unix(path: path, database: database)
        isPlainToOthers = false
    }

    private init?(_ rest: Substring, usesTLS: Bool) {
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard !rest.contains(where: { "?#@\\".contains($0) }), let host = Origin.host(of: parts[0]) else { return nil }
        let port = parts[0][host.endIndex...].dropFirst()
        guard let database = parts.count == 2 && !parts[1].isEmpty ? Self.database(parts[1]) : 0 else { return nil }
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host)
        address = .tcp(host: bare, port: Int(port) ?? Self.usualPort, usesTLS: usesTLS, database: database)
        isPlainToOthers = !usesTLS && !Origin.isLoopback(host)
    }

    private static func database(_ text: Substring) -> Int? {
        ConfigurationReader.whole(String(text)).flatMap { (0...lastDatabase).contains($0) ? $0 : nil }
    }
}
