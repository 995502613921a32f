/// The members of `entries`.
package struct EntriesRequest: Sendable, Equatable {
    /// The order of the entries.
    package enum Order: Sendable, Equatable {
        /// By their places in the cache, which stay while entries are added and removed.
        case place
        /// By the time of their next refresh, the soonest first.
        case nextRefresh
    }

    /// The tenant whose entries are wanted, or nil for all tenants.
    package var tenant: String?
    /// The most entries of the page, 1 to 1,000.
    package var limit: Int
    /// The cursor of an earlier page, after which this one begins, or nil if this is the first page.
    package var after: String?
    /// The order, by place unless another is asked for.
    package var order: Order

    /// Creates a request for a page.
    package init(tenant: String? = nil, limit: Int = 100, after: String? = nil, order: Order = .place) {
        self.tenant = tenant
        self.limit = limit
        self.after = after
        self.order = order
    }
}
