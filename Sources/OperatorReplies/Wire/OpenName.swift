/// A word on the wire that names one of a set, to which a later daemon may add.
package protocol OpenName: RawRepresentable<String>, Codable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// Takes any word.
    init(rawValue: String)
}

extension OpenName {
    /// Takes any word.
    package init(stringLiteral word: String) { self.init(rawValue: word) }
}
