import TokenCache

/// A peer for tests to which only the uid matters.
extension Peer: ExpressibleByIntegerLiteral {
    /// Creates a peer with a uid.
    public convenience init(integerLiteral uid: UInt32) { self.init(uid: uid, gid: 0) }
}

/// A tenant for tests in which the name is enough to identify it.
extension TenantID: ExpressibleByStringLiteral {
    /// Creates an ID from a name.
    public init(stringLiteral name: String) {
        self.init(number: name.utf8.reduce(0) { ($0 &* 31 &+ UInt32($1)) % 1_000_003 }, name: name)
    }
}
