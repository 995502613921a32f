/// One of a tenant's clients.
package struct ClientReference: Sendable, Hashable {
    /// The tenant.
    package var tenant: TenantID
    /// The name of a further client, or nil for the tenant's own, which impersonates users.
    package var name: String?

    /// Creates a reference.
    package init(_ tenant: TenantID, name: String? = nil) {
        self.tenant = tenant
        self.name = name
    }
}
