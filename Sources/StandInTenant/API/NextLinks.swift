extension StandInTenant {
    /// The form of the links to the next page.
    package enum NextLinks: String, Sendable, CaseIterable {
        case absolute
        case relative  // A path and a query, without a host.
        case other  // A page of another server, which must not get the bearer token.
        case loop  // The same page again, for ever.
        case malformed  // No URL.
    }
}
