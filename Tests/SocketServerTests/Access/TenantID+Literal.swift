import TokenCache

/// A tenant that is known by its name alone.
extension TenantID: ExpressibleByStringLiteral {
    /// Creates the identity of `main`, or of another tenant.
    public init(stringLiteral name: String) { self.init(number: name == "main" ? 1 : 2, name: name) }
}
