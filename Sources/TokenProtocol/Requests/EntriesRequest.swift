/// The members of `entries`.
package struct EntriesRequest: Sendable, Equatable {
    /// The tenant whose entries are wanted, or nil for all tenants.
    package var tenant: String?
    /// The most entries of the page, 1 to 1,000.
    package var limit: Int
    /// The cursor of an earlier page, after which this one begins, or nil if this is the first page.
    package var after: String?

    /// Creates a request for a page.
    package init(tenant: String? = nil, limit: Int = 100, after: String? = nil) {
        self.tenant = tenant
        self.limit = limit
        self.after = after
    }
}
