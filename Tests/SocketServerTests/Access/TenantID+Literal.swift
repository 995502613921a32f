import TokenCache

/// A tenant that is known by its name alone.
extension TenantID: ExpressibleByStringLiteral {
    /// Creates the identity of `main`, of `bare`, or of another tenant.
    public init(stringLiteral name: String) { self.init(number: ["main": 1, "bare": 3][name] ?? 2, name: name) }
}
