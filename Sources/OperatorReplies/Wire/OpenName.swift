/// A name on the wire from a set that a later daemon may extend.
package protocol OpenName: RawRepresentable<String>, Codable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// Creates a name, which may be one that this version doesn't know.
    init(rawValue: String)
}

extension OpenName {
    /// Creates a name, which may be one that this version doesn't know.
    package init(stringLiteral name: String) { self.init(rawValue: name) }
}
