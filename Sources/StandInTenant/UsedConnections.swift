extension StandInTenant {
    /// What becomes of a connection when another request comes on it than its first.
    package enum UsedConnections: Sendable {
        /// It is answered.
        case kept
        /// The connection is reset, and the request counts for nothing: as after something between has forgotten it.
        case reset
    }
}
