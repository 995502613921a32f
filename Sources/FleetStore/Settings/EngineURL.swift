/// The address of an engine, as the configuration names it.
///
/// The forms are `redis://HOST:PORT/DATABASE`, `rediss://…` for TLS, and `unix:///PATH?db=DATABASE`. The port is 6379 and
/// the database 0 if they are left out. The user and the password have settings of their own, so that no secret is in
/// a URL.
package struct EngineURL: Sendable, Equatable {
    /// The place to connect to.
    package var address: EngineAddress
    /// True for TLS.
    package var isSecure: Bool
    /// The number of the database.
    package var database: Int

    /// Creates an address.
    package init(address: EngineAddress, isSecure: Bool = false, database: Int = 0) {
        self.address = address
        self.isSecure = isSecure
        self.database = database
    }

    /// The reason why a text is no address of an engine.
    package enum Fault: String, Error, Sendable {
        /// It begins otherwise.
        case scheme = "it begins with none of redis://, rediss:// and unix://"
        /// It has a user or a password.
        case userInformation = "it has a user or a password, which have keys of their own"
        /// There is no host.
        case host = "it names no host"
        /// The port isn't a number from 1 to 65535.
        case port = "its port is not a number from 1 to 65535"
        /// The database isn't a number from 0 to 9999.
        case database = "its database is not a number from 0 to 9999"
        /// The path of a socket is relative or too long.
        case path = "its path does not begin with a slash, or has more than 107 bytes"
    }

    /// The port of the engine, unless another is named.
    package static let standardPort = 6_379
    /// The longest path of a Unix socket in bytes, as `sockaddr_un` has room for.
    private static let longestPath = 107

    /// Reads an address.
    package init(_ text: String) throws(Fault) {
        if let rest = Self.rest(of: text, after: "unix://") {
            self = try Self.socket(rest)
        } else if let rest = Self.rest(of: text, after: "rediss://") {
            self = try Self.host(rest, isSecure: true)
        } else if let rest = Self.rest(of: text, after: "redis://") {
            self = try Self.host(rest, isSecure: false)
        } else {
            throw .scheme
        }
    }

    /// True if everything that is sent can be read on the way to another machine.
    package var isPlainToOtherMachine: Bool { !isSecure && !address.isLocal }

    private static func rest(of text: String, after scheme: String) -> Substring? {
        text.hasPrefix(scheme) ? text.dropFirst(scheme.count) : nil
    }

    private static func socket(_ text: Substring) throws(Fault) -> EngineURL {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = String(parts[0])
        guard path.hasPrefix("/"), path.utf8.count <= longestPath else { throw .path }
        guard parts.count == 2 else { return EngineURL(address: .socket(path: path)) }
        guard parts[1].hasPrefix("db=") else { throw .database }
        return EngineURL(address: .socket(path: path), database: try database(parts[1].dropFirst(3)))
    }

    private static func host(_ text: Substring, isSecure: Bool) throws(Fault) -> EngineURL {
        if text.contains("@") { throw .userInformation }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let number = parts.count == 2 && !parts[1].isEmpty ? try database(parts[1]) : 0
        var host = parts[0]
        var port = standardPort
        if host.last != "]", let colon = host.lastIndex(of: ":") {
            guard let number = Int(host[host.index(after: colon)...]), 1...65_535 ~= number else { throw .port }
            port = number
            host = host[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw .host }
        return EngineURL(address: .host(String(host), port: port), isSecure: isSecure, database: number)
    }

    private static func database(_ text: Substring) throws(Fault) -> Int {
        guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = Int(text), number <= 9_999 else {
            throw .database
        }
        return number
    }
}
